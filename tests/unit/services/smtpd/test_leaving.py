"""What is submitted for other servers: signed as it goes out, counted, held where it is too much."""

from collections.abc import AsyncIterator

import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.delivery.signing.dkim import sign_hashed
from malleposte.policy.sending import SendLimit, SendLimits
from malleposte.store.commands import (
    ACCOUNT,
    EIGHTBIT,
    SMTPUTF8,
    CreateDomain,
    SetSendLimit,
    TakeQueued,
)
from malleposte.store.read import emails
from malleposte.store.read.sending import content_of
from malleposte.store.results import Taken, TakenMessage
from support.store import Place
from unit.delivery.signing.verifying import pair, verdicts
from unit.services.smtpd.harness import Served, serve


async def sign(domain: str, header: bytes, digest: bytes, now: int) -> bytes:
    assert domain == "example.org"
    return sign_hashed(header, digest, pair().keys, now)


LIMITS = SendLimits(SendLimit(3, 5), SendLimit(0, 0))


@pytest.fixture
async def sending(place: Place) -> AsyncIterator[Served]:
    """Submission of ada, who sends three messages an hour to five recipients a day."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store, sending=Sending(Routing(), sign=sign, limits=LIMITS)) as served:
            await served.account("ada")
            await served.account("bob")
            yield served


async def leaving(served: Served) -> list[tuple[TakenMessage, bytes]]:
    """What leaves, as the next server gets it."""
    store = served.store
    taken = await store.submit(TakeQueued(routes=9, each=99, seconds=60))
    assert isinstance(taken, Taken)
    found = []
    for message in taken.messages:
        stored = await content_of(store.reader, message)
        pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
        found.append((message, b"".join([piece async for piece in pieces])))
    return found


TEXT = (
    "From: Ada <ada@example.org>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Grüße, and much that is plain.\r\n.. and a dot\r\n"
)


async def test_it_is_recoded_and_then_signed(sending: Served) -> None:
    client = await sending.signed_in("ada@example.org")
    assert (await client.send("ada@example.org", "x@there.example", TEXT))[:3] == "250"
    ((message, octets),) = await leaving(sending)
    assert octets.isascii()
    assert message.needs == 0
    assert verdicts(octets) == [True, True]
    assert b"Gr=C3=BC=C3=9Fe" in octets
    # What one of its own octets more or less would do.
    assert verdicts(octets.replace(b"plain", b"plaim")) == [False, False]


async def test_a_header_of_an_old_program_needs_no_smtputf8(sending: Served) -> None:
    content = "From: Zoë <ada@example.org>\r\nSubject: Grüße\r\n\r\nplain\r\n"
    client = await sending.signed_in("ada@example.org")
    assert (await client.send("ada@example.org", "x@there.example", content))[:3] == "250"
    ((message, octets),) = await leaving(sending)
    assert octets.isascii()
    assert message.needs == 0
    assert verdicts(octets) == [True, True]


async def test_what_its_author_signed_goes_as_it_is(sending: Served) -> None:
    content = (
        "From: ada@example.org\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/signed; boundary="b"; protocol="application/pkcs7-signature"\r\n\r\n'
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n"
        "--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nxx\r\n--b--\r\n"
    )
    client = await sending.signed_in("ada@example.org")
    assert (await client.send("ada@example.org", "x@there.example", content))[:3] == "250"
    ((message, octets),) = await leaving(sending)
    assert content.partition("MIME")[2].encode() in octets
    assert message.needs == EIGHTBIT
    assert verdicts(octets) == [True, True]


async def test_smtputf8_is_asked_for_where_something_needs_it(sending: Served) -> None:
    client = await sending.signed_in("ada@example.org")
    for command in (
        "MAIL FROM:<ada@example.org> SMTPUTF8",
        "RCPT TO:<x@bücher.example>",
        "DATA",
    ):
        assert (await client.ask(command))[0] in "23", command
    assert (await client.ask(TEXT + "\r\n."))[:3] == "250"
    ((message, _),) = await leaving(sending)
    # The domain has a form in ASCII: nothing needs it.
    assert message.needs == 0
    assert message.recipients[0].address == "x@xn--bcher-kva.example"
    for command in ("MAIL FROM:<ada@example.org> SMTPUTF8", "RCPT TO:<jürgen@there.example>"):
        assert (await client.ask(command))[0] == "2"
    await client.ask("DATA")
    assert (await client.ask(TEXT + "\r\n."))[:3] == "250"
    ((message, _),) = await leaving(sending)
    assert message.needs == EIGHTBIT | SMTPUTF8


async def test_what_exceeds_the_limit_is_held_and_local_mail_is_not(sending: Served) -> None:
    client = await sending.signed_in("ada@example.org")
    content = "From: ada@example.org\r\n\r\nx"
    for _ in range(5):
        assert (await client.send("ada@example.org", "x@there.example", content))[:3] == "250"
        assert (await client.send("ada@example.org", "bob@example.org", content))[:3] == "250"
    assert len(await leaving(sending)) == 3
    rows = await sending.store.reader.rows("SELECT held FROM queue_message WHERE held <> ''")
    assert [row[0] for row in rows] == [
        "sending limit: ada@example.org sends 3 messages an hour at most"
    ] * 2
    assert await sending.store.reader.row("SELECT count(*) FROM email") == (5,)
    assert await sending.store.reader.row("SELECT count(*) FROM job") == (1,)


async def test_a_higher_limit_counts_from_the_next_message(sending: Served) -> None:
    client = await sending.signed_in("ada@example.org")
    content = "From: ada@example.org\r\n\r\nx"
    await sending.store.submit(SetSendLimit(kind=ACCOUNT, id=1, messages=4))
    for _ in range(5):
        await client.send("ada@example.org", "x@there.example", content)
    assert len(await leaving(sending)) == 4
