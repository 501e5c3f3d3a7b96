"""Whatever a client sends and a service answers: no exception, bounded memory, responses in form."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.wire.managesieve import ConnectionClosed, Limits
from support.dialogues import in_pieces
from unit.wire.managesieve.dialogue import Service, serve

SMALL = Limits(
    line=100, auth_line=300, script=200, argument=60, skipped=2_000, buffer=500, errors=30
)

commands = st.sampled_from(
    [
        b'AUTHENTICATE "PLAIN" "AGFkYQBzZWNyZXQ="\r\n',
        b'AUTHENTICATE "LOGIN"\r\n"YWRh"\r\n"c2VjcmV0"\r\n',
        b'AUTHENTICATE "LOGIN"\r\n"*"\r\n',
        b'AUTHENTICATE "PLAIN" {16+}\r\nAGFkYQBzZWNyZXQ=\r\n',
        b'AUTHENTICATE "PLAIN" "' + b"A" * 250 + b'"\r\n',
        b"CAPABILITY\r\n",
        b"LISTSCRIPTS\r\n",
        b'PUTSCRIPT "a" {5+}\r\nkeep;\r\n',
        b'PUTSCRIPT "\xff" "keep;"\r\n',
        b'PUTSCRIPT "a\\"b" {0+}\r\n\r\n',
        b'PUTSCRIPT "a" {201+}\r\n' + b"x" * 201 + b"\r\n",
        b'PUTSCRIPT "a" "an error"\r\n',
        b'GETSCRIPT "a"\r\n',
        b'SETACTIVE "a"\r\n',
        b'SETACTIVE ""\r\n',
        b'DELETESCRIPT "a"\r\n',
        b'RENAMESCRIPT "a" "b"\r\n',
        b'HAVESPACE "a" 5\r\n',
        b"CHECKSCRIPT {3+}\r\nx\r\n\r\n",
        b"UNAUTHENTICATE\r\n",
        b"NOOP\r\n",
        b'NOOP "tag"\r\n',
        b"NOOP {3+}\r\nt\r\n\r\n",
        b"LOGOUT\r\n",
        b"x" * 150 + b"\r\n",
        b"{9+}\r\n",
        b"{1+}\r\n",
        b'"',
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"\x16\x03",
    ]
)
octets = st.lists(commands | st.binary(max_size=20), max_size=40).map(b"".join)
_RESPONSE = re.compile(
    rb'(?:(?:OK|NO|BYE)(?: \([A-Z/]+(?: "(?:[^"\\\r\n]|\\.)*")?\))?(?: "(?:[^"\\\r\n]|\\.)*")?'
    rb'|"(?:[^"\\\r\n]|\\.)*"(?: ACTIVE| "(?:[^"\\\r\n]|\\.)*")?)\r\n'
)
_LITERAL = re.compile(rb"[^\r\n]*\{(\d+)\}\r\n")


def drive(service: Service, pieces: list[bytes]) -> bytes:
    said = b""
    for piece in pieces:
        said += service.feed(piece)
    service.engine.receive_eof()
    return said + service.pump()


def in_form(said: bytes) -> bool:
    """Whether it is whole responses, literals taken out."""
    at = 0
    while at < len(said):
        if literal := _LITERAL.match(said, at):
            at = said.index(b"\r\n", literal.end() + int(literal[1])) + 2
        elif response := _RESPONSE.match(said, at):
            at = response.end()
        else:
            return False
    return True


@given(octets=octets, cuts=st.lists(st.integers(1, 2_000), max_size=20))
@settings(max_examples=500, deadline=None)
def test_it_survives(octets: bytes, cuts: list[int]) -> None:
    service = serve(loopback=True, limits=SMALL)
    pieces = in_pieces(octets, cuts)
    said = drive(service, pieces)
    assert service.closed is not None
    assert isinstance(service.engine.next_event(), ConnectionClosed)
    assert service.engine.data_to_send() == b""
    assert in_form(said), said
    most = max(SMALL.auth_line, SMALL.script) + max(map(len, pieces), default=0)
    assert service.most_buffered <= most


@given(octets=octets, cuts=st.lists(st.integers(1, 2_000), max_size=20))
@settings(max_examples=300, deadline=None)
def test_cuts_change_nothing(octets: bytes, cuts: list[int]) -> None:
    """But for what is refused because it came together (a handshake's octets, too long a line)."""
    whole, cut = (serve(tls=True, limits=SMALL) for _ in range(2))
    said = drive(whole, [octets])
    assert drive(cut, in_pieces(octets, cuts)) == said
    assert cut.scripts == whole.scripts
