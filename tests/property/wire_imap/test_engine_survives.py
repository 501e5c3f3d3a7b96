"""Whatever comes: the engine never raises, keeps a bounded amount, and reads the same in pieces."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.wire.imap import Connection, Limits
from malleposte.wire.imap.commands import REGISTRY
from malleposte.wire.imap.commands.auth import Authenticate, StartTls
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendData,
    AppendEnd,
    AppendStart,
    AuthResponse,
    Closed,
    IdleDone,
)

_LIMITS = Limits(
    command_bytes=600,
    command_bytes_before_sign_in=200,
    append_bytes=120,
    append_messages=3,
    drain_bytes=2000,
    drain_bytes_before_sign_in=300,
    literal_minus_bytes=50,
    pipeline_bytes=300,
    append_chunk_bytes=16,
    search_depth=6,
    search_keys=20,
    set_members=8,
)

_NAMES = [*sorted(REGISTRY), b"UID", b"FROB", b"DONE", b"*", b""]
_TOKENS = [
    *(b" ", b" ", b" ", b"(", b")", b"[", b"]", b"<", b">", b"\r\n", b"\r\n", b"\n", b"\r", b"\0"),
    *(b'"', b"\\", b"{3}", b"{3+}", b"~{3+}", b"{0}", b"{70+}", b"{99999999999+}", b"UTF8 (~{2+}"),
    *(b"1", b"0", b"*", b"1:*", b"4294967295", b"1,3", b"$", b"NIL", b"INBOX", b"&AOQ-", b"a"),
    *(b"\\Seen", b"\\Recent", b"FLAGS", b"+FLAGS", b"BODY[", b"BODY.PEEK[1.HEADER]", b"RETURN"),
    *(b"HEADER.FIELDS", b"NOT", b"OR", b"SEEN", b"TEXT", b"CHARSET UTF-8", b"1-Feb-1994", b"UID"),
    *(b"CONDSTORE", b"QRESYNC", b"CHANGEDSINCE", b"STATUS", b"PLAIN", b"=", b"AA==", b"\xc3\xbc"),
    *(b'" 7-Feb-1994 21:52:25 -0800"', b"\xff", b"x" * 70),
]
_commands = st.builds(
    lambda name, words: b"t " + name + b" " + b"".join(words) + b"\r\n",
    st.sampled_from(_NAMES),
    st.lists(st.sampled_from(_TOKENS) | st.binary(max_size=5), max_size=12),
)
_input = st.lists(_commands | st.binary(max_size=20), max_size=12).map(b"".join)


def _play(octets: bytes, cuts: list[int], start: str, refuse: bool) -> tuple[list[object], bytes]:
    """All events and all that the engine says, with a service that accepts or refuses messages."""
    conn = Connection(_LIMITS)
    if start != "greeted":
        conn.signed_in()
    if start == "selected":
        conn.selected()
    events: list[object] = []
    said = b""
    data = b""
    position = 0
    for cut in [*sorted(cuts), len(octets)]:
        piece = octets[position:cut] if cut > position else b""
        position = max(position, cut)
        conn.receive_data(piece)
        while True:
            event = conn.next_event()
            said += conn.data_to_send()
            assert len(conn._input) <= 700 + len(octets)
            assert conn._size <= _LIMITS.command_bytes
            if event is NEED_DATA:
                # All that is left is an unfinished line, literal or tail of a line.
                assert len(conn._input) <= _LIMITS.command_bytes + 2
                break
            if isinstance(event, AppendData):
                assert 0 < len(event.data) <= _LIMITS.append_chunk_bytes
                data += event.data
                continue
            if data:
                events.append(data)
                data = b""
            assert event is not BUSY
            events.append(event)
            if isinstance(event, Closed):
                return events, said
            if isinstance(event, StartTls):
                return events, said  # in clear, the rest is an attack or belongs to TLS
            if isinstance(event, Authenticate):
                conn.challenge(b"x")
            elif isinstance(event, Idle):
                conn.start_idle()
            elif isinstance(event, AppendStart) and refuse:
                conn.refuse_append(b"t NO no\r\n")
            elif isinstance(event, AppendStart):
                conn.accept_append()
            elif isinstance(event, Command | AppendEnd | AuthResponse | IdleDone):
                conn.command_done()
            said += conn.data_to_send()
    if data:
        events.append(data)
    return events, said


_start = st.sampled_from(["greeted", "signed in", "selected"])
_cuts = st.lists(st.integers(0, 400), max_size=8)


@given(octets=_input, cuts=_cuts, start=_start, refuse=st.booleans())
@settings(max_examples=200, deadline=None)
def test_pieces_make_no_difference(
    octets: bytes, cuts: list[int], start: str, refuse: bool
) -> None:
    whole, said = _play(octets, [], start, refuse)
    pieces, said_in_pieces = _play(octets, cuts, start, refuse)
    assert not said or said.endswith(b"\r\n")
    if whole and isinstance(whole[-1], Closed) and b"STARTTLS" in octets.upper():
        return  # whether the octets behind STARTTLS came with it is for the attacks to test
    assert pieces == whole
    assert said_in_pieces == said


@given(octets=st.binary(max_size=300), start=_start)
@settings(max_examples=100, deadline=None)
def test_noise(octets: bytes, start: str) -> None:
    _play(octets, list(range(len(octets))), start, False)


@given(octets=_input, start=_start)
@settings(max_examples=100, deadline=None)
def test_a_command_behind_noise_is_found(octets: bytes, start: str) -> None:
    """Once a line has ended outside a literal, the next command is read as itself."""
    if b"STARTTLS" in octets.upper():
        return
    events, _ = _play(octets + b"\r\n\r\nDONE\r\n" + b"z NOOP\r\n" * 2, [], start, True)
    if events and isinstance(events[-1], Closed):
        return
    # Either found, or a literal of the noise still waits for more.
    found = any(
        type(event).__name__ == "Noop" and event.tag == b"z"
        for event in events
        if isinstance(event, Command)
    )
    assert found or b"{" in octets
