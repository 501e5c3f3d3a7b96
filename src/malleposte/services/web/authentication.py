"""Who asks: by the session's cookie, or by name and password with every request (RFC 7617).

The one place where a request of the web becomes an account. A cookie is taken only from our own pages
(``origin``); where both are sent, what the program says for itself counts.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from malleposte.directory.book import Account, Book
from malleposte.directory.signin import Door
from malleposte.services.still_signed_in import why_not
from malleposte.services.web import credential
from malleposte.services.web.basic import CHALLENGE, basic
from malleposte.services.web.cookies import SESSION, may_show_secrets, value_of
from malleposte.services.web.messages import Fields, Refused, Request
from malleposte.services.web.origin import check_origin, from_browser
from malleposte.services.web.settings import WebSettings
from malleposte.store import Store, StoreError
from malleposte.store.commands import UseWebSession
from malleposte.store.read.web_sessions import WebSession, web_session

NOTE_EVERY: Final = 600
"""Seconds between two notes that a session is used."""
SIGN_IN: Final = "Sign in with your address and password."
_QUIET: Final[Fields] = (("WWW-Authenticate", 'Session realm="Malleposte"'),)
"""To a page's script: no way that browsers have a dialogue for."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who, and by which session."""

    account: Account
    session: WebSession


@dataclass(slots=True)
class Authentication:
    """See the module."""

    settings: WebSettings
    store: Store
    book: Book
    door: Door
    clock: Callable[[], float] = field(default=time.time)

    async def account(self, request: Request) -> Account:
        """Who asks. Raises ``Refused``; store failures come through."""
        if request.field(b"authorization"):
            if not may_show_secrets(request):
                raise Refused(403, "Passwords are taken under TLS only.")
            return await basic(request, self.door, "jmap")
        found = await self.signed_in(request)
        if found is None:
            challenge = _QUIET if from_browser(request) else CHALLENGE
            raise Refused(401, SIGN_IN, challenge)
        return found.account

    async def credential(self, request: Request, account: Account) -> str:
        """By what an account asks, as ``credential`` writes it. Raises ``Refused``; store failures come
        through."""
        if request.field(b"authorization"):
            return credential.of_account(account)
        found = await self.signed_in(request)
        if found is None:
            raise Refused(401, SIGN_IN, _QUIET)
        return credential.of_session(found.session.id)

    async def why_not(self, request: Request, before: Account) -> str:
        """Of a stream that goes on: why it must end, in words; '' if it need not. ``before``: who asked for
        it. Store failures come through."""
        if not request.field(b"authorization") and await self.signed_in(request) is None:
            return "The session has ended; sign in again"
        return why_not(before, await self.book.account(before.id))

    async def signed_in(self, request: Request) -> SignedIn | None:
        """Who has the session of a request's cookie; None: nobody. Raises ``Refused`` where another site
        asks; store failures come through."""
        token = value_of(request, SESSION, self.settings)
        if not token:
            return None
        check_origin(request, self.settings)
        session = await web_session(self.store.reader, digest(token))
        now = self.clock()
        if session is None or not session.lives(now):
            return None
        account = await self.book.account(session.account)
        if account is None or account.status != "active":
            return None
        if now - session.used_at >= NOTE_EVERY:
            # It is read all the same; then it is noted with the next request.
            with contextlib.suppress(StoreError):
                await self.store.submit(UseWebSession(token=session.token))
        return SignedIn(account, session)


def digest(token: str) -> bytes:
    """What is kept of what a browser has."""
    return hashlib.sha256(token.encode()).digest()
