"""EmailSubmission/query and queryChanges (RFC 8621 §7.3, §7.4)."""

from collections.abc import Callable, Collection
from typing import Any, Final

from malleposte.services.jmap import listing
from malleposte.services.jmap.arguments import Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.progress import noted
from malleposte.services.jmap.states import UNKNOWN, modseq_of
from malleposte.services.jmap.submission.names import (
    IDENTITY_LETTER,
    SUBMISSION,
    SUBMISSION_LETTER,
    text_of,
)
from malleposte.services.jmap.submission.submissions import TABLE, shown
from malleposte.services.jmap.times import seconds_of
from malleposte.store.ids import EMAIL_LETTER, THREAD_LETTER, id_number
from malleposte.store.read import submissions
from malleposte.store.read.submissions import Listed

MOST_IDS: Final = 10_000
_IDS: Final[dict[str, tuple[str, Callable[[Listed], int]]]] = {
    "identityIds": (IDENTITY_LETTER, lambda one: one.identity),
    "emailIds": (EMAIL_LETTER, lambda one: one.email),
    "threadIds": (THREAD_LETTER, lambda one: one.thread),
}
_SORTED: Final[dict[str, Callable[[Listed], int]]] = {
    "emailId": lambda one: one.email,
    "threadId": lambda one: one.thread,
    "sentAt": lambda one: one.send_at,
}
_STATUSES: Final = frozenset({"pending", "final", "canceled"})


def _conditions(pending: Collection[int]) -> Callable[[str, Any], Test[Listed]]:
    """What makes tests; ``pending``: those that can be undone."""

    def status(one: Listed) -> str:
        if one.canceled:
            return "canceled"
        return "pending" if one.n in pending else "final"

    def condition(name: str, value: Any) -> Test[Listed]:
        if name in _IDS:
            return _of_ids(name, value)
        if name in ("before", "after"):
            try:
                moment = seconds_of(value)
            except (ValueError, TypeError) as error:
                raise MethodError("invalidArguments", str(error)) from None
            if name == "before":
                return lambda one: one.send_at < moment
            return lambda one: one.send_at >= moment
        if name == "undoStatus":
            if not isinstance(value, str) or value not in _STATUSES:
                raise MethodError("invalidArguments", "undoStatus is pending, final or canceled")
            return lambda one: status(one) == value
        raise listing.unsupported(name)

    return condition


def _of_ids(name: str, value: Any) -> Test[Listed]:
    letter, member = _IDS[name]
    if not isinstance(value, list) or len(value) > MOST_IDS:
        raise MethodError("invalidArguments", f"{name} is a list of ids")
    if not all(isinstance(id_, str) for id_ in value):
        raise MethodError("invalidArguments", f"{name} is a list of ids")
    wanted = {id_number(letter, id_) for id_ in value}
    return lambda one: member(one) in wanted


async def _listed(
    context: Context, account: int, arguments: Query | QueryChanges
) -> tuple[int, list[str]]:
    """The state, and the ids of the list in its order."""
    await noted(context.store, account)
    reader = context.store.reader
    state = await submissions.modseq(reader, TABLE, account)
    waiting = await submissions.waiting(reader, account, context.settings.max_objects_in_get)
    pending = {
        kept.n
        for kept, one in zip(waiting, await shown(context, waiting), strict=True)
        if one["undoStatus"] == "pending"
    }
    test = Filter(_conditions(pending)).test(arguments.filter)
    found = [one for one in await submissions.listed(reader, account) if test(one)]
    ordered = listing.ordered(found, arguments.sort, _SORTED)
    return state, [text_of(SUBMISSION_LETTER, one.n) for one in ordered]


async def query(context: Context, arguments: Query) -> Answer:
    """EmailSubmission/query."""
    state, ids = await _listed(context, context.own(arguments.account_id), arguments)
    return listing.window(arguments, str(state), ids)


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """EmailSubmission/queryChanges."""
    account = context.own(arguments.account_id)
    since = modseq_of(arguments.since_query_state)
    state, ids = await _listed(context, account, arguments)
    if since > state:
        raise MethodError(UNKNOWN)
    reader = context.store.reader
    found = await submissions.moved(reader, TABLE, account, since, listing.CHANGES)
    if found.more:
        raise MethodError("tooManyChanges")
    touched = (*found.created, *found.updated, *found.destroyed)
    moved = (text_of(SUBMISSION_LETTER, n) for n in touched)
    return listing.moved(arguments, str(state), ids, moved)


METHODS: Final = {
    "EmailSubmission/query": Method(SUBMISSION, Query, query),
    "EmailSubmission/queryChanges": Method(SUBMISSION, QueryChanges, query_changes),
}
