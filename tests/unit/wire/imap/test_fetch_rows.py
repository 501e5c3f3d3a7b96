"""Many FETCH responses in one call: the same octets as one by one."""

from __future__ import annotations

from array import array

import pytest

from malleposte.wire.imap import fetch_rows


def test_flags() -> None:
    assert fetch_rows.fetch_uid_flags(range(1, 3), array("I", [7, 9]), [b"\\Seen", b""]) == (
        b"* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n* 2 FETCH (UID 9 FLAGS ())\r\n"
    )
    assert fetch_rows.fetch_flags([3], [b"\\Seen $Junk"]) == b"* 3 FETCH (FLAGS (\\Seen $Junk))\r\n"
    assert fetch_rows.fetch_uid_flags([], [], []) == b""


def test_columns() -> None:
    names = (b"UID %d", b"ENVELOPE %b", b"BODYSTRUCTURE %b", b"RFC822.SIZE %d")
    rows = fetch_rows.fetch_columns(
        [1, 2], names, [7, 9], [b"(e1 100%)", b"(e2)"], [b"(b1)", b"(b2)"], [10, 20]
    )
    assert rows == (
        b"* 1 FETCH (UID 7 ENVELOPE (e1 100%) BODYSTRUCTURE (b1) RFC822.SIZE 10)\r\n"
        b"* 2 FETCH (UID 9 ENVELOPE (e2) BODYSTRUCTURE (b2) RFC822.SIZE 20)\r\n"
    )


def test_columns_of_unequal_length_are_a_bug() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fetch_rows.fetch_uid_flags([1, 2], [7], [b"", b""])
