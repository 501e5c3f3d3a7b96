"""Whether who signed in still may: a session of an account that is suspended, or whose password changed,
is out within the minute."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

import structlog

from malleposte.directory.book import Account
from malleposte.store import PermanentFailure, StoreError

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 20.0
"""Seconds between looks at the accounts that are signed in."""
SUSPENDED: Final = "The account is suspended; ask your administrator"
REMOVED: Final = "The app password was removed; make another one"
CHANGED: Final = "The password was changed; sign in again"

T = TypeVar("T")


class Observer(Protocol):
    """Told of what happens."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""


def why_not(before: Account | None, now: Account | None) -> str:
    """Why a session must end, in words for its client; '' if it need not. ``before``: as the account was
    when it signed in, None where nobody did."""
    if now is None or now.status != "active":
        return SUSPENDED
    if before is None:
        return ""
    if before.app is not None:
        # As long as it is there: a new main password is no affair of other programs.
        return "" if before.app in now.apps else REMOVED
    return CHANGED if before.credential_version != now.credential_version else ""


async def look_at_each(
    things: Iterable[T], look: Callable[[T], Awaitable[None]], service: str, observer: Observer
) -> None:
    """What cannot be looked at now is looked at again soon."""
    away: list[StoreError] = []
    for thing in list(things):
        try:
            await look(thing)
        except PermanentFailure:
            observer.defect(f"{service} store")
        except StoreError as error:
            away.append(error)
    if away:
        log.warning(f"{service}_store_away", error=str(away[0]), not_looked_at=len(away))


async def again_and_again(look: Callable[[], Awaitable[None]]) -> None:
    """Run beside the listeners until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await look()
