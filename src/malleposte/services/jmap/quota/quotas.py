"""Quota/get, /changes, /query and /queryChanges (RFC 9425 §4).

A state is the figures themselves: what changed since is seen by comparing, in every worker.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from malleposte.services.jmap import changing, getting, listing
from malleposte.services.jmap.arguments import Changes, Get, Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.quota.names import QUOTA
from malleposte.services.jmap.states import UNKNOWN, modseq_of
from malleposte.store.quota import LEVELS
from malleposte.store.read import usage

OCTETS: Final = "octets"
MAILBOXES: Final = "mailboxes"


@dataclass(frozen=True, slots=True)
class Quota:
    """One of an account. ``hard`` 0: there is no bound, and so no quota."""

    id: str
    resource: str
    used: int
    hard: int
    name: str
    description: str
    types: tuple[str, ...]
    warn: int | None = None


PROPERTIES: Final[Mapping[str, Callable[[Quota], Any]]] = {
    "id": lambda one: one.id,
    "resourceType": lambda one: one.resource,
    "used": lambda one: one.used,
    "hardLimit": lambda one: one.hard,
    "scope": lambda one: "account",
    "name": lambda one: one.name,
    "types": lambda one: list(one.types),
    "warnLimit": lambda one: one.warn,
    "softLimit": lambda one: None,
    "description": lambda one: one.description,
}
KEYS: Final[Mapping[str, Callable[[Quota], Any]]] = {
    "name": lambda one: one.name,
    "used": lambda one: one.used,
}


async def _quotas(context: Context, account: str) -> list[Quota]:
    """Those of an account; of another's nothing is told."""
    number = context.own(account)
    found = await usage.usage(context.store.reader, number)
    if found is None:
        return []
    octets, boxes = found.octets_allowed, found.mailboxes_allowed
    return [
        Quota(
            OCTETS,
            "octets",
            found.octets,
            octets,
            "Mail",
            "Octets of all messages",
            ("Email",),
            octets * LEVELS[0] // 100,
        ),
        Quota(MAILBOXES, "count", found.mailboxes, boxes, "Mailboxes", "Mailboxes", ("Mailbox",)),
    ]


def _state(figures: Iterable[tuple[int, int]]) -> str:
    return "-".join(f"{used}-{hard}" for used, hard in figures)


def _now(quotas: Sequence[Quota]) -> str:
    return _state((one.used, one.hard) for one in quotas)


def _there(quotas: Sequence[Quota]) -> list[Quota]:
    return [one for one in quotas if one.hard]


async def get(context: Context, arguments: Get) -> Answer:
    """Quota/get."""
    names = getting.properties(arguments.properties, PROPERTIES)
    quotas = await _quotas(context, arguments.account_id)
    known = {one.id: one for one in _there(quotas)}
    chosen, missing = getting.chosen(arguments.ids, context.settings, known.get, known.values())
    objects = ({name: PROPERTIES[name](one) for name in names} for one in chosen)
    return getting.answer(arguments, _now(quotas), names, objects, missing)


Figures = tuple[int, int]
"""Of a quota: used, and hard."""


def _figures(state: str, quotas: Sequence[Quota]) -> list[Figures]:
    """Those of a state, in the order of the quotas. Raises ``MethodError``."""
    found = list(map(modseq_of, state.split("-")))
    if len(found) != 2 * len(quotas):
        raise MethodError(UNKNOWN)
    return list(zip(found[::2], found[1::2], strict=True))


def _change(one: Quota, before: Figures) -> str:
    """What became of a quota; '' for nothing."""
    used, hard = before
    if not hard or not one.hard:
        return "created" if one.hard else "destroyed" if hard else ""
    return "" if (used, hard) == (one.used, one.hard) else "updated"


async def changes(context: Context, arguments: Changes) -> Answer:
    """Quota/changes."""
    quotas = await _quotas(context, arguments.account_id)
    told: dict[str, list[str]] = {"created": [], "updated": [], "destroyed": []}
    most, more, only_used = changing.most(arguments), False, True
    now: list[Figures] = []
    for one, before in zip(quotas, _figures(arguments.since_state, quotas), strict=True):
        change = _change(one, before)
        if change and sum(map(len, told.values())) == most:
            more = True
            now.append(before)
            continue
        if change:
            told[change].append(one.id)
            only_used = only_used and before[1] == one.hard
        now.append((one.used, one.hard))
    return {
        "accountId": arguments.account_id,
        "oldState": arguments.since_state,
        "newState": _state(now),
        "hasMoreChanges": more,
        **told,
        # RFC 9425 §4.3.
        "updatedProperties": ["used"] if told["updated"] and only_used else None,
    }


def _condition(name: str, value: Any) -> Test[Quota]:
    if name not in ("name", "scope", "resourceType", "type"):
        raise listing.unsupported(name)
    if not isinstance(value, str):
        raise MethodError("invalidArguments", f"{name} is a text")
    match name:
        case "name":
            return lambda one: value in one.name
        case "scope":
            return lambda one: value == "account"
        case "resourceType":
            return lambda one: value == one.resource
    return lambda one: value in one.types


async def _listed(
    context: Context, arguments: Query | QueryChanges
) -> tuple[list[Quota], list[str]]:
    test = Filter(_condition).test(arguments.filter)
    quotas = await _quotas(context, arguments.account_id)
    found = [one for one in _there(quotas) if test(one)]
    return quotas, [one.id for one in listing.ordered(found, arguments.sort, KEYS)]


async def query(context: Context, arguments: Query) -> Answer:
    """Quota/query."""
    quotas, ids = await _listed(context, arguments)
    return listing.window(arguments, _now(quotas), ids)


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """Quota/queryChanges."""
    quotas, ids = await _listed(context, arguments)
    before = zip(quotas, _figures(arguments.since_query_state, quotas), strict=True)
    touched = [one.id for one, figures in before if _change(one, figures)]
    return listing.moved(arguments, _now(quotas), ids, touched)


METHODS: Final = {
    "Quota/get": Method(QUOTA, Get, get),
    "Quota/changes": Method(QUOTA, Changes, changes),
    "Quota/query": Method(QUOTA, Query, query),
    "Quota/queryChanges": Method(QUOTA, QueryChanges, query_changes),
}
