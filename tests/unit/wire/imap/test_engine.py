"""The engine where a transcript does not reach: back-pressure, streaming, ends, misuse, secrets."""

from __future__ import annotations

import pytest

from malleposte.wire.imap import Connection, Limits
from malleposte.wire.imap.commands import append, auth, mailbox, session
from malleposte.wire.imap.commands.base import State
from malleposte.wire.imap.commands.search import Search
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendAborted,
    AppendData,
    AppendEnd,
    AppendStart,
    AuthResponse,
    Closed,
    Event,
    Rejected,
)


def _signed_in(limits: Limits | None = None) -> Connection:
    conn = Connection(limits or Limits())
    conn.signed_in()
    return conn


def _next(conn: Connection) -> Event:
    event = conn.next_event()
    assert event is not NEED_DATA
    assert event is not BUSY
    return event


def test_one_command_at_a_time() -> None:
    conn = Connection()
    conn.receive_data(b"a NOOP\r\nb CAPABILITY\r\n")
    assert _next(conn) == session.Noop(b"a")  # type: ignore[arg-type]
    assert conn.next_event() is BUSY
    conn.command_done()
    assert isinstance(_next(conn), session.Capability)
    conn.command_done()
    assert conn.next_event() is NEED_DATA


def test_reading_stops_while_a_command_is_in_work() -> None:
    conn = _signed_in(Limits(pipeline_bytes=20))
    wants = [conn.wants_data]
    conn.receive_data(b"a NOOP\r\n")
    _next(conn)
    wants.append(conn.wants_data)
    conn.receive_data(b"b NOOP\r\nc NOOP\r\nd NOOP\r\n")
    wants.append(conn.wants_data)
    conn.command_done()
    wants.append(conn.wants_data)
    assert wants == [True, True, False, True]
    for tag in (b"b", b"c", b"d"):
        event = _next(conn)
        assert isinstance(event, session.Noop)
        assert event.tag == tag
        conn.command_done()
    assert conn.next_event() is NEED_DATA


def test_reading_stops_while_a_message_waits_for_its_answer() -> None:
    conn = _signed_in(Limits(pipeline_bytes=20))
    conn.receive_data(b"a APPEND x {50+}\r\n" + b"m" * 30)
    _next(conn)
    assert conn.next_event() is BUSY
    wants = [conn.wants_data]
    conn.accept_append()
    wants.append(conn.wants_data)
    assert wants == [False, True]


def test_a_large_message_passes_through_in_bounded_memory() -> None:
    conn = _signed_in()
    size = 3_000_000
    conn.receive_data(b"a APPEND x {%d+}\r\n" % size)
    assert isinstance(_next(conn), AppendStart)
    conn.accept_append()
    seen = 0
    for _ in range(size // 100_000):
        conn.receive_data(b"m" * 100_000)
        while (event := conn.next_event()) is not NEED_DATA:
            assert isinstance(event, AppendData)
            assert len(event.data) <= conn.limits.append_chunk_bytes
            seen += len(event.data)
        assert len(conn._input) == 0
    assert seen == size
    conn.receive_data(b"\r\n")
    assert isinstance(_next(conn), AppendEnd)


def test_a_message_refused_amid_its_octets() -> None:
    """The disk is full, say: the rest is thrown away, and the answer comes in its place."""
    conn = _signed_in()
    conn.receive_data(b"a APPEND x {10}\r\n")
    _next(conn)
    conn.accept_append()
    assert conn.data_to_send() == b"+ OK\r\n"
    conn.receive_data(b"01234")
    assert _next(conn) == AppendData(b"01234")
    conn.refuse_append(b"a NO [UNAVAILABLE] Later\r\n")
    assert conn.next_event() is NEED_DATA
    assert conn.data_to_send() == b""
    conn.receive_data(b"5678")
    assert conn.next_event() is NEED_DATA
    conn.receive_data(b"9\r\nb NOOP\r\n")
    assert isinstance(_next(conn), session.Noop)
    assert conn.data_to_send() == b"a NO [UNAVAILABLE] Later\r\n"


def test_a_message_refused_when_all_of_it_has_come() -> None:
    """The flush failed, say, before the line behind the message was in."""
    conn = _signed_in()
    conn.receive_data(b"a APPEND x {3+}\r\n012")
    _next(conn)
    conn.accept_append()
    assert _next(conn) == AppendData(b"012")
    assert conn.next_event() is NEED_DATA
    conn.receive_data(b" (")
    assert conn.next_event() is NEED_DATA
    conn.refuse_append(b"a NO Later\r\n")
    conn.receive_data(b"\\Seen) {2+}\r\nxx\r\nb NOOP\r\n")
    assert isinstance(_next(conn), session.Noop)
    assert conn.data_to_send() == b"a NO Later\r\n"


def test_refused_messages_that_make_sense_do_not_add_up() -> None:
    """A client that uploads a whole folder to a full account is told so each time, and kept."""
    conn = _signed_in(Limits(drain_bytes=1000))
    for number in range(30):
        conn.receive_data(b"a%d APPEND x {900+}\r\n" % number + b"m" * 900 + b"\r\n")
        assert isinstance(_next(conn), AppendStart)
        conn.refuse_append(b"a NO [OVERQUOTA] Full\r\n")
        assert conn.next_event() is NEED_DATA
        assert conn.data_to_send() == b"a NO [OVERQUOTA] Full\r\n"


def test_nothing_is_filed_of_a_command_that_breaks_off() -> None:
    conn = _signed_in(Limits(append_bytes=10))
    conn.receive_data(b"a APPEND x {3+}\r\none {11+}\r\n01234567890\r\n")
    start = _next(conn)
    assert isinstance(start, AppendStart)
    assert (start.tag, start.mailbox) == (b"a", "x")
    conn.accept_append()
    assert _next(conn) == AppendData(b"one")
    event = _next(conn)
    assert isinstance(event, AppendAborted)
    assert event.command == start.command
    assert conn.data_to_send() == b"a NO [TOOBIG] A message may hold 10 octets at most\r\n"
    assert conn.next_event() is NEED_DATA


def test_end_of_input_after_the_last_command() -> None:
    conn = Connection()
    conn.receive_data(b"a NOOP\r\nb NO")
    conn.receive_eof()
    assert isinstance(_next(conn), session.Noop)
    assert conn.next_event() is BUSY
    conn.command_done()
    assert conn.next_event() == Closed("end of input")
    assert conn.next_event() == Closed("end of input")
    assert not conn.wants_data


def test_end_of_input_amid_a_message() -> None:
    conn = _signed_in()
    conn.receive_data(b"a APPEND x {10+}\r\n012")
    _next(conn)
    conn.accept_append()
    assert _next(conn) == AppendData(b"012")
    conn.receive_eof()
    assert conn.next_event() == Closed("end of input")


def test_nothing_is_read_after_the_end() -> None:
    conn = Connection()
    conn.close("signed out")
    conn.receive_data(b"a NOOP\r\n")
    assert conn.next_event() == Closed("signed out")
    conn.command_done()
    conn.tls_started()
    assert conn.next_event() == Closed("signed out")
    assert len(conn._input) == 0


def test_plaintext_that_comes_after_starttls_was_read() -> None:
    conn = Connection()
    conn.receive_data(b"a STARTTLS\r\n")
    assert isinstance(_next(conn), auth.StartTls)
    conn.receive_data(b"b LOGIN mallory secret\r\n")
    assert isinstance(conn.next_event(), Closed)
    assert b"* BYE" in conn.data_to_send()
    conn.tls_started()
    assert isinstance(conn.next_event(), Closed)


def test_state_follows_the_service() -> None:
    conn = Connection()
    seen = [(conn.state, conn.literal_plus)]
    conn.signed_in()
    seen.append((conn.state, conn.literal_plus))
    conn.selected()
    seen.append((conn.state, conn.literal_plus))
    assert seen == [
        (State.NOT_AUTHENTICATED, False),
        (State.AUTHENTICATED, True),
        (State.SELECTED, True),
    ]
    conn.receive_data(b"a CLOSE\r\nb CLOSE\r\n")
    _next(conn)
    conn.deselected()
    conn.command_done()
    event = _next(conn)
    assert isinstance(event, Rejected)
    assert conn.data_to_send() == b"b BAD Select a mailbox first\r\n"


def test_enable_changes_the_spelling_of_names() -> None:
    conn = _signed_in()
    seen = [(conn.utf8, conn.rev2)]
    for name in (b"CONDSTORE", b"UTF8=ACCEPT", b"IMAP4REV2"):
        conn.enable(frozenset({name}))
        seen.append((conn.utf8, conn.rev2))
    assert seen == [(False, False), (False, False), (True, False), (True, True)]
    assert conn.enabled == {b"CONDSTORE", b"UTF8=ACCEPT", b"IMAP4REV2"}
    conn.receive_data('a SELECT "&-ü"\r\n'.encode())
    event = _next(conn)
    assert getattr(event, "mailbox", None) == "&-ü"


def test_literal_plus_can_be_allowed_before_sign_in() -> None:
    conn = Connection(Limits(literal_minus_bytes=10))
    conn.literal_plus = True
    conn.receive_data(b"a LOGIN {11+}\r\n01234567890 x\r\n")
    assert isinstance(_next(conn), auth.Login)


def test_bad_commands_in_a_row() -> None:
    conn = _signed_in(Limits(bad_commands=3))
    for good in (True, False):
        for _ in range(2):
            conn.receive_data(b"a FROB\r\n")
            assert isinstance(_next(conn), Rejected)
        if good:
            conn.receive_data(b"b NOOP\r\n")
            _next(conn)
            conn.command_done()
    conn.receive_data(b"a FROB\r\nb NOOP\r\n")
    assert isinstance(_next(conn), Rejected)
    assert isinstance(conn.next_event(), Closed)
    assert conn.data_to_send().endswith(b"* BYE Too many commands that make no sense\r\n")


def test_good_commands_before_sign_in_do_not_make_up_for_bad_ones() -> None:
    conn = Connection(Limits(bad_commands_before_sign_in=2))
    conn.receive_data(b"a FROB\r\nb NOOP\r\nc FROB\r\n")
    _next(conn)
    _next(conn)
    conn.command_done()
    _next(conn)
    assert isinstance(conn.next_event(), Closed)


def test_a_refusal_that_is_no_offence() -> None:
    """A client that feels its way (another charset, another mechanism) is not shown the door."""
    conn = Connection(Limits(bad_commands_before_sign_in=2, bad_commands=2))
    for _ in range(4):
        conn.receive_data(b"a AUTHENTICATE X\r\n")
        _next(conn)
        conn.challenge(b"")
        conn.receive_data(b"*\r\n")
        assert isinstance(_next(conn), Rejected)
    conn.signed_in()
    conn.selected()
    for _ in range(4):
        conn.receive_data(b"a SEARCH CHARSET X ALL\r\n")
        assert isinstance(_next(conn), Search)  # answered NO by the service
        conn.command_done()
    assert conn.next_event() is NEED_DATA


def test_what_is_wasted_is_counted() -> None:
    conn = _signed_in(Limits(drain_bytes=100))
    conn.receive_data(b"a FROB {60+}\r\n" + b"x" * 60 + b"\r\nb NOOP\r\n")
    assert isinstance(_next(conn), Rejected)
    assert isinstance(_next(conn), session.Noop)
    conn.command_done()
    # A good command in between: the client is at work, not at waste.
    conn.receive_data(b"a FROB {60+}\r\n" + b"x" * 60 + b"\r\na FROB {60+}\r\n")
    assert isinstance(_next(conn), Rejected)
    assert conn.next_event() == Closed("Too much that cannot be used")


def test_secrets_never_show() -> None:
    conn = Connection()
    conn.receive_data(b"a LOGIN joe tiger\r\n")
    assert "tiger" not in repr(_next(conn))
    conn.command_done()
    conn.receive_data(b"b AUTHENTICATE PLAIN dGlnZXI=\r\n")
    event = _next(conn)
    assert isinstance(event, auth.Authenticate)
    assert event.initial == b"tiger"
    assert "tiger" not in repr(event)
    conn.challenge(b"")
    conn.receive_data(b"dGlnZXI=\r\n")
    answer = _next(conn)
    assert answer == AuthResponse(b"tiger")
    assert "tiger" not in repr(answer)
    assert "tiger" not in repr(AppendData(b"tiger"))
    conn.command_done()
    # What cannot be read is not repeated either, to the client or to the log.
    conn.receive_data(b'c LOGIN joe "tiger\r\n')
    rejected = _next(conn)
    assert "tiger" not in repr(rejected)
    assert b"tiger" not in conn.data_to_send()


def test_misuse_is_a_bug_of_the_service() -> None:
    conn = _signed_in()
    for act in (
        conn.command_done,
        conn.accept_append,
        conn.start_idle,
        conn.tls_started,
        lambda: conn.challenge(b""),
        lambda: conn.refuse_append(b""),
    ):
        with pytest.raises(RuntimeError):
            act()
    conn.receive_data(b"a NOOP\r\n")
    _next(conn)
    with pytest.raises(RuntimeError):
        conn.start_idle()
    with pytest.raises(RuntimeError):
        conn.challenge(b"")


def test_streaming_commands_must_say_how_they_begin() -> None:
    with pytest.raises(NotImplementedError):
        append.StreamingCommand.parse_head(b"a", None)  # type: ignore[arg-type]


def test_command_classes_are_frozen() -> None:
    conn = _signed_in()
    conn.receive_data(b"a DELETE x\r\n")
    event = _next(conn)
    assert isinstance(event, mailbox.Delete)
    with pytest.raises(AttributeError):
        event.mailbox = "y"  # type: ignore[assignment, misc]


@pytest.mark.parametrize("size", [1, 1000])
def test_the_longest_line_is_the_same_in_pieces(size: int) -> None:
    for length, fits in ((20, True), (21, False)):
        conn = _signed_in(Limits(command_bytes=20))
        line = b"a SELECT ".ljust(length, b"x") + b"\r\n"
        for start in range(0, len(line), size):
            conn.receive_data(line[start : start + size])
            event = conn.next_event()
            if event is not NEED_DATA:
                break
        assert isinstance(event, Rejected) is not fits


@pytest.mark.parametrize("piece", [1, 1_000])
def test_a_line_is_bounded_without_its_literals_and_a_command_with_them(piece: int) -> None:
    limits = Limits(line_bytes=60, command_bytes=200, string_bytes=150)
    for commands, fits in (
        (b"a SEARCH ".ljust(59, b"x"), False),  # no key at all, but read to its end
        (b"a SEARCH TEXT {100+}\r\n" + b"x" * 100, True),
        (b"a SEARCH TEXT {150+}\r\n" + b"x" * 150 + b" TEXT y", True),
        (b"a SEARCH TEXT {100+}\r\n" + b"x" * 100 + b" TEXT {100+}\r\n" + b"x" * 100, False),
        (b"a SEARCH TEXT {3+}\r\nxyz TEXT " + b"x" * 34, True),
        (b"a SEARCH TEXT {3+}\r\nxyz TEXT " + b"x" * 35, False),
    ):
        conn = _signed_in(limits)
        conn.selected()
        octets = commands + b"\r\n"
        event: object = NEED_DATA
        for start in range(0, len(octets), piece):
            conn.receive_data(octets[start : start + piece])
            event = conn.next_event()
            if event is not NEED_DATA:
                break
        assert isinstance(event, Rejected) is not fits, commands
