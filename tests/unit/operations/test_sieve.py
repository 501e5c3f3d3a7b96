"""Sieve by the command line: an account's scripts and the administrator's, checked, audited."""

import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.sieve import (
    Activated,
    ActivateOne,
    CheckScript,
    DeleteOne,
    ListScripts,
    PutText,
    ScriptChecked,
    ScriptDeleted,
    ScriptPut,
    ScriptShown,
    ScriptsShown,
    ShowScript,
)
from malleposte.policy.permissions import Actor
from malleposte.store.read import sieve
from support.store import House
from unit.operations.desk import Desk

ADA = "ada@example.org"


@pytest.fixture
async def desk(house: House) -> Desk:
    await house.account("ada")
    await house.domain("example.net")
    return Desk(house.store, Actor.local(1000))


async def put(desk: Desk, owner: str, name: str, text: str = "keep;", **how: bool) -> ScriptPut:
    request = PutText(owner=owner, name=name, text=text, **how)
    return await desk.call("sieve.put", request, ScriptPut)


async def listed(desk: Desk, owner: str) -> list[tuple[str, bool]]:
    found = await desk.call("sieve.list", ListScripts(owner=owner), ScriptsShown)
    return [(one.name, one.active) for one in found.scripts]


async def refused(desk: Desk, name: str, request: object, kind: type) -> OperationError:
    with pytest.raises(OperationError) as error:
        await desk.call(name, request, kind)  # type: ignore[arg-type]
    return error.value


@pytest.mark.parametrize("owner", [ADA, "Example.NET", "everybody"])
async def test_a_script_from_put_to_gone(desk: Desk, owner: str) -> None:
    done = await put(desk, owner, "main", "# mine\nstop;\n", activate=True)
    assert done.active
    await put(desk, owner, "other")
    assert await listed(desk, owner) == [("main", True), ("other", False)]
    shown = await desk.call("sieve.show", ShowScript(owner=owner), ScriptShown)
    assert (shown.script.name, shown.text) == ("main", "# mine\nstop;\n")
    error = await refused(desk, "sieve.delete", DeleteOne(owner=owner, name="main"), ScriptDeleted)
    assert error.reason == "in-use"
    await desk.call("sieve.activate", ActivateOne(owner=owner), Activated)
    await desk.call("sieve.delete", DeleteOne(owner=owner, name="main"), ScriptDeleted)
    assert await listed(desk, owner) == [("other", False)]
    error = await refused(desk, "sieve.show", ShowScript(owner=owner), ScriptShown)
    assert error.reason == "no-such-script"


async def test_each_owner_has_its_own(desk: Desk, house: House) -> None:
    for owner in (ADA, "example.org", "example.net", "everybody"):
        await put(desk, owner, "x", f"# {owner}\n", activate=True)
    found = await sieve.site_to_run(house.store.reader, 1, "example.net")
    assert [piece.content for piece in found] == [b"# everybody\n", b"# example.net\n"]
    assert [p.content for p in await sieve.own_to_run(house.store.reader, 1)] == [
        f"# {ADA}\n".encode()
    ]


async def test_a_domain_has_the_same_scripts_under_each_of_its_names(
    desk: Desk, house: House
) -> None:
    net = await house.value("SELECT id FROM domain WHERE name = 'example.net'")
    async with house.place.raw() as tx:
        await tx.run(
            "UPDATE domain SET alias_of = (SELECT d.id FROM domain d WHERE d.name = 'example.org')"
            " WHERE id = $1",
            net,
        )
    await put(desk, "example.net", "x", "# x\n", activate=True)
    assert await listed(desk, "example.org") == [("x", True)]
    for name in ("example.org", "example.net"):
        found = await sieve.site_to_run(house.store.reader, 1, name)
        assert [piece.content for piece in found] == [b"# x\n"]


async def test_mistakes_are_told_and_nothing_is_kept(desk: Desk) -> None:
    error = await refused(
        desk, "sieve.put", PutText(owner=ADA, name="x", text='fileinto "a";'), ScriptPut
    )
    assert error.kind == "invalid"
    assert error.text.startswith("line 1, column 1: fileinto needs")
    assert await listed(desk, ADA) == []


async def test_what_is_to_be_included_and_is_not_there_is_warned_of(desk: Desk) -> None:
    text = 'require "include"; include :personal "part"; include :global "common";'
    request = CheckScript(owner=ADA, text=text)
    checked = await desk.call("sieve.check", request, ScriptChecked)
    assert checked.extensions == ("include",)
    assert checked.warnings == (
        "there is no script 'part' to include (yet)",
        "there is no global script 'common' to include (yet)",
    )
    await put(desk, ADA, "part")
    await put(desk, "everybody", "common")
    assert (await desk.call("sieve.check", request, ScriptChecked)).warnings == ()


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ("nobody@example.org", "no-such-account"),
        ("postmaster@example.org", "is-system"),
        ("nowhere.example", "no-such-domain"),
        ("", "invalid"),
    ],
)
async def test_owners_that_are_none(desk: Desk, owner: str, reason: str) -> None:
    error = await refused(desk, "sieve.list", ListScripts(owner=owner), ScriptsShown)
    assert error.reason == reason


async def test_who_changes_and_who_looks_stands_in_the_audit(desk: Desk, house: House) -> None:
    await put(desk, ADA, "main")
    await desk.call("sieve.show", ShowScript(owner=ADA, name="main"), ScriptShown)
    await listed(desk, ADA)
    rows = await house.rows("SELECT operation, target, actor FROM audit ORDER BY id")
    assert rows == [("sieve.put", ADA, "local:1000"), ("sieve.show", ADA, "local:1000")]
