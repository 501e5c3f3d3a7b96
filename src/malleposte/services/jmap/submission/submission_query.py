"""EmailSubmission/query and queryChanges (RFC 8621 §7.3, §7.4)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from malleposte.services.jmap import querying
from malleposte.services.jmap.arguments import Comparator, Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.states import UNKNOWN
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

DEPTH: Final = 8
CONDITIONS: Final = 100
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

Test = Callable[[Listed], bool]


class _Filter:
    """Makes tests of a filter; ``pending``: those that can be undone."""

    def __init__(self, pending: frozenset[int]) -> None:
        self._pending = pending
        self._left = CONDITIONS

    def test(self, given: Mapping[str, Any], depth: int = 0) -> Test:
        """Raises ``MethodError``."""
        self._left -= 1
        if depth > DEPTH or self._left < 0:
            raise MethodError("unsupportedFilter", "The filter is too large")
        if "operator" not in given:
            tests = [self._condition(name, value) for name, value in given.items()]
            return lambda one: all(test(one) for test in tests)
        if given.keys() != {"operator", "conditions"} or not isinstance(given["conditions"], list):
            raise MethodError("invalidArguments", "An operator has conditions, and nothing else")
        within = []
        for condition in given["conditions"]:
            if not isinstance(condition, dict):
                raise MethodError("invalidArguments", "A condition is an object")
            within.append(self.test(condition, depth + 1))
        match given["operator"]:
            case "AND":
                return lambda one: all(test(one) for test in within)
            case "OR":
                return lambda one: any(test(one) for test in within)
            case "NOT":
                return lambda one: not any(test(one) for test in within)
        raise MethodError("invalidArguments", "An operator is AND, OR or NOT")

    def _condition(self, name: str, value: Any) -> Test:
        if name in _IDS:
            letter, member = _IDS[name]
            if not isinstance(value, list) or len(value) > MOST_IDS:
                raise MethodError("invalidArguments", f"{name} is a list of ids")
            if not all(isinstance(id_, str) for id_ in value):
                raise MethodError("invalidArguments", f"{name} is a list of ids")
            wanted = {id_number(letter, id_) for id_ in value}
            return lambda one: member(one) in wanted
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
            return lambda one: self._status(one) == value
        raise MethodError("unsupportedFilter", f"Nothing is found by {name[:100]!r}")

    def _status(self, one: Listed) -> str:
        if one.canceled:
            return "canceled"
        return "pending" if one.n in self._pending else "final"


async def query(context: Context, arguments: Query) -> Answer:
    """EmailSubmission/query."""
    account = context.own(arguments.account_id)
    reader = context.store.reader
    state = await submissions.modseq(reader, TABLE, account)
    waiting = await submissions.waiting(reader, account, context.settings.max_objects_in_get)
    undoable = [
        kept.n
        for kept, one in zip(waiting, await shown(context, waiting), strict=True)
        if one["undoStatus"] == "pending"
    ]
    test = _Filter(frozenset(undoable)).test(arguments.filter or {})
    found = [one for one in await submissions.listed(reader, account) if test(one)]
    for comparator in reversed(arguments.sort or ()):
        found.sort(key=_key(comparator), reverse=not comparator.is_ascending)
    ids = [text_of(SUBMISSION_LETTER, one.n) for one in found]
    start, limit = querying.window(
        arguments, len(ids), lambda id_: ids.index(id_) if id_ in ids else -1
    )
    answer: dict[str, Any] = {
        "accountId": arguments.account_id,
        "queryState": str(state),
        "canCalculateChanges": False,
        "position": start,
        "ids": ids[start : start + limit],
    }
    if arguments.calculate_total:
        answer["total"] = len(ids)
    return answer | querying.limited(arguments)


def _key(comparator: Comparator) -> Callable[[Listed], int]:
    try:
        return _SORTED[comparator.property]
    except KeyError:
        words = f"Nothing is sorted by {comparator.property[:100]!r}"
        raise MethodError("unsupportedSort", words) from None


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """EmailSubmission/queryChanges: the list is short, and asked for anew (RFC 8620 §5.6)."""
    context.own(arguments.account_id)
    raise MethodError(UNKNOWN)


METHODS: Final = {
    "EmailSubmission/query": Method(SUBMISSION, Query, query),
    "EmailSubmission/queryChanges": Method(SUBMISSION, QueryChanges, query_changes),
}
