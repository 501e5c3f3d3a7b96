"""A secret never shows itself by accident."""

import copy
import logging
import pickle
import traceback

import pytest

from malleposte.secrets.redaction import Secret

PASSWORD = "correct horse"


def test_no_form_of_text_shows_the_value() -> None:
    secret = Secret(PASSWORD)
    for text in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>30}",
        "{} {!r}".format(*[secret] * 2),
    ):
        assert PASSWORD not in text
        assert "hidden" in text
    assert repr([secret, {"a": secret}]).count("hidden") == 2


def test_bytes_do_not_show_either() -> None:
    assert b"key".hex() not in repr(Secret(b"key"))
    assert "key" not in repr(Secret(b"key"))


def test_logging_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("dsn is %s", Secret(PASSWORD))
    assert PASSWORD not in caplog.text


def test_traceback_with_locals_does_not_show_it() -> None:
    secret = Secret("hidden from here" + PASSWORD)
    try:
        int("x" if secret else "1")
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "secret = " in shown
    assert "here" + PASSWORD not in shown


def test_reveal_gives_the_value() -> None:
    assert Secret(PASSWORD).reveal() == PASSWORD
    assert Secret(b"\x00\xff").reveal() == b"\x00\xff"


def test_equality_looks_at_the_value() -> None:
    assert Secret(PASSWORD) == Secret(PASSWORD)
    assert Secret(PASSWORD) != Secret("other")
    assert Secret("ä") == Secret("ä")
    assert Secret(PASSWORD) != PASSWORD


def test_is_not_serialised_or_hashed() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(PASSWORD))
    with pytest.raises(TypeError):
        copy.copy(Secret(PASSWORD))
    with pytest.raises(TypeError):
        hash(Secret(PASSWORD))


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
