"""fsck: examines every invariant of the store, on both databases, without writing anything.

Each check is one statement, so that it sees one committed state and a store in use gives no false
alarm; a statement covers a slice, so that none runs long (a mailbox is counted whole). Findings say in
words what is wrong and what it means. What is derived is repaired by commands (``repairs``); lost or
damaged content is named and never removed.
"""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from malleposte.store.commands import AnyCommand, RepairAccount, RepairNumbers
from malleposte.store.dialect import Reader
from malleposte.store.errors import StoreError
from malleposte.store.fsck.accounts import account as examine_account
from malleposte.store.fsck.blobs import blobs as examine_blobs
from malleposte.store.fsck.contacts import contacts as examine_contacts
from malleposte.store.fsck.emails import emails as examine_emails
from malleposte.store.fsck.finding import (
    REPAIRED_BY_ACCOUNT,
    REPAIRED_BY_NUMBERS,
    Examination,
    Finding,
    Kind,
    Progress,
)
from malleposte.store.fsck.records import engine as examine_engine
from malleposte.store.fsck.records import records as examine_records
from malleposte.store.ids import LOW, account_of

__all__ = ["Finding", "Kind", "Progress", "check", "repairs"]

MAX_SAME = 1_000
"""Findings of a kind that are given one by one: a broken disk must not fill the screen for hours."""

_WITH_ROWS = ("email", "mailbox", "membership")


def _silent(_stage: str, _done: int, _total: int) -> None:
    return


async def check(
    reader: Reader,
    blobs: Path | None = None,
    *,
    deep: bool = False,
    accounts: Iterable[int] | None = None,
    progress: Progress = _silent,
) -> AsyncIterator[Finding]:
    """What is wrong in a store. ``blobs``: the folder of large content (SQLite).

    ``deep`` also reads all content back and compares digests, and lets SQLite examine its indexes:
    minutes for a large store. ``accounts``: look at the mail of these only. Never raises for damage: a
    part that cannot be read is a finding.
    """
    examination = Examination(reader, blobs, deep, progress)
    counts: dict[Kind, int] = {}
    async for finding in _all(examination, accounts):
        seen = counts[finding.kind] = counts.get(finding.kind, 0) + 1
        if seen <= MAX_SAME:
            yield finding
    for kind, seen in counts.items():
        if seen > MAX_SAME:
            yield Finding(kind, "more", f"{seen - MAX_SAME} more of this kind")


async def _all(examination: Examination, accounts: Iterable[int] | None) -> AsyncIterator[Finding]:
    if accounts is None:
        async for finding in _readable(examine_engine(examination), "database"):
            yield finding
        async for finding in _readable(examine_records(examination), "directory"):
            yield finding
        async for finding in _readable(_strays(examination), "accounts"):
            yield finding
    async for finding in _readable(_accounts(examination, accounts), "accounts"):
        yield finding
    if accounts is None:
        async for finding in _readable(examine_blobs(examination), "content"):
            yield finding


async def _readable(findings: AsyncIterator[Finding], part: str) -> AsyncIterator[Finding]:
    try:
        async for finding in findings:
            yield finding
    except StoreError as error:
        yield Finding(Kind.UNREADABLE, part, f"it cannot be read to the end: {error}")


async def _accounts(examination: Examination, only: Iterable[int] | None) -> AsyncIterator[Finding]:
    rows = await examination.reader.rows(
        "SELECT h.account, coalesce(a.status, '') FROM account_head h"
        " LEFT JOIN account a ON a.id = h.account ORDER BY h.account"
    )
    if only is not None:
        wanted = set(only)
        rows = [row for row in rows if row[0] in wanted]
    for done, (number, status) in enumerate(rows, 1):
        deleted = status == "deleted"
        async for finding in _readable(
            examine_account(examination, number, deleted=deleted), f"account {number}"
        ):
            yield finding
        async for finding in _readable(
            examine_emails(examination, number), f"emails of account {number}"
        ):
            yield finding
        async for finding in _readable(
            examine_contacts(examination, number), f"contacts of account {number}"
        ):
            yield finding
        examination.progress("accounts", done, len(rows))


async def _strays(examination: Examination) -> AsyncIterator[Finding]:
    """Mail of accounts that do not exist: found by leaping from account to account."""
    reader = examination.reader
    known = {row[0] for row in await reader.rows("SELECT account FROM account_head")}
    for (number,) in await reader.rows(
        "SELECT account FROM account_head h"
        " WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = h.account)"
    ):
        yield Finding(
            Kind.HEAD_STRAY, f"account {number}", "it has mail and counters and does not exist"
        )
    for table in _WITH_ROWS:
        column = "mailbox" if table == "membership" else "id"
        at = -1
        while True:
            row = await reader.row(f"SELECT min({column}) FROM {table} WHERE {column} > $1", at)
            if row is None or row[0] is None:
                break
            number = account_of(row[0])
            at = (number << 32) + LOW
            if number not in known and not await reader.row(
                "SELECT 1 FROM account_head WHERE account = $1", number
            ):
                yield Finding(
                    Kind.EMAIL_STRAY if table == "email" else Kind.MAILBOX_STRAY,
                    f"account {number}",
                    f"there is no such account, and rows of its mail ({table}) are there",
                )


def repairs(findings: Iterable[Finding]) -> list[AnyCommand]:
    """The commands that put right what can be put right, in a sensible order; each can run twice."""
    numbers = False
    accounts: set[int] = set()
    for finding in findings:
        if finding.kind in REPAIRED_BY_NUMBERS:
            numbers = True
        elif finding.account and finding.kind in REPAIRED_BY_ACCOUNT:
            accounts.add(finding.account)
    commands: list[AnyCommand] = [RepairNumbers()] if numbers else []
    commands.extend(RepairAccount(account=account) for account in sorted(accounts))
    return commands
