"""Modified UTF-7 both ways, and names that are none."""

from __future__ import annotations

import pytest

from malleposte.wire.imap import utf7


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("INBOX", "INBOX"),
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),  # RFC 3501 §5.1.3
        ("&Jjo-!", "☺!"),
        ("Tom &- Jerry", "Tom & Jerry"),
        ("&-&-", "&&"),
        ("&AOk-l&AOk-ments envoy&AOk-s", "éléments envoyés"),
        ("&2D3eAA-", "😀"),
        ("&AAo-", "\n"),  # a control character: no printable ASCII
        ("&AH8-", "\x7f"),
        ("", ""),
    ],
)
def test_canonical_names_go_both_ways(wire: str, name: str) -> None:
    assert utf7.decode(wire) == name
    assert utf7.encode(name) == wire.encode("ascii")


@pytest.mark.parametrize(
    "odd",
    [
        "&Jjo!",  # RFC 3501 §5.1.3: not closed
        "&",
        "a & b",
        "&Jj-",  # half a code unit
        "&AEk-NBOX",  # printable ASCII in a shift would be INBOX by another name
        "&AC8-",  # a separator in disguise
        "&Jjp-",  # spare bits that are not zero
        "&Jjo=-",
        "&Jj/-",  # `/` where modified base64 has `,`
        "&2D0-",  # half a surrogate pair
        "&3gA-",
        "&AAAA-",
        "&Jjo-&",
        "&!!-",
        "&äö-",
    ],
)
def test_an_odd_name_stands_for_itself(odd: str) -> None:
    assert utf7.decode(odd) == odd
    # It is listed so that the next SELECT finds the same name.
    assert utf7.decode(utf7.encode(odd).decode("ascii")) == odd


def test_two_shifts_in_a_row_are_understood() -> None:
    assert utf7.decode("&AOQ-&APY-") == "äö"


def test_encoding_gives_printable_ascii_for_any_text() -> None:
    for name in ("\ud800", "a\x00b", "\uffff", "\U0010ffff&ü", "\r\n* BYE"):
        wire = utf7.encode(name)
        assert all(0x20 <= octet <= 0x7E for octet in wire)
