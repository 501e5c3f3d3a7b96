"""Email/copy (RFC 8621 §4.7).

Copying is between accounts. Who signs in has one account here until others' are shown to him, so that
what is left of the method is what it refuses.
"""

from typing import Final

from malleposte.services.jmap.arguments import Copy
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail.names import MAIL


async def copy(context: Context, arguments: Copy) -> Answer:
    """See the module. Raises ``MethodError``."""
    raise refusal(context, arguments.from_account_id, arguments.account_id)


def refusal(context: Context, source: str, target: str) -> MethodError:
    """Why nothing is copied (RFC 8620 §5.4)."""
    try:
        context.own(source)
    except MethodError:
        return MethodError("fromAccountNotFound")
    context.own(target)
    return MethodError("invalidArguments", "Objects are copied from one account to another")


METHODS: Final = {"Email/copy": Method(MAIL, Copy, copy)}
