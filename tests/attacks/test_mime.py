"""The messages of `mime.txt`, parsed: what must hold of any octets holds of them, and of their parts."""

import pytest

from attacks.hostile_mail import Hostile, hostile_mail
from malleposte.mime import load_structure
from unit.mime.invariants import check_message


@pytest.mark.parametrize("message", hostile_mail(), ids=str)
def test_parsed(message: Hostile) -> None:
    summary = check_message(message.octets)
    assert len(load_structure(summary.structure)) == message.parts


def test_every_line_is_a_message_of_its_own() -> None:
    names = [message.name for message in hostile_mail()]
    assert len(set(names)) == len(names)
