"""Domains, aliases, roles: made, listed, refused in words, and safe to repeat."""

import pytest

from malleposte.operations.accounts import AddAccount, OneAccount
from malleposte.operations.aliases import (
    AddAlias,
    AliasPage,
    AliasRemoved,
    AliasShown,
    ListAliases,
    RemoveAlias,
    ReplaceAlias,
)
from malleposte.operations.domains import (
    AddDomain,
    DomainAdded,
    DomainRemoved,
    Domains,
    ListDomains,
    RemoveDomain,
)
from malleposte.operations.errors import OperationError
from malleposte.operations.roles import Grant, Revoke
from support.store import House
from unit.operations.desk import Desk


async def accounts(house: House) -> None:
    for name in ("ada", "bob", "eve"):
        await house.account(name)


async def test_a_domain_is_made_once(desk: Desk) -> None:
    first = await desk.call("domain.add", AddDomain(domain="Bücher.Example."), DomainAdded)
    assert (first.domain, first.made) == ("xn--bcher-kva.example", True)
    again = await desk.call("domain.add", AddDomain(domain="bücher.example"), DomainAdded)
    assert not again.made
    listed = (await desk.call("domain.list", ListDomains(), Domains)).domains
    assert [(d.domain, d.shown) for d in listed] == [
        ("example.org", "example.org"),
        ("xn--bcher-kva.example", "bücher.example"),
    ]


@pytest.mark.parametrize(
    "name", ["1.2.3.4", "a_b.example", "-a.example", "a..b", "", "exa mple.org", "example.123"]
)
async def test_what_cannot_be_a_mail_domain_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(OperationError, match=r"domain"):
        await desk.call("domain.add", AddDomain(domain=name), DomainAdded)
    assert len((await desk.call("domain.list", ListDomains(), Domains)).domains) == 1


async def test_a_domain_in_use_stays(house: House, desk: Desk) -> None:
    await accounts(house)
    with pytest.raises(OperationError, match=r"3 addresses are in example\.org"):
        await desk.call("domain.delete", RemoveDomain(domain="example.org"), DomainRemoved)
    with pytest.raises(OperationError, match=r"there is no domain nowhere\.example"):
        await desk.call("domain.delete", RemoveDomain(domain="nowhere.example"), DomainRemoved)


async def test_an_unused_domain_goes(house: House, desk: Desk) -> None:
    await house.domain("old.example")
    await desk.call("domain.delete", RemoveDomain(domain="old.example"), DomainRemoved)
    listed = (await desk.call("domain.list", ListDomains(), Domains)).domains
    assert [d.domain for d in listed] == ["example.org"]


async def test_an_alias_grows_is_replaced_and_removed(house: House, desk: Desk) -> None:
    await accounts(house)
    for _ in range(2):
        made = await desk.call(
            "alias.add",
            AddAlias(address="team@example.org", targets=("ada@example.org",)),
            AliasShown,
        )
        assert made.targets == ("ada@example.org",)
    more = await desk.call(
        "alias.add", AddAlias(address="Team@example.org", targets=("bob@example.org",)), AliasShown
    )
    assert more.targets == ("ada@example.org", "bob@example.org")
    other = await desk.call(
        "alias.set",
        ReplaceAlias(address="team@example.org", targets=("eve@example.org",)),
        AliasShown,
    )
    assert other.targets == ("eve@example.org",)
    resolution = await desk.context.book.resolve("team", "example.org")
    assert len(resolution.accounts) == 1
    await desk.call("alias.delete", RemoveAlias(address="team@example.org"), AliasRemoved)
    with pytest.raises(OperationError, match=r"there is no alias team@example\.org"):
        await desk.call("alias.delete", RemoveAlias(address="team@example.org"), AliasRemoved)


@pytest.mark.parametrize(
    ("address", "targets", "words"),
    [
        ("team@example.org", ("joe@elsewhere.example",), "domain forwarding"),
        ("team@example.org", ("nobody@example.org",), "there is no address"),
        ("team@example.org", (), "at least one"),
        ("ada@example.org", ("bob@example.org",), "is an account"),
        ("postmaster@example.org", ("bob@example.org",), "administrators"),
        ("team@elsewhere.example", ("bob@example.org",), "add the domain"),
        ('te"am@example.org', ("bob@example.org",), "other systems refuse"),
        ("*@example.org", ("bob@example.org",), "catch-all"),
    ],
)
async def test_what_cannot_be_an_alias_is_refused(
    house: House, desk: Desk, address: str, targets: tuple[str, ...], words: str
) -> None:
    await accounts(house)
    before = await house.snapshot()
    with pytest.raises(OperationError, match=words):
        await desk.call("alias.add", AddAlias(address=address, targets=targets), AliasShown)
    assert await house.snapshot() == before


async def test_aliases_are_listed_with_the_system_addresses(house: House, desk: Desk) -> None:
    await accounts(house)
    await desk.call(
        "alias.add", AddAlias(address="team@example.org", targets=("ada@example.org",)), AliasShown
    )
    page = await desk.call("alias.list", ListAliases(limit=2), AliasPage)
    assert [(a.address, a.kind) for a in page.aliases] == [
        ("abuse@example.org", "system"),
        ("postmaster@example.org", "system"),
    ]
    assert page.more
    rest = await desk.call("alias.list", ListAliases(after="postmaster@example.org"), AliasPage)
    assert [(a.address, a.targets) for a in rest.aliases] == [
        ("team@example.org", ("ada@example.org",))
    ]


async def test_a_role_is_given_and_taken_any_number_of_times(house: House, desk: Desk) -> None:
    await accounts(house)
    for _ in range(2):
        given = await desk.call(
            "role.grant", Grant(address="bob@example.org", role="helpdesk"), OneAccount
        )
        assert given.account.roles == ("helpdesk",)
    for _ in range(2):
        taken = await desk.call(
            "role.revoke", Revoke(address="bob@example.org", role="helpdesk"), OneAccount
        )
        assert taken.account.roles == ()


@pytest.mark.parametrize("role", ["", "user", "king"])
async def test_an_unknown_role_is_refused(house: House, desk: Desk, role: str) -> None:
    await accounts(house)
    with pytest.raises(OperationError, match="roles are owner, administrator"):
        await desk.call("role.grant", Grant(address="bob@example.org", role=role), OneAccount)


def test_requests_for_one_thing_name_it() -> None:
    assert AddAccount(address="a@b").subject() == ("account", "a@b")
    assert AddDomain(domain="b").subject() == ("domain", "b")
    assert AddAlias(address="a@b", targets=()).subject() == ("alias", "a@b")
