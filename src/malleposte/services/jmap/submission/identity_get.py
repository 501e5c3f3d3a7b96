"""Identity/get and Identity/changes (RFC 8621 §6.1, §6.2)."""

from typing import Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Changes, Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.submission import moves
from malleposte.services.jmap.submission.identities import PROPERTIES, identities, shown
from malleposte.services.jmap.submission.names import IDENTITY_LETTER, SUBMISSION
from malleposte.store.ids import id_number
from malleposte.store.read import submissions

TABLE: Final = "identity"


async def get(context: Context, arguments: Get) -> Answer:
    """Identity/get."""
    account = context.own(arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    known = {one.n: one for one in await identities(context, account)}
    state = await submissions.modseq(context.store.reader, TABLE, account)
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: known.get(id_number(IDENTITY_LETTER, text)),
        known.values(),
    )
    objects = (shown(context, one) for one in chosen)
    return getting.answer(arguments, str(state), names, objects, missing)


async def changes(context: Context, arguments: Changes) -> Answer:
    """Identity/changes."""
    account = context.own(arguments.account_id)
    await identities(context, account)
    return await moves.told(context, account, arguments, TABLE, IDENTITY_LETTER)


METHODS: Final = {
    "Identity/get": Method(SUBMISSION, Get, get),
    "Identity/changes": Method(SUBMISSION, Changes, changes),
}
