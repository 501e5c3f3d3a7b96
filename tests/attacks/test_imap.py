"""The attacks of `imap.txt` against the IMAP engine: what they get, and that memory stays bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from malleposte.wire.imap import Connection, Limits
from malleposte.wire.imap.commands.auth import Authenticate, StartTls
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendData,
    AppendEnd,
    AppendStart,
    AuthResponse,
    Closed,
    IdleDone,
    Rejected,
)
from unit.wire.imap.conversation import unescape

_REPEAT = re.compile(r"\$\{([0-9]+)\*((?:[^${}]|\{[^{}]*\}|\$\{[^{}]*\})*)\}")


def _expand(text: str) -> str:
    """`${3*ab}` → `ababab`; one may stand in another."""
    while True:
        expanded = _REPEAT.sub(lambda match: _expand(match[2]) * int(match[1]), text)
        if expanded == text:
            return text
        text = expanded


@dataclass(frozen=True)
class Attack:
    name: str
    start: str
    octets: bytes
    outcome: list[str]


def _attacks() -> list[Attack]:
    found: list[Attack] = []
    for line in (Path(__file__).parent / "imap.txt").read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, start, rest = line.split("|", 2)
        octets, _, outcome = rest.rpartition("|")
        found.append(
            Attack(
                name.strip(),
                start.strip(),
                unescape(_expand(octets[1:-1])),
                _expand(outcome.strip()).split(),
            )
        )
    return found


_ATTACKS = _attacks()
_PARAMS = [pytest.param(attack, id=attack.name) for attack in _ATTACKS]
_LIMITS = Limits()


def _conditions(said: bytes) -> list[str]:
    lines = [line.split(b" ") for line in said.split(b"\r\n")[:-1]]
    return ["+" if words[0] == b"+" else words[1].decode("ascii") for words in lines]


def _serve(conn: Connection, event: object) -> None:
    """What a trusting service does: whatever the engine lets through is accepted."""
    if isinstance(event, Authenticate):
        conn.challenge(b"")
    elif isinstance(event, Idle):
        conn.start_idle()
    elif isinstance(event, AppendStart):
        conn.accept_append()
    elif isinstance(event, Command | AppendEnd | AuthResponse | IdleDone) and not isinstance(
        event, StartTls
    ):
        conn.command_done()


def _play(attack: Attack, size: int) -> list[str]:
    """What the attack gets when it is sent in pieces of `size`."""
    conn = Connection()
    if attack.start:
        conn.signed_in()
    if attack.start == "selected":
        conn.selected()
    heard: list[str] = []
    for start in range(0, len(attack.octets), size):
        conn.receive_data(attack.octets[start : start + size])
        while True:
            event = conn.next_event()
            heard += _conditions(conn.data_to_send())
            # Whatever came: what is kept is bounded by the limits and the piece handed in.
            kept = len(conn._input) + conn._size
            assert kept <= _LIMITS.command_bytes + _LIMITS.pipeline_bytes + size
            if event is NEED_DATA or event is BUSY:
                break
            if not isinstance(event, Rejected | AppendData | AuthResponse | IdleDone):
                heard.append(type(event).__name__)
            if isinstance(event, Closed):
                return heard
            _serve(conn, event)
            heard += _conditions(conn.data_to_send())
    return heard


@pytest.mark.parametrize("attack", _PARAMS)
def test_whole(attack: Attack) -> None:
    assert _play(attack, len(attack.octets)) == attack.outcome


@pytest.mark.parametrize("attack", _PARAMS)
def test_in_small_pieces(attack: Attack) -> None:
    size = 1 if len(attack.octets) <= 20_000 else 1460
    heard = _play(attack, size)
    if "STARTTLS" in attack.name:
        # The command is handed out before the octet behind it is in.
        assert heard == ["StartTls", *attack.outcome]
    else:
        assert heard == attack.outcome


def test_every_line_is_an_attack_of_its_own() -> None:
    names = [attack.name for attack in _ATTACKS]
    assert len(set(names)) == len(names)
