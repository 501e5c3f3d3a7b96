"""Runs managesieve.txt against the engine, and the attacks that need counting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from malleposte.wire.managesieve import Limits
from unit.wire.managesieve.dialogue import Service, serve, signed_in
from unit.wire.smtp.dialogue import unescape


@dataclass(frozen=True)
class Attack:
    name: str
    state: str
    octets: bytes
    said: str
    closed: bool
    whole_only: bool


def expand(text: bytes) -> bytes:
    return re.sub(rb"\{(\d+)\*([^}]*)\}", lambda found: found[2] * int(found[1]), text)


def read_attacks() -> Iterator[Attack]:
    for line in Path(__file__).with_name("managesieve.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, state, octets, said = (part.strip(" ") for part in line.split(" | "))
        yield Attack(
            name.lstrip("~"),
            state,
            expand(unescape(octets)),
            expand(said.encode()).decode().rstrip("!").strip("-"),
            said.endswith("!"),
            name.startswith("~"),
        )


def prepare(state: str) -> Service:
    if state == "in":
        return signed_in()
    return serve(starttls=state == "tls", loopback=state == "local")


def summary(said: bytes) -> str:
    """A letter for each response."""
    kinds = {b"OK": "O", b"NO": "N", b"BY": "B", b'"V': "+", b'"U': "+"}
    return "".join(kinds[line[:2]] for line in said.splitlines(True) if line[:2] in kinds)


def check(attack: Attack, service: Service, said: bytes) -> None:
    assert summary(said) == attack.said
    assert (service.closed is not None) is attack.closed
    assert not service.handshake_due
    assert attack.state != "in" or service.scripts == {"old": b"keep;"}


ATTACKS = list(read_attacks())
every_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)


@every_attack
def test_whole(attack: Attack) -> None:
    service = prepare(attack.state)
    check(attack, service, service.feed(attack.octets))


@pytest.mark.parametrize("attack", [a for a in ATTACKS if not a.whole_only], ids=lambda a: a.name)
def test_one_octet_at_a_time(attack: Attack) -> None:
    service = prepare(attack.state)
    check(attack, service, service.feed_slowly(attack.octets))


@pytest.mark.parametrize(
    "attack",
    [a for a in ATTACKS if not a.whole_only and len(a.octets) < 500],
    ids=lambda a: a.name,
)
def test_cut_in_two_everywhere(attack: Attack) -> None:
    for cut in range(1, len(attack.octets)):
        service = prepare(attack.state)
        said = service.feed(attack.octets[:cut]) + service.feed(attack.octets[cut:])
        check(attack, service, said)


def test_every_attack_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)


def test_what_is_too_large_is_never_held_and_ends_the_connection() -> None:
    service = signed_in(Limits(script=1_000, skipped=50_000))
    said = b""
    for _ in range(60):
        said += service.feed(b'PUTSCRIPT "x" {1001+}\r\n')
        for _ in range(7):
            said += service.feed(b"x" * 143)
            assert len(service.engine._buffer) == 0
        said += service.feed(b"\r\n")
        if service.closed:
            break
    assert summary(said) == "N" * 19 + "B"
    assert service.scripts == {"old": b"keep;"}
