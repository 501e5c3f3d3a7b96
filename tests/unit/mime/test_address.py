"""Address lists: RFC 5322, its obsolete forms, and worse."""

from __future__ import annotations

import pytest

from malleposte.mime import Address, Group, addresses
from malleposte.mime.address import display_name, mailboxes
from malleposte.mime.limits import ADDRESSES

A = Address


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"ann@example.org", [A(b"", b"ann", b"example.org")]),
        (b" Ann <ann@example.org> ", [A(b"Ann", b"ann", b"example.org")]),
        (b'"A, B" <a@b>, c@d', [A(b"A, B", b"a", b"b"), A(b"", b"c", b"d")]),
        (b'"a \\"b\\"" <a@b>', [A(b'a "b"', b"a", b"b")]),
        (b'"quoted local"@b', [A(b"", b"quoted local", b"b")]),
        (b"a@[192.0.2.1]", [A(b"", b"a", b"[192.0.2.1]")]),
        (b"a@b (comment (nested) \\))", [A(b"", b"a", b"b", b"comment (nested) )")]),
        (b"(c) a@b", [A(b"", b"a", b"b", b"c")]),
        # Obsolete: routes, dots in phrases, empty members, spaces about dots.
        (b"X <@r1,@r2:a@b>", [A(b"X", b"a", b"b", b"", b"@r1,@r2")]),
        (b"J. R. Doe <a@b>", [A(b"J. R. Doe", b"a", b"b")]),
        (b",, a@b ,,", [A(b"", b"a", b"b")]),
        (b"a . b @ c . d", [A(b"", b"a.b", b"c.d")]),
        (b"<a@b> Name", [A(b"Name", b"a", b"b")]),
        # Malformed.
        (b"Ann Other", [A(b"Ann Other", b"", b"")]),
        (b"root (Cron)", [A(b"", b"root", b"", b"Cron")]),
        (b"<>", [A(b"", b"", b"")]),
        (b"Name <local>", [A(b"Name", b"local", b"")]),
        (b"a@b@c", [A(b"", b"a@b", b"c")]),
        (b"A <a@b", [A(b"A", b"a", b"b")]),
        (b'"open <a@b>', [A(b"open", b"a", b"b")]),
        (b"A <a@b, C <c@d>", [A(b"A", b"a", b"b"), A(b"C", b"c", b"d")]),
        (b"A <a@b <c@d>", [A(b"A", b"a", b"b")]),
        (b"Ann Other a@b", [A(b"Ann Other", b"a", b"b")]),
        (b"a@b Ann", [A(b"Ann", b"a", b"b")]),
        (b"a b @ c", [A(b"a", b"b", b"c")]),
        (b"> a@b", [A(b"", b"a", b"b")]),
        (b"<mailto:x@y>", [A(b"", b"mailto:x", b"y")]),
        (b"", []),
        (b" \r\n ", []),
        # Folded, 8-bit.
        (b"Ann\r\n Other\r\n <a@b>", [A(b"Ann Other", b"a", b"b")]),
        (b"\xe4 <a@b>", [A(b"\xe4", b"a", b"b")]),
        ("jörg@exämple.org".encode(), [A(b"", "jörg".encode(), "exämple.org".encode())]),
    ],
)
def test_addresses_as_they_come(value: bytes, found: list[Address]) -> None:
    assert addresses(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"undisclosed-recipients:;", [Group(b"undisclosed-recipients", ())]),
        (
            b"G (c): a@b, X <c@d>; e@f",
            [
                Group(b"G", (A(b"", b"a", b"b"), A(b"X", b"c", b"d")), b"c"),
                A(b"", b"e", b"f"),
            ],
        ),
        (b'"G: 1": a@b', [Group(b"G: 1", (A(b"", b"a", b"b"),))]),
        (b"A:;B:;", [Group(b"A", ()), Group(b"B", ())]),
        # Comments alone are no member (RFC 5322 §3.4 `group-list`).
        (b"A: (c) ;", [Group(b"A", ())]),
        (b"A: (c), a@b (d), (e);", [Group(b"A", (A(b"", b"a", b"b", b"d"),))]),
        (b"A: (c)", [Group(b"A", ())]),
    ],
)
def test_groups(value: bytes, found: list[Address | Group]) -> None:
    assert addresses(value) == found


def test_mailboxes_are_those_of_groups_too() -> None:
    found = addresses(b"g: a@b, c@d;, e@f")
    assert [address.addr_spec for address in mailboxes(found)] == [b"a@b", b"c@d", b"e@f"]


def test_the_number_of_addresses_is_bounded() -> None:
    assert len(addresses(b"a@b," * 5_000)) == ADDRESSES
    assert len(addresses(b"(c) a@b," * 5_000)) == ADDRESSES


def test_what_is_shown_of_an_address_is_bounded() -> None:
    for form in (b'"%b" <a@b>', b'"%b\\"" <a@b>', b"a@b (%b)", b"%b@b", b"<%b@b>", b"<@%b:>"):
        (address,) = addresses(form % (b"n" * 5_000))
        assert isinstance(address, Address)
        assert max(map(len, address)) == 1_000


def test_display_names_are_decoded() -> None:
    assert display_name(b"=?utf-8?Q?J=C3=B6rg?= Doe") == "Jörg Doe"
    assert display_name(b"J\xf6rg") == "Jörg"
    assert display_name("Jörg".encode()) == "Jörg"
