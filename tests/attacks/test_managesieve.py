"""Runs managesieve.txt against the engine, and the attacks that need counting."""

from pathlib import Path

from malleposte.wire.managesieve import Limits
from support.attacks import Attack, every_way, read_attacks
from unit.wire.managesieve.dialogue import Service, serve, signed_in


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


ATTACKS = read_attacks(Path(__file__).with_name("managesieve.txt"))
test_whole, test_one_octet_at_a_time, test_cut_in_two_everywhere = every_way(
    ATTACKS, prepare, check
)


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
