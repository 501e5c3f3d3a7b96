"""The header of a message as it is given to the members of a group: RFC 2369, RFC 2919.

The body is left alone, so that the author's signature holds. Where the author's domain asks others to
refuse mail without a signature or a server of its own, From names the group instead, and replies still go
to the author: then the group's domain answers for the message.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from malleposte.directory.groups import Group
from malleposte.mime import compose
from malleposte.mime.address import Address, addresses, display_name, mailboxes
from malleposte.mime.headers import FIELD

OF_LISTS: Final = frozenset(
    {
        b"list-id",
        b"list-post",
        b"list-help",
        b"list-owner",
        b"list-archive",
        b"list-subscribe",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
        b"precedence",
    }
)
_AUTOMATIC: Final = re.compile(
    rb"^Auto-Submitted[ \t]*:[ \t]*auto-replied\b", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Listed:
    """``sender``: whom reports about it go to; ``fields``: of the list, put before the message."""

    group: Group
    sender: str
    fields: bytes


def listed(group: Group) -> Listed:
    """What a group's mail has in common."""
    return Listed(group, group.bounces, fields_of(group))


def fields_of(group: Group) -> bytes:
    """The fields of a list."""
    local, _, domain = group.address.rpartition("@")
    identity = f"{local}.{domain}".encode("utf-8", "replace")
    # An atom has no other characters (RFC 5322 §3.2.3).
    identity = re.sub(rb"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]", b"-", identity)
    name = (
        compose.unstructured("List-Id", group.name).removesuffix(b"\r\n")
        if group.name
        else b"List-Id:"
    )
    post = _mailto("List-Post", group.address)
    if group.senders == "owners":
        post = b"List-Post: NO (only its owners write here)\r\n"  # RFC 2369 §3.4
    return b"".join(
        (name, b"\r\n <" if group.name else b" <", identity, b">\r\n")
        + (post, _mailto("List-Owner", group.owner), b"Precedence: list\r\n")
    )


def _mailto(name: str, address: str) -> bytes:
    local, _, domain = address.rpartition("@")
    quoted = "".join(
        chr(c) if c < 128 and (chr(c).isalnum() or chr(c) in "-._~") else f"%{c:02X}"
        for c in local.encode("utf-8", "replace")
    )
    return f"{name}: <mailto:{quoted}@{domain}>\r\n".encode("ascii", "replace")


def of_this_list(header: bytes, group: Group) -> bool:
    """Whether a message has been at this group already: by List-Id, which other lists take away, or by
    Delivered-To."""
    address = group.address.lower().encode("utf-8", "replace")
    own = fields_of(group).partition(b"<")[2].partition(b">")[0].lower()
    for field in FIELD.finditer(header):
        name = field[1].rstrip().lower()
        if name == b"list-id" and b"<" + own + b">" in field[2].lower():
            return True
        if name == b"delivered-to" and field[2].strip().lower() == address:
            return True
    return False


def is_reply_of_a_program(header: bytes) -> bool:
    """Whether a program answered (RFC 3834 §5): nothing that everybody should get."""
    return _AUTOMATIC.search(header) is not None


def of_a_list(header: bytes) -> bool:
    """Whether a message has fields of a list, which would be doubled."""
    return any(field[1].rstrip().lower() in OF_LISTS for field in FIELD.finditer(header))


def as_list_mail(header: bytes, group: Group, *, rename: bool) -> bytes:
    """A header block with the fields of the group in place of others' lists, and with ``rename`` with the
    group as author."""
    fields = list(FIELD.finditer(header))
    names = {field[1].rstrip().lower() for field in fields}
    without = OF_LISTS | {b"from"} if rename else OF_LISTS
    added = [fields_of(group)]
    if rename:
        found = [field[2] for field in fields if field[1].rstrip().lower() == b"from"]
        author = next(iter(mailboxes(addresses(b",".join(found)))), None)
        added.append(
            compose.addresses("From", [compose.Mailbox(_via(author, group), group.address)])
        )
        if b"reply-to" not in names and found:
            added.append(b"Reply-To:" + found[0].removesuffix(b"\r") + b"\r\n")
    return b"".join((*added, *_kept(header, without)))


def _kept(header: bytes, without: frozenset[bytes]) -> Iterable[bytes]:
    at = 0
    for field in FIELD.finditer(header):
        if field[1].rstrip().lower() in without:
            yield header[at : field.start()]
            at = min(field.end() + 1, len(header))
    yield header[at:]


def _via(author: Address | None, group: Group) -> str:
    """The name that stands with the group's address."""
    name = group.name or group.address.partition("@")[0]
    if author is None:
        return name
    own = display_name(author.name) or author.addr_spec.decode("utf-8", "replace")
    return f"{own.replace('@', ' at ')} via {name}"
