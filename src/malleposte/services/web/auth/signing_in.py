"""The first step of signing in, and the end: name and password; sign-out."""

from typing import Final

import msgspec

from malleposte.directory.app_passwords import WEB
from malleposte.directory.signin import Refusal, SignIn
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.opening import open_session
from malleposte.services.web.auth.second_steps import asked_for
from malleposte.services.web.auth.steps import Step, kept, until
from malleposte.services.web.cookies import SESSION, is_secure, may_show_secrets, removing
from malleposte.services.web.messages import Request, Response
from malleposte.store import StoreError
from malleposte.store.commands import CloseWebSessions

CLEARED: Final = ("Clear-Site-Data", '"cache"')
"""What the browser has kept of the mail goes with the session."""
IN_CLEAR: Final = "Passwords are taken under TLS only."
_STATUS: Final = {
    Refusal.WRONG: 401,
    Refusal.SUSPENDED: 403,
    Refusal.TOO_MANY: 429,
    Refusal.AWAY: 503,
    Refusal.SECOND_STEP: 403,
    Refusal.SCOPE: 403,
}


class SignInForm(msgspec.Struct, frozen=True, kw_only=True):
    """``passing``: on a device that is not one's own."""

    name: str
    password: str
    passing: bool = False


async def sign_in(context: Context, request: Request) -> Response:
    """POST /auth/sign-in."""
    if not may_show_secrets(request):
        raise Problem(403, "in-clear", IN_CLEAR)
    form = await read(request, SignInForm)
    door = context.authentication.door
    outcome = await door.sign_in(form.name, form.password, request.peer, protocol=WEB)
    account = outcome.account
    if account is None:
        door.log.refused("web", request.peer, (outcome.refusal or Refusal.WRONG).value)
        raise refused(outcome)
    if account.second_step:
        ways = await asked_for(context, account)
        step = Step(account.id, account.credential_version, until(context), form.passing)
        content: dict[str, object] = {"next": ways[0], "methods": ways}
        return answer(content, kept(context, request, step))
    fields = await open_session(context, request, account, "password", passing=form.passing)
    return answer({"signedIn": True}, *fields)


def refused(outcome: SignIn) -> Problem:
    """What the door said, for a page."""
    refusal = outcome.refusal or Refusal.WRONG
    status = _STATUS[refusal]
    fields = (("Retry-After", "30"),) if status in (429, 503) else ()
    return Problem(status, refusal.value.replace(" ", "-"), f"{outcome.text}.", fields)


async def sign_out(context: Context, request: Request) -> Response:
    """POST /auth/sign-out. Also without a session, so that it may be asked twice; the cookie goes also when
    the store is away."""
    await read(request, dict)
    authentication = context.authentication
    gone = (removing(SESSION, secure=is_secure(request, authentication.settings)), CLEARED)
    try:
        found = await authentication.signed_in(request)
        if found is not None:
            session = found.session
            await authentication.store.submit(
                CloseWebSessions(account=session.account, ids=(session.id,))
            )
    except StoreError:
        text = "You are signed out here, but the server could not end the session: try again later."
        raise Problem(503, "unavailable", text, (("Retry-After", "30"), *gone)) from None
    return answer({"signedIn": False}, *gone)
