"""The paths."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from malleposte.services.web.auth import signing_in, state
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
}


@dataclass(frozen=True, slots=True)
class AuthSite:
    """See the module. Everything is for our own pages alone, also where no cookie comes with it: nobody is
    signed in by another's page, as somebody else."""

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
