"""Whether somebody is signed in, and who."""

from malleposte.directory.app_passwords import SCOPES
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import answer
from malleposte.services.web.messages import Request, Response
from malleposte.store.ids import account_text
from malleposte.store.read import credentials


async def state(context: Context, request: Request) -> Response:
    """GET /auth/state."""
    found = await context.authentication.signed_in(request)
    if found is None:
        return answer({"signedIn": False, "methods": ["password", "passkey"]})
    account = found.account
    return answer(
        {
            "signedIn": True,
            "methods": ["password", "passkey"],
            "secondStep": account.second_step,
            "fresh": context.is_fresh(found),
            "account": {
                "id": account_text(account.id),
                "address": account.address,
                "name": account.name,
                "locale": account.locale,
            },
        }
    )


async def credentials_of(context: Context, request: Request) -> Response:
    """GET /auth/credentials: what signs in to one's account."""
    account = (await context.signed_in(request)).account
    reader = context.authentication.store.reader
    second = await credentials.second_step(reader, account.id)
    keys = await credentials.passkeys(reader, account.id)
    apps = await credentials.app_passwords(reader, account.id)
    return answer(
        {
            "secondStep": {
                "since": second.since or None,
                "totpSince": second.totp_since or None,
                "recoveryCodesLeft": second.codes,
            },
            "passkeys": [
                {
                    "id": one.id,
                    "label": one.label,
                    "createdAt": one.created_at,
                    "lastUsedAt": one.last_used_at or None,
                }
                for one in keys
            ],
            "appPasswords": [
                {
                    "id": one.id,
                    "label": one.label,
                    "protocols": one.scope.split() or list(SCOPES),
                    "createdAt": one.created_at,
                    "lastUsedAt": one.last_used_at or None,
                }
                for one in apps
            ],
            "protocols": list(SCOPES),
        }
    )
