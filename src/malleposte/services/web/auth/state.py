"""Whether somebody is signed in, and who."""

from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import answer
from malleposte.services.web.messages import Request, Response
from malleposte.store.ids import account_text


async def state(context: Context, request: Request) -> Response:
    """GET /auth/state."""
    found = await context.authentication.signed_in(request)
    if found is None:
        return answer({"signedIn": False, "methods": ["password"]})
    account = found.account
    return answer(
        {
            "signedIn": True,
            "methods": ["password"],
            "account": {
                "id": account_text(account.id),
                "address": account.address,
                "name": account.name,
                "locale": account.locale,
            },
        }
    )
