"""Whatever a client sends and a service answers: no exception, bounded memory, responses in form, and
nothing deleted that was not told so by an answered QUIT."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.wire.pop3 import ConnectionClosed, Limits, Quit
from malleposte.wire.pop3.content import DotWriter, TopCutter
from support.dialogues import in_pieces
from unit.wire.pop3.dialogue import Service, serve

SMALL = Limits(line=100, auth_line=300, buffer=500, errors=30, commands_before_sign_in=40)
MESSAGES = (b"a\r\n", b"Subject: b\r\n\r\n.\r\n..\r\nx\n.\n", b"\0\xff")

commands = st.sampled_from(
    [
        b"USER ada\r\n",
        b"PASS secret\r\n",
        b"PASS \xff\r\n",
        b"USER ada\r\nPASS secret\r\n",
        b"AUTH\r\n",
        b"AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n",
        b"AUTH LOGIN\r\nYWRh\r\nc2VjcmV0\r\n",
        b"AUTH LOGIN\r\n*\r\n",
        b"AUTH PLAIN " + b"A" * 250 + b"\r\n",
        b"CAPA\r\n",
        b"UTF8\r\n",
        b"STAT\r\n",
        b"LIST\r\n",
        b"LIST 2\r\n",
        b"UIDL\r\n",
        b"RETR 1\r\n",
        b"RETR 2\r\n",
        b"RETR 9\r\n",
        b"TOP 2 1\r\n",
        b"DELE 1\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"QUIT\r\n",
        b"x" * 150 + b"\r\n",
        b"NOOP\nQUIT\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"\x16\x03",
    ]
)
octets = st.lists(commands | st.binary(max_size=20), max_size=40).map(b"".join)


def drive(service: Service, pieces: list[bytes]) -> bytes:
    said = b""
    for piece in pieces:
        said += service.feed(piece)
    service.engine.receive_eof()
    return said + service.pump()


@given(octets=octets, cuts=st.lists(st.integers(1, 2_000), max_size=20))
@settings(max_examples=400, deadline=None)
def test_it_survives(octets: bytes, cuts: list[int]) -> None:
    service = serve(loopback=True, messages=MESSAGES, limits=SMALL)
    said = drive(service, in_pieces(octets, cuts))
    assert service.closed is not None
    assert isinstance(service.engine.next_event(), ConnectionClosed)
    assert service.engine.data_to_send() == b""
    assert not said or said.endswith(b"\r\n")
    assert service.most_buffered <= SMALL.auth_line + max(
        map(len, in_pieces(octets, cuts)), default=0
    )
    if service.gone:
        assert any(isinstance(event, Quit) for event in service.events)
        assert service.closed == "QUIT"


@given(octets=octets, cuts=st.lists(st.integers(1, 2_000), max_size=20))
@settings(max_examples=300, deadline=None)
def test_how_octets_are_cut_changes_nothing(octets: bytes, cuts: list[int]) -> None:
    one = serve(loopback=True, messages=MESSAGES, limits=SMALL)
    other = serve(loopback=True, messages=MESSAGES, limits=SMALL)
    assert drive(one, [octets]) == drive(other, in_pieces(octets, cuts))
    assert (one.gone, one.closed) == (other.gone, other.closed)


text = st.lists(
    st.sampled_from([b".", b"..", b"\r\n", b"\n", b"\r", b"\0", b"x", b"abc", b"\xff"]), max_size=60
).map(b"".join)


def received(wire: bytes, end: bytes) -> bytes:
    """As a client reads that ends lines with CRLF, or one that does so with LF."""
    lines = wire.split(end)
    assert lines[-1] == b""
    assert [line.rstrip(b"\r") for line in lines].index(b".") == len(lines) - 2
    return b"".join(line.removeprefix(b".") + end for line in lines[:-2])


@given(message=text, cuts=st.lists(st.integers(1, 200), max_size=20))
@settings(max_examples=500, deadline=None)
def test_a_message_comes_as_it_was_stored(message: bytes, cuts: list[int]) -> None:
    """A dot behind a bare LF is doubled for those who end lines there: the others see one more."""
    writer = DotWriter()
    wire = b"".join(writer.feed(piece) for piece in in_pieces(message, cuts)) + writer.end()
    expected = message.replace(b"\0", b"\x80")
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    assert received(wire, b"\n") == expected
    if not re.search(rb"(?<!\r)\n\.", message):
        assert received(wire, b"\r\n") == expected


@given(message=text, lines=st.integers(0, 5), cuts=st.lists(st.integers(1, 200), max_size=20))
@settings(max_examples=500, deadline=None)
def test_top_is_the_same_however_a_message_is_cut(
    message: bytes, lines: int, cuts: list[int]
) -> None:
    whole = TopCutter(lines).feed(message)
    assert message.startswith(whole)
    cutter = TopCutter(lines)
    assert b"".join(cutter.feed(piece) for piece in in_pieces(message, cuts)) == whole
    rows = whole.split(b"\n")
    blank = next((n for n, row in enumerate(rows[:-1]) if row in (b"", b"\r")), None)
    if blank is not None and len(whole) < len(message):
        assert len(rows) - 2 - blank == lines
