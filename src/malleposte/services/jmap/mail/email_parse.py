"""Email/parse (RFC 8621 §4.9): a blob shown as if it were an email, without being one."""

from typing import Any, Final

from msgspec import field

from malleposte.delivery.spool import Spool, summarized
from malleposte.mime import load_structure
from malleposte.services.jmap.arguments import Arguments, UnsignedInt
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.contents import Contents
from malleposte.services.jmap.mail.email_import import LOOKED_AT, is_message
from malleposte.services.jmap.mail.messages import Loaded
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.mail.plans import Plan, planned
from malleposte.store.incoming import NoRoom
from malleposte.store.read.emails import Damaged

DEFAULT: Final = (
    *("messageId", "inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo"),
    *("subject", "sentAt", "hasAttachment", "preview", "bodyValues", "textBody", "htmlBody"),
    "attachments",
)
MOST: Final = 50
"""Blobs parsed by one call: each is read whole."""
_NO_EMAIL: Final = ("id", "threadId", "mailboxIds", "keywords", "receivedAt")


class Parse(Arguments, frozen=True, kw_only=True):
    """See the module."""

    blob_ids: list[str]
    properties: list[str] | None = None
    body_properties: list[str] | None = None
    fetch_text_body_values: bool = False
    fetch_html_body_values: bool = field(default=False, name="fetchHTMLBodyValues")
    fetch_all_body_values: bool = False
    max_body_value_bytes: UnsignedInt = 0
    make_html_safe: bool = field(default=False, name="makeHTMLSafe")
    """Of our extension (``view``)."""


async def parse(context: Context, arguments: Parse) -> Answer:
    """See the module."""
    access = await context.access(arguments.account_id)
    if len(arguments.blob_ids) > MOST:
        raise MethodError("requestTooLarge", f"At most {MOST} blobs are parsed at once")
    plan = planned(arguments, DEFAULT).from_content()
    contents = Contents(plan, arguments, context.safely(arguments.make_html_safe))
    blobs = Blobs(context.store, context.settings, access)
    parsed: dict[str, Any] = {}
    missing: list[str] = []
    unfit: list[str] = []
    for id_ in dict.fromkeys(arguments.blob_ids):
        spool = Spool(context.store.incoming, context.actor)
        try:
            async with blobs.opened(id_) as blob:
                if blob is None:
                    missing.append(id_)
                    continue
                if not await blobs.spooled(blob, spool):
                    unfit.append(id_)
                    continue
            found = await _shown(spool, contents, plan, id_)
            if found is None:
                unfit.append(id_)
            else:
                parsed[id_] = found
        except Damaged:
            unfit.append(id_)
        except NoRoom as error:
            raise MethodError("serverUnavailable", str(error)) from None
        finally:
            spool.close()
    return {
        "accountId": arguments.account_id,
        "parsed": parsed or None,
        "notParsable": unfit or None,
        "notFound": missing or None,
    }


async def _shown(spool: Spool, contents: Contents, plan: Plan, id_: str) -> dict[str, Any] | None:
    """The object; None: it is no message."""
    with spool.buffer() as buffer:
        if not is_message(bytes(buffer[:LOOKED_AT])):
            return None
        summary = await summarized(buffer)
        message = Loaded(buffer, load_structure(summary.structure))
        found: dict[str, Any] = dict.fromkeys(_NO_EMAIL)
        found |= {
            "blobId": id_,
            "size": len(buffer),
            "preview": summary.preview,
            "hasAttachment": summary.has_attachment,
        }
        found |= await contents.of(message, id_)
        return {name: found[name] for name in plan.names}


METHODS: Final = {"Email/parse": Method(MAIL, Parse, parse)}
