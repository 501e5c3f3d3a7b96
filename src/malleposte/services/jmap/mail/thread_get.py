"""Thread/get (RFC 8621 §3.1)."""

from typing import Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store.ids import THREAD_LETTER, account_of, email_text, id_number, thread_text
from malleposte.store.read import mailboxes, threads

PROPERTIES: Final = ("id", "emailIds")


async def get(context: Context, arguments: Get) -> Answer:
    """See the module. All threads of an account are too many to be asked for at once."""
    access = await context.access(arguments.account_id)
    account = access.account
    shown = getting.properties(arguments.properties, PROPERTIES)
    if arguments.ids is None:
        raise MethodError("requestTooLarge", "Say which threads are wanted")
    reader = context.store.reader
    state = access.state(await mailboxes.modseq(reader, account))
    ids = getting.distinct(arguments.ids, context.settings)
    numbers = {text: id_number(THREAD_LETTER, text) for text in ids}
    wanted = [number for number in numbers.values() if account_of(number) == account]
    found = await threads.emails_of(reader, wanted, actor=access.reader, mailboxes=access.mailboxes)
    there = [number for number in numbers.values() if number in found]
    objects = (
        {"id": thread_text(number), "emailIds": list(map(email_text, found[number]))}
        for number in there
    )
    missing = [text for text, number in numbers.items() if number not in found]
    return getting.answer(arguments, state, shown, objects, missing)


METHODS: Final = {"Thread/get": Method(MAIL, Get, get)}
