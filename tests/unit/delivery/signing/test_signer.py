"""From the store to the signature: which keys of a domain sign, and the alarm where none does."""

import dkim
import pytest
from structlog.testing import capture_logs

from malleposte.delivery.signing.canonical import BodyHash
from malleposte.delivery.signing.kept import pairs_of
from malleposte.delivery.signing.keys import KeyPair, make, written
from malleposte.delivery.signing.published import WRONG_FOR, Published
from malleposte.delivery.signing.signer import KNOWN_FOR, LINE_EVERY, Signer
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.store.commands import PutSecret
from malleposte.store.results import Done
from support.store import House
from unit.delivery.signing.test_dkim import MESSAGE
from unit.delivery.signing.test_published import Dns, Watch
from unit.delivery.signing.verifying import NOW, answering, pair, verdicts, zone

RING = KeyRing([NodeKey.random()])
HEADER = MESSAGE.partition(b"\r\n\r\n")[0]


def digest() -> bytes:
    body = BodyHash()
    body.add(MESSAGE.partition(b"\r\n\r\n")[2])
    return body.digest()


class Desk:
    """A signer with its DNS and its clock."""

    def __init__(self, house: House, ring: KeyRing = RING) -> None:
        self.house, self.dns, self.watch = house, Dns(), Watch()
        self.alarms: list[tuple[str, str]] = []
        self.signer = Signer(
            house.store.reader,
            lambda: ring,
            Published(self.dns, clock=self.watch),
            self.dns,
            unsigned=lambda domain, why: self.alarms.append((domain, why)),
            clock=self.watch,
        )

    async def keep(self, keys: KeyPair) -> None:
        sealed = RING.seal(keys.secret_name, written(keys))
        command = PutSecret(name=keys.secret_name, sealed=sealed, key_id=RING.current.id.hex())
        await self.house.do(command, Done)

    def publish(self, *pairs: KeyPair) -> None:
        self.dns.records = {key.name: (key.record,) for one in pairs for key in one.keys}

    async def sign(self, header: bytes = HEADER) -> bytes:
        return await self.signer.sign("example.org", header, digest(), NOW)

    async def selectors(self) -> list[str]:
        return [key.selector for key in (await self.signer.chosen("example.org")).keys]


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


async def test_published_keys_sign(desk: Desk) -> None:
    await desk.keep(pair())
    desk.publish(pair())
    assert verdicts(await desk.sign() + MESSAGE) == [True, True]
    assert desk.alarms == []


async def test_a_domain_without_keys_leaves_unsigned_without_a_word(desk: Desk) -> None:
    await desk.keep(make("example.org.example.net", "20250101", NOW))
    with capture_logs() as lines:
        assert await desk.sign() == b""
    assert desk.alarms == []
    assert not await desk.signer.concerns("example.org"), "so its mail is not even hashed"
    assert lines == []


async def test_unpublished_keys_do_not_sign_and_that_is_an_alarm(desk: Desk) -> None:
    await desk.keep(pair())
    with capture_logs() as lines:
        assert await desk.sign() == b""
        assert await desk.sign() == b""
    assert await desk.signer.concerns("example.org"), "else nobody would hear of it"
    assert [domain for domain, _ in desk.alarms] == ["example.org"] * 2
    assert "there is no TXT record at 20250615-rsa._domainkey" in desk.alarms[0][1]
    (line,) = lines
    assert (line["log_level"], line["domain"]) == ("error", "example.org")
    assert "malleposte dns example.org --check" in line["remedy"]
    desk.watch.now += LINE_EVERY + 1
    with capture_logs() as lines:
        await desk.sign()
    assert lines[0]["unwritten"] == 1


async def test_a_key_whose_record_is_another_does_not_sign(desk: Desk) -> None:
    await desk.keep(pair())
    desk.publish(pair())
    desk.dns.records[pair().rsa.name] = (pair().rsa.record[:-8] + "AAAAAAAA",)
    signed = await desk.sign()
    assert verdicts(signed + MESSAGE, zone(pair().ed25519)) == [True]
    assert desk.alarms == []


async def test_a_rotation_never_leaves_a_gap(desk: Desk) -> None:
    old, new = pair(), make("example.org", "20250616", NOW + 86_400)
    await desk.keep(old)
    desk.publish(old)
    assert await desk.selectors() == ["20250615-rsa", "20250615-ed25519"]
    await desk.keep(new)
    desk.watch.now += KNOWN_FOR + 1
    assert await desk.selectors() == ["20250615-rsa", "20250615-ed25519"]
    # One of the new records is there first.
    desk.dns.records[new.ed25519.name] = (new.ed25519.record,)
    desk.watch.now += WRONG_FOR + 1
    assert await desk.selectors() == ["20250615-rsa", "20250616-ed25519"]
    desk.publish(old, new)
    desk.watch.now += WRONG_FOR + 1
    assert await desk.selectors() == ["20250616-rsa", "20250616-ed25519"]
    await desk.house.do(PutSecret(name=old.secret_name, sealed=b"", key_id=""), Done)
    desk.publish(new)
    desk.watch.now += KNOWN_FOR + 1
    assert await desk.selectors() == ["20250616-rsa", "20250616-ed25519"]


async def test_a_message_nobody_should_vouch_for_is_an_alarm(desk: Desk) -> None:
    await desk.keep(pair())
    desk.publish(pair())
    assert await desk.sign(b"To: a@example.org") == b""
    assert desk.alarms == [("example.org", "it has no From")]


async def test_keys_of_a_lost_node_key_are_an_alarm(house: House) -> None:
    await Desk(house).keep(pair())
    desk = Desk(house, KeyRing([NodeKey.random()]))
    desk.publish(pair())
    assert await desk.sign() == b""
    assert "bring the old key file back" in desk.alarms[0][1]


async def test_one_pair_that_cannot_be_opened_does_not_take_the_others_along(desk: Desk) -> None:
    lost = PutSecret(name="dkim:example.org:20250101", sealed=b"\1" + bytes(50), key_id="k")
    await desk.house.do(lost, Done)
    await desk.keep(pair())
    desk.publish(pair())
    assert await desk.selectors() == ["20250615-rsa", "20250615-ed25519"]


async def test_a_secret_in_anothers_place_does_not_open(desk: Desk) -> None:
    """Whoever can write into the database cannot have one domain sign by another's keys."""
    sealed = RING.seal(pair().secret_name, written(pair()))
    name = "dkim:example.net:20250615"
    await desk.house.do(PutSecret(name=name, sealed=sealed, key_id="k"), Done)
    choice = await desk.signer.chosen("example.net")
    assert choice.signing
    assert not choice.keys


async def test_the_newest_come_first(desk: Desk) -> None:
    for at, stem in enumerate(("20250615", "20250616", "20250614")):
        await desk.keep(KeyPair("example.org", stem, NOW + at, pair().rsa, pair().ed25519))
    kept = await pairs_of(desk.house.store.reader, lambda: RING, "example.org")
    assert [one.stem for one in kept.pairs] == ["20250614", "20250616", "20250615"]


async def test_what_is_sent_on_is_sealed_by_the_published_key(desk: Desk) -> None:
    await desk.keep(pair())
    assert await desk.signer.seal("mx.example.org", "example.org", HEADER, digest(), NOW) == b""
    desk.publish(pair())
    desk.watch.now += WRONG_FOR + 1
    seal = await desk.signer.seal("mx.example.org", "example.org", HEADER, digest(), NOW)
    assert b"ARC-Authentication-Results: i=1; mx.example.org; arc=none\r\n" in seal
    verdict = dkim.ARC(seal + MESSAGE).verify(dnsfunc=answering(zone()))
    assert verdict[0] == dkim.CV_Pass
    # On top of one that is good, and of one that was changed on the way.
    for came, says in ((seal, b"pass"), (seal.replace(b"arc=none", b"arc=pass"), b"fail")):
        header = came + HEADER
        more = await desk.signer.seal("mx.example.org", "example.org", header, digest(), NOW)
        assert b"i=2; mx.example.org; arc=" + says in more
        verdict = dkim.ARC(more + came + MESSAGE).verify(dnsfunc=answering(zone()))
        assert (verdict[0] == dkim.CV_Pass) == (says == b"pass")
    # Not the domain's, and no header that can be signed: sent on without.
    assert await desk.signer.seal("mx", "other.example", HEADER, digest(), NOW) == b""
    assert await desk.signer.seal("mx", "example.org", b"Subject: x\r\n", digest(), NOW) == b""
