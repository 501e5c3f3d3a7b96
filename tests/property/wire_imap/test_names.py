"""Modified UTF-7 against itself and against Python's UTF-7, and names through both spellings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.imap import utf7
from malleposte.wire.imap.mailbox_names import from_wire, to_wire

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(_text)
def test_round_trip(name: str) -> None:
    wire = utf7.encode(name)
    assert all(0x20 <= octet <= 0x7E for octet in wire)
    assert utf7.decode(wire.decode("ascii")) == name


@given(_text, st.booleans())
def test_both_spellings_bring_a_name_back(name: str, utf8: bool) -> None:
    assert from_wire(to_wire(name, utf8), utf8) == name


@given(_text.filter(lambda name: not set(name) & set("&+\\~") and "\x7f" not in name))
def test_against_pythons_utf7(name: str) -> None:
    """Between the shifts the two differ only in the shift character and in `,` for `/`."""
    wire = utf7.encode(name).decode("ascii")
    plain = "".join(
        piece.replace(",", "/") if odd else piece for odd, piece in _halves(wire)
    ).replace("&", "+")
    assert plain.encode("ascii").decode("utf-7") == name


def _halves(wire: str) -> list[tuple[bool, str]]:
    halves: list[tuple[bool, str]] = []
    for number, part in enumerate(wire.split("&")):
        if not number:
            halves.append((False, part))
            continue
        base64, _, rest = part.partition("-")
        halves += [(True, "&" + base64 + "-"), (False, rest)]
    return halves


@given(st.text(st.sampled_from("&-AaJjo+,/=!ü\ud800 "), max_size=30) | st.text(max_size=20))
def test_decode_never_raises_and_settles(name: str) -> None:
    """What is shown for any name, odd or not, selects the same mailbox."""
    text = utf7.decode(name)
    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    assert utf7.decode(utf7.encode(text).decode("ascii")) == text


@given(st.binary(max_size=40), st.booleans())
def test_names_from_any_octets(raw: bytes, utf8: bool) -> None:
    name = from_wire(raw, utf8)
    assert name is None or from_wire(to_wire(name, utf8), utf8) == name
