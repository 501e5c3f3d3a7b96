"""Base64 of exchanges is strict: nobody may see two things in one line."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.sasl import (
    SaslError,
    decode_initial_response,
    decode_response,
    encode_challenge,
)


@given(st.binary(max_size=100))
def test_round_trip(octets: bytes) -> None:
    assert decode_response(encode_challenge(octets)) == octets
    assert decode_response(base64.b64encode(octets)) == octets


def test_equals_sign_is_an_empty_initial_response_only() -> None:
    """RFC 4954 §4, RFC 4959 §3."""
    assert decode_initial_response(b"=") == b""
    with pytest.raises(SaslError):
        decode_response(b"=")


@pytest.mark.parametrize(
    "line",
    [b"*", b"YQ", b"YQ=", b"YQ===", b"YQ==YQ==", b" YQ==", b"YQ==\n", b"Y Q=", b"Y-_=", b"\xff"],
)
def test_refused(line: bytes) -> None:
    for decode in (decode_response, decode_initial_response):
        with pytest.raises(SaslError):
            decode(line)
