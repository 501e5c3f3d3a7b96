"""A service that answers by a script, and readers for the text formats of these tests.

A transcript is a text file that reads like the RFC:

    # comment
    Mode: lmtp                        settings of the listener, before the first C or S
    Set: starttls dsn                 switches of Settings, or `tls`, `loopback`
    Limit: recipients 2               a field of Limits
    On: RCPT bob@example.org -> 550 5.1.1 No such user
    S: 220 mx.example.org ESMTP ready
    C: EHLO client.example.com        a line of the client, CRLF is added
    S: 250 ...                        a line of the server
    C\\: abc                           the same without CRLF
    T:                                the TLS handshake takes place
    D: alice@example.com > bob@example.org : Subject: hi\\r\\n     what the service got in the end
    R: RSET                           a Reset event with its cause
    X: QUIT                           the connection is closed, with its cause

`\\r \\n \\t \\0 \\\\ \\xNN` are escapes in C and D.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from malleposte.wire.smtp import (
    Authenticate,
    BareNewlines,
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

HOST = "mx.example.org"


@dataclass(frozen=True)
class Delivery:
    """A message that the service was given whole, for the recipients it accepted it for."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def __str__(self) -> str:
        return f"{self.sender} > {' '.join(self.recipients)} : {escape(self.content)}"


class Service:
    """Drives an engine as an adapter would, and answers by the script, else with yes."""

    def __init__(self, engine: SmtpServer, answers: dict[str, Reply] | None = None) -> None:
        self.engine = engine
        self.answers = answers or {}
        self.events: list[Event] = []
        self.deliveries: list[Delivery] = []
        self.content: list[bytes] = []
        self.most_buffered = 0
        self.handshake_due = False

    def feed(self, octets: bytes) -> bytes:
        """Hand in octets, deal with all events, return what is to be sent."""
        self.engine.receive_data(octets)
        self.most_buffered = max(self.most_buffered, len(self.engine._buffer))
        return self.pump()

    def feed_slowly(self, octets: bytes) -> bytes:
        """The same, an octet at a time."""
        return b"".join(self.feed(octets[i : i + 1]) for i in range(len(octets)))

    def pump(self) -> bytes:
        while True:
            event = self.engine.next_event()
            if event is Need.DATA:
                break
            assert not isinstance(event, Need), "every event was answered"
            self.events.append(event)
            if isinstance(event, ConnectionClosed):
                break
            self.answer(event)
        return self.engine.data_to_send()

    def answer(self, event: Event) -> None:
        match event:
            case Hello():
                self._reply(f"HELLO {event.name}")
            case MailFrom():
                self._reply(f"MAIL {event.path}")
            case RcptTo():
                self._reply(f"RCPT {event.path}")
            case DataStart():
                self.content = []
                self._reply("DATA")
            case DataChunk():
                assert event.octets, "no empty chunks"
                self.content.append(event.octets)
            case DataEnd():
                self._deliver(event)
            case Authenticate():
                self._reply(f"AUTH {event.credentials.authcid} {event.credentials.password}")
            case StartTls():
                self.handshake_due = True
            case Reset():
                self.content = []

    def _reply(self, key: str) -> bool:
        reply = self.answers.get(key)
        if reply is None:
            self.engine.accept()
            return True
        self.engine.reply(reply)
        return reply.positive

    def _deliver(self, event: DataEnd) -> None:
        content = b"".join(self.content)
        assert event.size == len(content)
        mail = self.engine.mail
        assert mail is not None
        recipients = [str(recipient.path) for recipient in self.engine.recipients]
        assert recipients
        if self.engine.settings.mode is Mode.LMTP:
            accepted = tuple(r for r in recipients if self._reply(f"END {r}"))
        else:
            accepted = tuple(recipients) if self._reply("END") else ()
        if accepted:
            self.deliveries.append(Delivery(str(mail.path), accepted, content))

    @property
    def resets(self) -> list[str]:
        return [event.cause.value for event in self.events if isinstance(event, Reset)]

    @property
    def closed(self) -> str | None:
        last = self.events[-1] if self.events else None
        return last.cause.value if isinstance(last, ConnectionClosed) else None


def serve(
    settings: Settings | None = None,
    limits: Limits | None = None,
    answers: dict[str, Reply] | None = None,
    *,
    tls: bool = False,
    loopback: bool = False,
) -> Service:
    """A greeted connection; the banner is taken already."""
    engine = SmtpServer(settings or Settings(HOST), limits, tls=tls, loopback=loopback)
    engine.greet()
    engine.data_to_send()
    return Service(engine, answers)


@dataclass
class Transcript:
    """One conversation: turns of (what the client sends, what the server says)."""

    name: str
    settings: Settings = field(default_factory=lambda: Settings(HOST))
    limits: Limits = field(default_factory=Limits)
    tls: bool = False
    loopback: bool = False
    answers: dict[str, Reply] = field(default_factory=dict)
    turns: list[tuple[bytes, bytes]] = field(default_factory=list)
    handshakes: set[int] = field(default_factory=set)
    began: float = 0.0
    deliveries: list[str] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    closed: str | None = None

    def service(self) -> Service:
        engine = SmtpServer(self.settings, self.limits, tls=self.tls, loopback=self.loopback)
        engine.now = self.began
        engine.greet()
        return Service(engine, self.answers)

    def check_end(self, service: Service) -> None:
        assert [str(delivery) for delivery in service.deliveries] == self.deliveries
        assert service.resets == self.resets
        assert service.closed == self.closed


_REPLY = re.compile(r"(\d{3})(?: (\d\.\d+\.\d+))? (.*)")
_SWITCHES = {"starttls", "tls_required", "auth", "dsn"}


def parse_reply(text: str) -> Reply:
    found = _REPLY.fullmatch(text)
    assert found, text
    return Reply(int(found[1]), found[2] or "", found[3])


def read_transcripts(folder: FilePath) -> list[Transcript]:
    return [read_transcript(path) for path in sorted(folder.glob("*.txt"))]


def read_transcript(path: FilePath) -> Transcript:
    transcript = Transcript(path.stem)
    client, server = b"", b""
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, text = line.partition(":")
        text = text.removeprefix(" ")
        if kind in ("C", "C\\", "T") and server:
            transcript.turns.append((client, server))
            client, server = b"", b""
        match kind:
            case "C":
                client += unescape(text) + b"\r\n"
            case "C\\":
                client += unescape(text)
            case "S":
                server += text.encode("utf-8") + b"\r\n"
            case "T":
                transcript.handshakes.add(len(transcript.turns))
            case "D":
                transcript.deliveries.append(text)
            case "R":
                transcript.resets.append(text)
            case "X":
                transcript.closed = text
            case _:
                _read_setting(transcript, kind, text)
    transcript.turns.append((client, server))
    return transcript


def _read_setting(transcript: Transcript, kind: str, text: str) -> None:
    match kind:
        case "Mode":
            transcript.settings = replace(transcript.settings, mode=Mode(text))
        case "Newlines":
            policy = BareNewlines(text)
            transcript.settings = replace(transcript.settings, bare_newlines=policy)
        case "Set":
            for word in text.split():
                if word in _SWITCHES:
                    changes: dict[str, bool] = {word: True}
                    transcript.settings = replace(transcript.settings, **changes)  # type: ignore[arg-type]
                else:
                    assert word in ("tls", "loopback"), word
                    setattr(transcript, word, True)
        case "Limit":
            name, number = text.split()
            transcript.limits = replace(transcript.limits, **{name: int(number)})
        case "Release":
            seconds, now = text.split()
            transcript.settings = replace(transcript.settings, future_release=int(seconds))
            transcript.began = float(now)
        case "On":
            key, _, reply = text.partition(" -> ")
            transcript.answers[key] = parse_reply(reply)
        case _:
            raise AssertionError(f"{transcript.name}: what is {kind!r}?")


_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\", b"s": b" "}


def unescape(text: str) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes((int(code[1:], 16),)) if len(code) == 3 else _NAMED[code]

    return _ESCAPE.sub(one, text.encode("utf-8"))


def escape(octets: bytes) -> str:
    return repr(octets)[2:-1].replace("\\'", "'").replace("\\x00", "\\0")


def codes(replies: bytes) -> list[int]:
    """The reply codes, one for each reply."""
    return [int(line[:3]) for line in replies.splitlines() if line[3:4] == b" "]


def in_pieces(octets: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`octets` cut at these places."""
    edges = sorted({0, len(octets), *(cut for cut in cuts if 0 < cut < len(octets))})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]
