"""``shareWith`` of address books, as the audit is told of it."""

from collections.abc import Mapping, Sequence

from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Outcome
from malleposte.policy.permissions import Actor, Operation, Role, Target
from malleposte.services.jmap.context import Context
from malleposte.store.commands import RecordAudit

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
