"""Email/set (RFC 8621 §4.6)."""

import time
from typing import Any, Final

from malleposte.delivery.spool import Spool
from malleposte.services.jmap import setting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail import draft_writing, drafts, email_updates, filing
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.setting import Outcome
from malleposte.store.flags import DRAFT
from malleposte.store.ids import email_text
from malleposte.store.read import mailboxes


async def set_(context: Context, arguments: Set) -> Answer:
    """See the module. What is made is made first: a draft that is saved anew is never nowhere."""
    access = await context.writing(arguments.account_id)
    account = access.account
    setting.check(arguments, context.settings)
    reader = context.store.reader
    before = await mailboxes.modseq(reader, account)
    old = access.state(before)
    setting.check_state(arguments.if_in_state, old)
    outcome = Outcome()
    saved = await _create(context, access, arguments.create or {}, outcome)
    # Where nothing was made, the store looks again, in the transaction that changes the first.
    if_modseq = before if arguments.if_in_state is not None and not outcome.created else None
    changes = email_updates.Changes(context, access, outcome, if_modseq)
    await changes.update(arguments.update or {}, arguments.destroy or ())
    await changes.destroy(arguments.destroy or (), saved=saved)
    await changes.carry_out()
    new = access.state(await mailboxes.modseq(reader, account))
    return outcome.answer(arguments.account_id, old, new)


async def _create(
    context: Context, access: Access, create: dict[str, dict[str, Any]], outcome: Outcome
) -> bool:
    """Make emails, one after the other; whether one of them is a draft."""
    filed: dict[str, tuple[int, int]] = {}
    saved = False
    for id_, properties in create.items():
        try:
            to = filing.place(context, access.account, properties, int(time.time()))
            filed[id_] = await _made(context, access, properties, to)
        except SetError as error:
            outcome.not_created[id_] = error
        except filing.FAILURES as error:
            outcome.not_created[id_] = filing.failure(error)
        else:
            context.created[id_] = email_text(filed[id_][0])
            saved |= bool(to.flags & DRAFT)
    outcome.created |= await filing.described(context, access.account, filed)
    return saved


async def _made(
    context: Context, access: Access, properties: dict[str, Any], to: filing.Place
) -> tuple[int, int]:
    draft = drafts.described(properties)
    spool = Spool(context.store.incoming, context.actor)
    try:
        blobs = Blobs(context.store, context.settings, access)
        domain = context.account.address.rpartition("@")[2]
        await draft_writing.write(draft, blobs, spool, domain)
        return await filing.file(context, to, spool)
    finally:
        spool.close()


METHODS: Final = {"Email/set": Method(MAIL, Set, set_)}
