"""A user's scripts behind the engine, and readers for the text formats of these tests.

A transcript is a text file that reads like the RFC:

    # comment
    Set: tls starttls loopback        what the listener is, before the first C or S
    Limit: errors 2                   a field of Limits
    S: OK "mx.example.org ManageSieve ready"
    C: NOOP                           a line of the client, CRLF is added
    S: OK ...                         a line of the server
    C\\: abc                           the same without CRLF; S\\ too
    T:                                the TLS handshake takes place
    X: LOGOUT                         the connection is closed, with its cause

The right name is `ada`, the password `secret`. A script that has `error` in it is refused, one with
`warning` warned of. `\\r \\n \\t \\0 \\\\ \\xNN` are escapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from malleposte.wire.managesieve import (
    Authenticate,
    CheckScript,
    Code,
    ConnectionClosed,
    DeleteScript,
    Event,
    GetScript,
    HaveSpace,
    Limits,
    ListScripts,
    ManageSieveServer,
    Need,
    PutScript,
    RenameScript,
    Response,
    SetActive,
    Settings,
    StartTls,
    Unauthenticate,
    content,
    listed,
    no,
    ok,
)
from unit.wire.smtp.dialogue import unescape

HOST = "mx.example.org"
NONE = no("There is no such script", Code.NONEXISTENT)
SETTINGS = Settings(HOST, ("fileinto", "vacation"), 5)


class Service:
    """Drives an engine as an adapter would."""

    def __init__(self, engine: ManageSieveServer) -> None:
        self.engine = engine
        self.scripts: dict[str, bytes] = {}
        self.active = ""
        self.events: list[Event] = []
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

    def answer(self, event: Event) -> None:
        engine = self.engine
        match event:
            case StartTls():
                self.handshake_due = True
            case Authenticate():
                self._sign_in(event)
            case Unauthenticate():
                engine.reply(ok("Nobody is signed in"))
            case HaveSpace(_, size):
                room = size <= 100
                engine.reply(ok() if room else no("Too large", Code.MAX_SIZE))
            case PutScript(name, octets):
                response = self._checked(octets)
                if response.good:
                    self.scripts[name] = octets
                engine.reply(response)
            case CheckScript(octets):
                engine.reply(self._checked(octets))
            case ListScripts():
                engine.reply(ok(), listed((n, n == self.active) for n in sorted(self.scripts)))
            case SetActive(name):
                if name and name not in self.scripts:
                    engine.reply(NONE)
                else:
                    self.active = name
                    engine.reply(ok())
            case GetScript(name):
                if name in self.scripts:
                    engine.reply(ok(), content(self.scripts[name]))
                else:
                    engine.reply(NONE)
            case DeleteScript(name):
                if name == self.active:
                    engine.reply(no("It is active", Code.ACTIVE))
                elif self.scripts.pop(name, None) is None:
                    engine.reply(NONE)
                else:
                    engine.reply(ok())
            case RenameScript(name, to):
                if name not in self.scripts:
                    engine.reply(NONE)
                elif to in self.scripts:
                    engine.reply(no("There is one of that name", Code.ALREADY_EXISTS))
                else:
                    self.scripts[to] = self.scripts.pop(name)
                    engine.reply(ok())

    def _checked(self, octets: bytes) -> Response:
        if b"error" in octets:
            return no("line 1: an error\nline 2: another one")
        if b"warning" in octets:
            return ok("there is no script to include", Code.WARNINGS)
        return ok()

    def _sign_in(self, event: Authenticate) -> None:
        credentials = event.credentials
        if (credentials.authcid, credentials.password) == ("ada", "secret"):
            self.engine.reply(ok("Welcome"), owner="ada@example.org")
        else:
            self.engine.reply(no("The name or the password is wrong"))

    @property
    def closed(self) -> str | None:
        last = self.events[-1] if self.events else None
        return last.cause.value if isinstance(last, ConnectionClosed) else None


def serve(
    *,
    starttls: bool = False,
    tls: bool = False,
    loopback: bool = False,
    limits: Limits | None = None,
) -> Service:
    """A greeted connection; the greeting is taken already."""
    engine = ManageSieveServer(
        replace(SETTINGS, starttls=starttls), limits, tls=tls, loopback=loopback
    )
    engine.greet()
    engine.data_to_send()
    return Service(engine)


def signed_in(limits: Limits | None = None) -> Service:
    """One that has signed in and has a script `old`."""
    service = serve(loopback=True, limits=limits)
    said = service.feed(b'AUTHENTICATE "PLAIN" "AGFkYQBzZWNyZXQ="\r\n')
    assert said == b'OK "Welcome"\r\n', said
    service.scripts["old"] = b"keep;"
    service.events.clear()
    return service


@dataclass
class Transcript:
    """One conversation: turns of (what the client sends, what the server says)."""

    name: str
    switches: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    turns: list[tuple[bytes, bytes]] = field(default_factory=list)
    handshakes: set[int] = field(default_factory=set)
    closed: str | None = None

    def service(self) -> Service:
        engine = ManageSieveServer(
            replace(SETTINGS, starttls="starttls" in self.switches),
            self.limits,
            tls="tls" in self.switches,
            loopback="loopback" in self.switches,
        )
        engine.greet()
        return Service(engine)

    def check_end(self, service: Service) -> None:
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
