"""Which passwords are refused, in words that say what to do and show nothing of the password."""

import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.password_rules import check_password

ADDRESS = "josephine.baker@example.org"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 10"),
        ("nine char", "at least 10"),
        ("aaaaaaaaaaaa", "repeats"),
        ("ababababababab", "repeats"),
        ("Password123", "commonest"),
        ("azertyuiop", "commonest"),
        ("Josephine.Baker2026!", "the address"),
        (ADDRESS, "the address"),
    ],
)
def test_weak_passwords_are_refused(password: str, words: str) -> None:
    with pytest.raises(OperationError, match=words) as error:
        check_password(password, ADDRESS)
    assert error.value.kind == "refused"
    assert not password or password not in error.value.text


@pytest.mark.parametrize("password", ["four quiet horses", "tchin-tchin à tous", "x9#Lq02!vvN"])
def test_others_pass(password: str) -> None:
    check_password(password, ADDRESS)
