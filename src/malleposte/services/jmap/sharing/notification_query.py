"""ShareNotification/query and /queryChanges (RFC 9670 §3)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from malleposte.services.jmap import listing
from malleposte.services.jmap.arguments import Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.sharing.names import NOTIFICATION_LETTER, PRINCIPALS
from malleposte.services.jmap.states import UNKNOWN, modseq_of
from malleposte.services.jmap.submission.names import text_of
from malleposte.services.jmap.times import seconds_of
from malleposte.store.ids import account_number
from malleposte.store.read import notifications, submissions
from malleposte.store.read.notifications import TABLE, Notification

KEYS: Final[Mapping[str, Callable[[Notification], Any]]] = {"created": lambda one: one.created_at}


def _condition(name: str, value: Any) -> Test[Notification]:
    match name, value:
        case "after" | "before", str():
            try:
                at = seconds_of(value)
            except ValueError as error:
                raise MethodError("invalidArguments", f"{name}: {error}") from None
            if name == "after":
                return lambda one: one.created_at >= at
            return lambda one: one.created_at < at
        case "objectType", str():
            return lambda one: one.kind == value
        case "objectAccountId", str():
            owner = account_number(value)
            return lambda one: one.owner == owner
        case "after" | "before" | "objectType" | "objectAccountId", _:
            raise MethodError("invalidArguments", f"This is no value of {name}")
    raise listing.unsupported(name)


async def _listed(context: Context, account: int, arguments: Query | QueryChanges) -> list[str]:
    test = Filter(_condition).test(arguments.filter)
    every = await notifications.every(context.store.reader, account)
    found = listing.ordered(filter(test, every), arguments.sort, KEYS)
    return [text_of(NOTIFICATION_LETTER, one.n) for one in found]


async def query(context: Context, arguments: Query) -> Answer:
    """ShareNotification/query."""
    account = context.own(arguments.account_id)
    state = await submissions.modseq(context.store.reader, TABLE, account)
    return listing.window(arguments, str(state), await _listed(context, account, arguments))


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """ShareNotification/queryChanges."""
    account = context.own(arguments.account_id)
    reader = context.store.reader
    since = modseq_of(arguments.since_query_state)
    if since > await submissions.modseq(reader, TABLE, account):
        raise MethodError(UNKNOWN)
    moved = await submissions.moved(reader, TABLE, account, since, listing.CHANGES)
    if moved.more:
        raise MethodError("tooManyChanges")
    touched = [
        text_of(NOTIFICATION_LETTER, n) for n in (*moved.created, *moved.updated, *moved.destroyed)
    ]
    ids = await _listed(context, account, arguments)
    return listing.moved(arguments, str(moved.modseq), ids, touched)


METHODS: Final = {
    "ShareNotification/query": Method(PRINCIPALS, Query, query),
    "ShareNotification/queryChanges": Method(PRINCIPALS, QueryChanges, query_changes),
}
