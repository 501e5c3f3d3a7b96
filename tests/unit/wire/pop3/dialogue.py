"""A maildrop behind the engine. The right name is `ada`, the password `secret`; `busy` is in use.

Transcripts (`support.dialogues`) have besides:

    Set: stls                         STLS is offered
    M: Subject: one\\r\\n\\r\\n.dot\\r\\n   a message of the maildrop
    G: 1 3                            the numbers that QUIT deleted
"""

from __future__ import annotations

from dataclasses import dataclass, field

from malleposte.wire.pop3 import (
    Authenticate,
    Code,
    Delete,
    Err,
    Event,
    Limits,
    List,
    Ok,
    Pop3Server,
    Quit,
    Reset,
    Retrieve,
    Settings,
    Stat,
    Top,
    Uidl,
)
from support import dialogues
from support.dialogues import HOST, unescape

NONE = Err("There is no such message")


class Service(dialogues.Service):
    """Drives an engine as an adapter would."""

    engine: Pop3Server

    def __init__(self, engine: Pop3Server, messages: list[bytes], slice_: int = 7) -> None:
        super().__init__()
        self.engine = engine
        self.messages = messages
        self.slice = slice_
        self.events: list[Event] = []
        self.marked: set[int] = set()
        self.gone: list[int] = []
        self.handshake_due = False
        self.most_buffered = 0

    def _there(self, number: int) -> bool:
        return number <= len(self.messages) and number not in self.marked

    def answer(self, event: Event) -> None:
        engine = self.engine
        left = [n for n in range(1, len(self.messages) + 1) if n not in self.marked]
        match event:
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
class Transcript(dialogues.Transcript):
    """One conversation."""

    limits: Limits = field(default_factory=Limits)
    messages: list[bytes] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)

    def service(self, slice_: int = 7) -> Service:
        engine = Pop3Server(
            Settings(HOST, stls="stls" in self.switches),
            self.limits,
            tls="tls" in self.switches,
            loopback="loopback" in self.switches,
        )
        engine.greet()
        return Service(engine, self.messages, slice_)

    def setting(self, kind: str, text: str) -> None:
        match kind:
            case "M":
                self.messages.append(unescape(text))
            case "G":
                self.gone = [int(number) for number in text.split()]
            case _:
                super().setting(kind, text)

    def check_end(self, service: Service) -> None:
        super().check_end(service)
        assert service.gone == self.gone
