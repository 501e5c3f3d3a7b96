"""Many FETCH responses in one call: the same octets as one by one."""

from __future__ import annotations

from array import array

import pytest

from malleposte.wire.imap import fetch_rows
from malleposte.wire.imap.commands.fetch import Attribute


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


def test_every_plain_item_has_a_column() -> None:
    assert set(fetch_rows.COLUMNS) == set(Attribute)
    for attribute, column in fetch_rows.COLUMNS.items():
        assert column.startswith(attribute.value + b" ")
    names = [fetch_rows.COLUMNS[Attribute.MODSEQ], fetch_rows.COLUMNS[Attribute.EMAILID]]
    assert fetch_rows.fetch_columns([1], names, [65402], [b"M1"]) == (
        b"* 1 FETCH (MODSEQ (65402) EMAILID (M1))\r\n"
    )


def test_columns_of_unequal_length_are_a_bug() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fetch_rows.fetch_uid_flags([1, 2], [7], [b"", b""])


def test_one_message() -> None:
    items = [b"UID 7", fetch_rows.body(b"BODY[]", b"a\x00")]
    assert fetch_rows.fetch(1, items) == b"* 1 FETCH (UID 7 BODY[] {2}\r\na\x80)\r\n"
    assert (
        fetch_rows.fetch(1, [fetch_rows.body(b"BODY[9]", None)]) == b"* 1 FETCH (BODY[9] NIL)\r\n"
    )


def test_binary_and_preview() -> None:
    assert fetch_rows.binary(b"BINARY[1]", b"abc") == b"BINARY[1] {3}\r\nabc"
    assert fetch_rows.binary(b"BINARY[1]", b"a\x00c") == b"BINARY[1] ~{3}\r\na\x00c"
    assert fetch_rows.binary(b"BINARY[1]", None) == b"BINARY[1] NIL"
    assert fetch_rows.binary_size(b"BINARY.SIZE[1]", 7) == b"BINARY.SIZE[1] 7"
    assert fetch_rows.preview("Hallo", False) == b'PREVIEW "Hallo"'
    assert fetch_rows.preview("ü", False) == b"PREVIEW {2}\r\n\xc3\xbc"
    assert fetch_rows.preview("ü", True) == b'PREVIEW "\xc3\xbc"'
    assert fetch_rows.preview(None, True) == b"PREVIEW NIL"
