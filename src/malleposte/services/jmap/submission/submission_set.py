"""EmailSubmission/set (RFC 8621 §7.5)."""

from functools import partial
from typing import Any, Final

from malleposte.services.jmap import setting
from malleposte.services.jmap.arguments import Reference, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import email_set, filing
from malleposte.services.jmap.progress import noted
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.submission.identities import identities
from malleposte.services.jmap.submission.names import (
    IDENTITY_LETTER,
    SUBMISSION,
    SUBMISSION_LETTER,
    text_of,
)
from malleposte.services.jmap.submission.sending import Wanted, send
from malleposte.services.jmap.submission.submissions import TABLE, shown
from malleposte.store.commands import CancelSubmission, DropSubmission
from malleposte.store.ids import EMAIL_LETTER, LOW, account_of, email_text, id_number
from malleposte.store.read import emails, submissions

_done: Final = partial(
    setting.carried_out,
    refusals={
        "no-such-submission": setting.not_found,
        "cannot-unsend": lambda _: SetError("cannotUnsend", "The message is on its way already"),
    },
)
_MAY_BE_GIVEN: Final = frozenset({"identityId", "emailId", "envelope"})


class SetSubmissions(Set, frozen=True, kw_only=True):
    """See the module."""

    on_success_update_email: dict[Reference, dict[str, Any]] | None = None
    on_success_destroy_email: list[Reference] | None = None


async def set_(context: Context, arguments: SetSubmissions) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    await noted(context.store, account)
    reader = context.store.reader
    old = str(await submissions.modseq(reader, TABLE, account))
    setting.check_state(arguments.if_in_state, old)
    outcome = Outcome()
    emails_of: dict[str, str] = {}
    for id_, properties in (arguments.create or {}).items():
        try:
            made, email = await _made(context, account, properties)
        except SetError as error:
            outcome.not_created[id_] = error
        except filing.FAILURES as error:
            outcome.not_created[id_] = filing.failure(error)
        else:
            outcome.created[id_] = made
            context.created[id_] = made["id"]
            emails_of[f"#{id_}"] = emails_of[made["id"]] = email
    changed = [*(arguments.update or ()), *(arguments.destroy or ())]
    emails_of |= await _emails(context, account, changed)
    for id_, patch in (arguments.update or {}).items():
        try:
            await _update(context, account, id_, patch)
        except SetError as error:
            outcome.not_updated[id_] = error
        else:
            outcome.updated[id_] = None
    for id_ in arguments.destroy or ():
        try:
            await _done(context, DropSubmission(account=account, n=_number(context, id_)))
        except SetError as error:
            outcome.not_destroyed[id_] = error
        else:
            outcome.destroyed.append(id_)
    new = str(await submissions.modseq(reader, TABLE, account))
    answer = outcome.answer(arguments.account_id, old, new)
    follows = _follows(arguments, outcome, emails_of)
    if follows is None:
        return answer
    implied = await email_set.set_(context, follows)
    assert isinstance(implied, dict)
    return [("EmailSubmission/set", answer, ""), ("Email/set", implied, "")]


async def _made(
    context: Context, account: int, properties: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """Send an email; what the client is told, and the email's id."""
    unknown = [name for name in properties if name not in _MAY_BE_GIVEN]
    if unknown:
        raise invalid("Only identityId, emailId and envelope are given", *unknown[:20])
    named = {}
    for name in ("identityId", "emailId"):
        if not isinstance(properties.get(name), str):
            raise invalid(f"{name} is missing", name)
        named[name] = context.id_of(properties[name])
    number = id_number(IDENTITY_LETTER, named["identityId"])
    identity = next((one for one in await identities(context, account) if one.n == number), None)
    if identity is None:
        raise invalid("There is no such identity", "identityId")
    email = id_number(EMAIL_LETTER, named["emailId"])
    rows = []
    if account_of(email) == account:
        rows = await emails.columns_of(context.store.reader, account, [email & LOW], ("e.thread",))
    if not rows:
        raise invalid("There is no such email", "emailId")
    wanted = Wanted(account, email, rows[0][1], identity, properties.get("envelope"))
    trace = await send(context, wanted)
    kept = await submissions.of_trace(context.store.reader, account, trace)
    if kept is None:
        raise SetError("serverFail", "It is gone already")
    (told,) = await shown(context, [kept])
    return {name: told[name] for name in told if name not in ("identityId", "emailId")}, email_text(
        email
    )


async def _emails(context: Context, account: int, ids: list[str]) -> dict[str, str]:
    """The emails of submissions, by the ids as the client wrote them."""
    numbers: dict[str, int] = {}
    for id_ in ids:
        try:
            numbers[id_] = _number(context, id_)
        except SetError:
            continue
    kept = await submissions.submissions(context.store.reader, account, list(numbers.values()))
    known = {one.n: one for one in kept}
    found = {}
    for id_, n in numbers.items():
        if n in known:
            found[id_] = found[text_of(SUBMISSION_LETTER, n)] = email_text(known[n].email)
    return found


async def _update(context: Context, account: int, id_: str, patch: dict[str, Any]) -> None:
    """Only sending can be undone. RFC 8621 §7.5."""
    n = _number(context, id_)
    kept = await submissions.submissions(context.store.reader, account, [n])
    if not kept:
        raise SetError("notFound")
    (told,) = await shown(context, kept)
    for name, value in patch.items():
        if name != "undoStatus" and (name not in told or told[name] != value):
            raise invalid("Nothing but undoStatus can be changed", name[:100])
    wanted = patch.get("undoStatus", told["undoStatus"])
    if wanted == told["undoStatus"]:
        return
    if wanted != "canceled":
        raise invalid("undoStatus becomes canceled, or stays", "undoStatus")
    await _done(context, CancelSubmission(account=account, n=n))


def _number(context: Context, id_: str) -> int:
    return id_number(SUBMISSION_LETTER, context.id_of(id_))


def _follows(arguments: SetSubmissions, outcome: Outcome, emails_of: dict[str, str]) -> Set | None:
    """What is to be done with emails whose submissions went well (§7.5)."""
    good = {f"#{id_}" for id_ in outcome.created} | set(outcome.updated) | set(outcome.destroyed)
    good |= {made["id"] for made in outcome.created.values()}
    update = {
        emails_of[id_]: patch
        for id_, patch in (arguments.on_success_update_email or {}).items()
        if id_ in good and id_ in emails_of
    }
    destroy = [
        emails_of[id_]
        for id_ in arguments.on_success_destroy_email or ()
        if id_ in good and id_ in emails_of
    ]
    if not update and not destroy:
        return None
    return Set(account_id=arguments.account_id, update=update, destroy=destroy)


METHODS: Final = {"EmailSubmission/set": Method(SUBMISSION, SetSubmissions, set_)}
