"""The Mailbox grammar of RFC 5321 §4.1.2 and RFC 6531 §3.3, and where it is read leniently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.smtp import Limits, Path, PeerError, Settings
from malleposte.wire.smtp.commands import parse_mail
from malleposte.wire.smtp.path import is_address_literal, parse_path

LIMITS = Limits()


def parse(octets: bytes) -> tuple[Path, bytes]:
    return parse_path(octets, LIMITS, "5.1.7")


@pytest.mark.parametrize(
    ("octets", "local", "domain"),
    [
        (b"<a@b.c>", "a", "b.c"),
        (b"<A.b+tag=x@Example.ORG>", "A.b+tag=x", "Example.ORG"),
        (b"<>", "", ""),
        (b"<postmaster>", "postmaster", ""),
        (b"<!#$%&'*+/=?^_`{|}~-@example.org>", "!#$%&'*+/=?^_`{|}~-", "example.org"),
        (b'<"a b"@example.org>', "a b", "example.org"),
        (b'<"a\\"b\\\\c@d>"@example.org>', 'a"b\\c@d>', "example.org"),
        (b'<"plain"@example.org>', "plain", "example.org"),
        (b'<"Joe.\\Blow"@example.org>', "Joe.Blow", "example.org"),
        (b"<a@[192.0.2.1]>", "a", "[192.0.2.1]"),
        (b"<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]"),
        (b"<a@[tag:content]>", "a", "[tag:content]"),
        # Source routes are read and ignored (RFC 5321 Appendix C).
        (b"<@one.example,@two.example:joe@three.example>", "joe", "three.example"),
        (b"<@one.example:postmaster>", "postmaster", ""),
        # Lenient: see the module.
        (b" \t<a@b.c>", "a", "b.c"),
        (b"a@b.c", "a", "b.c"),
        (b"<.dots..everywhere.@docomo.example>", ".dots..everywhere.", "docomo.example"),
        (b"<a@under_score.example>", "a", "under_score.example"),
        (b"<a@localhost>", "a", "localhost"),
        ("<jürgen@bücher.example>".encode(), "jürgen", "bücher.example"),
        ('<"jü rgen"@例子.example>'.encode(), "jü rgen", "例子.example"),
        ("jürgen@bücher.example".encode(), "jürgen", "bücher.example"),
    ],
)
def test_read(octets: bytes, local: str, domain: str) -> None:
    path, rest = parse(octets + b" SIZE=1")
    assert (path.local, path.domain, rest) == (local, domain, b" SIZE=1")
    assert path.raw in octets


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<",
        b">",
        b"a",
        b"<a@>",
        b"<@b.c>",
        b"<a@b.c",
        b"<a@b.c>>"[:7] + b"x>",
        b"<a b@c.d>",
        b"<a@b c.d>",
        b"<a@.b.c>",
        b"<a@b..c>",
        b"<a@b.c.>",
        b"<a@b@c>",
        b"<a@b!c>",
        b"a@b!c",
        b"<a@" + b"x" * 64 + b".example>",
        b"<a@" + b"x." * 127 + b"example>",
        b"<" + b"a" * 256 + b"@b.c>",
        b'<""@b.c>',
        b'<"a@b.c>',
        b'<"a"b@c.d>',
        b'<"a\tb"@c.d>',
        b"<a@[]>",
        b"<a@[192.0.2]>",
        b"<a@[192.0.2.1>",
        b"<a@[IPv6:192.0.2.1]>",
        b"<a@[IPv6:::g]>",
        b"<a@[tag:]>",
        b"<a@[-:x]>",
        b"<a\x7f@b.c>",
        b"<\xff@b.c>",
        b"<a@\xff.c>",
        "<a\x85b@c.d>".encode(),
        "<a\u2028b@c.d>".encode(),
        b"<@one.example,joe@three.example>",
        b"<@one.example,@:joe@three.example>",
    ],
)
def test_refuse(octets: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        parse_mail(b"FROM:" + octets, Settings("mx.example.org"), LIMITS)
    assert caught.value.reply.code == 501


def test_longer_local_parts_than_64_are_real() -> None:
    local = "bounces+" + "a" * 150 + "=example.com"
    assert parse(f"<{local}@example.org>".encode())[0].local == local


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (Path("a", "b.c", b""), "a@b.c"),
        (Path("", "", b""), ""),
        (Path("postmaster", "", b""), "postmaster"),
        (Path("a b", "c.d", b""), '"a b"@c.d'),
        (Path('a"\\', "c.d", b""), '"a\\"\\\\"@c.d'),
        (Path("a..b", "c.d", b""), '"a..b"@c.d'),
        (Path("jürgen", "bücher.example", b""), "jürgen@bücher.example"),
    ],
)
def test_shown_by_the_grammar(path: Path, shown: str) -> None:
    assert str(path) == shown


printable = st.characters(min_codepoint=32, max_codepoint=126)


@given(st.text(printable, min_size=1, max_size=60))
def test_what_is_shown_reads_back(local: str) -> None:
    path = Path(local, "example.org", b"")
    again, rest = parse(f"<{path}>".encode())
    assert again == path
    assert rest == b""


@given(st.binary(max_size=80))
def test_any_octets_give_a_path_or_an_error(octets: bytes) -> None:
    for start in (b"", b"<", b'<"', b"<a@", b"<a@[", b"<@"):
        try:
            path, rest = parse(start + octets)
        except PeerError:
            continue
        assert path.is_null or path.local
        assert len(rest) <= len(octets) + len(start)
        assert "\r" not in str(path)
        assert "\n" not in str(path)


def test_address_literals() -> None:
    assert is_address_literal(b"[192.0.2.255]")
    assert not is_address_literal(b"192.0.2.255")
    assert not is_address_literal(b"[\xff]")
