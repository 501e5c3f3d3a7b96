"""ShareNotification/set (RFC 9670 §3): they are dismissed, and nothing else."""

from typing import Final

from malleposte.services.jmap import setting
from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.sharing.names import NOTIFICATION_LETTER, PRINCIPALS
from malleposte.store.commands import DropNotification
from malleposte.store.ids import id_number
from malleposte.store.read import submissions
from malleposte.store.read.notifications import TABLE
from malleposte.store.results import Done

_FIXED: Final = SetError("forbidden", "Notifications are made by the server, and stay as they are")


async def set_(context: Context, arguments: Set) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    reader = context.store.reader
    old = str(await submissions.modseq(reader, TABLE, account))
    setting.check_state(arguments.if_in_state, old)
    outcome = Outcome(
        not_created=dict.fromkeys(arguments.create or (), _FIXED),
        not_updated=dict.fromkeys(arguments.update or (), _FIXED),
    )
    for id_ in dict.fromkeys(arguments.destroy or ()):
        number = id_number(NOTIFICATION_LETTER, id_)
        try:
            result = await context.submit(DropNotification(account=account, n=number))
        except filing.FAILURES as error:
            outcome.not_destroyed[id_] = filing.failure(error)
            continue
        if isinstance(result, Done):
            outcome.destroyed.append(id_)
        else:
            outcome.not_destroyed[id_] = SetError("notFound")
    new = str(await submissions.modseq(reader, TABLE, account))
    return outcome.answer(arguments.account_id, old, new)


METHODS: Final = {"ShareNotification/set": Method(PRINCIPALS, Set, set_)}
