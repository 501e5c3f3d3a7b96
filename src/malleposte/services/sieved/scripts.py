"""What a client can do with its scripts (RFC 5804 §2.5 to §2.12). Each change stands in the audit: a script
can send mail on, and whoever steals a password likes that."""

from typing import TYPE_CHECKING, Final

from malleposte.directory.book import Account
from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Detail, Outcome
from malleposte.policy.permissions import Actor, Operation, Role, Target
from malleposte.sieve import SieveError
from malleposte.store import commands as store
from malleposte.store.execute.sieve import MAX_SCRIPT, no_room, script_name
from malleposte.store.read import sieve
from malleposte.store.results import Refused
from malleposte.wire.managesieve import (
    CheckScript,
    Code,
    Command,
    DeleteScript,
    GetScript,
    HaveSpace,
    ListScripts,
    PutScript,
    RenameScript,
    Response,
    SetActive,
    content,
    listed,
    no,
    ok,
)

if TYPE_CHECKING:
    from malleposte.services.sieved.session import Session

_CODES: Final = {
    "no-such-script": Code.NONEXISTENT,
    "exists": Code.ALREADY_EXISTS,
    "in-use": Code.ACTIVE,
    "too-long": Code.MAX_SIZE,
    "too-many": Code.MAX_SCRIPTS,
    "limit": Code.QUOTA,
}
_NO_SCRIPT: Final = no("There is no script of that name", Code.NONEXISTENT)
Answer = tuple[Response, bytes]


async def perform(session: "Session", command: Command) -> Answer:
    """Do what was asked. Raises what the store raises."""
    account = session.account
    assert account is not None
    reader = session.service.store.reader
    details: dict[str, Detail]
    match command:
        case ListScripts():
            found = await sieve.scripts(reader, account.id)
            return ok(), listed((one.name, one.active) for one in found)
        case GetScript(name):
            kept = await sieve.script(reader, account.id, script_name(name))
            return (_NO_SCRIPT, b"") if kept is None else (ok(), content(kept[1]))
        case HaveSpace(name, size):
            return await _have_space(session, account, name, size), b""
        case CheckScript(octets):
            return await _check(session, account, octets), b""
        case PutScript(name, octets):
            checked = await _check(session, account, octets, name)
            if not checked.good:
                return checked, b""
            act = store.PutScript(owner=account.id, name=name, content=octets)
            details = {"script": name, "octets": len(octets)}
            return await _act(session, account, act, "sieve.put", details, checked), b""
        case SetActive(name):
            activate = store.ActivateScript(owner=account.id, name=name)
            details = {"script": name}
            return await _act(session, account, activate, "sieve.activate", details), b""
        case DeleteScript(name):
            delete = store.DeleteScript(owner=account.id, name=name)
            return await _act(session, account, delete, "sieve.delete", {"script": name}), b""
        case RenameScript(name, to):
            rename = store.RenameScript(owner=account.id, name=name, to=to)
            details = {"script": name, "to": to}
            return await _act(session, account, rename, "sieve.rename", details), b""
    raise TypeError(f"{type(command).__name__} is not answered here")


async def _check(session: "Session", account: Account, octets: bytes, name: str = "") -> Response:
    try:
        checked = await session.service.checker.check(
            octets, owner=account.id, organisation=account.organisation, name=name
        )
    except SieveError as error:
        return no(str(error))
    if checked.warnings:
        return ok("\n".join(checked.warnings), Code.WARNINGS)
    return ok("The script is in order")


async def _have_space(session: "Session", account: Account, name: str, size: int) -> Response:
    if size > MAX_SCRIPT:
        return no(f"A script has at most {MAX_SCRIPT:,} octets", Code.MAX_SIZE)
    reader = session.service.store.reader
    kept = await sieve.script(reader, account.id, script_name(name))
    more = size - (0 if kept is None else kept[0].size)
    refused = await no_room(reader, account.id, 0, more, new=kept is None)
    return ok("There is room") if refused is None else _refusal(refused)


async def _act(
    session: "Session",
    account: Account,
    act: store.PutScript | store.ActivateScript | store.DeleteScript | store.RenameScript,
    operation: str,
    details: dict[str, Detail],
    good: Response | None = None,
) -> Response:
    """Carry something out, with its line in the audit."""
    event = AuditEvent(
        Actor(account.address, frozenset({Role.USER}), account=account.id),
        Operation(operation),
        Target(account.address, account=account.id),
        Outcome.DONE,
        details,
    )
    answer = await session.service.store.submit(store.Audited(act=act, line=line_of(event)))
    if isinstance(answer, Refused):
        return _refusal(answer)
    return good or ok("Done")


def _refusal(refused: Refused) -> Response:
    words = refused.text or refused.reason
    return no(words[:1].upper() + words[1:], _CODES.get(refused.reason, Code.NONE))
