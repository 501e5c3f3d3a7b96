"""Email/recoverable and Email/recover: what was destroyed, for as long as it can be brought back."""

import re
from typing import Annotated, Final

from msgspec import Meta

from malleposte.runtime.upkeep import sweep_all_deleted
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.own.names import RECOVERY
from malleposte.services.jmap.times import utc_date
from malleposte.store.commands import Recover
from malleposte.store.ids import EMAIL_LETTER, email_text, id_number, mailbox_id, mailbox_text
from malleposte.store.read import mailboxes, recoverable
from malleposte.store.results import Copied, Refused

MOST: Final = 500
"""Emails in an answer."""
SHOWN: Final = 200
"""Characters of a subject and a sender."""
_NEXT: Final = re.compile(r"([0-9]{1,15})-(E[0-9a-f]{1,16})")
_LAST: Final = ((1 << 50), (1 << 62))


class Recoverable(Arguments, frozen=True, kw_only=True):
    """``after``: ``next`` of the answer before."""

    after: Annotated[str, Meta(max_length=40)] | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100


class RecoverEmails(Arguments, frozen=True, kw_only=True):
    """Which ones."""

    ids: list[Id]


async def listed(context: Context, arguments: Recoverable) -> Answer:
    """What was destroyed last comes first."""
    account = context.own(arguments.account_id)
    before = _LAST
    if arguments.after is not None:
        found = _NEXT.fullmatch(arguments.after)
        if found is None:
            raise MethodError("invalidArguments", "after is what an answer before said as next")
        before = int(found[1]), id_number(EMAIL_LETTER, found[2])
    await sweep_all_deleted(context.store, account)
    rows = await recoverable.latest(context.store.reader, account, arguments.limit + 1, before)
    page = rows[: arguments.limit]
    there = await _there(context, account)
    return {
        "accountId": arguments.account_id,
        "list": [
            {
                "id": email_text(one.email),
                "mailboxId": mailbox_text(one.mailbox) if one.mailbox in there else None,
                "subject": one.subject[:SHOWN],
                "from": one.sender[:SHOWN],
                "size": one.size,
                "receivedAt": utc_date(one.received_at),
                "destroyedAt": utc_date(one.at),
                "until": utc_date(one.until),
            }
            for one in page
        ],
        "next": f"{page[-1].at}-{email_text(page[-1].email)}" if len(rows) > len(page) else None,
    }


async def recover(context: Context, arguments: RecoverEmails) -> Answer:
    """Each goes back to where it was; to the inbox where that is gone."""
    account = context.own(arguments.account_id)
    if len(arguments.ids) > context.settings.max_objects_in_set:
        raise MethodError(
            "requestTooLarge", f"At most {context.settings.max_objects_in_set} emails"
        )
    await sweep_all_deleted(context.store, account)
    ids = [context.id_of(id_) for id_ in arguments.ids]
    named = {id_: id_number(EMAIL_LETTER, id_) for id_ in ids}
    homes = await recoverable.homes(context.store.reader, account, list(named.values()))
    there = await _there(context, account)
    inbox = mailbox_id(account, 1)
    targets: dict[int, list[int]] = {}
    for email, home in homes.items():
        targets.setdefault(home if home in there else inbox, []).append(email)
    failed: dict[int, SetError] = {}
    for target, emails in targets.items():
        command = Recover(actor=context.actor, target=target, emails=tuple(emails))
        result = await context.submit(command)
        if isinstance(result, Refused):
            failed |= dict.fromkeys(emails, filing.refusal(result))
        else:
            assert isinstance(result, Copied)
    missing = SetError("notFound")
    errors = {
        id_: failed.get(email, missing).shown()
        for id_, email in named.items()
        if email not in homes or email in failed
    }
    return {
        "accountId": arguments.account_id,
        "recovered": [id_ for id_ in named if id_ not in errors],
        "notRecovered": errors or None,
    }


async def _there(context: Context, account: int) -> set[int]:
    return {one.id for one in await mailboxes.mailboxes(context.store.reader, account)}


METHODS: Final = {
    "Email/recoverable": Method(RECOVERY, Recoverable, listed),
    "Email/recover": Method(RECOVERY, RecoverEmails, recover),
}
