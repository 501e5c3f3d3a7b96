"""Where mail goes on to, as operators set it: domains, forwards, groups; refusals, and twice the same."""

from typing import Any

import pytest

from malleposte.operations.accounts import AccountAdded, AddAccount, ChangeAccount, OneAccount
from malleposte.operations.aliases import AddAlias, AliasPage, AliasShown, ListAliases
from malleposte.operations.domain_routes import (
    AllowForwarding,
    CatchAll,
    DomainRoutes,
    NameDomain,
    RelayDomain,
    RelayedAddresses,
    ShowRoutes,
    host_and_port,
)
from malleposte.operations.domains import DomainRemoved, Domains, ListDomains, RemoveDomain
from malleposte.operations.errors import OperationError
from malleposte.operations.forwards import (
    ForwardLine,
    ForwardPage,
    ForwardShown,
    ListForwards,
    PutForward,
    RemoveForward,
    words,
)
from malleposte.operations.groups import (
    AddGroup,
    ChangeGroup,
    GroupPage,
    GroupRemoved,
    GroupShown,
    JoinGroup,
    LeaveGroup,
    ListGroups,
    PeopleChanged,
    RemoveGroup,
    ShowGroup,
)
from malleposte.store.commands import (
    DeleteAccount,
    PutForm,
    PutScript,
    SetOrganisation,
    SetSendRight,
)
from malleposte.store.results import Done
from support.store import House
from unit.operations.desk import Desk

FAR = "ada@far.example"
STAFF = "staff@example.org"


@pytest.fixture(autouse=True)
async def accounts(house: House) -> None:
    """Three."""
    for name in ("ada", "bob", "eve"):
        await house.account(name)


async def allow(desk: Desk, rule: str = "anywhere", **how: Any) -> DomainRoutes:
    request = AllowForwarding(domain="example.org", rule=rule, **how)
    return await desk.call("domain.forwarding", request, DomainRoutes)


async def forward(desk: Desk, *targets: str, copy: bool = True) -> ForwardShown:
    request = PutForward(address="ada@example.org", targets=targets, copy=copy)
    return await desk.call("forward.set", request, ForwardShown)


async def add_group(desk: Desk, address: str = STAFF, **how: Any) -> GroupShown:
    return await desk.call("group.add", AddGroup(address=address, **how), GroupShown)


async def join(desk: Desk, *who: str, address: str = STAFF, owner: bool = False) -> int:
    request = JoinGroup(address=address, who=who, owner=owner)
    return (await desk.call("group.join", request, PeopleChanged)).changed


# Domains --------------------------------------------------------------------------------------------


async def test_another_name_of_a_domain(house: House, desk: Desk) -> None:
    await house.domain("example.net")
    for _ in range(2):
        request = NameDomain(domain="Example.net", of="example.org")
        assert (await desk.call("domain.alias", request, DomainRoutes)).alias_of == "example.org"
    listed = (await desk.call("domain.list", ListDomains(), Domains)).domains
    assert [(one.domain, one.alias_of) for one in listed] == [
        ("example.net", "example.org"),
        ("example.org", ""),
    ]
    with pytest.raises(OperationError, match="another name of a domain"):
        await desk.call("account.add", AddAccount(address="x@example.net"), AccountAdded)
    with pytest.raises(OperationError, match=r"example\.net is another name of example\.org"):
        await desk.call("domain.delete", RemoveDomain(domain="example.org"), DomainRemoved)
    await desk.call("domain.alias", NameDomain(domain="example.net"), DomainRoutes)
    await desk.call("domain.delete", RemoveDomain(domain="example.net"), DomainRemoved)


@pytest.mark.parametrize(
    ("name", "of", "expected"),
    [
        ("example.org", "example.net", "3 addresses are in example.org"),
        ("example.net", "nowhere.example", "there is no domain nowhere.example"),
        ("example.net", "example.net", "name the domain that has them"),
    ],
)
async def test_what_cannot_be_another_name(
    house: House, desk: Desk, name: str, of: str, expected: str
) -> None:
    await house.domain("example.net")
    with pytest.raises(OperationError, match=expected):
        await desk.call("domain.alias", NameDomain(domain=name, of=of), DomainRoutes)
    assert (await desk.call("domain.routes", ShowRoutes(domain=name), DomainRoutes)).alias_of == ""


async def test_names_of_names_are_refused(house: House, desk: Desk) -> None:
    for name in ("a.example", "b.example"):
        await house.domain(name)
    await desk.call("domain.alias", NameDomain(domain="a.example", of="example.org"), DomainRoutes)
    request = NameDomain(domain="b.example", of="a.example")
    with pytest.raises(OperationError, match="no addresses of its own"):
        await desk.call("domain.alias", request, DomainRoutes)


async def test_a_catch_all_comes_and_goes(house: House, desk: Desk) -> None:
    request = CatchAll(domain="example.org", account="eve@example.org")
    for _ in range(2):
        done = await desk.call("domain.catch-all", request, DomainRoutes)
        assert done.catch_all == "eve@example.org"
    listed = (await desk.call("alias.list", ListAliases(), AliasPage)).aliases
    assert {line.kind for line in listed} == {"system"}
    await house.store.submit(DeleteAccount(account=3))
    done = await desk.call("domain.routes", ShowRoutes(domain="example.org"), DomainRoutes)
    assert done.catch_all == "", "who is gone catches nothing"


async def test_a_domain_at_another_server(house: House, desk: Desk) -> None:
    await house.domain("inner.example")
    with pytest.raises(OperationError, match="has no relay"):
        await recipients(desk, "a")
    request = RelayDomain(domain="inner.example", host="Mail.Inner.example:2525")
    done = await desk.call("domain.relay", request, DomainRoutes)
    assert done.relay == "mail.inner.example:2525"
    assert await recipients(desk, "a", "B@inner.example", "a") == 2
    assert await recipients(desk, "c", mode="+") == 3
    assert await recipients(desk, "a", "zzz", mode="-") == 2
    assert await recipients(desk, "x") == 1
    before = await house.snapshot()
    with pytest.raises(OperationError, match=r"all of them must be in inner\.example"):
        await recipients(desk, "a@example.org")
    with pytest.raises(OperationError, match="take them out of the list first"):
        await desk.call("domain.relay", RelayDomain(domain="inner.example"), DomainRoutes)
    # An account is here, and cannot be there as well.
    await desk.call(
        "account.add", AddAccount(address="here@inner.example", generate=True), AccountAdded
    )
    with pytest.raises(OperationError, match="in use here"):
        await recipients(desk, "new", "here")
    catch_all = CatchAll(domain="inner.example", account="eve@example.org")
    with pytest.raises(OperationError, match="is relayed"):
        await desk.call("domain.catch-all", catch_all, DomainRoutes)
    after = await house.snapshot()
    assert len(after["address"]) == len(before["address"]) + 1
    assert await recipients(desk) == 0
    await desk.call("domain.relay", RelayDomain(domain="inner.example"), DomainRoutes)


async def recipients(desk: Desk, *addresses: str, mode: str = "=") -> int:
    request = RelayedAddresses(domain="inner.example", addresses=addresses, mode=mode)
    return (await desk.call("domain.recipients", request, DomainRoutes)).relayed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("mx.example", "mx.example:25"),
        ("10.0.0.5:26", "10.0.0.5:26"),
        ("[2001:db8::1]:26", "[2001:db8::1]:26"),
        ("2001:db8::1", "[2001:db8::1]:25"),
    ],
)
def test_servers_as_they_are_kept(typed: str, kept: str) -> None:
    assert host_and_port(typed) == kept


@pytest.mark.parametrize("typed", ["", "mx:", "mx:0", "mx:99999", "mx.example:x", "a b", "user@mx"])
def test_what_is_no_server(typed: str) -> None:
    with pytest.raises(OperationError, match="is no server"):
        host_and_port(typed)


# Forwards -------------------------------------------------------------------------------------------


async def test_a_forward_to_outside_needs_leave(house: House, desk: Desk) -> None:
    before = await house.snapshot()
    with pytest.raises(OperationError, match=r"malleposte domain forwarding example\.org anywhere"):
        await forward(desk, FAR)
    assert await house.snapshot() == before
    assert (await allow(desk)).forwarding == "anywhere"
    for _ in range(2):
        done = await forward(desk, FAR, "bob@example.org", copy=False)
        assert (done.targets, done.copy) == ((FAR, "bob@example.org"), False)
    assert words(done) == (
        "mail of ada@example.org goes on to ada@far.example, bob@example.org, without a copy there"
    )
    done = await desk.call("forward.delete", RemoveForward(address="ada@example.org"), ForwardShown)
    assert done.targets == ()
    with pytest.raises(OperationError, match="is not forwarded"):
        await desk.call("forward.delete", RemoveForward(address="ada@example.org"), ForwardShown)


async def test_the_organisation_says_what_a_domain_leaves_open(desk: Desk) -> None:
    done = await allow(desk, organisation=True)
    assert (done.forwarding, done.inherited) == ("anywhere", True)
    await forward(desk, FAR)
    done = await allow(desk, "inside")
    assert (done.forwarding, done.inherited) == ("inside", False)
    with pytest.raises(OperationError, match="not forwarded to other servers"):
        await forward(desk, FAR)
    assert (await allow(desk, "")).forwarding == "anywhere"
    with pytest.raises(OperationError, match="the rule is one of"):
        await allow(desk, "nowhere")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((), "at least one"),
        (("ada@example.org",), "the account itself"),
        (("nobody@example.org",), "there is no address"),
        (("postmaster@example.org",), "neither an account nor an alias"),
        (tuple(f"u{n}@example.org" for n in range(21)), "at most 20"),
    ],
)
async def test_what_no_forward_is(desk: Desk, targets: tuple[str, ...], expected: str) -> None:
    with pytest.raises(OperationError, match=expected):
        await forward(desk, *targets)


async def test_an_account_for_inside_only_forwards_nothing_out(desk: Desk) -> None:
    await allow(desk)
    request = ChangeAccount(address="ada@example.org", internal=True)
    assert (await desk.call("account.set", request, OneAccount)).account.internal
    with pytest.raises(OperationError, match="inside its organisation only"):
        await forward(desk, FAR)
    assert (await forward(desk, "bob@example.org")).targets == ("bob@example.org",)


async def test_all_that_leads_on_is_listed(desk: Desk) -> None:
    await allow(desk)
    await forward(desk, FAR, "bob@example.org", copy=False)
    await desk.call(
        "alias.add",
        AddAlias(address="away@example.org", targets=("x@y.example", "eve@example.org")),
        AliasShown,
    )
    await add_group(desk)
    await add_group(desk, "all@example.org")
    await join(desk, "z@far.example")
    await join(desk, STAFF, address="all@example.org")
    await allow(desk, "inside")
    lines = (await desk.call("forward.list", ListForwards(), ForwardPage)).forwards
    assert [(one.kind, one.address, one.target, one.outside) for one in lines] == [
        ("account", "ada@example.org", FAR, True),
        ("account", "ada@example.org", "bob@example.org", False),
        ("group", "all@example.org", STAFF, False),
        ("alias", "away@example.org", "x@y.example", True),
        ("group", STAFF, "z@far.example", True),
    ]
    assert all(bool(one.why) is one.outside for one in lines), "forbidden since"


async def test_what_scripts_send_on_is_listed(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's mail leaves by these as well; by a filter's form, and by what a script includes."""
    monkeypatch.setattr("malleposte.operations.forwards.SCRIPTED", 1)
    await allow(desk)
    for name, content in (
        (
            "main",
            'require ["copy", "include"]; include :personal "rest";'
            ' if true { redirect :copy "bob@example.org"; }',
        ),
        ("rest", 'require "variables"; redirect "${who}@x.example"; redirect "a@far.example";'),
    ):
        await house.do(
            PutScript(owner=1, name=name, content=content.encode(), active=name == "main"), Done
        )
    form = PutForm(account=3, kind="filters", state=b"{}", content=b'redirect "e@far.example";')
    await house.do(form, Done)
    await house.do(PutScript(owner=2, name="x", content=b"keep;", active=True), Done)
    seen: list[ForwardLine] = []
    page = await desk.call("forward.list", ListForwards(scripts=True), ForwardPage)
    while page.more:
        seen += page.forwards
        request = ListForwards(scripts=True, after=page.after)
        page = await desk.call("forward.list", request, ForwardPage)
    seen += page.forwards
    assert [(one.address, one.target, one.copy, one.outside, one.why) for one in seen] == [
        ("ada@example.org", "bob@example.org", True, False, ""),
        ("ada@example.org", "${who}@x.example", False, True, "each message says where to"),
        ("ada@example.org", "a@far.example", False, True, ""),
        ("eve@example.org", "e@far.example", False, True, ""),
    ]
    await allow(desk, "inside")
    page = await desk.call("forward.list", ListForwards(scripts=True), ForwardPage)
    assert "not forwarded to other servers" in page.forwards[-1].why


async def test_long_lists_come_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.operations.forwards.MAX_PAGE", 2)
    await allow(desk)
    await forward(desk, *(f"u{n}@far.example" for n in range(5)))
    seen: list[str] = []
    request = ListForwards()
    while True:
        page = await desk.call("forward.list", request, ForwardPage)
        seen += [one.target for one in page.forwards]
        if not page.more:
            break
        request = ListForwards(after="ada@example.org", after_target=seen[-1])
    assert seen == [f"u{n}@far.example" for n in range(5)]


# Groups ---------------------------------------------------------------------------------------------


async def test_a_group_from_its_making_to_its_end(house: House, desk: Desk) -> None:
    made = await add_group(desk, name="The Staff")
    assert (made.name, made.senders, made.members, made.owners) == ("The Staff", "inside", (), ())
    with pytest.raises(OperationError, match="there is a group"):
        await add_group(desk)
    assert await join(desk, "ada@example.org", "Bob@Example.org") == 2
    assert await join(desk, "bob@example.org") == 0
    assert await join(desk, "bob@example.org", "eve@example.org", owner=True) == 2
    request = ChangeGroup(address=STAFF, senders="owners", name="Staff")
    changed = await desk.call("group.set", request, GroupShown)
    assert changed.senders == "owners"
    assert changed.members == ("ada@example.org", "bob@example.org")
    assert changed.owners == ("bob@example.org", "eve@example.org")
    leaving = LeaveGroup(address=STAFF, who=("bob@example.org",))
    assert (await desk.call("group.leave", leaving, PeopleChanged)).members == 1
    shown = await desk.call("group.show", ShowGroup(address=STAFF), GroupShown)
    assert shown.owners == ("bob@example.org", "eve@example.org"), "an owner still"
    await house.store.submit(DeleteAccount(account=3))
    shown = await desk.call("group.show", ShowGroup(address=STAFF), GroupShown)
    assert shown.owners == ("bob@example.org",)
    (line,) = (await desk.call("group.list", ListGroups(), GroupPage)).groups
    assert (line.address, line.members) == (STAFF, 1)
    await house.do(SetSendRight(address=STAFF, account=1, way="as"), Done)
    await desk.call("group.delete", RemoveGroup(address=STAFF), GroupRemoved)
    assert await house.rows("SELECT address FROM send_right") == [], "whose address comes next?"
    with pytest.raises(OperationError, match="there is no group"):
        await desk.call("group.delete", RemoveGroup(address=STAFF), GroupRemoved)


async def test_a_group_is_no_alias_and_no_account(desk: Desk) -> None:
    await add_group(desk)
    request = AddAlias(address=STAFF, targets=("ada@example.org",))
    with pytest.raises(OperationError, match="is a group"):
        await desk.call("alias.add", request, AliasShown)
    with pytest.raises(OperationError, match="is in use"):
        await desk.call("account.add", AddAccount(address=STAFF, generate=True), AccountAdded)
    with pytest.raises(OperationError, match="is in use"):
        await add_group(desk, "ada@example.org")


@pytest.mark.parametrize(
    ("who", "owner", "expected"),
    [
        (("x@far.example",), False, "not forwarded to other servers"),
        (("nobody@example.org",), False, "there is no address"),
        (("postmaster@example.org",), False, "neither an account nor a group"),
        ((STAFF,), False, "among its members already"),
        (("all@example.org",), True, "an owner of a group is an account"),
        ((), False, "name 1 to"),
    ],
)
async def test_who_cannot_join(
    house: House, desk: Desk, who: tuple[str, ...], owner: bool, expected: str
) -> None:
    await add_group(desk)
    await add_group(desk, "all@example.org")
    before = await house.snapshot()
    with pytest.raises(OperationError, match=expected):
        await join(desk, *who, owner=owner)
    assert await house.snapshot() == before


async def test_a_group_has_so_many_members(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.execute.groups.MAX_MEMBERS", 2)
    await add_group(desk)
    await join(desk, "ada@example.org", "bob@example.org")
    with pytest.raises(OperationError, match="at most 2 members"):
        await join(desk, "eve@example.org")
    assert await join(desk, "ada@example.org") == 0


async def test_an_archive_is_a_shared_account(desk: Desk) -> None:
    await add_group(desk)
    request = ChangeGroup(address=STAFF, archive="ada@example.org")
    with pytest.raises(OperationError, match="no shared account"):
        await desk.call("group.set", request, GroupShown)
    shared = AddAccount(address="kept@example.org", kind="shared", generate=True)
    await desk.call("account.add", shared, AccountAdded)
    await join(desk, "ada@example.org")
    request = ChangeGroup(address=STAFF, archive="kept@example.org")
    assert (await desk.call("group.set", request, GroupShown)).archive == "kept@example.org"
    audit = [line for line in await desk.audit() if line[1] == "group.set" and line[3] == "done"]
    assert set(audit[0][4]) == {"archive"}, "nothing of the rights that came with it"


async def test_where_nothing_is_sent_forwards_to_others_are_said_to_rest(house: House) -> None:
    await house.do(SetOrganisation(organisation=1, forwarding="anywhere"), Done)
    for sends in (True, False):
        desk = Desk(house.store, sends=sends)
        for target, outside in (("x@far.example", True), ("bob@example.org", False)):
            request = PutForward(address="ada@example.org", targets=(target,))
            shown = await desk.call("forward.set", request, ForwardShown)
            assert shown.rests == (outside and not sends)
        page = await desk.call("forward.list", ListForwards(), ForwardPage)
        assert page.rests == (not sends)


async def test_a_list_of_domains_shows_where_their_mail_goes(house: House, desk: Desk) -> None:
    await house.domain("inner.example")
    await desk.call(
        "domain.catch-all", CatchAll(domain="example.org", account="ada@example.org"), DomainRoutes
    )
    await desk.call(
        "domain.relay", RelayDomain(domain="inner.example", host="mail.inner.example"), DomainRoutes
    )
    names = RelayedAddresses(
        domain="inner.example", addresses=("a@inner.example", "b@inner.example"), mode="="
    )
    await desk.call("domain.recipients", names, DomainRoutes)
    await desk.call(
        "domain.forwarding", AllowForwarding(domain="inner.example", rule="anywhere"), DomainRoutes
    )
    inner, own = (await desk.call("domain.list", ListDomains(), Domains)).domains[::-1]
    if inner.domain != "inner.example":
        inner, own = own, inner
    assert (inner.relay, inner.relayed, inner.forwarding) == (
        "mail.inner.example:25",
        2,
        "anywhere",
    )
    assert (own.catch_all, own.relay, own.relayed) == ("ada@example.org", "", 0)
    with pytest.raises(
        OperationError, match=r"2 of them are relayed, which .* --remove FILE` takes"
    ):
        await desk.call("domain.delete", RemoveDomain(domain="inner.example"), DomainRemoved)
