"""The mail about an account that fills up: a program's (RFC 3834), in its owner's language, once."""

import email
import email.policy
from email.message import EmailMessage

import msgspec

from malleposte.delivery.quota_warning import QuotaWarning
from malleposte.store import Store
from malleposte.store.commands import CreateAccount, CreateDomain
from malleposte.store.read import emails
from malleposte.store.results import LeasedJob


def job(account: int, level: int) -> LeasedJob:
    payload = msgspec.msgpack.encode((account, level))
    return LeasedJob(id=7, kind="quota-warning", key="k", payload=payload, epoch=1, attempts=1)


async def mail(store: Store) -> list[EmailMessage]:
    found = []
    for row in await store.reader.rows("SELECT id FROM email ORDER BY id"):
        stored = await emails.stored_by_id(store.reader, row[0])
        assert stored is not None
        pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
        octets = b"".join([piece async for piece in pieces])
        found.append(email.message_from_bytes(octets, policy=email.policy.default))
    return found


async def test_it_says_that_a_program_wrote_it_and_comes_once(store: Store) -> None:
    """Else a vacation reply would answer it, or a mailing list take it for somebody's."""
    await store.submit(CreateDomain(name="here.example"))
    await store.submit(
        CreateAccount(
            address="ada@here.example",
            name="Ada",
            password_hash="",
            locale="fr",
            quota_bytes=10_000,
        )
    )
    warning = QuotaWarning(store, "mail.here.example", grace=86_400)
    for _ in range(2):
        await warning.run(job(1, 90))
    (letter,) = await mail(store)
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["To"] == "Ada <ada@here.example>"
    assert letter["From"] == "Malleposte <postmaster@here.example>"
    assert letter["Subject"] == "Votre boîte aux lettres est pleine à 90 %"
    assert letter["Message-ID"] == "<quota.1.90.7@mail.here.example>"


async def test_an_account_that_is_gone_is_not_told(store: Store) -> None:
    await QuotaWarning(store, "mail.here.example", grace=86_400).run(job(9, 80))
    assert await mail(store) == []
