"""Expunged mail that can still be brought back: list it, bring it back."""

from dataclasses import dataclass
from typing import cast

import msgspec

from malleposte.normal_form import normal
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.runtime.upkeep import sweep_all_deleted
from malleposte.store.commands import CreateMailbox, Recover
from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.execute.mailboxes import is_inbox, level_name
from malleposte.store.ids import LOW, mailbox_id
from malleposte.store.read import mailboxes
from malleposte.store.results import Copied, Created, Refused

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
    " WHERE r.account = $1 AND r.email > $2 AND r.at >= $3{of} ORDER BY r.email LIMIT {limit}"
)
_ALL = _LIST.format(of="", limit="$4")
_SOME = both(_LIST.format(of=" AND {of}", limit="$5"), of=any_of("r.mailbox", 4))
_HOMES = (
    "SELECT email, mailbox FROM recoverable WHERE account = $1 AND email > $2 AND at >= $3"
    " ORDER BY email LIMIT $4"
)


class Recoverable(msgspec.Struct, frozen=True, kw_only=True):
    """An expunged email. ``number`` names it in the account; ``mailbox`` where it was, '' where that is
    not known; ``gone``: there is no such mailbox now; ``expunged_at`` and ``until`` (when it goes for
    good) in Unix seconds."""

    number: int
    mailbox: str
    gone: bool = False
    subject: str
    sender: str
    size: int
    received_at: int
    expunged_at: int
    until: int


class ListRecoverable(OfAccount, frozen=True, kw_only=True):
    """``since``: expunged at that time or later, Unix seconds; ``mailbox``: only what was in it or below
    it, also where it is deleted; ``after``: a number of an earlier page."""

    since: int = 0
    mailbox: str = ""
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
    await sweep_all_deleted(context.store, account)
    limit = max(1, min(request.limit, MAX_PAGE))
    places = await _places(reader, account)
    chosen = (account, account << 32 | request.after, request.since)
    if request.mailbox:
        of = _matching(places, request.mailbox)
        rows = await reader.rows(_SOME, *chosen, of, limit + 1)
    else:
        rows = await reader.rows(_ALL, *chosen, limit + 1)
    there = {place.path for place in places.values() if place.there}
    found = [
        Recoverable(
            number=email & LOW,
            mailbox=places[mailbox].path[:SHOWN] if mailbox in places else "",
            gone=mailbox not in places or places[mailbox].path not in there,
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


@dataclass(frozen=True, slots=True)
class _Place:
    """A mailbox, there or deleted."""

    path: str
    role: str | None
    there: bool


async def _places(reader: Reader, account: int) -> dict[int, _Place]:
    places = {
        mailbox: _Place(path, role, there=False)
        for mailbox, (path, role) in (await mailboxes.gone(reader, account)).items()
    }
    for one in await mailboxes.mailboxes(reader, account):
        places[one.id] = _Place(one.path, one.role, there=True)
    return places


def _matching(places: dict[int, _Place], path: str) -> list[int]:
    """Ids of mailboxes of a name, and below it. Raises ``OperationError`` where there was never any."""
    path = normal("NFC", path).strip("/")
    if is_inbox(path):
        path = "INBOX"
    found = [n for n, one in places.items() if f"{one.path}/".startswith(f"{path}/")]
    if not found:
        raise refusal("no-such-mailbox", f"there is no mailbox {path!r}, nor was there one lately")
    return found


class RecoverMail(OfAccount, frozen=True, kw_only=True):
    """``numbers``: which ones; none with ``every``: all expunged since ``since``, of ``mailbox`` and below
    where that is given. ``into``: a mailbox for them all, made where there is none; '': where each was,
    in a mailbox made again where that is gone, in INBOX where its name is not known."""

    numbers: tuple[int, ...] = ()
    every: bool = False
    since: int = 0
    mailbox: str = ""
    into: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"into": self.into or None, "every": self.every}


class MailRecovered(Response, frozen=True, kw_only=True):
    """``missing``: asked for, but not (any more) among what can be brought back. ``made``: mailboxes that
    were made for it."""

    recovered: int
    missing: int
    made: tuple[str, ...] = ()

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        made = ", ".join(self.made) or None
        return {"recovered": self.recovered, "missing": self.missing, "made": made}


@operation("mail.recover", RecoverMail, MailRecovered)
async def recover(context: Context, request: RecoverMail, progress: Progress) -> MailRecovered:
    """Bring expunged mail back under new UIDs. Again: what is back is no longer there to be brought."""
    if bool(request.numbers) == request.every:
        raise invalid("name the messages to bring back, or all of them")
    if len(request.numbers) > MAX_CHOSEN:
        raise invalid(f"at most {MAX_CHOSEN:,} messages in one request")
    into = request.into.strip("/")
    if into and None in map(level_name, into.split("/")):
        raise invalid(f"a mailbox cannot be named {into!r}")
    reader = context.store.reader
    account = await account_id(reader, request.address)
    await sweep_all_deleted(context.store, account)
    places = await _places(reader, account)
    only = set(_matching(places, request.mailbox)) if request.mailbox else None
    homes = await _homes(reader, account, request, only)
    inbox = mailbox_id(account, 1)
    by_source: dict[int, list[int]] = {}
    for email, mailbox in homes:
        by_source.setdefault(mailbox if mailbox in places else inbox, []).append(email)
    recovered = 0
    made: list[str] = []
    if by_source:
        await context.begin()
    # What stood above is made first, with the role it had.
    for source in sorted(by_source, key=lambda one: places[one].path):
        chosen = by_source[source]
        place = places[source]
        target = source
        if into:
            target = await _provided(context, account, into, None, made)
        elif not place.there:
            target = await _provided(context, account, place.path, place.role, made)
        for at in range(0, len(chosen), SLICE):
            command = Recover(actor=account, target=target, emails=tuple(chosen[at : at + SLICE]))
            done = accepted(await context.store.submit(command))
            recovered += len(done.uids) if isinstance(done, Copied) else 0
            progress.report(recovered, len(homes))
    wanted = len(set(request.numbers)) if request.numbers else len(homes)
    return MailRecovered(recovered=recovered, missing=wanted - recovered, made=tuple(made))


async def _provided(
    context: Context, account: int, path: str, role: str | None, made: list[str]
) -> int:
    """The mailbox of a name; made where there is none, with its role unless another has that now."""
    found = await mailboxes.find(context.store.reader, account, path)
    if found:
        return found
    command = CreateMailbox(
        actor=account, account=account, parent=0, path=tuple(path.split("/")), role=role
    )
    answer = await context.store.submit(command)
    if role is not None and isinstance(answer, Refused) and answer.reason == "in-use":
        answer = await context.store.submit(msgspec.structs.replace(command, role=None))
    if isinstance(answer, Refused) and answer.reason == "exists":
        return await mailboxes.find(context.store.reader, account, path)
    made.append(path)
    return cast("Created", accepted(answer)).id


async def _homes(
    reader: Reader, account: int, request: RecoverMail, only: set[int] | None
) -> list[tuple[int, int]]:
    """(email, the mailbox it was in) of what is asked for; ``only`` of these mailboxes."""
    base = account << 32
    wanted = {base | number for number in request.numbers if 0 < number <= LOW}
    found: list[tuple[int, int]] = []
    after = base
    while True:
        rows = await reader.rows(_HOMES, account, after, request.since, SLICE)
        if not rows:
            return found
        after = rows[-1][0]
        found += [
            (email, mailbox)
            for email, mailbox in rows
            if (request.every or email in wanted) and (only is None or mailbox in only)
        ]
