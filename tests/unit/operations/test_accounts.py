"""Accounts by operations: what they make, what they refuse in which words, and what a repetition does."""

import pytest

from malleposte.operations.accounts import (
    AccountAdded,
    AccountPage,
    AccountRemoved,
    AddAccount,
    ChangeAccount,
    ChangePassword,
    DisableAccount,
    EnableAccount,
    ListAccounts,
    OneAccount,
    PasswordChanged,
    RemoveAccount,
    ShowAccount,
)
from malleposte.operations.accounts_many import AccountsAdded, AddAccounts
from malleposte.operations.errors import OperationError
from support.store import House
from unit.operations.desk import Desk

PASSWORD = "four quiet horses"


async def added(desk: Desk, address: str, **more: object) -> AccountAdded:
    request = AddAccount(address=address, **more)  # type: ignore[arg-type]
    return await desk.call("account.add", request, AccountAdded)


async def shown(desk: Desk, address: str) -> OneAccount:
    return await desk.call("account.show", ShowAccount(address=address), OneAccount)


async def test_an_account_is_made_as_asked(house: House, desk: Desk) -> None:
    await added(
        desk,
        "Zoé@Example.ORG",
        name="Zoé Garçon",
        password=PASSWORD,
        quota=5_000_000,
        locale="fr",
        time_zone="UTC",
        role="administrator",
    )
    account = (await shown(desk, "zoé@example.org")).account
    assert (account.address, account.name, account.quota) == (
        "zoé@example.org",
        "Zoé Garçon",
        5_000_000,
    )
    assert (account.locale, account.status, account.roles) == ("fr", "active", ("administrator",))
    assert account.password
    assert await house.value("SELECT hash FROM credential") == f"hash of {PASSWORD}"


async def test_the_configured_quota_counts_where_none_is_given(house: House) -> None:
    desk = Desk(house.store, quota=1_000_000)
    await added(desk, "a@example.org")
    await added(desk, "b@example.org", quota=0)
    assert (await shown(desk, "a@example.org")).account.quota == 1_000_000
    assert (await shown(desk, "b@example.org")).account.quota == 0


async def test_a_generated_password_is_told_and_kept_as_a_hash_only(
    house: House, desk: Desk
) -> None:
    made = await added(desk, "a@example.org", generate=True)
    assert len(made.password) >= 20
    assert await house.value("SELECT hash FROM credential") == f"hash of {made.password}"
    for _, _, _, _, details in await desk.audit():
        assert made.password not in str(details)


async def test_an_address_in_use_is_refused_and_nothing_changes(house: House, desk: Desk) -> None:
    await added(desk, "a@example.org", password=PASSWORD, name="First")
    before = await house.snapshot()
    with pytest.raises(OperationError, match=r"the address a@example\.org is in use") as error:
        await added(desk, "A@example.org", password="another long one", name="Second")
    assert (error.value.kind, error.value.reason) == ("refused", "exists")
    assert await house.snapshot() == before


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"address": "nobody"}, "has no @"),
        ({"address": "a b@example.org"}, "space or control"),
        ({"address": "a+b@example.org"}, "subaddress"),
        ({"address": "a@elsewhere.example"}, "add the domain elsewhere.example first"),
        ({"address": "postmaster@example.org"}, "in use"),
        ({"address": "a@example.org", "locale": "klingon!"}, "no language"),
        ({"address": "a@example.org", "locale": "zz"}, "no language"),
        ({"address": "a@example.org", "locale": "de-XX"}, "no language"),
        ({"address": "a@example.org", "time_zone": "Mars/Olympus"}, "no time zone"),
        ({"address": "a@example.org", "role": "king"}, "roles are owner"),
        ({"address": "a@example.org", "quota": -1}, "quota"),
        ({"address": "a@example.org", "name": "bell\x07"}, "visible"),
        ({"address": "a@example.org", "password": PASSWORD, "generate": True}, "not both"),
        ({"address": "a@example.org", "password": "short"}, "at least 10 characters"),
    ],
)
async def test_what_cannot_be_an_account_is_refused_in_words(
    house: House, desk: Desk, request_: dict[str, object], words: str
) -> None:
    before = await house.snapshot()
    with pytest.raises(OperationError, match=words):
        await added(desk, **request_)  # type: ignore[arg-type]
    assert await house.snapshot() == before


async def test_settings_that_are_not_named_stay(desk: Desk) -> None:
    await added(desk, "a@example.org", name="Ada", locale="fr", quota=7_000_000)
    for _ in range(2):
        changed = await desk.call(
            "account.set", ChangeAccount(address="a@example.org", quota=9_000_000), OneAccount
        )
        account = changed.account
        assert (account.name, account.locale, account.quota) == ("Ada", "fr", 9_000_000)


async def test_a_new_password_replaces_the_old_one(house: House, desk: Desk) -> None:
    await added(desk, "a@example.org", password=PASSWORD)
    request = ChangePassword(address="a@example.org", password="five quiet horses")
    done = await desk.call("account.passwd", request, PasswordChanged)
    assert done.password == ""
    assert await house.rows("SELECT hash FROM credential") == [("hash of five quiet horses",)]
    assert await house.value("SELECT credential_version FROM account") == 2


async def test_a_password_must_be_given_or_generated(desk: Desk) -> None:
    await added(desk, "a@example.org")
    for request in (
        ChangePassword(address="a@example.org"),
        ChangePassword(address="a@example.org", password=PASSWORD, generate=True),
    ):
        with pytest.raises(OperationError, match="password"):
            await desk.call("account.passwd", request, PasswordChanged)


async def test_disabling_and_enabling_can_be_repeated(house: House, desk: Desk) -> None:
    await added(desk, "a@example.org", password=PASSWORD)
    for _ in range(2):
        off = await desk.call(
            "account.disable", DisableAccount(address="a@example.org"), OneAccount
        )
        assert off.account.status == "suspended"
    version = await house.value("SELECT credential_version FROM account")
    assert version == 2, "a repetition signs nobody out again"
    on = await desk.call("account.enable", EnableAccount(address="a@example.org"), OneAccount)
    assert on.account.status == "active"


async def test_a_deleted_account_is_gone_and_its_address_free(house: House, desk: Desk) -> None:
    made = await added(desk, "a@example.org")
    await house.fill(made.id, 3)
    gone = await desk.call("account.delete", RemoveAccount(address="a@example.org"), AccountRemoved)
    assert gone.emails == 3
    with pytest.raises(OperationError, match=r"there is no account a@example\.org"):
        await desk.call("account.delete", RemoveAccount(address="a@example.org"), AccountRemoved)
    again = await added(desk, "a@example.org")
    assert again.id != made.id


async def test_an_alias_is_not_deleted_as_an_account(house: House, desk: Desk) -> None:
    from malleposte.store.commands import SetAlias

    made = await added(desk, "a@example.org")
    await house.store.submit(SetAlias(address="info@example.org", accounts_=(made.id,)))
    for address, words in (
        ("info@example.org", "is an alias"),
        ("postmaster@example.org", "the administrators"),
    ):
        with pytest.raises(OperationError, match=words):
            await desk.call("account.delete", RemoveAccount(address=address), AccountRemoved)


async def test_lists_come_in_pages_and_by_domain(house: House, desk: Desk) -> None:
    await house.domain("example.net")
    for number in range(5):
        await added(desk, f"u{number}@example.org")
    await added(desk, "x@example.net")
    first = await desk.call("account.list", ListAccounts(limit=4), AccountPage)
    assert [a.address for a in first.accounts] == [f"u{n}@example.org" for n in range(4)]
    assert first.more
    rest = await desk.call(
        "account.list", ListAccounts(after=first.accounts[-1].address), AccountPage
    )
    assert [a.address for a in rest.accounts] == ["u4@example.org", "x@example.net"]
    assert not rest.more
    one = await desk.call("account.list", ListAccounts(domain="EXAMPLE.net"), AccountPage)
    assert [a.address for a in one.accounts] == ["x@example.net"]


async def test_many_accounts_at_once_say_what_became_of_each(house: House, desk: Desk) -> None:
    await added(desk, "u3@example.org", name="was there")
    request = AddAccounts(
        accounts=(
            *(AddAccount(address=f"u{n}@example.org") for n in range(6)),
            AddAccount(address="g@example.org", generate=True),
            AddAccount(address="p@example.org", password=PASSWORD),
            AddAccount(address="weak@example.org", password="weak"),
            AddAccount(address="x@elsewhere.example"),
            AddAccount(address="no address"),
        )
    )
    done = await desk.call("account.add-many", request, AccountsAdded)
    outcomes = {one.address: one.outcome for one in done.accounts}
    assert outcomes == {
        **{f"u{n}@example.org": "there" if n == 3 else "made" for n in range(6)},
        "g@example.org": "made",
        "p@example.org": "made",
        "weak@example.org": "refused",
        "x@elsewhere.example": "refused",
        "no address": "refused",
    }
    assert [one.address for one in done.accounts if one.password] == ["g@example.org"]
    assert (await shown(desk, "u3@example.org")).account.name == "was there"
    again = await desk.call("account.add-many", request, AccountsAdded)
    assert {one.outcome for one in again.accounts} == {"there", "refused"}
    lines = [line for line in await desk.audit() if line[1] == "account.add"]
    assert len(lines) == 1 + 7, "a line for each account that was made"


async def test_a_list_longer_than_a_request_is_refused(desk: Desk) -> None:
    request = AddAccounts(accounts=tuple(AddAccount(address=f"u{n}@x") for n in range(1001)))
    with pytest.raises(OperationError, match="at most 1000"):
        await desk.call("account.add-many", request, AccountsAdded)
