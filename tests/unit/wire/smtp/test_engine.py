"""What the service sees of the engine: events, answers, time, the end. Conversations as such are
in transcripts/."""

import pytest

from malleposte.wire.sasl import Credentials
from malleposte.wire.smtp import (
    Authenticate,
    CloseCause,
    ConnectionClosed,
    DataChunk,
    DataEnd,
    DataStart,
    Greeting,
    Hello,
    Limits,
    LocalProtocolError,
    MailFrom,
    Mode,
    Need,
    RcptTo,
    Reply,
    Reset,
    ResetCause,
    Settings,
    SmtpServer,
    StartTls,
)
from support.dialogues import HOST
from unit.wire.smtp.dialogue import Service, codes, serve

ENVELOPE = b"HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n"


def in_content(limits: Limits | None = None) -> Service:
    """A connection that is about to send content by DATA."""
    service = serve(limits=limits)
    assert codes(service.feed(ENVELOPE + b"DATA\r\n")) == [250, 250, 250, 354]
    return service


# --- answers --------------------------------------------------------------------------------------


def test_nothing_is_read_while_an_event_waits() -> None:
    engine = serve().engine
    engine.receive_data(b"HELO c\r\nNOOP\r\n")
    assert isinstance(engine.next_event(), Hello)
    assert engine.next_event() is Need.ANSWER
    assert engine.next_event() is Need.ANSWER
    assert engine.data_to_send() == b""
    engine.accept()
    assert engine.next_event() is Need.DATA
    assert engine.data_to_send() == b"250 mx.example.org\r\n250 2.0.0 OK\r\n"


def test_accept_takes_a_text() -> None:
    service = in_content()
    service.engine.receive_data(b"x\r\n.\r\n")
    assert isinstance(service.engine.next_event(), DataChunk)
    assert service.engine.next_event() == DataEnd(3)
    service.engine.accept("queued as 4711")
    assert service.engine.data_to_send() == b"250 2.0.0 queued as 4711\r\n"


def test_an_answer_without_a_question_is_a_bug() -> None:
    engine = serve().engine
    with pytest.raises(LocalProtocolError):
        engine.accept()
    with pytest.raises(LocalProtocolError):
        engine.reply(Reply(250, "2.0.0", "x"))
    with pytest.raises(LocalProtocolError):
        engine.refuse_content(Reply(451, "4.3.0", "x"))
    with pytest.raises(LocalProtocolError):
        engine.tls_started()
    with pytest.raises(LocalProtocolError):
        engine.greet()


def test_an_answer_that_cannot_be_is_a_bug_and_changes_nothing() -> None:
    engine = serve().engine
    engine.receive_data(ENVELOPE + b"DATA\r\n")
    assert isinstance(engine.next_event(), Hello)
    with pytest.raises(LocalProtocolError):
        engine.reply(Reply(250, "", HOST))  # EHLO's list is rendered by accept()
    engine.accept()
    assert isinstance(engine.next_event(), MailFrom)
    with pytest.raises(LocalProtocolError):
        engine.reply(Reply(354, "", "go on"))
    engine.accept()
    assert isinstance(engine.next_event(), RcptTo)
    engine.accept()
    assert engine.next_event() == DataStart(chunked=False)
    with pytest.raises(LocalProtocolError):
        engine.reply(Reply(250, "2.0.0", "x"))
    engine.accept()
    assert engine.data_to_send().endswith(b"\r\n354 Start mail input; end with <CRLF>.<CRLF>\r\n")


def test_421_as_an_answer_ends_the_connection() -> None:
    for step in range(5):
        service = serve()
        engine = service.engine
        engine.receive_data(ENVELOPE + b"DATA\r\nx\r\n.\r\n")
        for _ in range(step):
            event = engine.next_event()
            if not isinstance(event, DataChunk):
                engine.accept()
        while isinstance(event := engine.next_event(), DataChunk):
            pass
        engine.data_to_send()
        engine.reply(Reply(421, "4.3.0", "Out of order"))
        assert engine.data_to_send() == b"421 4.3.0 Out of order\r\n"
        rest = service.pump()
        assert rest == b""
        assert service.closed == "SERVICE"


def test_lmtp_answers_may_come_one_by_one() -> None:
    service = serve(Settings(HOST, mode=Mode.LMTP))
    engine = service.engine
    service.feed(b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n")
    engine.receive_data(b".\r\nNOOP\r\n")
    assert engine.next_event() == DataEnd(0)
    engine.accept()
    assert engine.next_event() is Need.ANSWER
    assert codes(engine.data_to_send()) == [250]  # the first can be sent before the second is known
    engine.reply(Reply(450, "4.2.1", "later"))
    assert engine.next_event() is Need.DATA
    assert codes(engine.data_to_send()) == [450, 250]
    with pytest.raises(LocalProtocolError):
        engine.accept()


def test_the_service_can_refuse_content_while_it_flows() -> None:
    service = in_content()
    engine = service.engine
    engine.receive_data(b"x" * 100)
    assert isinstance(engine.next_event(), DataChunk)
    engine.refuse_content(Reply(452, "4.3.1", "Disk full"))
    engine.refuse_content(Reply(451, "4.3.0", "the first one counts"))
    assert engine.next_event() == Reset(ResetCause.REFUSED)
    assert engine.next_event() is Need.DATA
    assert (
        service.feed(b"y" * 100 + b"\r\n.\r\nNOOP\r\n")
        == b"452 4.3.1 Disk full\r\n250 2.0.0 OK\r\n"
    )
    assert service.content == []


def test_the_service_can_refuse_content_between_chunks() -> None:
    """A temporary failure stays one, however many chunks are in the pipeline still."""
    service = serve()
    service.feed(ENVELOPE + b"BDAT 3\r\nabc")
    service.engine.refuse_content(Reply(452, "4.3.1", "Disk full"))
    replies = service.feed(b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n")
    assert codes(replies) == [452, 452, 250]
    assert service.resets == ["REFUSED"]
    assert service.deliveries == []
    service.engine.close_for_shutdown()
    with pytest.raises(LocalProtocolError):
        service.engine.refuse_content(Reply(452, "4.3.1", "Disk full"))


def test_state_is_there_for_the_service() -> None:
    service = serve()
    engine = service.engine
    service.feed(
        b"EHLO client.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n"
    )
    assert engine.hello == Hello(Greeting.EHLO, "client.example.com")
    assert engine.mail is not None
    assert str(engine.mail.path) == "a@example.com"
    assert [str(r.path) for r in engine.recipients] == ["b@example.org"]
    kept = engine.recipients
    service.feed(b"RSET\r\n")
    assert service.engine.mail is None
    assert service.engine.recipients == []
    assert len(kept) == 1, "what the service holds of an old transaction stays as it was"


# --- the word for Received ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "tls", "login", "line", "word"),
    [
        (Mode.SMTP, False, False, b"HELO c\r\nMAIL FROM:<>\r\n", "SMTP"),
        (Mode.SMTP, True, False, b"HELO c\r\nMAIL FROM:<>\r\n", "SMTP"),
        (Mode.SMTP, False, False, b"EHLO c\r\nMAIL FROM:<>\r\n", "ESMTP"),
        (Mode.SMTP, True, False, b"EHLO c\r\nMAIL FROM:<>\r\n", "ESMTPS"),
        (Mode.SUBMISSION, True, True, b"MAIL FROM:<a@b.c>\r\n", "ESMTPSA"),
        (Mode.SUBMISSION, False, True, b"MAIL FROM:<a@b.c>\r\n", "ESMTPA"),
        (Mode.SMTP, False, False, b"EHLO c\r\nMAIL FROM:<> SMTPUTF8\r\n", "UTF8SMTP"),
        (Mode.SUBMISSION, True, True, b"MAIL FROM:<a@b.c> SMTPUTF8\r\n", "UTF8SMTPSA"),
        (Mode.LMTP, False, False, b"LHLO c\r\nMAIL FROM:<>\r\n", "LMTP"),
        (Mode.LMTP, True, False, b"LHLO c\r\nMAIL FROM:<> SMTPUTF8\r\n", "UTF8LMTPS"),
    ],
)
def test_with_word(mode: Mode, tls: bool, login: bool, line: bytes, word: str) -> None:
    """RFC 3848, RFC 6531 §4.3."""
    service = serve(Settings(HOST, mode=mode), tls=tls, loopback=True)
    if login:
        assert codes(service.feed(b"EHLO c\r\nAUTH PLAIN AGEAYg==\r\n")) == [250, 235]
    assert codes(service.feed(line))[-1] == 250
    assert service.engine.with_word == word


# --- sign-in --------------------------------------------------------------------------------------


def test_credentials_are_typed_and_never_shown() -> None:
    service = serve(Settings(HOST, mode=Mode.SUBMISSION), loopback=True)
    service.feed(b"EHLO c\r\nAUTH PLAIN ZWxzZQB0ZXN0AHMzY3JldA==\r\n")
    (event,) = [e for e in service.events if isinstance(e, Authenticate)]
    assert event.credentials == Credentials("test", "s3cret", "else")
    assert "s3cret" not in repr(event)
    assert "s3cret" not in repr(event.credentials)


def test_auth_is_offered_only_where_a_password_is_safe() -> None:
    for tls, loopback, offered in ((0, 0, False), (1, 0, True), (0, 1, True)):
        service = serve(Settings(HOST, auth=True), tls=bool(tls), loopback=bool(loopback))
        assert (b"AUTH PLAIN LOGIN" in service.feed(b"EHLO c\r\n")) is offered
        assert codes(service.feed(b"AUTH PLAIN AGEAYg==\r\n")) == [235 if offered else 538]


def test_starttls_forgets_everything() -> None:
    service = serve(Settings(HOST, mode=Mode.SUBMISSION, starttls=True), loopback=True)
    engine = service.engine
    service.feed(b"EHLO c\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@c.d>\r\n")
    assert engine.signed_in
    assert service.feed(b"STARTTLS\r\n") == b"220 2.0.0 Ready to start TLS\r\n"
    assert service.events[-2:] == [Reset(ResetCause.TLS), StartTls()]
    assert not engine.wants_data
    with pytest.raises(LocalProtocolError):
        engine.receive_data(b"\x16\x03\x01")
    engine.tls_started()
    assert (engine.tls, engine.signed_in, engine.hello, engine.mail) == (True, False, None, None)
    assert b"STARTTLS" not in service.feed(b"EHLO c\r\n")


# --- back-pressure --------------------------------------------------------------------------------


def test_back_pressure_while_an_answer_is_due() -> None:
    service = serve(limits=Limits(buffer=100, buffer_hard=200))
    engine = service.engine
    engine.receive_data(b"HELO c\r\n")
    assert isinstance(engine.next_event(), Hello)
    assert engine.wants_data
    engine.receive_data(b"NOOP\r\n" * 17)
    assert not service.engine.wants_data
    engine.receive_data(b"NOOP\r\n" * 10)  # one read that was under way
    with pytest.raises(LocalProtocolError):
        engine.receive_data(b"NOOP\r\n" * 10)
    engine.accept()
    assert codes(service.pump()) == [250] * 28
    assert engine.wants_data


def test_one_read_larger_than_every_bound_is_taken() -> None:
    service = serve(limits=Limits(buffer=100, buffer_hard=200, idle_commands=2_000))
    assert codes(service.feed(b"NOOP\r\n" * 1_000)) == [250] * 1_000


def test_content_does_not_pile_up() -> None:
    service = in_content()
    for _ in range(100):
        service.feed(b"x" * 65_536)
        assert len(service.engine._buffer) == 0
        assert service.engine.wants_data
    assert sum(map(len, service.content)) == 6_553_600


# --- time -----------------------------------------------------------------------------------------


def test_time_to_wait_by_state() -> None:
    service = serve(Settings(HOST, auth=True), loopback=True)
    engine = service.engine
    assert (engine.timeout, engine.time_bound) == (300, 300)  # RFC 5321 §4.5.3.2.7
    service.feed(b"EHLO c\r\nAUTH LOGIN\r\n")
    assert engine.timeout == 120
    service.feed(b"*\r\n")
    engine.receive_data(b"MAIL FROM:<a@example.com>\r\n")
    engine.next_event()
    assert service.engine.timeout is None
    assert service.engine.time_bound is None
    engine.timed_out()
    assert not engine.closed, "while we are slow ourselves, nobody is timed out"
    engine.accept()
    service.feed(b"RCPT TO:<b@example.org>\r\nDATA\r\n")
    assert (engine.timeout, engine.time_bound) == (180, 600)
    service.feed(b"x" * 100_000)
    assert engine.time_bound == 700
    service.feed(b"\r\n.\r\n")
    assert engine.timeout == 300


def test_a_dribbled_command_does_not_restart_the_clock() -> None:
    service = serve()
    before = service.engine.step
    service.feed_slowly(b"NOOP dribble")
    assert service.engine.step == before
    service.feed(b"\r\n")
    assert service.engine.step > before


def test_the_time_of_the_service_is_not_the_peers() -> None:
    engine = serve().engine
    engine.receive_data(b"HELO c\r\n")
    engine.next_event()
    before = engine.step
    engine.accept()
    assert engine.step > before


def test_timed_out() -> None:
    service = in_content()
    service.feed(b"half a messa")
    service.engine.timed_out()
    assert service.pump() == b"421 4.4.2 Timeout, closing connection\r\n"
    assert service.resets == ["CLOSED"]
    assert service.closed == "SERVICE"
    service.engine.timed_out()
    assert service.pump() == b""


# --- the end --------------------------------------------------------------------------------------


def test_shutdown_when_idle() -> None:
    service = serve()
    service.feed(ENVELOPE)
    service.engine.close_for_shutdown()
    assert service.pump() == b"421 4.3.2 Shutting down, please try again soon\r\n"
    assert service.resets == ["CLOSED"]
    assert service.closed == "SERVICE"


def test_shutdown_lets_content_and_its_answer_through() -> None:
    service = in_content()
    service.feed(b"first half\r\n")
    service.engine.close_for_shutdown()
    assert service.pump() == b""
    assert codes(service.feed(b"second half\r\n.\r\nNOOP\r\n")) == [250, 421]
    assert len(service.deliveries) == 1
    assert service.closed == "SERVICE"


def test_shutdown_waits_for_an_answer_that_is_due() -> None:
    engine = serve().engine
    engine.receive_data(b"HELO c\r\nNOOP\r\n")
    engine.next_event()
    engine.close_for_shutdown()
    assert engine.next_event() is Need.ANSWER
    engine.accept()
    assert engine.next_event() == ConnectionClosed(CloseCause.SERVICE)
    assert codes(engine.data_to_send()) == [250, 421]


def test_end_of_stream_after_commands() -> None:
    """Scripts send everything, then close their side; they still get their answers."""
    service = serve()
    service.engine.receive_data(ENVELOPE + b"DATA\r\nx\r\n.\r\nNOO")
    service.engine.receive_eof()
    assert not service.engine.wants_data
    assert codes(service.pump()) == [250, 250, 250, 354, 250]
    assert len(service.deliveries) == 1
    assert service.closed == "PEER"


def test_end_of_stream_within_content_delivers_nothing() -> None:
    for octets in (b"", b"x\r\n", b"x\r\n.", b"x\r\n.\r"):
        service = in_content()
        service.engine.receive_data(octets)
        service.engine.receive_eof()
        assert service.pump() == b""
        assert service.deliveries == []
        assert service.resets == ["CLOSED"]
        assert service.closed == "PEER"


def test_connection_lost_while_the_store_commits() -> None:
    """The content is the service's then: no Reset says that it is to be thrown away."""
    service = in_content()
    engine = service.engine
    engine.receive_data(b"x\r\n.\r\n")
    engine.next_event()
    assert engine.next_event() == DataEnd(3)
    engine.connection_lost()
    engine.connection_lost()
    assert engine.next_event() == ConnectionClosed(CloseCause.PEER)
    engine.accept()
    engine.reply(Reply(250, "2.0.0", "x"))
    engine.refuse_content(Reply(451, "4.3.0", "x"))
    assert engine.next_event() == ConnectionClosed(CloseCause.PEER)
    assert engine.data_to_send() == b""


def test_after_the_end_nothing_is_taken_or_said() -> None:
    service = serve()
    assert codes(service.feed(b"QUIT\r\nNOOP\r\n")) == [221]
    assert service.feed(b"NOOP\r\n") == b""
    assert not service.engine.wants_data
    assert service.engine.closed
    assert service.engine.timeout is None


def test_greeting_may_turn_away() -> None:
    engine = SmtpServer(Settings(HOST))
    engine.greet(Reply(554, "5.7.1", "Not today"))
    assert engine.data_to_send() == b"554 5.7.1 Not today\r\n"
    assert engine.next_event() == ConnectionClosed(CloseCause.SERVICE)


def test_early_talkers_are_noted() -> None:
    engine = SmtpServer(Settings(HOST))
    engine.receive_data(b"HELO c\r\n")
    engine.greet()
    assert engine.spoke_early
    assert not serve().engine.spoke_early
