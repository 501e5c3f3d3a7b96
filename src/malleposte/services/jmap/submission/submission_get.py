"""EmailSubmission/get and EmailSubmission/changes (RFC 8621 §7.1, §7.2)."""

from typing import Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Changes, Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.progress import noted
from malleposte.services.jmap.submission import moves
from malleposte.services.jmap.submission.names import SUBMISSION, SUBMISSION_LETTER
from malleposte.services.jmap.submission.submissions import PROPERTIES, TABLE, shown
from malleposte.store.ids import id_number
from malleposte.store.read import submissions


async def get(context: Context, arguments: Get) -> Answer:
    """EmailSubmission/get. All of them: the latest, as many as are given at once."""
    account = context.own(arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    await noted(context.store, account)
    reader = context.store.reader
    state = await submissions.modseq(reader, TABLE, account)
    missing: list[str] = []
    if arguments.ids is None:
        kept = await submissions.latest(reader, account, context.settings.max_objects_in_get)
    else:
        texts = getting.distinct(arguments.ids, context.settings)
        numbers = {text: id_number(SUBMISSION_LETTER, text) for text in texts}
        kept = await submissions.submissions(reader, account, list(numbers.values()))
        there = {one.n for one in kept}
        missing = [text for text, n in numbers.items() if n not in there]
    objects = await shown(context, kept)
    return getting.answer(arguments, str(state), names, objects, missing)


async def changes(context: Context, arguments: Changes) -> Answer:
    """EmailSubmission/changes."""
    account = context.own(arguments.account_id)
    await noted(context.store, account)
    return await moves.told(context, account, arguments, TABLE, SUBMISSION_LETTER)


METHODS: Final = {
    "EmailSubmission/get": Method(SUBMISSION, Get, get),
    "EmailSubmission/changes": Method(SUBMISSION, Changes, changes),
}
