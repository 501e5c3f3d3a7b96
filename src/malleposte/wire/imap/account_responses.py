"""Responses on what hangs on mailboxes and accounts: METADATA, QUOTA and QUOTAROOT, each complete
with its CRLF (RFC 5464 §4.4, RFC 9208 §4.2)."""

from __future__ import annotations

from collections.abc import Iterable

from malleposte.wire.imap import render


def metadata(name: str, utf8: bool, values: Iterable[tuple[str, bytes | None]]) -> bytes:
    """METADATA with values (RFC 5464 §4.4.1): at least one entry, None for NIL; an empty `name` is
    the server itself. A value with a NUL goes as a literal8."""
    words = [
        b"%b %b" % (render.astring(entry.encode("ascii")), _value(value, utf8))
        for entry, value in values
    ]
    return b"* METADATA %b (%b)\r\n" % (render.quoted_mailbox(name, utf8), b" ".join(words))


def metadata_changed(name: str, utf8: bool, entries: Iterable[str]) -> bytes:
    """METADATA without values, for who did not ask (RFC 5464 §4.4.2): at least one entry."""
    words = [render.quoted_mailbox(name, utf8)]
    words += [render.astring(entry.encode("ascii")) for entry in entries]
    return b"* METADATA %b\r\n" % b" ".join(words)


def _value(value: bytes | None, utf8: bool) -> bytes:
    if value is not None and b"\0" in value:
        return render.literal8(value)
    return render.nstring(value, utf8)


def quota(root: str, resources: Iterable[tuple[bytes, int, int]]) -> bytes:
    """QUOTA (RFC 9208 §4.2.1): resources with what is used and the limit, in their units."""
    words = [b"%b %d %d" % resource for resource in resources]
    return b"* QUOTA %b (%b)\r\n" % (_root(root), b" ".join(words))


def quota_root(name: str, utf8: bool, roots: Iterable[str]) -> bytes:
    """QUOTAROOT (RFC 9208 §4.2.2): the roots that bound a mailbox."""
    words = [render.quoted_mailbox(name, utf8), *map(_root, roots)]
    return b"* QUOTAROOT %b\r\n" % b" ".join(words)


def _root(root: str) -> bytes:
    return render.string(root.encode("utf-8"))
