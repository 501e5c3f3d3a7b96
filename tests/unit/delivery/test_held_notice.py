"""Who is told that mail is held: the owner and the administrators, in their language, once for a job."""

import email
import email.policy
from email.message import EmailMessage

import msgspec
import pytest

from malleposte.delivery.held_notice import HeldNotices
from malleposte.directory.book import Book
from malleposte.store import Store
from malleposte.store.commands import (
    ACCOUNT,
    ACCOUNT_ONWARD,
    DOMAIN,
    DOMAIN_ONWARD,
    CreateAccount,
    CreateDomain,
    GroupEntry,
    PutGroup,
    SetAlias,
    SetMembers,
)
from malleposte.store.execute.allowing import HELD_JOB, HeldNotice
from malleposte.store.read import emails
from malleposte.store.results import LeasedJob


@pytest.fixture
async def notices(store: Store) -> HeldNotices:
    """ada (1, French), an administrator (2), a scanner (3)."""
    await store.submit(CreateDomain(name="here.example"))
    for name, kind, role, locale in (
        ("ada", "person", "", "fr"),
        ("root", "person", "administrator", "en"),
        ("scanner", "device", "", "en"),
    ):
        await store.submit(
            CreateAccount(
                address=f"{name}@here.example",
                name="",
                password_hash="",
                kind=kind,
                role=role,
                locale=locale,
            )
        )
    return HeldNotices(store, Book(store), "mail.here.example")


def job(**changes: object) -> LeasedJob:
    notice = HeldNotice(
        account=1,
        kind=ACCOUNT,
        name="ada@here.example",
        what="messages",
        limit=500,
        at=1_790_000_000,
        owner=True,
        administrators=True,
    )
    payload = msgspec.msgpack.encode(msgspec.structs.replace(notice, **changes))
    return LeasedJob(id=1, kind=HELD_JOB, key="1:1:1:9", payload=payload, epoch=1, attempts=1)


async def mail(store: Store, account: int) -> list[EmailMessage]:
    rows = await store.reader.rows("SELECT id FROM email WHERE account = $1 ORDER BY id", account)
    found = []
    for row in rows:
        stored = await emails.stored_by_id(store.reader, row[0])
        assert stored is not None
        pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
        octets = b"".join([piece async for piece in pieces])
        found.append(email.message_from_bytes(octets, policy=email.policy.default))
    return found


async def test_owner_and_administrators_are_told_in_their_language(
    store: Store, notices: HeldNotices
) -> None:
    await notices.run(job())
    await notices.run(job())
    (to_owner,) = await mail(store, 1)
    assert to_owner["Subject"] == "Une partie de votre courrier est retenue"
    assert to_owner["Auto-Submitted"] == "auto-generated"
    assert "500 messages" in " ".join(to_owner.get_content().split())
    (to_root,) = await mail(store, 2)
    assert to_root["Subject"] == "Mail of ada@here.example is held"
    assert "    malleposte queue release --sender ada@here.example\r\n" in to_root.get_content()


async def test_only_who_was_not_told_today(store: Store, notices: HeldNotices) -> None:
    await notices.run(job(administrators=False))
    assert len(await mail(store, 1)) == 1
    assert await mail(store, 2) == []


async def test_a_device_reads_nothing(store: Store, notices: HeldNotices) -> None:
    await notices.run(job(account=3, what="recipients", kind=DOMAIN, name="here.example"))
    assert await mail(store, 3) == []
    (to_root,) = await mail(store, 2)
    text = " ".join(to_root.get_content().split())
    assert "500 recipients on other servers a day, for all accounts of here.example" in text
    assert "limit set here.example" in text


async def test_an_administrator_who_sent_it_himself_is_told_once(
    store: Store, notices: HeldNotices
) -> None:
    await notices.run(job(account=2))
    assert len(await mail(store, 2)) == 1


async def test_an_account_that_is_gone_is_not_told(store: Store, notices: HeldNotices) -> None:
    await notices.run(job(account=99))
    assert await mail(store, 2) == []


async def test_who_forwards_is_not_told_that_he_sent_it(store: Store, notices: HeldNotices) -> None:
    await notices.run(job(kind=ACCOUNT_ONWARD, by="ada@here.example"))
    (to_owner,) = await mail(store, 1)
    assert to_owner["Subject"] == "Une partie du courrier pour ada@here.example est retenue"
    assert "mot de passe" not in to_owner.get_content()
    (to_root,) = await mail(store, 2)
    text = to_root.get_content()
    assert "mail that ada@here.example sends on to other servers is held" in " ".join(text.split())
    assert "    malleposte queue remove --sender ada@here.example\r\n" in text
    assert "passwd" not in text


async def test_of_a_group_its_owners_are_told_and_of_an_alias_the_administrators(
    store: Store, notices: HeldNotices
) -> None:
    for command in (
        PutGroup(address="staff@here.example", fresh=True),
        SetMembers(address="staff@here.example", entries=(GroupEntry(account=1),), owner=True),
        SetAlias(address="away@here.example", remotes=("x@far.example",)),
    ):
        await store.submit(command)
    of_domain = {"account": -1, "kind": DOMAIN_ONWARD, "name": "here.example"}
    await notices.run(job(**of_domain, by="staff@here.example"))
    assert len(await mail(store, 1)) == 1
    (to_root,) = await mail(store, 2)
    text = " ".join(to_root.get_content().split())
    assert "mail that staff@here.example sends on" in text
    assert "for all that here.example sends on together" in text
    assert "malleposte queue release --sender here.example" in text
    assert "malleposte limit set here.example" in text
    await notices.run(job(**of_domain, by="away@here.example", at=1_790_086_400))
    assert len(await mail(store, 1)) == 1
