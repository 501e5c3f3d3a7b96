"""A session begins: always with a token of its own, so that none that a browser had before is worth
anything."""

import re
import secrets
from typing import Final

from malleposte.directory.book import Account
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem
from malleposte.services.web.authentication import digest
from malleposte.services.web.cookies import DEVICE, SESSION, is_secure, setting, value_of
from malleposte.services.web.messages import Fields, Request
from malleposte.store.commands import OpenWebSession
from malleposte.store.results import Refused

_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{22}")
KNOWN_FOR: Final = 400 * 86_400
"""Seconds; browsers keep no cookie for longer."""


async def open_session(
    context: Context, request: Request, account: Account, way: str, *, passing: bool
) -> Fields:
    """The fields that give it to the browser. ``passing``: on a device that is not one's own. Raises
    ``Problem``; store failures come through."""
    authentication, settings = context.authentication, context.settings
    secure = is_secure(request, authentication.settings)
    token = secrets.token_urlsafe(32)
    device = value_of(request, DEVICE, authentication.settings)
    if not _DEVICE.fullmatch(device):
        device = secrets.token_urlsafe(16)
    done = await authentication.store.submit(
        OpenWebSession(
            token=digest(token),
            account=account.id,
            version=account.credential_version,
            idle=settings.passing_idle if passing else settings.idle,
            lasts=settings.passing_lasts if passing else settings.lasts,
            way=way,
            agent=readable(request.field(b"user-agent")),
            address=request.peer,
            device=digest(device),
        )
    )
    if isinstance(done, Refused):
        raise Problem(409, "changed", "The account was changed meanwhile; sign in again.")
    authentication.door.log.signed_in("web", account.id, request.peer, tls=request.tls)
    kept = setting(SESSION, token, secure=secure, seconds=None if passing else settings.lasts)
    return kept, setting(DEVICE, device, secure=secure, seconds=KNOWN_FOR)


def readable(text: str) -> str:
    """What a browser says of itself, without what is not to be printed."""
    return "".join(one if one.isprintable() else " " for one in text[:300]).strip()
