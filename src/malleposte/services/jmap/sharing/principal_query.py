"""Principal/query and /queryChanges (RFC 9670 §2.4, §2.5)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from malleposte.mime import casemap
from malleposte.services.jmap import listing
from malleposte.services.jmap.arguments import Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.sharing import principals
from malleposte.services.jmap.sharing.names import PRINCIPALS, principal_text
from malleposte.services.jmap.sharing.principals import TYPES
from malleposte.services.jmap.states import UNKNOWN
from malleposte.store.ids import account_text
from malleposte.store.read.colleagues import Colleague

KEYS: Final[Mapping[str, Callable[[Colleague], Any]]] = {
    "name": lambda one: casemap(one.name or one.address),
    "email": lambda one: one.address,
}


async def query(context: Context, arguments: Query) -> Answer:
    """Principal/query."""
    context.own(arguments.account_id)
    state = await principals.state(context)
    session = await context.session()
    open_ = frozenset(session["accounts"])
    zone = context.account.time_zone

    def condition(name: str, value: Any) -> Test[Colleague]:
        match name, value:
            case "accountIds", list():
                wanted = open_.intersection(one for one in value if isinstance(one, str))
                return lambda one: account_text(one.id) in wanted
            case "name", str():
                text = casemap(value)
                return lambda one: text in casemap(one.name or one.address)
            case "email", str():
                text = casemap(value)
                return lambda one: text in casemap(one.address)
            case "text", str():
                text = casemap(value)
                return lambda one: text in casemap(f"{one.name}\n{one.address}")
            case "type", str():
                return lambda one: TYPES[one.kind] == value
            case "timeZone", str():
                return lambda one: one.id == context.actor and zone == value
            case "accountIds" | "name" | "email" | "text" | "type" | "timeZone", _:
                raise MethodError("invalidArguments", f"This is no value of {name}")
        raise listing.unsupported(name)

    test = Filter(condition).test(arguments.filter)
    chosen = [one for one in await principals.every(context) if test(one)]
    found = listing.ordered(chosen, arguments.sort, KEYS)
    answer = listing.window(arguments, state, [principal_text(one.id) for one in found])
    return answer | {"canCalculateChanges": False}


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """Principal/queryChanges: see Principal/changes."""
    context.own(arguments.account_id)
    raise MethodError(UNKNOWN)


METHODS: Final = {
    "Principal/query": Method(PRINCIPALS, Query, query),
    "Principal/queryChanges": Method(PRINCIPALS, QueryChanges, query_changes),
}
