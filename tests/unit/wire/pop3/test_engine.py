"""What transcripts do not say: what a service may answer, limits, and octets that must not be kept."""

import pytest

from malleposte.wire.dialogue import LocalProtocolError
from malleposte.wire.pop3 import (
    Code,
    Err,
    Limits,
    List,
    Need,
    Ok,
    Pop3Server,
    Retrieve,
    Settings,
    Stat,
)
from malleposte.wire.pop3.content import DotWriter, TopCutter
from support.dialogues import HOST
from unit.wire.pop3.dialogue import serve, signed_in


class TestAnswers:
    """A bug of the service is found out, whatever the peer does."""

    def asked(self, command: bytes) -> Pop3Server:
        engine = signed_in(b"x\r\n").engine
        engine.receive_data(command)
        assert engine.next_event() is not Need.DATA
        return engine

    def test_nothing_is_read_while_a_command_waits(self) -> None:
        engine = self.asked(b"STAT\r\nNOOP\r\n")
        assert engine.next_event() is Need.ANSWER
        engine.reply(Ok("1 3"))
        assert engine.next_event() is Need.DATA
        assert engine.data_to_send() == b"+OK 1 3\r\n+OK\r\n"

    def test_a_long_answer_is_not_given_in_one_line(self) -> None:
        for command in (b"LIST\r\n", b"UIDL\r\n", b"RETR 1\r\n", b"TOP 1 0\r\n"):
            with pytest.raises(LocalProtocolError):
                self.asked(command).reply(Ok())

    def test_nor_a_short_one_in_many(self) -> None:
        for command in (b"STAT\r\n", b"LIST 1\r\n", b"DELE 1\r\n", b"QUIT\r\n"):
            with pytest.raises(LocalProtocolError):
                self.asked(command).begin(Ok())

    def test_nor_what_nobody_asked_for(self) -> None:
        engine = serve().engine
        with pytest.raises(LocalProtocolError):
            engine.reply(Ok())
        with pytest.raises(LocalProtocolError):
            engine.piece(b"x")
        with pytest.raises(LocalProtocolError):
            engine.end()

    def test_an_answer_under_way_is_not_broken_into(self) -> None:
        engine = self.asked(b"RETR 1\r\n")
        engine.begin(Ok())
        with pytest.raises(LocalProtocolError):
            engine.reply(Err("no"))
        with pytest.raises(LocalProtocolError):
            engine.begin(Ok())
        engine.data_to_send()
        engine.close(Err("The server stops"))
        assert engine.data_to_send() == b"", "words would be taken for a line of the message"

    def test_after_the_end_answers_go_nowhere(self) -> None:
        engine = self.asked(b"RETR 1\r\n")
        engine.begin(Ok())
        engine.close()
        engine.data_to_send()
        engine.piece(b"x")
        engine.end()
        engine.reply(Ok())
        assert engine.data_to_send() == b""


def test_words_cannot_break_a_line() -> None:
    assert Err("a\r\n+OK b\x7f\xe9", Code.AUTH).encode() == b"-ERR [AUTH] a??+OK b??\r\n"
    assert len(Err("x" * 1_000, Code.TEMPORARY).encode()) == 512


def test_secrets_are_in_no_repr() -> None:
    service = serve(loopback=True)
    service.feed(b"USER ada\r\nPASS hush\r\nAUTH PLAIN AGFkYQBodXNo\r\n")
    assert len([event for event in service.events if "Authenticate" in repr(event)]) == 2
    assert "hush" not in repr(service.events)


class TestTls:
    """RFC 2595."""

    def test_octets_of_the_handshake_are_not_the_engine_s(self) -> None:
        service = serve(stls=True)
        service.feed(b"STLS\r\n")
        assert not service.engine.wants_data
        with pytest.raises(LocalProtocolError):
            service.engine.receive_data(b"\x16")

    def test_no_handshake_without_stls(self) -> None:
        with pytest.raises(LocalProtocolError):
            serve(stls=True).engine.tls_started()

    def test_utf8_is_forgotten(self) -> None:
        service = serve(stls=True)
        service.feed(b"UTF8\r\nSTLS\r\n")
        service.engine.tls_started()
        assert not service.engine.utf8


def test_a_client_that_closes_is_answered_before_the_end() -> None:
    service = signed_in(b"x\r\n")
    service.engine.receive_eof()
    assert service.feed(b"STAT\r\nDELE 1\r\nQUI") == b"+OK 1 3\r\n+OK Marked\r\n"
    assert (service.closed, service.gone) == ("PEER", [])


def test_a_client_that_quits_and_closes_has_quit() -> None:
    service = signed_in(b"x\r\n")
    service.engine.receive_eof()
    service.feed(b"DELE 1\r\nQUIT\r\n")
    assert (service.closed, service.gone) == ("QUIT", [1])


class TestPatience:
    """How much nonsense is borne."""

    def test_before_sign_in_nothing_makes_good(self) -> None:
        service = serve(limits=Limits(errors=3))
        said = service.feed(b"X\r\nCAPA\r\nX\r\nCAPA\r\nX\r\nCAPA\r\n")
        assert said.count(b"-ERR") == 3
        assert said.endswith(b"-ERR Too many commands that make no sense\r\n")
        assert service.closed == "ABUSE"

    def test_after_it_a_good_command_does(self) -> None:
        service = signed_in(limits=Limits(errors=3))
        service.feed(b"X\r\nRETR x\r\nNOOP\r\n" * 10)
        assert service.closed is None
        service.feed(b"X\r\nRETR x\r\nX\r\n")
        assert service.closed == "ABUSE"

    def test_commands_before_sign_in_are_counted(self) -> None:
        service = serve(limits=Limits(commands_before_sign_in=5))
        said = service.feed(b"CAPA\r\n" * 10)
        assert said.count(b"+OK") == 5
        assert service.closed == "ABUSE"

    def test_and_not_after_it(self) -> None:
        service = signed_in(limits=Limits(commands_before_sign_in=5))
        assert service.feed(b"NOOP\r\n" * 50) == b"+OK\r\n" * 50

    @pytest.mark.parametrize(
        "guess", [b"USER ada\r\nPASS no\r\n", b"AUTH PLAIN AGFkYQBubw==\r\n", b"AUTH PLAIN =\r\n"]
    )
    def test_few_sign_ins_are_tried(self, guess: bytes) -> None:
        service = serve(tls=True)
        said = service.feed(guess * 9)
        assert said.count(b"-ERR [AUTH]") == 5
        assert service.closed == "ABUSE"


def test_a_client_that_sends_ahead_waits() -> None:
    service = signed_in(limits=Limits(buffer=100))
    service.engine.receive_data(b"STAT\r\n" * 30)
    assert isinstance(service.engine.next_event(), Stat)
    assert not service.engine.wants_data


def test_numbers_are_the_service_s_to_judge() -> None:
    service = signed_in(b"x\r\n")
    service.feed(b"RETR 9999999999\r\nLIST 2\r\n")
    assert service.events[-2:] == [Retrieve(9_999_999_999), List(2)]


def test_the_writer_of_an_empty_message() -> None:
    assert DotWriter().end() == b".\r\n"
    writer = DotWriter()
    assert writer.feed(b"") == b""
    assert writer.end() == b".\r\n"


def test_top_is_done_as_soon_as_it_is() -> None:
    """So that nobody reads 50 MB for a header."""
    cutter = TopCutter(1)
    done = []
    for piece, wanted in ((b"a: b\r\n\r\n",) * 2, (b"one\r\ntwo\r\n", b"one\r\n"), (b"x", b"")):
        assert cutter.feed(piece) == wanted
        done.append(cutter.done)
    assert done == [False, True, True]
    cutter = TopCutter(0)
    cutter.feed(b"a: b\n\n")
    assert cutter.done


def test_the_greeting_names_the_server() -> None:
    engine = Pop3Server(Settings(HOST))
    engine.greet()
    assert engine.data_to_send() == b"+OK mx.example.org Malleposte ready\r\n"
