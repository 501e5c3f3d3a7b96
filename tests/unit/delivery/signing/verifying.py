"""Keys for tests, and dkimpy as the verifier of what we sign."""

import types
from collections.abc import Callable
from functools import cache
from unittest import mock

import dkim

from malleposte.delivery.signing.keys import KeyPair, SigningKey, make

NOW = 1_750_000_000
Ask = Callable[..., bytes | None]


@cache
def pair() -> KeyPair:
    """The keys of example.org: making RSA takes a while, so they are made once."""
    return make("example.org", "20250615", NOW)


def zone(*keys: SigningKey) -> dict[bytes, bytes]:
    """The TXT records of keys."""
    return {f"{key.name}.".encode(): key.record.encode() for key in keys or pair().keys}


def answering(records: dict[bytes, bytes]) -> Ask:
    """dkimpy's way of asking the DNS, with these records in place of it."""

    def ask(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name if name.endswith(b".") else name + b".")

    return ask


def verdicts(message: bytes, records: dict[bytes, bytes] | None = None) -> list[bool]:
    """What dkimpy says of each DKIM-Signature from the top."""
    ask = answering(records if records is not None else zone())
    count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(message)[0])
    return [_verifies(message, at, ask) for at in range(count)]


def _verifies(message: bytes, at: int, ask: Ask) -> bool:
    late = types.SimpleNamespace(time=lambda: 2.0**33)
    try:
        # Clocks of tests are ahead of this machine's.
        with mock.patch.object(dkim, "time", late):
            good: bool = dkim.DKIM(message).verify(idx=at, dnsfunc=ask)
    except (dkim.ValidationError, dkim.KeyFormatError):
        return False
    return good
