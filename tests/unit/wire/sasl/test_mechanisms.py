"""PLAIN and LOGIN: what becomes credentials, what is refused, what is never shown."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.sasl import (
    Challenge,
    Credentials,
    Mechanism,
    SaslError,
    mechanism_names,
    start_mechanism,
)
from malleposte.wire.sasl.mechanism import MOST_OCTETS


def start(name: str) -> Mechanism:
    mechanism = start_mechanism(name, plaintext_allowed=True)
    assert mechanism is not None
    return mechanism


@pytest.mark.parametrize(
    ("response", "credentials"),
    [
        (b"\0tim\0tanstaaftanstaaf", Credentials("tim", "tanstaaftanstaaf")),  # RFC 4616 §4
        (b"Ursel\0Kurt\0xipj3plmq", Credentials("Kurt", "xipj3plmq", "Ursel")),
        (b"tim\0tim\0x", Credentials("tim", "x")),
        (
            "\0jürgen@bücher.example\0пароль".encode(),
            Credentials("jürgen@bücher.example", "пароль"),
        ),
        (b"\0a\0 spaces kept ", Credentials("a", " spaces kept ")),
    ],
)
def test_plain(response: bytes, credentials: Credentials) -> None:
    assert start("plain").step(response) == credentials


def test_plain_without_initial_response_asks_for_it() -> None:
    mechanism = start("PLAIN")
    assert mechanism.step(None) == Challenge(b"")
    assert mechanism.step(b"\0a\0b") == Credentials("a", "b")


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"a",
        b"a\0b",
        b"\0\0",
        b"\0\0password",
        b"\0user\0",
        b"\0user\0pass\0word",
        b"\0user\0password\0",
        b"\0us\xffer\0password",
        b"\0user\0pass\xfc",
        b"\0user\0pass\r\nword",
        b"\0user\0" + b"x" * (MOST_OCTETS + 1),
        b"\0" + b"x" * (MOST_OCTETS + 1) + b"\0p",
        b"x" * (MOST_OCTETS + 1) + b"\0u\0p",
    ],
)
def test_plain_refuses(response: bytes) -> None:
    with pytest.raises(SaslError):
        start("PLAIN").step(response)


def test_login() -> None:
    mechanism = start("login")
    assert mechanism.step(None) == Challenge(b"Username:")
    assert mechanism.step(b"tim") == Challenge(b"Password:")
    assert mechanism.step(b"secret") == Credentials("tim", "secret")


def test_login_takes_the_name_as_initial_response() -> None:
    mechanism = start("LOGIN")
    assert mechanism.step(b"tim") == Challenge(b"Password:")
    assert mechanism.step(b"secret") == Credentials("tim", "secret")


@pytest.mark.parametrize("name", [b"", b"a\0b", b"\xff", b"x" * (MOST_OCTETS + 1)])
def test_login_refuses_names(name: bytes) -> None:
    with pytest.raises(SaslError):
        start("LOGIN").step(name)


@pytest.mark.parametrize("password", [b"", b"a\0b", b"\xff", b"x" * (MOST_OCTETS + 1)])
def test_login_refuses_passwords(password: bytes) -> None:
    mechanism = start("LOGIN")
    mechanism.step(b"tim")
    with pytest.raises(SaslError):
        mechanism.step(password)


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(Credentials("a", "secret"))


def test_only_where_a_password_may_be_sent() -> None:
    assert mechanism_names(plaintext_allowed=True) == ("PLAIN", "LOGIN")
    assert mechanism_names(plaintext_allowed=False) == ()
    assert start_mechanism("PLAIN", plaintext_allowed=False) is None
    assert start_mechanism("SCRAM-SHA-256", plaintext_allowed=True) is None


@given(st.binary(max_size=200))
def test_any_octets_are_credentials_or_an_error(octets: bytes) -> None:
    for name in ("PLAIN", "LOGIN"):
        for start_octets in (b"", b"\0", b"\0a\0"):
            mechanism = start(name)
            with contextlib.suppress(SaslError):
                mechanism.step(start_octets + octets)
                mechanism.step(octets)
