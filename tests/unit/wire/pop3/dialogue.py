"""A maildrop behind the engine, and readers for the text formats of these tests.

A transcript is a text file that reads like the RFC:

    # comment
    Set: tls stls loopback            what the listener is, before the first C or S
    Limit: errors 2                   a field of Limits
    M: Subject: one\\r\\n\\r\\n.dot\\r\\n   a message of the maildrop
    S: +OK mx.example.org Malleposte ready
    C: CAPA                           a line of the client, CRLF is added
    S: +OK ...                        a line of the server
    C\\: abc                           the same without CRLF; S\\ too
    T:                                the TLS handshake takes place
    G: 1 3                            the numbers that QUIT deleted
    X: QUIT                           the connection is closed, with its cause

The right name is `ada`, the password `secret`; `busy` is in use. `\\r \\n \\t \\0 \\\\ \\xNN` are escapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from malleposte.wire.pop3 import (
    Authenticate,
    Code,
    ConnectionClosed,
    Delete,
    Err,
    Event,
    Limits,
    List,
    Need,
    Ok,
    Pop3Server,
    Quit,
    Reset,
    Retrieve,
    Settings,
    StartTls,
    Stat,
    Top,
    Uidl,
)
from unit.wire.smtp.dialogue import unescape

HOST = "mx.example.org"
NONE = Err("There is no such message")


class Service:
    """Drives an engine as an adapter would."""

    def __init__(self, engine: Pop3Server, messages: list[bytes], slice_: int = 7) -> None:
        self.engine = engine
        self.messages = messages
        self.slice = slice_
        self.events: list[Event] = []
        self.marked: set[int] = set()
        self.gone: list[int] = []
        self.handshake_due = False
        self.most_buffered = 0

    def feed(self, octets: bytes) -> bytes:
        """Hand in octets, deal with all events, return what is to be sent."""
        self.engine.receive_data(octets)
        self.most_buffered = max(self.most_buffered, len(self.engine._buffer))
        return self.pump()

    def feed_slowly(self, octets: bytes) -> bytes:
        """The same, an octet at a time."""
        return b"".join(self.feed(octets[at : at + 1]) for at in range(len(octets)))

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

    def _there(self, number: int) -> bool:
        return number <= len(self.messages) and number not in self.marked

    def answer(self, event: Event) -> None:
        engine = self.engine
        left = [n for n in range(1, len(self.messages) + 1) if n not in self.marked]
        match event:
            case StartTls():
                self.handshake_due = True
            case Authenticate():
                self._sign_in(event)
            case Stat():
                octets = sum(len(self.messages[n - 1]) for n in left)
                engine.reply(Ok(f"{len(left)} {octets}"))
            case List(None) | Uidl(None):
                engine.begin(Ok(f"{len(left)} messages"))
                for n in left:
                    engine.piece(f"{n} {self._said(event, n)}\r\n".encode())
                engine.end()
            case List(int() as n) | Uidl(int() as n):
                engine.reply(Ok(f"{n} {self._said(event, n)}") if self._there(n) else NONE)
            case Retrieve(n) | Top(n):
                if self._there(n):
                    self._send(self.messages[n - 1])
                else:
                    engine.reply(NONE)
            case Delete(n):
                if self._there(n):
                    self.marked.add(n)
                    engine.reply(Ok("Marked"))
                else:
                    engine.reply(NONE)
            case Reset():
                self.marked.clear()
                engine.reply(Ok("No marks"))
            case Quit():
                self.gone = sorted(self.marked)
                engine.reply(Ok("Goodbye"))

    def _said(self, event: Event, number: int) -> str:
        size = str(len(self.messages[number - 1]))
        return size if isinstance(event, List) else f"id.{number}"

    def _send(self, message: bytes) -> None:
        self.engine.begin(Ok())
        for at in range(0, len(message), self.slice):
            if not self.engine.piece(message[at : at + self.slice]):
                break
        self.engine.end()

    def _sign_in(self, event: Authenticate) -> None:
        credentials = event.credentials
        if credentials.authcid == "busy":
            self.engine.reply(Err("Another session has it", Code.IN_USE))
        elif (credentials.authcid, credentials.password) == ("ada", "secret"):
            self.engine.reply(Ok("Welcome"))
        else:
            self.engine.reply(Err("The name or the password is wrong", Code.AUTH))

    @property
    def closed(self) -> str | None:
        last = self.events[-1] if self.events else None
        return last.cause.value if isinstance(last, ConnectionClosed) else None


def serve(
    *,
    stls: bool = False,
    tls: bool = False,
    loopback: bool = False,
    limits: Limits | None = None,
    messages: tuple[bytes, ...] = (),
) -> Service:
    """A greeted connection; the greeting is taken already."""
    engine = Pop3Server(Settings(HOST, stls=stls), limits, tls=tls, loopback=loopback)
    engine.greet()
    engine.data_to_send()
    return Service(engine, list(messages))


def signed_in(*messages: bytes, limits: Limits | None = None) -> Service:
    """One that has signed in, over these messages."""
    service = serve(loopback=True, messages=messages, limits=limits)
    said = service.feed(b"USER ada\r\nPASS secret\r\n")
    assert said.endswith(b"+OK Welcome\r\n"), said
    return service


@dataclass
class Transcript:
    """One conversation: turns of (what the client sends, what the server says)."""

    name: str
    switches: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    messages: list[bytes] = field(default_factory=list)
    turns: list[tuple[bytes, bytes]] = field(default_factory=list)
    handshakes: set[int] = field(default_factory=set)
    gone: list[int] = field(default_factory=list)
    closed: str | None = None

    def service(self, slice_: int = 7) -> Service:
        engine = Pop3Server(
            Settings(HOST, stls="stls" in self.switches),
            self.limits,
            tls="tls" in self.switches,
            loopback="loopback" in self.switches,
        )
        engine.greet()
        return Service(engine, self.messages, slice_)

    def check_end(self, service: Service) -> None:
        assert service.gone == self.gone
        assert service.closed == self.closed


def read_transcripts(folder: Path) -> list[Transcript]:
    return [read_transcript(path) for path in sorted(folder.glob("*.txt"))]


def read_transcript(path: Path) -> Transcript:
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
                server += unescape(text) + b"\r\n"
            case "S\\":
                server += unescape(text)
            case "T":
                transcript.handshakes.add(len(transcript.turns))
            case "M":
                transcript.messages.append(unescape(text))
            case "G":
                transcript.gone = [int(number) for number in text.split()]
            case "X":
                transcript.closed = text
            case "Set":
                transcript.switches = set(text.split())
            case "Limit":
                name, number = text.split()
                transcript.limits = replace(transcript.limits, **{name: int(number)})
            case _:
                raise AssertionError(f"{transcript.name}: what is {kind!r}?")
    transcript.turns.append((client, server))
    return transcript
