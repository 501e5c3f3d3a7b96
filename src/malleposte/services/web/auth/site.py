"""The paths."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from malleposte.services.web.auth import (
    app_passwords,
    language,
    passkeys,
    password,
    second_step_settings,
    second_steps,
    sessions,
    signing_in,
    state,
)
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, refusal
from malleposte.services.web.messages import Request, Response
from malleposte.services.web.origin import check_origin

ROOT: Final = "/auth/"
Handler = Callable[[Context, Request], Awaitable[Response]]
_HANDLERS: Final[dict[str, dict[str, Handler]]] = {
    "state": {"GET": state.state},
    "sign-in": {"POST": signing_in.sign_in},
    "sign-out": {"POST": signing_in.sign_out},
    "totp": {"POST": second_steps.totp},
    "recovery": {"POST": second_steps.recovery},
    "passkey/begin": {"POST": passkeys.begin},
    "passkey/finish": {"POST": passkeys.finish},
    "prove": {"POST": password.prove},
    "prove/passkey/begin": {"POST": passkeys.prove_begin},
    "prove/passkey/finish": {"POST": passkeys.prove_finish},
    "language": {"POST": language.choose},
    "password": {"POST": password.change},
    "sessions": {"GET": sessions.listed},
    "sessions/revoke": {"POST": sessions.revoke},
    "credentials": {"GET": state.credentials_of},
    "totp/start": {"POST": second_step_settings.start_totp},
    "totp/confirm": {"POST": second_step_settings.confirm_totp},
    "totp/remove": {"POST": second_step_settings.remove_totp},
    "second-step/on": {"POST": second_step_settings.switch_on},
    "second-step/off": {"POST": second_step_settings.switch_off},
    "recovery-codes": {"POST": second_step_settings.renew_codes},
    "passkeys/begin": {"POST": passkeys.add_begin},
    "passkeys/finish": {"POST": passkeys.add_finish},
    "passkeys/rename": {"POST": passkeys.rename},
    "passkeys/remove": {"POST": passkeys.remove},
    "app-passwords/add": {"POST": app_passwords.add},
    "app-passwords/remove": {"POST": app_passwords.remove},
}


@dataclass(frozen=True, slots=True)
class AuthSite:
    """See the module. Everything is for our own pages alone, also where no cookie comes with it:
    nobody is signed in by another's page, as somebody else."""

    context: Context

    def in_clear(self, path: str) -> bool:
        """See ``Site``: passwords go this way."""
        return False

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        if not request.path.startswith(ROOT):
            return None
        handlers = _HANDLERS.get(request.path.removeprefix(ROOT))
        if handlers is None:
            return None
        request.allow(*handlers)
        check_origin(request, self.context.authentication.settings)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        try:
            return await handler(self.context, request)
        except Problem as problem:
            return refusal(problem)
