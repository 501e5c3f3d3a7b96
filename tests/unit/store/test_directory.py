"""Domains, accounts, aliases, credentials, roles; and how a deleted account ends."""

import asyncio
from typing import Any

import msgspec
import pytest

from malleposte.store.commands import (
    AnyCommand,
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    DeleteDomain,
    DeleteMailbox,
    Deliver,
    GrantRole,
    PurgeAccount,
    PutSecret,
    SetAccount,
    SetAlias,
    SetPassword,
)
from malleposte.store.execute.purging import PURGE_JOB
from malleposte.store.read.rights import letters
from malleposte.store.results import Created, Delivered, Done
from support.store import House, deliver, inbox


async def version(house: House) -> int:
    return int(await house.value("SELECT version FROM directory_head"))


async def addresses(house: House) -> list[tuple[str, str]]:
    rows = await house.rows("SELECT address, kind FROM address ORDER BY address")
    return [(row[0], row[1]) for row in rows]


async def targets(house: House, address: str) -> list[tuple[int, str]]:
    rows = await house.rows(
        "SELECT account, remote FROM address_target WHERE address = $1 ORDER BY account, remote",
        address,
    )
    return [(row[0], row[1]) for row in rows]


def create(address: str, **how: Any) -> CreateAccount:
    return CreateAccount(**{"address": address, "name": "", "password_hash": "", **how})


# Domains ------------------------------------------------------------------------------------------


async def test_a_domain_has_its_system_addresses(house: House) -> None:
    await house.domain("example.net")
    assert await addresses(house) == [
        ("abuse@example.net", "system"),
        ("abuse@example.org", "system"),
        ("postmaster@example.net", "system"),
        ("postmaster@example.org", "system"),
    ]
    assert await house.value("SELECT count(*) FROM organisation") == 1
    assert await house.refused(CreateDomain(name="example.net")) == "exists"


async def test_a_domain_goes_when_nothing_uses_it(house: House) -> None:
    await house.domain("example.net")
    account = await house.account("user")
    await house.do(SetAlias(address="a@example.net", accounts_=(account,)), Done)
    assert await house.refused(DeleteDomain(name="example.net")) == "in-use"
    await house.do(SetAlias(address="a@example.net"), Done)
    await house.do(DeleteDomain(name="example.net"), Done)
    assert "abuse@example.net" not in dict(await addresses(house))
    assert await house.refused(DeleteDomain(name="example.net")) == "no-such-domain"
    await house.domain("example.net")


async def test_a_domain_takes_its_keys_along_and_no_others(house: House) -> None:
    await house.domain("example.net")
    for name in (
        "dkim:example.net:1",
        "dkim:example.net.example:1",
        "dkim:example_net:1",
        "node-key",
    ):
        await house.do(PutSecret(name=name, sealed=b"x", key_id="k"), Done)
    await house.do(DeleteDomain(name="example.net"), Done)
    left = await house.rows("SELECT name FROM secret ORDER BY name")
    assert {name for (name,) in left} == {
        "dkim:example.net.example:1",
        "dkim:example_net:1",
        "node-key",
    }


async def test_every_change_tells_the_caches(house: House) -> None:
    before = await version(house)
    account = await house.account("user")
    commands: tuple[AnyCommand, ...] = (
        SetPassword(account=account, password_hash="$2"),
        SetAccount(account=account, name="New"),
        GrantRole(account=account, role="helpdesk"),
        SetAlias(address="alias@example.org", accounts_=(account,)),
        DeleteAccount(account=account),
    )
    for n, command in enumerate(commands, 2):
        await house.do(command, Done)
        assert await version(house) >= before + n


# Accounts -----------------------------------------------------------------------------------------


async def test_an_account(house: House) -> None:
    account = await house.do(
        create(
            "user@example.org",
            name="U. Ser",
            password_hash="$argon2id$",
            role="owner",
            locale="de",
            time_zone="Europe/Berlin",
            quota_bytes=5000,
        ),
        Created,
    )
    rows = await house.rows(
        "SELECT id, address, name, kind, status, locale, time_zone FROM account"
    )
    assert rows == [
        (account.id, "user@example.org", "U. Ser", "person", "active", "de", "Europe/Berlin")
    ]
    assert await targets(house, "user@example.org") == [(account.id, "")]
    assert await house.rows("SELECT account, kind, hash FROM credential") == [
        (account.id, "password", "$argon2id$")
    ]
    assert await house.rows("SELECT account, role FROM role_grant") == [(account.id, "owner")]
    assert await house.value("SELECT quota_bytes FROM account_head") == 5000


async def test_account_refusals(house: House) -> None:
    await house.account("user")
    assert await house.refused(create("user@example.org")) == "exists"
    assert await house.refused(create("postmaster@example.org")) == "exists"
    assert await house.refused(create("user@elsewhere.example")) == "no-such-domain"


async def test_a_password_is_replaced_and_sessions_hear_of_it(house: House) -> None:
    account = await house.account()
    await house.do(SetPassword(account=account, password_hash="$new"), Done)
    assert await house.rows("SELECT kind, hash FROM credential") == [("password", "$new")]
    assert await house.value("SELECT credential_version FROM account") == 2
    assert await house.refused(SetPassword(account=99, password_hash="$")) == "no-such-account"


async def test_settings_change_one_by_one(house: House) -> None:
    account = await house.account()
    await house.do(SetAccount(account=account, name="N", locale="fr"), Done)
    await house.do(SetAccount(account=account, status="suspended"), Done)
    rows = await house.rows(
        "SELECT name, locale, time_zone, status, credential_version FROM account"
    )
    assert rows == [("N", "fr", "UTC", "suspended", 2)]
    assert await house.refused(SetAccount(account=account, status="deleted")) == "bad-name"
    assert await house.refused(SetAccount(account=99, name="x")) == "no-such-account"


async def test_roles(house: House) -> None:
    account = await house.account()
    for _ in range(2):
        await house.do(GrantRole(account=account, role="auditor", by="test"), Done)
    assert await house.rows("SELECT role, granted_by FROM role_grant") == [("auditor", "test")]
    await house.do(GrantRole(account=account, role="auditor", granted=False), Done)
    assert await house.rows("SELECT * FROM role_grant") == []
    assert await house.refused(GrantRole(account=99, role="owner")) == "no-such-account"


# Aliases ------------------------------------------------------------------------------------------


async def test_an_alias_is_made_changed_and_removed(house: House) -> None:
    one, two = await house.account(), await house.account()
    alias = "team@example.org"
    await house.do(SetAlias(address=alias, accounts_=(one,), remotes=("x@example.com",)), Done)
    assert await targets(house, alias) == [(0, "x@example.com"), (one, "")]
    await house.do(SetAlias(address=alias, accounts_=(two, one, two)), Done)
    assert await targets(house, alias) == [(one, ""), (two, "")]
    await house.do(SetAlias(address=alias), Done)
    assert await targets(house, alias) == []
    assert alias not in dict(await addresses(house))


async def test_alias_refusals(house: House) -> None:
    account = await house.account("user")

    async def reason(address: str, *accounts: int) -> str:
        return await house.refused(SetAlias(address=address, accounts_=accounts))

    assert await reason("user@example.org", account) == "exists"
    assert await reason("abuse@example.org", account) == "reserved"
    assert await reason("abuse@example.org") == "reserved"
    assert await reason("a@elsewhere.example", account) == "no-such-domain"
    assert await reason("nobody@example.org") == "no-such-alias"
    assert await reason("a@example.org", account, 99) == "no-such-account"
    await house.do(SetAlias(address="a@example.org", accounts_=(account,)), Done)
    assert await reason("a@example.org", 99) == "no-such-account"
    assert await targets(house, "a@example.org") == [(account, "")]


# Deleting -----------------------------------------------------------------------------------------


async def test_a_deleted_account_receives_and_signs_in_no_more(house: House) -> None:
    account, other = await house.account("user", role="helpdesk"), await house.account()
    await house.do(SetAlias(address="both@example.org", accounts_=(account, other)), Done)
    await house.do(SetAlias(address="only@example.org", accounts_=(account,)), Done)
    await house.grant(inbox(other), account, "lr")
    await house.grant(inbox(account), other, "lr")
    await house.do(DeleteAccount(account=account), Done)
    assert await targets(house, "both@example.org") == [(other, "")]
    left = dict(await addresses(house))
    assert "user@example.org" not in left
    assert "only@example.org" not in left
    assert "postmaster@example.org" in left
    for table in ("credential", "role_grant"):
        rows = await house.rows(f"SELECT account FROM {table} WHERE account = $1", account)
        assert rows == []
    assert await house.rows("SELECT mailbox, grantee FROM mailbox_right") == [(inbox(other), other)]
    assert await letters(house.store.reader, other, inbox(account)) == ""
    # The address is free again.
    again = await house.account("user")
    assert again != account


async def test_the_last_owner_stays(house: House) -> None:
    """Nobody would read what is written to postmaster."""
    owner, other = await house.account(role="owner"), await house.account(role="administrator")
    revoke = GrantRole(account=owner, role="owner", granted=False)
    for _ in range(2):
        assert await house.refused(revoke) == "last-owner"
        assert await house.refused(DeleteAccount(account=owner)) == "last-owner"
        # Who cannot sign in is no other owner.
        await house.do(GrantRole(account=other, role="owner"), Done)
        await house.do(SetAccount(account=other, status="suspended"), Done)
    await house.do(SetAccount(account=other, status="active"), Done)
    await house.do(revoke, Done)
    await house.do(revoke, Done)
    await house.do(DeleteAccount(account=owner), Done)
    assert await house.refused(DeleteAccount(account=other)) == "last-owner"


async def test_a_deleted_account_cannot_come_back(house: House) -> None:
    account = await house.account()
    await house.do(DeleteAccount(account=account), Done)
    for command in (
        DeleteAccount(account=account),
        SetPassword(account=account, password_hash="$"),
        SetAccount(account=account, status="active"),
        GrantRole(account=account, role="owner"),
        SetAlias(address="a@example.org", accounts_=(account,)),
    ):
        assert await house.refused(command) == "no-such-account"


async def test_its_mail_is_removed_by_a_job(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.execute.purging._PURGE_SLICE", 2)
    account, other = await house.account(), await house.account()
    for n in range(3):
        await house.do(deliver(account, other, data=b"shared %d" % n, keywords=("k",)), Delivered)
    await house.expunge(inbox(account), ((1, 1),))
    await house.mailbox(account, "x")
    gone = await house.mailbox(account, "y")
    await house.copy(inbox(account), gone)
    await house.do(DeleteMailbox(actor=0, mailbox=gone, recoverable_until=1 << 40), Done)
    await house.do(DeleteAccount(account=account), Done)
    ((kind, payload),) = await house.rows("SELECT kind, payload FROM job")
    assert (kind, msgspec.msgpack.decode(payload)) == (PURGE_JOB, account)
    answers = [await house.do(PurgeAccount(account=account), Done) for _ in range(4)]
    assert [(a.count, a.more) for a in answers] == [(2, True), (1, True), (0, False), (0, False)]
    for table in (
        *("account_head", "mailbox", "keyword", "tombstone", "recoverable"),
        "gone_mailbox",
    ):
        rows = await house.rows(f"SELECT account FROM {table} WHERE account = $1", account)
        assert rows == [], table
    assert await house.value("SELECT count(*) FROM account") == 1
    assert await house.value("SELECT count(*) FROM email") == 3
    assert await house.value("SELECT count(*) FROM email_wide") == 3
    assert len(await house.uids(inbox(other))) == 3


async def test_a_purge_between_its_slices_is_no_damage(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.purging._PURGE_SLICE", 1)
    account = await house.account()
    await house.fill(account, 2)
    await house.do(DeleteAccount(account=account), Done)
    await house.do(PurgeAccount(account=account), Done)
    assert await house.fsck() == []


async def test_only_deleted_accounts_are_purged(house: House) -> None:
    account = await house.account()
    await house.fill(account, 1)
    assert await house.refused(PurgeAccount(account=account)) == "in-use"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_hold_keeps_an_account(house: House, when: str) -> None:
    account = await house.account()
    await house.fill(account, 1)
    hold = "INSERT INTO hold (account, reason, actor, created_at) VALUES ($1, 'court', 'me', 1)"
    if when == "before":
        async with house.place.raw() as tx:
            await tx.run(hold, account)
        assert await house.refused(DeleteAccount(account=account)) == "in-use"
    else:
        await house.do(DeleteAccount(account=account), Done)
        async with house.place.raw() as tx:
            await tx.run(hold, account)
        assert await house.refused(PurgeAccount(account=account)) == "in-use"


async def test_mail_in_the_batch_of_the_last_purge_is_refused(house: House) -> None:
    """What follows in the same transaction must see that the account is gone."""
    account = await house.account()
    await house.do(DeleteAccount(account=account), Done)
    command: Deliver = deliver(account)
    _, answer = await asyncio.gather(
        house.do(PurgeAccount(account=account), Done), house.do(command, Delivered)
    )
    assert answer.filed[0].refused == "no-such-account"
    assert await house.rows("SELECT * FROM email") == []
