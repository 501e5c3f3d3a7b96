"""Whatever a client sends and a service answers: no exception, bounded memory, replies in form,
events in an order that a service can rely on, and the same replies however TCP cuts the octets."""

import re
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.wire.smtp import (
    Authenticate,
    CloseCause,
    ConnectionClosed,
    DataChunk,
    DataEnd,
    DataStart,
    Event,
    Hello,
    Limits,
    MailFrom,
    Mode,
    Need,
    RcptTo,
    Reply,
    Reset,
    Settings,
    SmtpServer,
    StartTls,
)
from support.dialogues import HOST, in_pieces

SMALL = Limits(
    message=300,
    line=200,
    auth_line=400,
    buffer=1_000,
    recipients=3,
    drain=2_000,
    errors=60,
    idle_commands=60,
    refused_recipients=60,
    transactions=60,
)

commands = st.sampled_from(
    [
        b"EHLO c\r\n",
        b"HELO c\r\n",
        b"LHLO c\r\n",
        b"MAIL FROM:<a@example.com>\r\n",
        b"MAIL FROM:<\xc3\xbc@example.com> SMTPUTF8\r\n",
        b"MAIL FROM:<> SIZE=301\r\n",
        b"RCPT TO:<b@example.org>\r\n",
        b"RCPT TO:<postmaster>\r\n",
        b"RCPT TO:<\xff@example.org>\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"BDAT 4\r\nRSET",
        b"BDAT 3 LAST\r\na\nb",
        b"BDAT 0 LAST\r\n",
        b"BDAT 301 LAST\r\n" + b"x" * 301,
        b"BDAT 5\r\n\n.\r\nx",
        b"AUTH PLAIN AGEAYg==\r\n",
        b"AUTH LOGIN\r\nYQ==\r\nYg==\r\n",
        b"AUTH LOGIN\r\n*\r\n",
        b"AUTH PLAIN " + b"A" * 500 + b"\r\n",
        b"X" * 250 + b"\r\n",
        b"X\nY\r\n",
    ]
)
messages = st.sampled_from(
    [
        b"DATA\r\n.\r\n",
        b"DATA\r\nhello\r\n..\r\n.x\r\n.\r\n",
        b"DATA\r\na\n.\nb\r\n.\r\n",
        b"DATA\r\n" + b"y" * 400 + b"\r\n.\r\n",
        b"DATA\r\n\0.\r\n.\r\n",
        b"DATA\r\nnever ends",
    ]
)
envelope = st.just(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n")
hello = st.sampled_from([b"EHLO c\r\n", b"LHLO c\r\n", b"EHLO c\r\nAUTH PLAIN AGEAYg==\r\n"])
wire = st.builds(
    lambda first, rest: first + b"".join(rest),
    hello,
    st.lists(st.one_of(commands, messages, envelope, st.binary(max_size=30)), max_size=30),
)
cuts = st.lists(st.integers(1, 1_500), max_size=20)
modes = st.sampled_from(list(Mode))
answers = st.lists(st.sampled_from([250, 250, 250, 250, 451, 550, 421]), max_size=40)

REPLY = re.compile(rb"(?:\d{3}-[^\r\n\0]*\r\n)*\d{3} [^\r\n\0]*\r\n")


@dataclass
class Watcher:
    """A service that answers by a list of codes and checks what it is told."""

    engine: SmtpServer
    codes: list[int]
    mail: bool = False
    recipients: int = 0
    content: int | None = None
    due: int = 0
    closed: CloseCause | None = None
    ends: int = 0
    resets: list[str] = field(default_factory=list)

    def pump(self) -> bytes:
        for _ in range(10_000):
            event = self.engine.next_event()
            if event is Need.DATA:
                break
            assert not isinstance(event, Need)
            if isinstance(event, ConnectionClosed):
                assert not self.mail, "a transaction ends before the connection does"
                self.closed = event.cause
                break
            self.on(event)
        else:
            raise AssertionError("no end of events")
        return self.engine.data_to_send()

    def answer(self) -> bool:
        """Answer by the list; say whether positively. After its end: yes."""
        code = self.codes.pop(0) if self.codes else 250
        if code == 250:
            self.engine.accept()
        else:
            self.engine.reply(Reply(code, f"{code // 100}.0.0", "no\r\n250 yes"))
            if code == 421 and self.content is not None and self.due:
                self.mail, self.content, self.due = False, None, 0
        return code == 250

    def on(self, event: Event) -> None:
        match event:
            case Hello():
                self.answer()
            case MailFrom():
                assert not self.mail
                self.mail, self.recipients = self.answer(), 0
            case RcptTo():
                assert self.mail
                assert self.content is None
                self.recipients += self.answer()
                assert self.recipients <= SMALL.recipients
            case DataStart():
                assert self.mail
                assert self.recipients
                self.content = 0 if self.answer() else None
            case DataChunk():
                assert self.content is not None
                assert event.octets
                self.content += len(event.octets)
                assert self.content <= SMALL.message
            case DataEnd():
                assert event.size == self.content
                lmtp = self.engine.settings.mode is Mode.LMTP
                self.due = self.recipients if lmtp else 1
                while self.due:
                    assert self.engine.next_event() is Need.ANSWER
                    self.answer()
                    self.due = max(0, self.due - 1)
                self.mail, self.content = False, None
                self.ends += 1
            case Authenticate():
                assert not self.mail
                self.answer()
            case Reset():
                assert self.mail, "only for what was begun, and once"
                self.mail, self.content = False, None
                self.resets.append(event.cause.value)
            case StartTls() | ConnectionClosed():
                raise AssertionError(event)


def run(octets: bytes, places: list[int], mode: Mode, codes: list[int]) -> tuple[bytes, Watcher]:
    engine = SmtpServer(Settings(HOST, mode=mode, auth=True), SMALL, loopback=True)
    engine.greet()
    watcher = Watcher(engine, list(codes))
    replies = engine.data_to_send()
    for piece in in_pieces(octets, places):
        engine.receive_data(piece)
        replies += watcher.pump()
        assert len(engine._buffer) <= SMALL.auth_line
    engine.receive_eof()
    replies += watcher.pump()
    assert watcher.closed is not None
    assert engine.closed
    return replies, watcher


def assert_in_form(replies: bytes) -> None:
    assert b"".join(REPLY.findall(replies)) == replies
    for line in replies.splitlines(keepends=True):
        assert line.endswith(b"\r\n")
        assert len(line) <= 512


@given(wire, cuts, modes, answers)
@settings(max_examples=400, deadline=None)
def test_any_conversation(octets: bytes, places: list[int], mode: Mode, codes: list[int]) -> None:
    replies, _ = run(octets, places, mode, codes)
    assert_in_form(replies)


@given(st.binary(max_size=2_000), cuts, modes)
@settings(max_examples=200, deadline=None)
def test_any_octets(octets: bytes, places: list[int], mode: Mode) -> None:
    replies, watcher = run(octets, places, mode, [])
    assert_in_form(replies)
    assert watcher.ends == 0 or b"DATA" in octets.upper() or b"BDAT" in octets.upper()


@given(wire, cuts, modes, answers)
@settings(max_examples=400, deadline=None)
def test_cuts_change_nothing(
    octets: bytes, places: list[int], mode: Mode, codes: list[int]
) -> None:
    """Apart from clients that are cut off for what they sent too early: that is about time."""
    whole, watcher = run(octets, [], mode, codes)
    if watcher.closed is CloseCause.ABUSE:
        return
    cut, other = run(octets, places, mode, codes)
    assert cut == whole
    assert (other.ends, other.resets, other.closed) == (
        watcher.ends,
        watcher.resets,
        watcher.closed,
    )
    slowly, _ = run(octets, list(range(len(octets))), mode, codes)
    assert slowly == whole
