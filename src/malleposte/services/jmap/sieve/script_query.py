"""SieveScript/query (RFC 9661 §2.3)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from malleposte.mime import casemap
from malleposte.services.jmap import listing
from malleposte.services.jmap.arguments import Query
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.sieve import scripts
from malleposte.services.jmap.sieve.names import SIEVE
from malleposte.store.read.sieve import Kept

KEYS: Final[Mapping[str, Callable[[Kept], Any]]] = {
    "name": lambda one: casemap(one.name),
    "isActive": lambda one: one.active,
}


def _condition(name: str, value: Any) -> Test[Kept]:
    match name, value:
        case "name", str():
            text = casemap(value)
            return lambda one: text in casemap(one.name)
        case "isActive", bool():
            return lambda one: one.active is value
        case "name" | "isActive", _:
            raise MethodError("invalidArguments", f"This is no value of {name}")
    raise listing.unsupported(name)


async def query(context: Context, arguments: Query) -> Answer:
    """See the module. There are few: what changed in a list is not told apart."""
    context.own(arguments.account_id)
    test = Filter(_condition).test(arguments.filter)
    state = await scripts.state(context)
    chosen = filter(test, (await scripts.known(context)).values())
    found = listing.ordered(chosen, arguments.sort, KEYS)
    answer = listing.window(arguments, state, [scripts.script_text(one.n) for one in found])
    return answer | {"canCalculateChanges": False}


METHODS: Final = {"SieveScript/query": Method(SIEVE, Query, query)}
