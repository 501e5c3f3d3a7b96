"""A user's scripts behind the engine. Transcripts (`support.dialogues`) know one more switch, `starttls`.

The right name is `ada`, the password `secret`. A script that has `error` in it is refused, one with
`warning` warned of.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from malleposte.wire.managesieve import (
    Authenticate,
    CheckScript,
    Code,
    DeleteScript,
    Event,
    GetScript,
    HaveSpace,
    Limits,
    ListScripts,
    ManageSieveServer,
    PutScript,
    RenameScript,
    Response,
    SetActive,
    Settings,
    Unauthenticate,
    content,
    listed,
    no,
    ok,
)
from support import dialogues
from support.dialogues import HOST

NONE = no("There is no such script", Code.NONEXISTENT)
SETTINGS = Settings(HOST, ("fileinto", "vacation"), 5)


class Service(dialogues.Service):
    """Drives an engine as an adapter would."""

    engine: ManageSieveServer

    def __init__(self, engine: ManageSieveServer) -> None:
        super().__init__()
        self.engine = engine
        self.scripts: dict[str, bytes] = {}
        self.active = ""

    def answer(self, event: Event) -> None:
        engine = self.engine
        match event:
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
class Transcript(dialogues.Transcript):
    """One conversation."""

    limits: Limits = field(default_factory=Limits)

    def service(self) -> Service:
        engine = ManageSieveServer(
            replace(SETTINGS, starttls="starttls" in self.switches),
            self.limits,
            tls="tls" in self.switches,
            loopback="loopback" in self.switches,
        )
        engine.greet()
        return Service(engine)
