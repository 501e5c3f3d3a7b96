"""The wrapper of every operation: permission, an audit line for what was done or not, no secrets in it."""

import ast
import importlib
import inspect
from typing import Any

import msgspec
import pytest

from malleposte.operations.accounts import (
    AccountAdded,
    AddAccount,
    ChangeAccount,
    ChangePassword,
    OneAccount,
    ShowAccount,
)
from malleposte.operations.accounts_many import AddAccounts
from malleposte.operations.aliases import RemoveAlias
from malleposte.operations.domains import AddDomain, DomainAdded
from malleposte.operations.errors import OperationError
from malleposte.operations.perform import decode, named, perform
from malleposte.operations.queue_acts import HoldQueued, RedirectQueued
from malleposte.operations.registry import MODULES, Request, Response, operations
from malleposte.operations.store_renew import RenewUids, UidsRenewed
from malleposte.policy.permissions import Actor, Role
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store.commands import AnyCommand, Audited
from malleposte.store.results import AnyResult
from support.store import House
from unit.operations.desk import Desk, Tape

NAMES = {
    "account.add",
    "account.add-app-password",
    "account.add-many",
    "account.app-passwords",
    "account.delete",
    "account.disable",
    "account.enable",
    "account.list",
    "account.passwd",
    "account.remove-app-password",
    "account.reset-second-factor",
    "account.revoke-sessions",
    "account.sessions",
    "account.set",
    "account.show",
    "alias.add",
    "alias.delete",
    "alias.list",
    "alias.set",
    "audit.list",
    "contacts.export",
    "contacts.import",
    "device.add",
    "device.list",
    "device.networks",
    "domain.add",
    "domain.alias",
    "domain.catch-all",
    "domain.delete",
    "domain.dkim-list",
    "domain.dkim-new",
    "domain.dkim-retire",
    "domain.forwarding",
    "domain.list",
    "domain.mta-sts",
    "domain.mta-sts-set",
    "domain.recipients",
    "domain.records",
    "domain.relay",
    "domain.routes",
    "form.away",
    "form.put",
    "form.show",
    "forward.delete",
    "forward.list",
    "forward.set",
    "group.add",
    "group.delete",
    "group.join",
    "group.leave",
    "group.list",
    "group.set",
    "group.show",
    "limit.list",
    "limit.set",
    "limit.show",
    "mail.export",
    "mail.import",
    "mail.recover",
    "mail.recoverable",
    "mailbox.give",
    "mailbox.list",
    "mailbox.merge",
    "mailbox.rights",
    "mailbox.take",
    "queue.hold",
    "queue.list",
    "queue.redirect",
    "queue.release",
    "queue.remove",
    "queue.retry",
    "relay.list",
    "relay.remove",
    "relay.set",
    "relay.test",
    "role.grant",
    "role.revoke",
    "sendas.give",
    "sendas.list",
    "sendas.take",
    "server.examine",
    "server.node-key",
    "sieve.activate",
    "sieve.check",
    "sieve.delete",
    "sieve.list",
    "sieve.put",
    "sieve.show",
    "store.fsck",
    "store.render",
    "store.renew-uids",
    "tls.end",
    "tls.except",
    "tls.exceptions",
    "tls.show",
    "trace.find",
}


def test_the_operations_are_these() -> None:
    assert set(operations()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_operation_says_what_a_repetition_does(name: str) -> None:
    looks_only = operations()[name].audit == "refused"
    assert looks_only or "Again:" in (inspect.getdoc(operations()[name].run) or "")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_operation_that_changes_something_is_audited(name: str) -> None:
    """Only listing and looking may go without a line; a function that submits may not."""
    source = inspect.getsource(operations()[name].run)
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    if calls & {"submit", "carry_out", "begin"}:
        assert operations()[name].audit in ("always", "own")


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_changed_past_the_audit(module: str) -> None:
    """Modules that submit commands themselves take many steps, and say before that they are begun; or
    send each with a line of its own."""
    source = inspect.getsource(importlib.import_module(f"malleposte.operations.{module}"))
    if ".submit(" in source:
        assert "context.begin()" in source or "submit(Audited(" in source


async def test_what_was_done_and_by_whom_is_in_the_audit(house: House) -> None:
    desk = Desk(house.store, Actor.local(1000))
    request = AddAccount(address="Ada@example.org", name="Ada", password="four quiet horses")
    await desk.call("account.add", request, AccountAdded)
    ((actor, operation, target, outcome, details),) = await desk.audit()
    assert (actor, operation, target, outcome) == (
        "local:1000",
        "account.add",
        "ada@example.org",
        "done",
    )
    assert details == {"name": "Ada"}


async def test_a_refusal_is_in_the_audit_with_its_reason(desk: Desk) -> None:
    with pytest.raises(OperationError):
        await desk.call("account.add", AddAccount(address="a@elsewhere.example"), AccountAdded)
    ((_, _, target, outcome, details),) = await desk.audit()
    assert (target, outcome) == ("a@elsewhere.example", "refused")
    assert "add the domain" in details["why"]


async def test_whoever_may_not_is_refused_and_noted(house: House) -> None:
    person = Actor("eve@example.org", frozenset({Role.USER}), organisation=1, account=99)
    desk = Desk(house.store, person)
    with pytest.raises(OperationError, match="needs an administrator") as error:
        await desk.call("account.add", AddAccount(address="a@example.org"), AccountAdded)
    assert (error.value.kind, error.value.reason) == ("refused", "not-allowed")
    assert await house.value("SELECT count(*) FROM account") == 0
    ((actor, _, _, outcome, _),) = await desk.audit()
    assert (actor, outcome) == ("eve@example.org", "refused")


async def test_an_administrator_of_another_organisation_is_refused(house: House) -> None:
    other = Actor("it@other.example", frozenset({Role.OWNER}), organisation=77)
    desk = Desk(house.store, other)
    with pytest.raises(OperationError, match="another organisation"):
        await desk.call("account.add", AddAccount(address="a@example.org"), AccountAdded)


def test_the_audit_keeps_where_queued_mail_was_sent_and_why_it_was_held() -> None:
    redirect = RedirectQueued(messages=(7,), recipient="a@b.example", to="x@y.example")
    assert redirect.details() == {
        "messages": "7",
        "recipient": "a@b.example",
        "to": "x@y.example",
    }
    assert HoldQueued(sender="a@b.example", why="stolen").details()["why"] == "stolen"


OF_ALL = sorted(
    name
    for name in NAMES
    if name.startswith(("queue.", "relay."))
    or name in ("trace.find", "audit.list", "account.list", "alias.list", "domain.list")
)


@pytest.mark.parametrize("name", OF_ALL)
async def test_an_administrator_of_an_organisation_does_nothing_with_what_all_share(
    house: House, name: str
) -> None:
    """Not of his own either, until what is shown is his organisation's alone."""
    await house.account("ada")
    chief = Actor("it@example.org", frozenset({Role.OWNER}), organisation=1)
    found = named(name)
    fields: dict[str, Any] = {"to": "x@y.example"} if name == "queue.redirect" else {}
    for field in msgspec.structs.fields(found.request):
        if field.required and field.name not in fields:
            fields[field.name] = (1,) if field.name == "messages" else "x"
    context = Desk(house.store, chief).context
    with pytest.raises(OperationError, match="more than one organisation's") as error:
        await perform(context, found, found.request(**fields), Tape())
    assert error.value.reason == "not-allowed"


async def test_looking_leaves_no_line(house: House, desk: Desk) -> None:
    await house.account("ada")
    await perform(
        desk.context, named("account.show"), ShowAccount(address="ada@example.org"), Tape()
    )
    assert await desk.audit() == []


async def test_passwords_are_nowhere_in_the_audit(house: House, desk: Desk) -> None:
    await house.account("ada")
    good = ChangePassword(address="ada@example.org", password="four quiet horses")
    await perform(desk.context, named("account.passwd"), good, Tape())
    weak = ChangePassword(address="ada@example.org", password="horses horses\x00")
    with pytest.raises(OperationError) as error:
        await Desk(house.store).call("account.passwd", weak, Response)
    assert "horses" not in error.value.text
    for line in await desk.audit():
        assert "horses" not in str(line)


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (TemporaryFailure("the writer is away"), "unavailable", "try again"),
        (PermanentFailure("a defect"), "failed", "went wrong in the server"),
        (OSError(28, "No space left on device"), "unavailable", "disk"),
        (RuntimeError("surprise"), "failed", "RuntimeError: surprise"),
    ],
)
async def test_failures_become_words_and_an_audit_line(
    house: House,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    kind: str,
    words: str,
) -> None:
    submit = house.store.writer.submit

    async def failing(command: AnyCommand, fd: int | None = None) -> AnyResult:
        if isinstance(command, Audited):
            raise failure
        return await submit(command, fd)

    monkeypatch.setattr(house.store.writer, "submit", failing)
    with pytest.raises(OperationError, match=words) as error:
        await desk.call("account.add", AddAccount(address="a@example.org"), AccountAdded)
    assert error.value.kind == kind
    ((_, _, _, outcome, _),) = await desk.audit()
    assert outcome == "failed"


async def _moved(house: House, old: str, new: str) -> None:
    async with house.place.raw() as tx:
        await tx.run(f"ALTER TABLE {old} RENAME TO {new}")


async def test_what_the_audit_cannot_take_is_not_done(house: House, desk: Desk) -> None:
    """The act and its line are one transaction: a domain was made though its line could not be written,
    and the operator was told that it was not."""
    await _moved(house, "audit", "audit_away")
    for name, request in (
        ("domain.add", AddDomain(domain="other.example")),
        ("account.add", AddAccount(address="a@example.org")),
        ("account.add-many", AddAccounts(accounts=(AddAccount(address="b@example.org"),))),
        ("alias.delete", RemoveAlias(address="postmaster@example.org")),
    ):
        with pytest.raises((OperationError, ExceptionGroup)):
            await desk.call(name, request, Response)
    await _moved(house, "audit_away", "audit")
    assert await house.value("SELECT count(*) FROM domain") == 1
    assert await house.value("SELECT count(*) FROM account") == 0
    assert await desk.audit() == []
    await desk.call("domain.add", AddDomain(domain="other.example"), DomainAdded)
    assert await desk.audit() == [
        ("local:0", "domain.add", "other.example", "done", {"made": True})
    ]


async def test_many_steps_are_begun_in_the_audit_before_the_first(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a process that dies in the middle there is a line."""
    account = await house.account("ada")
    await desk.call("store.renew-uids", RenewUids(address="ada@example.org"), UidsRenewed)
    assert [line[3] for line in await desk.audit()] == ["begun", "done"]
    before = await house.value("SELECT uidvalidity FROM mailbox WHERE account = $1", account)
    await _moved(house, "audit", "audit_away")
    with pytest.raises(OperationError):
        await desk.call("store.renew-uids", RenewUids(address="ada@example.org"), UidsRenewed)
    await _moved(house, "audit_away", "audit")
    after = await house.value("SELECT uidvalidity FROM mailbox WHERE account = $1", account)
    assert after == before


async def test_what_was_done_is_not_said_to_have_failed(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only the look at the outcome fails, the line of the act is the only one."""

    async def away(*_: object) -> Response:
        raise TemporaryFailure("the database is away")

    await house.account("ada")
    monkeypatch.setattr("malleposte.operations.accounts.account_shown", away)
    with pytest.raises(OperationError, match="this was done, but"):
        await desk.call(
            "account.set", ChangeAccount(address="ada@example.org", name="Ada"), OneAccount
        )
    assert await house.value("SELECT name FROM account") == "Ada"
    assert [line[3] for line in await desk.audit()] == ["done"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "not JSON"),
        (b"{}", "address"),
        (b'{"address": 5}', "Expected `str`"),
        (b'{"address": "a@b", "passwort": "x"}', "unknown field"),
    ],
)
def test_a_request_of_another_form_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(OperationError, match=words):
        decode(named("account.add"), raw)


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(OperationError, match=r"there is no operation account\.explode"):
        named("account.explode")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_requests_and_responses_survive_json(name: str) -> None:
    operation = operations()[name]
    assert issubclass(operation.request, Request)
    schema = msgspec.json.schema(operation.request)
    assert schema
    msgspec.json.schema(operation.response)
