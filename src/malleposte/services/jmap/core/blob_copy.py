"""Blob/copy (RFC 8620 §6.3): content of one account, for use in another for a day, as an upload is."""

from typing import Any, Final

from malleposte.delivery.spool import Spool
from malleposte.services.jmap import setting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.errors import MethodError, RequestError, SetError
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.blobs import parsed, upload_blob
from malleposte.services.jmap.mail.email_copy import accounts
from malleposte.services.jmap.transfers import kept

MOST: Final = 100
"""Blobs copied at once: each is read and written."""


class Copy(Arguments, frozen=True, kw_only=True):
    """See the module."""

    from_account_id: Id
    blob_ids: list[str]


async def copy(context: Context, arguments: Copy) -> Answer:
    """See the module."""
    if len(arguments.blob_ids) > MOST:
        raise MethodError("requestTooLarge", f"At most {MOST} blobs are copied at once")
    source, target = await accounts(context, arguments.from_account_id, arguments.account_id)
    copied: dict[str, Any] = {}
    failed: dict[str, SetError] = {}
    for id_ in dict.fromkeys(arguments.blob_ids):
        try:
            copied[id_] = await _copied(context, source, target, id_)
        except SetError as error:
            failed[id_] = error
        except RequestError as error:
            failed[id_] = SetError("overQuota", error.detail)
        except filing.FAILURES as error:
            failed[id_] = filing.failure(error)
    return {
        "fromAccountId": arguments.from_account_id,
        "accountId": arguments.account_id,
        "copied": copied or None,
        "notCopied": setting.shown(failed),
    }


async def _copied(context: Context, source: Access, target: Access, id_: str) -> str:
    blobs = Blobs(context.store, context.settings, source)
    elsewhere = target.account if target.reader else 0
    async with blobs.opened(id_) as blob:
        if blob is None:
            raise SetError("notFound")
        name = parsed(id_)
        if name is not None and name.upload and not name.sections:
            # It is his own already, wherever he brought it.
            return upload_blob(name.upload, elsewhere)
        spool = Spool(context.store.incoming, context.actor)
        try:
            if not await blobs.spooled(blob, spool):
                raise SetError("tooLarge", "This is larger than what may be uploaded")
            number = await kept(context.store, context.settings, context.actor, spool)
        finally:
            spool.close()
    return upload_blob(number, elsewhere)


METHODS: Final = {"Blob/copy": Method(CORE, Copy, copy)}
