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
    missing: list[str] = []
    chosen = list(known.values())
    if arguments.ids is not None:
        chosen = []
        for text in getting.distinct(arguments.ids, context.settings):
            found = known.get(id_number(IDENTITY_LETTER, text))
            if found is None:
                missing.append(text)
            else:
                chosen.append(found)
    objects = [shown(context, one) for one in chosen]
    return {
        "accountId": arguments.account_id,
        "state": str(state),
        "list": [{name: one[name] for name in names} for one in objects],
        "notFound": missing,
    }


async def changes(context: Context, arguments: Changes) -> Answer:
    """Identity/changes."""
    account = context.own(arguments.account_id)
    await identities(context, account)
    return await moves.told(context, account, arguments, TABLE, IDENTITY_LETTER)


METHODS: Final = {
    "Identity/get": Method(SUBMISSION, Get, get),
    "Identity/changes": Method(SUBMISSION, Changes, changes),
}
