"""``shareWith`` in Mailbox/set (RFC 9670 §4): who may what in a mailbox, person by person.

Each change is what SETACL is by IMAP: asked for in the store (right ``a``), in the audit, and counted,
since answers tell who is there.
"""

from collections.abc import Mapping
from typing import Any, Final

from malleposte.directory.sharing import ANYONE as ANYONE_NAME
from malleposte.directory.sharing import owner_shown
from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Outcome
from malleposte.policy.permissions import Actor, Operation, Role, Target
from malleposte.policy.sharing import may_give_to_anyone
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import filing, mailbox_rights
from malleposte.services.jmap.sharing import rationing
from malleposte.services.jmap.sharing.names import principal_number
from malleposte.store.commands import Audited, SetRights
from malleposte.store.ids import account_of
from malleposte.store.read import colleagues, mailboxes, rights
from malleposte.store.read.rights import ANYONE
from malleposte.store.results import Done, Refused

NAME: Final = "shareWith"


def parted(patch: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A patch without what it says of ``shareWith``, and that."""
    ours = {path: value for path, value in patch.items() if path.partition("/")[0] == NAME}
    return {path: value for path, value in patch.items() if path not in ours}, ours


Changes = list[tuple[int, str, str]]
"""Grantees, the letters they get, and who they are."""


async def planned(context: Context, mailbox: int, patch: Mapping[str, Any]) -> Changes:
    """What a patch says of ``shareWith``, checked. Raises ``SetError``."""
    listed = await rights.grants(context.store.reader, mailbox)
    before = {grant.grantee: grant.letters for grant in listed.entries}
    if not await rights.may(context.store.reader, context.actor, mailbox, "a"):
        raise SetError("forbidden", "You may not change who uses this mailbox (right a)")
    after = dict(before)
    for path, value in sorted(patch.items(), key=lambda item: item[0].count("/")):
        _take(after, before, path.split("/")[1:], value)
    changes = {
        grantee: letters for grantee, letters in after.items() if letters != before.get(grantee, "")
    }
    rationing.bound(len(changes))
    names = await _names(context, mailbox, changes, before)
    return [(grantee, letters, names[grantee]) for grantee, letters in changes.items()]


async def give(context: Context, mailbox: int, changes: Changes) -> None:
    """Carry out what was planned. Raises ``SetError``."""
    for grantee, letters, who in changes:
        await _give(context, mailbox, grantee, letters, who)


def _take(after: dict[int, str], before: Mapping[int, str], path: list[str], value: Any) -> None:
    """Put into ``after`` what is said at one path."""
    match path:
        case []:
            if value is not None and not isinstance(value, dict):
                raise invalid("Rights stand by principal", NAME)
            wanted = {_number(id_): given for id_, given in (value or {}).items()}
            for grantee in before:
                after[grantee] = ""
            for grantee, given in wanted.items():
                after[grantee] = _letters(given, before.get(grantee, ""))
        case [id_]:
            grantee = _number(id_)
            after[grantee] = _letters({} if value is None else value, before.get(grantee, ""))
        case [id_, right]:
            grantee = _number(id_)
            given = mailbox_rights.shown(after.get(grantee, ""), share=True) | {right: value}
            after[grantee] = _letters(given, after.get(grantee, ""))
        case _:
            raise SetError("invalidPatch", f"There is nothing that deep in {NAME}")


def _number(id_: str) -> int:
    number = principal_number(id_)
    if number is None:
        raise _nobody(id_)
    return number


def _nobody(id_: str) -> SetError:
    return invalid(f"There is no principal {id_[:100]!r}", NAME)


def _letters(given: Any, before: str) -> str:
    if not isinstance(given, dict):
        raise invalid("Rights are true or false by name", NAME)
    try:
        return mailbox_rights.letters(given, before)
    except ValueError as error:
        raise invalid(f"{str(error)[:1].upper()}{str(error)[1:]}", NAME) from None


async def _names(
    context: Context, mailbox: int, changes: Mapping[int, str], before: Mapping[int, str]
) -> dict[int, str]:
    """Who is who, as the audit says it. Raises ``SetError``."""
    owner = await context.book.account(account_of(mailbox))
    if owner is None:
        raise SetError("notFound")
    if owner.id in changes:
        raise invalid("The owner of a mailbox holds all rights, always", NAME)
    rationing.count(context, len(changes))
    found = {}
    if ANYONE in changes:
        found[ANYONE] = ANYONE_NAME
        if not set(changes[ANYONE]) <= set(before.get(ANYONE, "")):
            decision = may_give_to_anyone(
                context.settings.anyone, context.account.roles, owner_kind=owner.kind
            )
            if not decision.allowed:
                raise SetError("forbidden", decision.reason)
    people = [grantee for grantee in changes if grantee != ANYONE]
    known = await colleagues.some(context.store.reader, owner.organisation, people)
    found |= {one.id: one.address for one in known}
    for grantee in people:
        if grantee in found:
            continue
        if changes[grantee]:
            raise _nobody(f"P{grantee:x}")
        found[grantee] = f"account {grantee}"  # one of long ago, of whom this is the last trace
    return found


async def _give(context: Context, mailbox: int, grantee: int, letters: str, who: str) -> None:
    owner = await context.book.account(account_of(mailbox))
    boxes = await mailboxes.mailboxes(context.store.reader, account_of(mailbox))
    path = next((box.path for box in boxes if box.id == mailbox), None)
    if owner is None or path is None:
        raise SetError("notFound")
    account = context.account
    act = SetRights(
        actor=context.actor,
        mailbox=mailbox,
        grantee=grantee,
        letters=letters,
        owner_shown=owner_shown(owner.kind, owner.address),
    )
    event = AuditEvent(
        Actor(account.address, frozenset({Role.USER}), account=account.id),
        Operation("mailbox.give" if letters else "mailbox.take"),
        Target(owner.address, account=owner.id),
        Outcome.DONE,
        {"mailbox": path, "who": who},
    )
    result = await context.submit(Audited(act=act, line=line_of(event)))
    if isinstance(result, Done):
        return
    assert isinstance(result, Refused), result
    if result.reason == "limit":
        raise SetError("overQuota", result.text)
    if result.reason == "no-such-mailbox":
        raise SetError("notFound")
    raise filing.refusal(result)
