"""Principal/get, /changes and /set (RFC 9670 §2.1 to §2.3)."""

from typing import Any, Final

from malleposte.services.jmap import changing, getting, setting
from malleposte.services.jmap.arguments import Changes, Get, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.sharing import principals
from malleposte.services.jmap.sharing.names import PRINCIPALS, principal_number
from malleposte.store.read import colleagues
from malleposte.store.read.colleagues import Colleague
from malleposte.store.read.rights import ANYONE

_FIXED: Final = SetError("forbidden", "Accounts are changed by administrators")


async def get(context: Context, arguments: Get) -> Answer:
    """Principal/get."""
    context.own(arguments.account_id)
    names = getting.properties(arguments.properties, principals.PROPERTIES)
    state = await principals.state(context)
    if arguments.ids is None:
        every = await principals.every(context)
        if len(every) > context.settings.max_objects_in_get:
            raise MethodError("requestTooLarge", "These are too many: ask by Principal/query")
        objects: list[dict[str, Any]] = await principals.shown(context, every)
        return getting.answer(arguments, state, names, objects, ())
    ids = getting.distinct(arguments.ids, context.settings)
    numbers = {text: principal_number(text) for text in ids}
    wanted = [number for number in numbers.values() if number]
    rows = await colleagues.some(context.store.reader, context.account.organisation, wanted)
    known: dict[int | None, Colleague] = {ANYONE: principals.EVERYBODY}
    known |= {one.id: one for one in rows}
    chosen = [known[number] for number in numbers.values() if number in known]
    missing = [text for text, number in numbers.items() if number not in known]
    objects = await principals.shown(context, chosen)
    return getting.answer(arguments, state, names, objects, missing)


async def changes(context: Context, arguments: Changes) -> Answer:
    """Principal/changes: nothing, or that it cannot be told; the directory keeps no log of itself."""
    context.own(arguments.account_id)
    state = await principals.state(context)
    return changing.unmoved(arguments, state)


async def set_(context: Context, arguments: Set) -> Answer:
    """Principal/set: who there is, is for administrators to say (§2.3)."""
    context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    state = await principals.state(context)
    setting.check_state(arguments.if_in_state, state)
    outcome = Outcome(
        not_created=dict.fromkeys(arguments.create or (), _FIXED),
        not_updated=dict.fromkeys(arguments.update or (), _FIXED),
        not_destroyed=dict.fromkeys(arguments.destroy or (), _FIXED),
    )
    return outcome.answer(arguments.account_id, state, state)


METHODS: Final = {
    "Principal/get": Method(PRINCIPALS, Get, get),
    "Principal/changes": Method(PRINCIPALS, Changes, changes),
    "Principal/set": Method(PRINCIPALS, Set, set_),
}
