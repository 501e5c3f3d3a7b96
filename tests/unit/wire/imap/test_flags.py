"""Flags: which a client may set, and that a keyword from elsewhere cannot break a response."""

from __future__ import annotations

import pytest

from malleposte.wire.imap.flags import fold, parse_flag, render_flags


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        (b"\\Seen", "\\Seen"),
        (b"\\sEEN", "\\Seen"),
        (b"$Forwarded", "$Forwarded"),
        (b"NonJunk", "NonJunk"),
        (b"a[b", "a[b"),
    ],
)
def test_parse(raw: bytes, flag: str) -> None:
    assert parse_flag(raw) == flag


@pytest.mark.parametrize(
    "raw", [b"", b"\\", b"\\Recent", b"\\*", b"\\Frob", b"a b", b"a]", b"\xc3\xbc", b"a\x00", b'"']
)
def test_parse_refuses(raw: bytes) -> None:
    assert parse_flag(raw) is None


def test_comparing() -> None:
    assert fold("$JUNK") == fold("$Junk")


def test_what_cannot_stand_on_the_wire_is_left_out() -> None:
    assert render_flags(["\\Seen", "$Junk", "a b", "ü", "x)\r\n* BYE", "", "\\", "\\a\\b"]) == (
        b"\\Seen $Junk"
    )
    assert render_flags(()) == b""
