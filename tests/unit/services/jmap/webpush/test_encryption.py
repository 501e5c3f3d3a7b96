"""What is pushed: encrypted as in RFC 8291, signed as RFC 8292 wants it, with one key for all."""

import base64
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.services.jmap.webpush import VapidKept
from malleposte.services.jmap.webpush.encryption import (
    MOST,
    RECORD,
    encrypted,
    octets_of,
    public_key,
    text_of,
)
from malleposte.services.jmap.webpush.vapid import Vapid, new_key, read_key
from support.store import House
from unit.services.jmap.webpush.receiver import Reader

PLAIN = b"When I grow up, I want to be a watermelon"
POINT = octets_of(
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH = octets_of("BTBZMqHH6r4Tts7J_aSIgg")
SALT = octets_of("DGv6ra1nlYgDCS1FRnbzlw")
OWN = octets_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_rfc_8291() -> None:
    key = derive_private_key(int.from_bytes(OWN), SECP256R1())
    assert text_of(encrypted(PLAIN, POINT, AUTH, salt=SALT, key=key)) == MESSAGE


def test_nobody_else_reads_it_and_no_two_are_alike() -> None:
    reader, other = Reader(), Reader()
    first, second = (encrypted(PLAIN, reader.point, reader.auth) for _ in range(2))
    assert first != second
    assert reader.read(first) == reader.read(second) == PLAIN
    with pytest.raises(ValueError, match="not for this client"):
        other.read(first)


def test_it_fits_in_one_record() -> None:
    reader = Reader()
    assert reader.read(encrypted(bytes(MOST), reader.point, reader.auth)) == bytes(MOST)
    assert len(encrypted(bytes(MOST), reader.point, reader.auth)) == RECORD
    with pytest.raises(ValueError, match="too many"):
        encrypted(bytes(MOST + 1), reader.point, reader.auth)


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x04" + bytes(64), POINT[:-1] + b"\0"])
def test_a_point_that_is_none_is_no_key(point: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        public_key(point)


@dataclass
class Time:
    now: float = 1_800_000_000.0

    def time(self) -> float:
        return self.now


def claims_of(authorization: str) -> tuple[dict[str, Any], str]:
    """What a token says, its signature having been checked with the key beside it; and that key."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    values = dict(one.strip().split("=", 1) for one in rest.split(","))
    header, claims, signature = values["t"].split(".")
    assert msgspec.json.decode(octets_of(header)) == {"typ": "JWT", "alg": "ES256"}
    octets = octets_of(signature)
    assert len(octets) == 64
    der = encode_dss_signature(int.from_bytes(octets[:32]), int.from_bytes(octets[32:]))
    signed = f"{header}.{claims}".encode()
    public_key(octets_of(values["k"])).verify(der, signed, ECDSA(SHA256()))
    found: dict[str, Any] = msgspec.json.decode(octets_of(claims))
    return found, values["k"]


def test_a_token_says_for_whom_until_when_and_who_answers_for_it() -> None:
    time = Time()
    vapid = Vapid(read_key(new_key()), "mailto:postmaster@mail.example.org", clock=time.time)
    first = vapid.authorization("https://push.example.net")
    claims, key = claims_of(first)
    assert claims == {
        "aud": "https://push.example.net",
        "exp": 1_800_000_000 + 12 * 3600,
        "sub": "mailto:postmaster@mail.example.org",
    }
    assert key == vapid.public
    assert vapid.authorization("https://push.example.net") == first
    assert claims_of(vapid.authorization("https://other.example.net"))[0]["aud"] != claims["aud"]
    time.now += 11 * 3600 + 1
    assert claims_of(vapid.authorization("https://push.example.net"))[0]["exp"] > claims["exp"]


def test_another_key_does_not_pass() -> None:
    vapid = Vapid(read_key(new_key()), "mailto:x@example.org")
    other = Vapid(read_key(new_key()), "mailto:x@example.org")
    mixed = vapid.authorization("https://a").replace(vapid.public, other.public)
    with pytest.raises(InvalidSignature):
        claims_of(mixed)


async def test_the_key_is_made_once_and_kept_sealed(house: House) -> None:
    ring = KeyRing([NodeKey.random()])
    first = VapidKept(house.store, lambda: ring, "mailto:x@example.org")
    second = VapidKept(house.store, lambda: ring, "mailto:x@example.org")
    one, other = await first.vapid(), await second.vapid()
    assert one is not None
    assert other is not None
    assert one.public == other.public
    assert await first.vapid() is one
    ((sealed, key_id),) = await house.rows("SELECT sealed, key_id FROM secret WHERE name = 'vapid'")
    assert key_id == ring.current.id.hex()
    secret = ring.unseal("vapid", bytes(sealed)).reveal()
    assert secret not in bytes(sealed)
    assert base64.b64encode(secret) not in bytes(sealed)


async def test_without_a_node_key_there_is_none(house: House) -> None:
    def none() -> KeyRing:
        raise NodeKeyError("there is no node key")

    assert await VapidKept(house.store, none, "mailto:x@example.org").vapid() is None
    ring, other = KeyRing([NodeKey.random()]), KeyRing([NodeKey.random()])
    assert await VapidKept(house.store, lambda: ring, "mailto:x@example.org").vapid() is not None
    assert await VapidKept(house.store, lambda: other, "mailto:x@example.org").vapid() is None
