"""Expunged mail that can still be brought back: list it, bring it back."""

import msgspec

from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import Recover
from malleposte.store.dialect import Reader
from malleposte.store.read import mailboxes
from malleposte.store.results import Copied

MAX_PAGE = 500
SHOWN = 200
"""Characters of a subject, a sender, a mailbox's name in the list: a page must fit into a line."""
SLICE = 1_000
"""Emails one command brings back, so that others pass between."""
MAX_CHOSEN = 20_000
"""Numbers in one request: a line of the admin socket holds them."""

_LIST = (
    "SELECT r.email, r.mailbox, r.at, r.until, e.size, e.received_at, w.subject, w.from_text"
    " FROM recoverable r JOIN email e ON e.id = r.email JOIN email_wide w ON w.id = r.email"
    " WHERE r.account = $1 AND r.email > $2 AND r.at >= $3 ORDER BY r.email LIMIT $4"
)
_LOW = (1 << 32) - 1


class Recoverable(msgspec.Struct, frozen=True, kw_only=True):
    """An expunged email. ``number`` names it in the account; ``mailbox`` where it was, '' where that is
    gone; ``expunged_at`` and ``until`` (when it goes for good) in Unix seconds."""

    number: int
    mailbox: str
    subject: str
    sender: str
    size: int
    received_at: int
    expunged_at: int
    until: int


class ListRecoverable(OfAccount, frozen=True, kw_only=True):
    """``since``: expunged at that time or later, Unix seconds; ``after``: a number of an earlier page."""

    since: int = 0
    after: int = 0
    limit: int = MAX_PAGE


class RecoverablePage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last number."""

    emails: tuple[Recoverable, ...]
    more: bool


@operation("mail.recoverable", ListRecoverable, RecoverablePage)
async def list_(context: Context, request: ListRecoverable, progress: Progress) -> RecoverablePage:
    """What can be brought back; it shows subjects of somebody's mail, so the audit keeps who looked.

    Again: looked at again.
    """
    reader = context.store.reader
    account = await account_id(reader, request.address)
    limit = max(1, min(request.limit, MAX_PAGE))
    base = account << 32
    rows = await reader.rows(_LIST, account, base | request.after, request.since, limit + 1)
    paths = {one.id: one.path for one in await mailboxes.mailboxes(reader, account)}
    found = [
        Recoverable(
            number=email & _LOW,
            mailbox=paths.get(mailbox, "")[:SHOWN],
            subject=subject[:SHOWN],
            sender=sender[:SHOWN],
            size=size,
            received_at=received,
            expunged_at=at,
            until=until,
        )
        for email, mailbox, at, until, size, received, subject, sender in rows[:limit]
    ]
    return RecoverablePage(emails=tuple(found), more=len(rows) > limit)


class RecoverMail(OfAccount, frozen=True, kw_only=True):
    """``numbers``: which ones; none with ``every``: all expunged since ``since``. ``into``: a mailbox for
    them all; '': where each was, INBOX where that is gone."""

    numbers: tuple[int, ...] = ()
    every: bool = False
    since: int = 0
    into: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"into": self.into or None, "every": self.every}


class MailRecovered(Response, frozen=True, kw_only=True):
    """``missing``: asked for, but not (any more) among what can be brought back."""

    recovered: int
    missing: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"recovered": self.recovered, "missing": self.missing}


@operation("mail.recover", RecoverMail, MailRecovered)
async def recover(context: Context, request: RecoverMail, progress: Progress) -> MailRecovered:
    """Bring expunged mail back under new UIDs. Again: what is back is no longer there to be brought."""
    if bool(request.numbers) == request.every:
        raise invalid("name the messages to bring back, or all of them")
    if len(request.numbers) > MAX_CHOSEN:
        raise invalid(f"at most {MAX_CHOSEN:,} messages in one request")
    reader = context.store.reader
    account = await account_id(reader, request.address)
    homes = await _homes(reader, account, request)
    into = 0
    if request.into:
        into = await mailboxes.find(reader, account, request.into)
        if not into:
            raise refusal("no-such-mailbox", f"there is no mailbox {request.into!r}")
    there = {one.id for one in await mailboxes.mailboxes(reader, account)}
    inbox = account << 32 | 1
    by_target: dict[int, list[int]] = {}
    for email, mailbox in homes:
        target = into or (mailbox if mailbox in there else inbox)
        by_target.setdefault(target, []).append(email)
    recovered = 0
    if by_target:
        await context.begin()
    for target, chosen in by_target.items():
        for at in range(0, len(chosen), SLICE):
            command = Recover(actor=account, target=target, emails=tuple(chosen[at : at + SLICE]))
            done = accepted(await context.store.submit(command))
            recovered += len(done.uids) if isinstance(done, Copied) else 0
            progress.report(recovered, len(homes))
    wanted = len(set(request.numbers)) if request.numbers else len(homes)
    return MailRecovered(recovered=recovered, missing=wanted - recovered)


async def _homes(reader: Reader, account: int, request: RecoverMail) -> list[tuple[int, int]]:
    """(email, the mailbox it was in) of what is asked for."""
    base = account << 32
    wanted = {base | number for number in request.numbers if 0 < number <= _LOW}
    found: list[tuple[int, int]] = []
    after = base
    while True:
        rows = await reader.rows(
            "SELECT email, mailbox FROM recoverable WHERE account = $1 AND email > $2 AND at >= $3"
            " ORDER BY email LIMIT $4",
            account,
            after,
            request.since,
            SLICE,
        )
        if not rows:
            return found
        after = rows[-1][0]
        found += [(row[0], row[1]) for row in rows if request.every or row[0] in wanted]
