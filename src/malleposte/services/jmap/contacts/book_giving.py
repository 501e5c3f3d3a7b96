"""``shareWith`` of address books: what is given or taken stands in the audit, and is counted, since answers
tell who is there. The same as of mailboxes (``mail/share_with.py``)."""

from collections.abc import Mapping, Sequence
from typing import Final

from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Outcome
from malleposte.policy.permissions import Actor, Operation, Role, Target
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.store.commands import RecordAudit

MOST: Final = 100
"""People whose rights are changed at once."""
_TOO_OFTEN: Final = SetError(
    "rateLimit", "Too many changes of rights: go on in an hour, or ask your administrator"
)

Given = Sequence[tuple[int, str]]
"""Accounts and the letters that they get, '' for those who lose theirs."""


def changed(before: Mapping[int, str], after: Mapping[int, str]) -> list[tuple[int, str]]:
    """What is given and taken."""
    everybody = before.keys() | after.keys()
    return [
        (who, after.get(who, ""))
        for who in sorted(everybody)
        if after.get(who, "") != before.get(who, "")
    ]


def count(context: Context, given: Given) -> None:
    """Count the changes. Raises ``SetError``."""
    if len(given) > MOST:
        raise invalid(f"The rights of at most {MOST} are changed at once", "shareWith")
    for _ in given:
        if context.changes_of_rights is not None and not context.changes_of_rights.take(
            context.actor
        ):
            raise _TOO_OFTEN


async def line(context: Context, owner: int, name: str, given: Given) -> RecordAudit:
    """What the audit is told."""
    people = []
    for who, letters in given:
        account = await context.book.account(who)
        people.append(f"{account.address if account else f'account {who}'} {letters or '-'}")
    whose = await context.book.account(owner)
    account = context.account
    return line_of(
        AuditEvent(
            Actor(account.address, frozenset({Role.USER}), account=account.id),
            Operation("contacts.share"),
            Target(whose.address if whose else f"account {owner}", account=owner),
            Outcome.DONE,
            {"book": name, "who": ", ".join(people)},
        )
    )
