"""A service that answers by a script.

Transcripts (`support.dialogues`) have besides:

    Mode: lmtp                        settings of the listener, before the first C or S
    Set: dsn                          switches of Settings
    On: RCPT bob@example.org -> 550 5.1.1 No such user
    D: alice@example.com > bob@example.org : Subject: hi\\r\\n     what the service got in the end
    R: RSET                           a Reset event with its cause
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from malleposte.wire.smtp import (
    Authenticate,
    BareNewlines,
    DataChunk,
    DataEnd,
    DataStart,
    Event,
    Hello,
    Limits,
    MailFrom,
    Mode,
    RcptTo,
    Reply,
    Reset,
    Settings,
    SmtpServer,
)
from support import dialogues
from support.dialogues import HOST


@dataclass(frozen=True)
class Delivery:
    """A message that the service was given whole, for the recipients it accepted it for."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def __str__(self) -> str:
        return f"{self.sender} > {' '.join(self.recipients)} : {escape(self.content)}"


class Service(dialogues.Service):
    """Drives an engine as an adapter would, and answers by the script, else with yes."""

    engine: SmtpServer

    def __init__(self, engine: SmtpServer, answers: dict[str, Reply] | None = None) -> None:
        super().__init__()
        self.engine = engine
        self.answers = answers or {}
        self.deliveries: list[Delivery] = []
        self.content: list[bytes] = []

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
class Transcript(dialogues.Transcript):
    """One conversation."""

    limits: Limits = field(default_factory=Limits)
    settings: Settings = field(default_factory=lambda: Settings(HOST))
    answers: dict[str, Reply] = field(default_factory=dict)
    began: float = 0.0
    deliveries: list[str] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)

    def service(self) -> Service:
        switched = dict.fromkeys(self.switches - {"tls", "loopback"}, True)
        engine = SmtpServer(
            replace(self.settings, **switched),  # type: ignore[arg-type]
            self.limits,
            tls="tls" in self.switches,
            loopback="loopback" in self.switches,
        )
        engine.now = self.began
        engine.greet()
        return Service(engine, self.answers)

    def setting(self, kind: str, text: str) -> None:
        match kind:
            case "D":
                self.deliveries.append(text)
            case "R":
                self.resets.append(text)
            case "Mode":
                self.settings = replace(self.settings, mode=Mode(text))
            case "Newlines":
                self.settings = replace(self.settings, bare_newlines=BareNewlines(text))
            case "Release":
                seconds, now = text.split()
                self.settings = replace(self.settings, future_release=int(seconds))
                self.began = float(now)
            case "On":
                key, _, reply = text.partition(" -> ")
                self.answers[key] = parse_reply(reply)
            case _:
                super().setting(kind, text)

    def check_end(self, service: Service) -> None:
        super().check_end(service)
        assert [str(delivery) for delivery in service.deliveries] == self.deliveries
        assert service.resets == self.resets


_REPLY = re.compile(r"(\d{3})(?: (\d\.\d+\.\d+))? (.*)")


def parse_reply(text: str) -> Reply:
    found = _REPLY.fullmatch(text)
    assert found, text
    return Reply(int(found[1]), found[2] or "", found[3])


def escape(octets: bytes) -> str:
    return repr(octets)[2:-1].replace("\\'", "'").replace("\\x00", "\\0")


def codes(replies: bytes) -> list[int]:
    """The reply codes, one for each reply."""
    return [int(line[:3]) for line in replies.splitlines() if line[3:4] == b" "]
