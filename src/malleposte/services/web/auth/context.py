"""What the parts of the site share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from malleposte.directory.book import Account
from malleposte.runtime.passwords import Passwords
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing
from malleposte.services.web.auth.forms import Problem
from malleposte.services.web.authentication import Authentication, SignedIn
from malleposte.services.web.messages import Request
from malleposte.store.commands import Act, Audited, RecordAudit
from malleposte.store.results import AnyResult, Refused

log = structlog.get_logger(__name__)

_NO_KEY: Final = (
    "This server cannot keep secrets now; tell your administrator (its node key is missing)."
)
_STATUS: Final = {"limit": 409, "exists": 409, "in-use": 409, "changed": 409}


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """What an operator can set. Seconds."""

    idle: int = 14 * 86_400
    """Without use, then a session ends."""
    lasts: int = 90 * 86_400
    """Then it ends whatever is done with it."""
    passing_idle: int = 2 * 3600
    """The same of one on a device that is not one's own, which also ends with the browser."""
    passing_lasts: int = 12 * 3600
    fresh: int = 900
    """After a password or a passkey was shown, for so long credentials may be changed."""
    step: int = 600
    """From one step of signing in to the next."""


@dataclass(frozen=True, slots=True)
class Context:
    """See the module. ``ring``: this node's keys."""

    settings: AuthSettings
    authentication: Authentication
    passwords: Passwords
    ring: Callable[[], KeyRing] = field(repr=False)

    def keys(self) -> KeyRing:
        """This node's keys. Raises ``Problem``."""
        try:
            return self.ring()
        except NodeKeyError as error:
            log.error("node_key_missing", error=str(error))
            raise Problem(503, "away", _NO_KEY) from None

    async def signed_in(self, request: Request) -> SignedIn:
        """Whose session it is. Raises ``Problem``, ``Refused``; store failures come through."""
        found = await self.authentication.signed_in(request)
        if found is None:
            raise Problem(401, "signed-out", "Sign in first.")
        return found

    async def fresh(self, request: Request) -> SignedIn:
        """The same of who has shown a password or a passkey not long ago: whoever finds an open page does
        not take the account over."""
        found = await self.signed_in(request)
        if not self.is_fresh(found):
            raise Problem(403, "prove", "Show your password or a passkey once more for this.")
        return found

    def is_fresh(self, found: SignedIn) -> bool:
        """Whether a password or a passkey was shown not long ago."""
        return self.authentication.clock() - found.session.proved_at <= self.settings.fresh

    async def carry_out(
        self, account: Account, operation: str, act: Act, **details: str | int | None
    ) -> AnyResult:
        """Execute what an account changes about itself, with its line in the audit. Raises
        ``Problem``; store failures come through."""
        told = {name: value for name, value in details.items() if value is not None}
        line = RecordAudit(
            actor=account.address,
            operation=operation,
            target=account.address,
            outcome="done",
            details=msgspec.json.encode(told).decode(),
        )
        done = await self.authentication.store.submit(Audited(act=act, line=line))
        if isinstance(done, Refused):
            words = done.text or done.reason
            raise Problem(
                _STATUS.get(done.reason, 409), done.reason, f"{words[:1].upper()}{words[1:]}."
            )
        return done
