"""What changed of identities or submissions (RFC 8620 §5.2)."""

from typing import Any

from malleposte.services.jmap import changing
from malleposte.services.jmap.arguments import Changes
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.states import UNKNOWN, modseq_of
from malleposte.services.jmap.submission.names import text_of
from malleposte.store.read import submissions


async def told(
    context: Context, account: int, arguments: Changes, table: str, letter: str
) -> dict[str, Any]:
    """The answer. Raises ``MethodError`` for a state that never was."""
    reader = context.store.reader
    since = modseq_of(arguments.since_state)
    if since > await submissions.modseq(reader, table, account):
        raise MethodError(UNKNOWN)
    most = changing.most(arguments)
    found = await submissions.moved(reader, table, account, since, most)
    return {
        "accountId": arguments.account_id,
        "oldState": arguments.since_state,
        "newState": str(found.modseq),
        "hasMoreChanges": found.more,
        "created": [text_of(letter, n) for n in found.created],
        "updated": [text_of(letter, n) for n in found.updated],
        "destroyed": [text_of(letter, n) for n in found.destroyed],
    }
