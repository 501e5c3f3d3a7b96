"""Blob/copy (RFC 8620 §6.3): see ``mail.email_copy``."""

from typing import Final

from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.mail.email_copy import refusal


class Copy(Arguments, frozen=True, kw_only=True):
    """See the module."""

    from_account_id: Id
    blob_ids: list[str]


async def copy(context: Context, arguments: Copy) -> Answer:
    """See the module. Raises ``MethodError``."""
    raise refusal(context, arguments.from_account_id, arguments.account_id)


METHODS: Final = {"Blob/copy": Method(CORE, Copy, copy)}
