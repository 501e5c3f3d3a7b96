"""SieveScript/get (RFC 9661 §2.1)."""

from typing import Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.sieve import scripts
from malleposte.services.jmap.sieve.names import SCRIPT_LETTER, SIEVE
from malleposte.store.ids import id_number


async def get(context: Context, arguments: Get) -> Answer:
    """See the module."""
    context.own(arguments.account_id)
    names = getting.properties(arguments.properties, scripts.PROPERTIES)
    state = await scripts.state(context)
    known = await scripts.known(context)
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: known.get(id_number(SCRIPT_LETTER, text)),
        known.values(),
    )
    return getting.answer(arguments, state, names, map(scripts.shown, chosen), missing)


METHODS: Final = {"SieveScript/get": Method(SIEVE, Get, get)}
