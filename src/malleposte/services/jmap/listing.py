"""``query`` and ``queryChanges`` over lists short enough to be looked through (RFC 8620 §5.5, §5.6)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from malleposte.services.jmap import querying
from malleposte.services.jmap.arguments import Comparator, Query, QueryChanges
from malleposte.services.jmap.errors import MethodError

COLLATIONS: Final = frozenset(("i;ascii-casemap", "i;unicode-casemap"))
DEPTH: Final = 8
CONDITIONS: Final = 100
COMPARATORS: Final = 10
CHANGES: Final = 5_000
"""Changes told at once, removed and added."""

One = TypeVar("One")
Test = Callable[[One], bool]


class Filter(Generic[One]):
    """Makes the test of a filter; ``condition`` makes that of a name and its value, and raises
    ``MethodError``."""

    def __init__(self, condition: Callable[[str, Any], Test[One]]) -> None:
        self._condition = condition
        self._left = CONDITIONS

    def test(self, given: Mapping[str, Any] | None, depth: int = 0) -> Test[One]:
        """Raises ``MethodError``."""
        if given is None:
            return lambda one: True
        self._left -= max(1, len(given))
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


def unsupported(name: str) -> MethodError:
    """The error of a condition that there is not."""
    return MethodError("unsupportedFilter", f"Nothing is found by {name[:100]!r}")


def ordered(
    found: Iterable[One],
    sort: Sequence[Comparator] | None,
    keys: Mapping[str, Callable[[One], Any]],
) -> list[One]:
    """In the order of comparators; those that are alike stay as they were. Raises ``MethodError``."""
    wanted = list(found)
    if sort and len(sort) > COMPARATORS:
        raise MethodError("unsupportedSort", f"At most {COMPARATORS} comparators are taken")
    for comparator in reversed(sort or ()):
        key = keys.get(comparator.property)
        if key is None:
            words = f"Nothing is sorted by {comparator.property[:100]!r}"
            raise MethodError("unsupportedSort", words)
        if comparator.collation not in (None, *COLLATIONS):
            words = f"There is no collation {str(comparator.collation)[:100]!r}"
            raise MethodError("unsupportedSort", words)
        wanted.sort(key=key, reverse=not comparator.is_ascending)
    return wanted


def window(arguments: Query, state: str, ids: Sequence[str]) -> dict[str, Any]:
    """The answer of ``query``, of all ids there are. Raises ``MethodError``."""
    places = {id_: at for at, id_ in enumerate(ids)} if arguments.anchor is not None else {}
    start, limit = querying.window(arguments, len(ids), lambda id_: places.get(id_, -1))
    answer: dict[str, Any] = {
        "accountId": arguments.account_id,
        "queryState": state,
        "canCalculateChanges": True,
        "position": start,
        "ids": list(ids[start : start + limit]),
    }
    if arguments.calculate_total:
        answer["total"] = len(ids)
    return answer | querying.limited(arguments)


def moved(
    arguments: QueryChanges, state: str, ids: Sequence[str], touched: Iterable[str]
) -> dict[str, Any]:
    """The answer of ``queryChanges``: what may stand elsewhere (``touched``) is taken out, and put in again
    where it is now. Raises ``MethodError``."""
    removed = list(dict.fromkeys(touched))
    places = {id_: at for at, id_ in enumerate(ids)} if removed else {}
    added = sorted((places[id_], id_) for id_ in removed if id_ in places)
    if len(removed) + len(added) > min(arguments.max_changes or CHANGES, CHANGES):
        raise MethodError("tooManyChanges")
    answer: dict[str, Any] = {
        "accountId": arguments.account_id,
        "oldQueryState": arguments.since_query_state,
        "newQueryState": state,
        "removed": removed,
        "added": [{"id": id_, "index": at} for at, id_ in added],
    }
    if arguments.calculate_total:
        answer["total"] = len(ids)
    return answer
