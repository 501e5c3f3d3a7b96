"""Chains of ARC sets that others made, found good or not as dkimpy finds them."""

import asyncio
import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from malleposte.delivery.signing import arc_chain
from malleposte.delivery.signing.arc_chain import MOST_KEYS, validated
from malleposte.delivery.signing.canonical import BodyHash
from malleposte.delivery.signing.lookup import Answer
from support.corpora import mail
from unit.delivery.signing.test_arc import sealed, validation
from unit.delivery.signing.test_dkim import MESSAGE, signed
from unit.delivery.signing.test_published import Dns
from unit.delivery.signing.verifying import pair

TWO = sealed(sealed(signed(MESSAGE), "none"), "pass")


def dns() -> Dns:
    found = Dns()
    found.records = {key.name: (key.record,) for key in pair().keys}
    return found


async def verdict(message: bytes, records: Dns | None = None) -> str | None:
    header, _, body = message.partition(b"\r\n\r\n")
    hashed = BodyHash()
    hashed.add(body)
    return await validated(header + b"\r\n\r\n", hashed.digest(), records or dns())


async def test_chains_of_ours_hold() -> None:
    assert await verdict(MESSAGE) == "none"
    message = signed(MESSAGE)
    for at in range(4):
        message = sealed(message, "pass" if at else "none")
        assert await verdict(message) == "pass"


async def test_real_mail_holds() -> None:
    for message in mail()[::100]:
        assert await verdict(sealed(sealed(message, "none"), "pass")) == "pass"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"The figures", b"Our figures"),
        (b"Subject: ", b"Subject: Re: "),
        (b"spf=pass", b"spf=fail"),
        (b"i=1; a=", b"i=1;  n=x; a="),
        (b"cv=pass", b"cv=none"),
        (b"cv=none", b"cv=pass"),
        (b"cv=pass", b"cv=fail"),
        (b"cv=pass", b"h=from; cv=pass"),
        (b"ARC-Seal: i=1", b"X-Seal: i=1"),
        (b"ARC-Seal: i=2", b"ARC-Seal: i=4"),
        (b"a=rsa-sha256", b"a=rsa-sha1"),
        (b"d=example.org", b"d=other.example"),
    ],
)
async def test_what_was_changed_fails(was: bytes, becomes: bytes) -> None:
    changed = TWO.replace(was, becomes)
    assert changed != TWO
    assert await verdict(changed) == "fail"
    assert validation(changed) != dkim.CV_Pass


@pytest.mark.parametrize(
    "record", ["v=DKIM1; k=rsa; p=", "v=spf1 -all", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; p=AAAA"]
)
async def test_a_key_that_is_none_fails(record: str) -> None:
    records = dns()
    records.records[pair().rsa.name] = (record,)
    assert await verdict(TWO, records) == "fail"
    records.records.clear()
    assert await verdict(TWO, records) == "fail"


async def test_keys_too_short_or_too_long_fail() -> None:
    for size in (512, 8_192):
        number = 3 << (size - 2) | 1
        public = rsa.RSAPublicNumbers(65_537, number).public_key()
        der = public.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        records = dns()
        text = base64.b64encode(der).decode()
        records.records[pair().rsa.name] = (f"v=DKIM1; p={text}",)
        assert await verdict(TWO, records) == "fail"


@pytest.mark.parametrize("bad", [b"s=a b", b"s=..", b"s=" + b"x" * 300, b"s=*"])
async def test_names_that_are_none_are_not_asked_for(bad: bytes) -> None:
    records = dns()
    assert await verdict(TWO.replace(b"s=20250615-rsa", bad), records) == "fail"
    assert records.asked == 0


async def test_nothing_is_said_while_the_dns_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = dns()
    records.broken = True
    assert await verdict(TWO, records) is None
    monkeypatch.setattr(arc_chain, "SECONDS", 0.01)

    class Silent(Dns):
        async def find(self, name: str, kind: str) -> Answer:
            await asyncio.sleep(60)
            raise AssertionError

    assert await verdict(TWO, Silent()) is None


async def test_nothing_is_said_of_a_form_that_is_not_looked_at() -> None:
    assert await verdict(TWO.replace(b"c=relaxed/relaxed", b"c=simple/simple")) is None
    assert await verdict(TWO.replace(b"c=relaxed/relaxed;", b"c=relaxed/relaxed; l=4;")) is None


async def test_a_message_does_not_have_us_ask_for_keys_without_end() -> None:
    """Each set names another key; none of them is there."""
    sets = b"".join(
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=d%d.example; s=s; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s; h=from;"
        b" bh=%s; b=AAAA\r\nARC-Authentication-Results: i=%d; x\r\n"
        % (at, b"pass" if at > 1 else b"none", at, at, _body_hash(), at)
        for at in range(1, MOST_KEYS + 2)
    )
    records = dns()
    assert await verdict(sets + MESSAGE, records) is None
    assert records.asked == 0


def _body_hash() -> bytes:
    hashed = BodyHash()
    hashed.add(MESSAGE.partition(b"\r\n\r\n")[2])
    return base64.b64encode(hashed.digest())
