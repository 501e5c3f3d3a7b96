"""Generated passwords: strong, of clear letters, never twice."""

import math
import re

import pytest

from malleposte.runtime.passwords import prepared_password
from malleposte.runtime.passwords_generate import CONSONANTS, VOWELS, readable_password


def test_eighty_bits_in_five_groups() -> None:
    assert re.fullmatch(
        r"([b-z][aiou][b-z][aiou][b-z]-){4}[b-z][aiou][b-z][aiou][b-z]", readable_password()
    )
    letters = len(set(CONSONANTS)) ** 3 * len(set(VOWELS)) ** 2
    assert 5 * math.log2(letters) >= 80


def test_more_bits_are_more_groups() -> None:
    assert readable_password(100).count("-") == 6
    with pytest.raises(ValueError):
        readable_password(64)


def test_no_two_are_alike() -> None:
    assert len({readable_password() for _ in range(1000)}) == 1000


def test_is_fit_as_a_password() -> None:
    password = readable_password()
    assert prepared_password(password) == password.encode()
