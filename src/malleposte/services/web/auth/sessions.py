"""Where one is signed in, and how that ends elsewhere."""

import msgspec

from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import CloseWebSessions
from malleposte.store.commands.sessions import MAX_SESSIONS
from malleposte.store.read.web_sessions import web_sessions
from malleposte.store.results import Done


class RevokeForm(msgspec.Struct, frozen=True, kw_only=True):
    """``ids``, or ``others``: all but this one."""

    ids: tuple[int, ...] = ()
    others: bool = False


async def listed(context: Context, request: Request) -> Response:
    """GET /auth/sessions."""
    found = await context.signed_in(request)
    authentication = context.authentication
    rows = await web_sessions(authentication.store.reader, found.account.id, authentication.clock())
    return answer(
        {
            "sessions": [
                {
                    "id": one.id,
                    "current": one.token == found.session.token,
                    "createdAt": one.created_at,
                    "usedAt": one.used_at,
                    "way": one.way,
                    "agent": one.agent,
                    "address": one.address,
                }
                for one in rows
            ]
        }
    )


async def revoke(context: Context, request: Request) -> Response:
    """POST /auth/sessions/revoke."""
    found, form = await context.signed_in(request), await read(request, RevokeForm)
    if bool(form.ids) == form.others or len(form.ids) > MAX_SESSIONS:
        raise Problem(400, "malformed", "Say which, or all others.")
    act = CloseWebSessions(
        account=found.account.id,
        ids=form.ids,
        but=found.session.token if form.others else b"",
    )
    done = await context.carry_out(found.account, "account.revoke-sessions", act)
    return answer({"revoked": done.count if isinstance(done, Done) else 0})
