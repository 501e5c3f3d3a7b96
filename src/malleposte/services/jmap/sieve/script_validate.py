"""SieveScript/validate (RFC 9661 §2.4)."""

from typing import Any, Final

from malleposte.services.jmap.arguments import Arguments
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.sieve import scripts
from malleposte.services.jmap.sieve.names import SIEVE


class Validate(Arguments, frozen=True, kw_only=True):
    """See the module."""

    blob_id: str


async def validate(context: Context, arguments: Validate) -> Answer:
    """See the module. Nothing is kept."""
    context.own(arguments.account_id)
    error: dict[str, Any] | None = None
    try:
        await scripts.check(context, await scripts.octets_of(context, arguments.blob_id))
    except SetError as wrong:
        error = wrong.shown()
    except filing.FAILURES as failed:
        error = filing.failure(failed).shown()
    return {"accountId": arguments.account_id, "error": error}


METHODS: Final = {"SieveScript/validate": Method(SIEVE, Validate, validate)}
