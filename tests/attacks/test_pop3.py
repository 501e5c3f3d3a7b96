"""Runs pop3.txt against the engine, and the attacks that need counting."""

from pathlib import Path

import pytest

from support.attacks import Attack, every_way, read_attacks
from unit.wire.pop3.dialogue import Service, serve, signed_in

MESSAGES = (b"a\r\n", b"b\r\n", b"c\r\n")


def prepare(state: str) -> Service:
    if state == "in":
        service = signed_in(*MESSAGES)
        service.events.clear()
        return service
    return serve(stls=state == "stls", loopback=state == "local", messages=MESSAGES)


def summary(said: bytes) -> str:
    """The first letters of what was said; lines of long answers are left out."""
    kinds = {b"+OK": "O", b"-ER": "E", b"+ V": "+", b"+ U": "+", b"+ \r": "+"}
    return "".join(kinds[line[:3]] for line in said.splitlines(True) if line[:1] in b"+-")


def check(attack: Attack, service: Service, said: bytes) -> None:
    assert summary(said) == attack.said
    assert (service.closed is not None) is attack.closed
    assert service.gone == [int(number) for number in attack.comes.split()]
    assert not service.handshake_due


ATTACKS = read_attacks(Path(__file__).with_name("pop3.txt"))
test_whole, test_one_octet_at_a_time, test_cut_in_two_everywhere = every_way(
    ATTACKS, prepare, check
)


def test_a_long_line_is_never_held() -> None:
    service = serve()
    for _ in range(60):
        assert service.feed(b"x" * 1_000) == b""
        assert len(service.engine._buffer) <= 2_048
    assert summary(service.feed(b"\r\nCAPA\r\n")) == "EO"


@pytest.mark.parametrize("end", [b"\n.\r\n", b"\n.\n", b"\r\n.\r\n", b"\n.\n.\r\n.\n"])
@pytest.mark.parametrize("slice_", [1, 2, 3, 1000])
def test_no_message_can_end_before_its_end(end: bytes, slice_: int) -> None:
    """However a client tells lines, by CRLF or by LF: what follows in the message would be taken for
    responses."""
    message = b"Subject: x\r\n\r\nx" + end + b"+OK 1 1\r\n"
    service = signed_in(message)
    service.slice = slice_
    said = service.feed(b"RETR 1\r\n")
    assert said.endswith(b"\r\n.\r\n")
    for line in said[:-3].split(b"\n"):
        assert line.rstrip(b"\r") != b"."
