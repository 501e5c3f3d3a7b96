"""Runs `live.txt`: a line of bytes on one connection, and what comes of it."""

import asyncio
import base64
import smtplib
from dataclasses import dataclass
from pathlib import Path

import pytest

from attacks.live.wire import Raw, codes, conditions, expand, raw
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns
from unit.wire.imap.conversation import unescape

LINES = Path(__file__).parents[1] / "live.txt"
STRANGER = "127.0.0.9"
"""Whose failures concern no other test."""


@dataclass(frozen=True)
class Attack:
    name: str
    service: str
    state: str
    text: str
    answers: list[str]
    closed: bool

    @property
    def octets(self) -> bytes:
        return expand(unescape(self.text))


def _attacks() -> list[Attack]:
    found = []
    for line in LINES.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, where, rest = line.split(" | ", 2)
        octets, _, answers = rest.rpartition(" | ")
        service, _, state = where.strip().partition(" ")
        expected = expand(answers.encode()).decode().removesuffix("!").split()
        found.append(
            Attack(
                name.strip(),
                service,
                state,
                octets,
                [] if expected == ["-"] else expected,
                answers.endswith("!"),
            )
        )
    return found


ATTACKS = _attacks()

_SMTP = {
    "": [],
    "hello": [b"HELO c"],
    "mail": [b"HELO c", b"MAIL FROM:<a@attacker.example>"],
    "rcpt": [b"HELO c", b"MAIL FROM:<a@attacker.example>", b"RCPT TO:<u2@example.test>"],
}


async def _greeted(wire: Raw, attack: Attack) -> None:
    """Up to the state an attack begins in."""
    if attack.service in ("smtp", "lmtp", "submission"):
        assert (await wire.reply()).startswith(b"220 ")
        for command in _SMTP[attack.state]:
            if attack.service == "lmtp":
                command = command.replace(b"HELO", b"LHLO")
            await wire.send(command + b"\r\n")
            assert (await wire.reply()).startswith(b"250")
    elif attack.service == "pop3":
        assert (await wire.line()).startswith(b"+OK ")
        said = b"-ERR [IN-USE]"
        while attack.state and said.startswith(
            b"-ERR [IN-USE]"
        ):  # the session before is still ending
            await wire.send(f"USER u4@example.test\r\nPASS {PASSWORD}\r\n".encode())
            await wire.line()
            said = await wire.line()
        assert not attack.state or said.startswith(b"+OK "), said
    elif attack.service == "managesieve":
        while not (await wire.line()).startswith(b"OK "):
            pass
        if attack.state:
            words = base64.b64encode(f"\0u4@example.test\0{PASSWORD}".encode())
            await wire.send(b'AUTHENTICATE "PLAIN" "' + words + b'"\r\n')
            assert (await wire.line()).startswith(b"OK ")
    elif attack.service == "imap":
        assert (await wire.line()).startswith(b"* OK")
        if attack.state:
            await wire.send(f'a LOGIN "u4@example.test" "{PASSWORD}"\r\n'.encode())
            assert b"a OK" in await wire.tagged(b"a")
        if attack.state == "selected":
            await wire.send(b"b SELECT INBOX\r\n")
            assert b"b OK" in await wire.tagged(b"b")


def _answers(service: str, said: bytes) -> list[str]:
    if service == "metrics":
        return [said.split(b" ", 2)[1].decode()] if said else []
    if service == "imap":
        return conditions(said)
    if service in ("imaps", "submissions", "pop3s"):
        return []  # an alert, if anything
    if service == "managesieve":
        starts = (b"OK", b"NO", b"BYE")
        return [line.split()[0].decode() for line in said.splitlines() if line.startswith(starts)]
    if service == "pop3":
        statuses = {b"+OK": "+OK", b"-ER": "-ERR"}
        return [statuses[line[:3]] for line in said.splitlines() if line[:3] in statuses]
    return [str(code) for code in codes(said)]


@pytest.fixture(scope="module", autouse=True)
def a_message(target: Server) -> None:
    """One message for those that select."""
    with smtplib.SMTP("127.0.0.1", target.ports["smtp"], timeout=30) as client:
        client.sendmail("a@b.example", ["u4@example.test"], "Subject: x\r\n\r\nx\r\n")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_line(target: Server, signs: VitalSigns, attack: Attack) -> None:
    async with raw(target.ports[attack.service], source=STRANGER) as wire:
        await _greeted(wire, attack)
        heard = asyncio.create_task(wire.rest())
        await wire.send(attack.octets)
        if not attack.closed:
            wire.half_close()
        assert _answers(attack.service, await heard) == attack.answers


def test_every_line_is_an_attack_of_its_own() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
