"""Email/unsubscribe: leave the list that a message came by, in one step (RFC 8058).

The server asks, not the browser: the list learns neither where its reader is nor by what he reads. Only
what says that it takes this, over https, and is among what the sender's domain signed (RFC 8058 §4): else
anybody could have a message unsubscribe others.
"""

import re
from typing import Final

from malleposte.egress.fetch import post
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.mime import fields
from malleposte.policy.hourly import Hourly
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.own.names import UNSUBSCRIBE
from malleposte.store.ids import EMAIL_LETTER, account_of, id_number
from malleposte.store.opened import Opened
from malleposte.store.read import emails

POLICY: Final = EgressPolicy(
    plain_http=False, max_redirects=0, max_body=200_000, total_timeout=15.0
)
BODY: Final = b"List-Unsubscribe=One-Click"
EACH_HOUR: Final = 30
"""Lists that an account may have asked: the server speaks for it to whom the message names."""
FORM: Final = "application/x-www-form-urlencoded"
_URI: Final = re.compile(rb"<\s*(https://[^<>\s]{1,2000})\s*>", re.IGNORECASE)
_SIGNED: Final = re.compile(rb"(?:^|;)\s*h\s*=([^;]*)", re.IGNORECASE)
_WANTED: Final = {b"list-unsubscribe", b"list-unsubscribe-post"}

_asked: Final = Hourly(EACH_HOUR)


class Unsubscribe(Arguments, frozen=True, kw_only=True):
    """Which message."""

    email_id: Id


def address_of(header: bytes) -> str:
    """Where a message says that one leaves its list in one step; '' where it does not."""
    found: dict[bytes, list[bytes]] = {}
    for one in fields(header):
        found.setdefault(one.name.lower(), []).append(b" ".join(one.value.split()))
    where, how = found.get(b"list-unsubscribe", []), found.get(b"list-unsubscribe-post", [])
    if len(where) != 1 or len(how) != 1 or how[0].lower() != BODY.lower():
        return ""
    if not any(_covers(value) for value in found.get(b"dkim-signature", [])):
        return ""
    uri = _URI.search(where[0])
    return uri[1].decode("ascii", "replace") if uri else ""


def _covers(signature: bytes) -> bool:
    names = _SIGNED.search(signature)
    return names is not None and {name.strip().lower() for name in names[1].split(b":")} >= _WANTED


async def unsubscribe(context: Context, arguments: Unsubscribe) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    number = id_number(EMAIL_LETTER, arguments.email_id)
    stored = None
    if account_of(number) == account:
        stored = await emails.stored_by_id(context.store.reader, number)
    if stored is None:
        raise MethodError("invalidArguments", "There is no such email")
    message = Opened(context.store, stored)
    parts = await message.parts()
    url = address_of(await message.octets(*message.header(parts[0])))
    if not url:
        raise MethodError("cannotUnsubscribe", "The message says no way to do this in one step")
    if not _asked.take(context.actor):
        raise MethodError("rateLimit", "Too many lists were left: go on in an hour")
    try:
        answer = await post(url, BODY, FORM, POLICY)
    except EgressError as error:
        raise MethodError("cannotUnsubscribe", f"The list cannot be asked: {error}") from None
    if not 200 <= answer.status < 300:
        raise MethodError("cannotUnsubscribe", f"The list answered with {answer.status}")
    return {"accountId": arguments.account_id, "emailId": arguments.email_id}


METHODS: Final = {"Email/unsubscribe": Method(UNSUBSCRIBE, Unsubscribe, unsubscribe)}
