"""Email/query and Email/queryChanges (RFC 8621 §4.4, §4.5)."""

from itertools import islice
from typing import Any, Final

from malleposte.search.finding import Finder, TooMuch
from malleposte.services.jmap import querying
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Query as QueryArguments
from malleposte.services.jmap.arguments import QueryChanges as QueryChangesArguments
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import filters
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store.ids import EMAIL_LETTER, LOW, account_of, email_text, id_number
from malleposte.store.queries import Listing, Query
from malleposte.store.read import email_changes

CHANGES: Final = 5_000
"""Changes told at once, removed and added."""


class EmailQuery(QueryArguments, frozen=True, kw_only=True):
    """RFC 8621 §4.4."""

    collapse_threads: bool = False


class EmailQueryChanges(QueryChangesArguments, frozen=True, kw_only=True):
    """RFC 8621 §4.5."""

    collapse_threads: bool = False


async def _listing(
    context: Context, access: Access, arguments: EmailQuery | EmailQueryChanges
) -> Listing:
    query = Query(
        access.account,
        filters.condition(arguments.filter),
        filters.sort(arguments.sort),
        access.reader,
        access.mailboxes,
    )

    try:
        return await context.store.queries.open(query, Finder(context.store, query.account))
    except TooMuch as error:
        raise MethodError("unsupportedFilter", str(error)) from None


async def query(context: Context, arguments: EmailQuery) -> Answer:
    """A window of ids."""
    access = await context.access(arguments.account_id)
    listing = await _listing(context, access, arguments)
    account, ordered, collapsed = listing.query.account, listing.ordered, arguments.collapse_threads
    total = len(ordered.shown(collapsed=collapsed))

    def place(anchor: str) -> int:
        number = id_number(EMAIL_LETTER, anchor)
        if account_of(number) != account:
            return -1
        return ordered.position(number & LOW, collapsed=collapsed)

    start, limit = querying.window(arguments, total, place)
    numbers = ordered.window(start, limit, collapsed=collapsed)
    found: dict[str, Any] = {
        "accountId": arguments.account_id,
        "queryState": access.state(listing.modseq),
        "canCalculateChanges": True,
        # Past the end there is nothing, which has no position of its own.
        "position": start,
        "ids": [email_text(account << 32 | number) for number in numbers],
        **querying.limited(arguments),
    }
    if arguments.calculate_total:
        found["total"] = total
    return found


async def query_changes(context: Context, arguments: EmailQueryChanges) -> Answer:
    """What a client that has the list of a state takes out of it, and puts in.

    All that changed since is taken out; of it, what is in the list now is put in. With collapsed threads
    all emails of the threads are taken out, since another one may be the first of its thread.
    """
    access = await context.access(arguments.account_id)
    point, _ = access.since(arguments.since_query_state)
    since = point.modseq
    listing = await _listing(context, access, arguments)
    account, ordered, collapsed = listing.query.account, listing.ordered, arguments.collapse_threads
    head = await email_changes.head(context.store.reader, account)
    if head is None or since > listing.modseq or since < head.floor or point.base >= 0:
        raise MethodError("cannotCalculateChanges")
    reader = context.store.reader
    most = min(arguments.max_changes or CHANGES, CHANGES)
    removed = await email_changes.changed(
        reader, account, since, CHANGES, actor=listing.query.reader
    )
    if removed is not None and (collapsed or listing.query.threads):
        removed = await email_changes.with_threads(reader, account, removed)
    if removed is None:
        raise MethodError("tooManyChanges")
    if access.mailboxes is not None:
        # What came since and is not for this reader was in no list of his.
        hidden = [number for number in removed if ordered.position(number, collapsed=False) < 0]
        removed -= await email_changes.made_since(reader, account, hidden, since)
    added = sorted(
        (at, number)
        for number in removed
        if (at := ordered.position(number, collapsed=collapsed)) >= 0
    )
    if len(removed) + len(added) > most:
        raise MethodError("tooManyChanges")
    found: dict[str, Any] = {
        "accountId": arguments.account_id,
        "oldQueryState": arguments.since_query_state,
        "newQueryState": access.state(listing.modseq),
        "removed": [email_text(account << 32 | number) for number in sorted(removed)],
        "added": [
            {"id": email_text(account << 32 | number), "index": at}
            for at, number in islice(added, most)
        ],
    }
    if arguments.calculate_total:
        found["total"] = len(ordered.shown(collapsed=collapsed))
    return found


METHODS: Final = {
    "Email/query": Method(MAIL, EmailQuery, query),
    "Email/queryChanges": Method(MAIL, EmailQueryChanges, query_changes),
}
