"""Sealed values open only under their key and for their purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import MAX_VALUE, KeyRing, NodeKey, SealError

OLD, NEW = NodeKey.random(), NodeKey.random()
RING = KeyRing([OLD])
PURPOSE = "dkim:example.org:2026a"


@given(st.binary(max_size=200), st.text())
def test_what_is_sealed_opens(value: bytes, purpose: str) -> None:
    purpose = purpose.encode("utf-8", "ignore").decode()
    sealed = RING.seal(purpose, Secret(value))
    assert RING.unseal(purpose, sealed).reveal() == value
    assert len(sealed) == len(value) + 37


def test_the_value_is_not_in_it_and_no_two_are_alike() -> None:
    sealed = {RING.seal(PURPOSE, Secret(b"smart host password")) for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"smart" in value for value in sealed)


def test_it_does_not_open_for_another_purpose() -> None:
    sealed = RING.seal(PURPOSE, Secret(b"x"))
    with pytest.raises(SealError, match=r"dkim:other\.example:a is damaged or was sealed for"):
        RING.unseal("dkim:other.example:a", sealed)


@given(st.integers(0, 8 * 42 - 1))
def test_any_changed_bit_is_an_error(bit: int) -> None:
    sealed = bytearray(RING.seal(PURPOSE, Secret(b"value")))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        RING.unseal(PURPOSE, bytes(sealed))


@given(st.binary(max_size=60))
def test_any_other_bytes_are_an_error(other: bytes) -> None:
    with pytest.raises(SealError):
        RING.unseal(PURPOSE, other)
    with pytest.raises(SealError):
        RING.unseal(PURPOSE, b"\x01" + OLD.id + other)


def test_rotation_opens_the_old_and_seals_with_the_new() -> None:
    sealed = RING.seal(PURPOSE, Secret(b"value"))
    rotated = KeyRing([NEW, OLD])
    assert rotated.needs_reseal(sealed)
    resealed = rotated.reseal(PURPOSE, sealed)
    assert not rotated.needs_reseal(resealed)
    assert KeyRing([NEW]).unseal(PURPOSE, resealed) == Secret(b"value")


def test_an_unknown_key_is_named_with_what_to_do() -> None:
    sealed = RING.seal(PURPOSE, Secret(b"value"))
    with pytest.raises(SealError) as caught:
        KeyRing([NEW]).unseal(PURPOSE, sealed)
    assert OLD.id.hex() in str(caught.value)
    assert NEW.id.hex() in str(caught.value)
    assert "bring the old key file back" in str(caught.value)


def test_nothing_shows_a_key() -> None:
    material = OLD.material.reveal()
    assert repr(material)[2:-1] not in repr(OLD)
    assert OLD.id not in material
    assert OLD.derived("seal") not in (OLD.derived("sign"), material)


def test_bounds() -> None:
    with pytest.raises(ValueError):
        RING.seal(PURPOSE, Secret(bytes(MAX_VALUE + 1)))
    with pytest.raises(ValueError):
        KeyRing([])
