"""Pushes to push services: codes to be shown again, and which kinds changed (RFC 8620 §7.2, RFC 8030).

Every worker looks once a second whether something is due; whoever holds the lease sends. What a service has
taken is noted, up to which modseq; until then it is due, so that a worker that dies leaves nothing untold,
and something may be told twice. A service that cannot be reached is tried later and later.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import msgspec
import structlog

from malleposte.directory.book import Book
from malleposte.egress.fetch import Resolver, post
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.egress.url import parsed_url
from malleposte.services.jmap.push.names import PUSH_LETTER, state_change, wanted
from malleposte.services.jmap.webpush.encryption import CODING, encrypted, text_of
from malleposte.services.jmap.webpush.vapid_kept import VapidKept
from malleposte.services.web import credential
from malleposte.store import Store, StoreError
from malleposte.store.commands import DropPush, NotePush, TakeLease
from malleposte.store.commands.push import ASKED, PROVED
from malleposte.store.read.push import Push, due
from malleposte.store.read.type_states import DELIVERY, states
from malleposte.store.results import LeaseTaken

log = structlog.get_logger("web-push")

LOOK_EVERY: Final = 1.0
LEASE: Final = 30
"""Seconds after which another worker pushes, where one that did is gone."""
ASK_EVERY: Final = 5.0
"""Seconds between two times that the lease is asked for."""
AT_ONCE: Final = 20
EACH_AT_ONCE: Final = 3
"""Pushes on their way, in all and of one account."""
PAUSE: Final = 5
"""Seconds from one push of a subscription to the next: what changes meanwhile is told together."""
UNCONCERNED: Final = 2
"""The same where what changed is not told there."""
FIRST_RETRY, LAST_RETRY = 15, 3_600
GIVE_UP: Final = 5
"""Times in a row that a push is refused for good, until the subscription is removed."""
SUSPENDED: Final = 3_600
"""Seconds until it is looked again whether an account may be told something."""
LIFETIME: Final = 7 * 86_400
"""Seconds that a push service keeps what its client does not fetch (RFC 8030 §5.2)."""
_LATER: Final = frozenset((408, 425, 429))
_GONE: Final = frozenset((404, 410))


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """``policy``: where push services may be, and how long they may take. ``clock``: Unix seconds."""

    policy: EgressPolicy
    clock: Callable[[], float] = time.time
    resolver: Resolver | None = None
    """In place of the system's."""


class PushSender:
    """One for each worker. ``run`` until cancelled; ``holder`` names it in the lease."""

    def __init__(
        self, store: Store, book: Book, kept: VapidKept, holder: str, settings: SenderSettings
    ) -> None:
        self._store = store
        self._book = book
        self._kept = kept
        self._holder = holder
        self._settings = settings
        self._busy: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._holds_until = 0.0
        self._asked_at = -ASK_EVERY

    async def run(self) -> None:
        """See the module."""
        moved: int | None = None
        again = 0.0
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                before, moved = moved, self._store.clock.moved()
                if moved is not None and moved == before and time.monotonic() < again:
                    continue  # nothing was written
                again = time.monotonic() + ASK_EVERY
                try:
                    await self.look()
                except StoreError as error:
                    log.warning("pushes wait for the store", reason=str(error))
        finally:
            for task in self._busy.values():
                task.cancel()

    async def look(self) -> None:
        """Begin to push what is due."""
        if self._follows():
            return
        now = int(self._settings.clock())
        found = [
            one
            for one in await due(self._store.reader, now, 2 * AT_ONCE)
            if (one.account, one.n) not in self._busy
        ]
        if not (found or self._busy) or not await self._leads():
            return
        counts = Counter(account for account, _ in self._busy)
        for one in found:
            if len(self._busy) >= AT_ONCE:
                return
            if counts[one.account] < EACH_AT_ONCE:
                counts[one.account] += 1
                task = asyncio.get_running_loop().create_task(self._one(one))
                key = (one.account, one.n)
                self._busy[key] = task
                task.add_done_callback(partial(self._over, key))

    def _over(self, key: tuple[int, int], _: asyncio.Task[None]) -> None:
        self._busy.pop(key, None)

    async def settle(self) -> None:
        """Wait for what is on its way."""
        await asyncio.gather(*self._busy.values())

    def _follows(self) -> bool:
        """Another one pushes, as was said a moment ago: it need not even be looked what is due."""
        return self._holds_until <= time.monotonic() < self._asked_at + ASK_EVERY

    async def _leads(self) -> bool:
        now = time.monotonic()
        if now < self._holds_until - LEASE / 2:
            return True
        if now >= self._asked_at + ASK_EVERY:
            self._asked_at = now
            lease = await self._store.submit(
                TakeLease(name="web-push", holder=self._holder, seconds=LEASE)
            )
            if isinstance(lease, LeaseTaken):
                self._holds_until = now + LEASE if lease.epoch else 0.0
        return now < self._holds_until

    async def _one(self, push: Push) -> None:
        try:
            await self._done(push)
        except StoreError as error:
            log.warning("a push waits for the store", reason=str(error))
        except Exception:
            log.exception("a push failed", account=push.account)
            with contextlib.suppress(StoreError):
                await self._failed(push, "this went wrong in the server", 0, final=False)

    async def _done(self, push: Push) -> None:
        now = self._settings.clock()
        account = await self._book.account(push.account)
        if push.over(now) or account is None:
            await self._drop(push, "its time is over")
            return
        if account.status != "active":
            await self._note(push, push.stage, push.told, SUSPENDED, push.failures, push.said)
            return
        if not await credential.stands(self._store.reader, account, push.credential, now):
            await self._drop(push, "what made it is no longer good")
            return
        if push.stage != PROVED:
            # §7.2.2
            message = {
                "@type": "PushVerification",
                "pushSubscriptionId": f"{PUSH_LETTER}{push.n:x}",
                "verificationCode": push.code,
            }
            await self._push(push, message, ASKED, push.told, {})
            return
        found = await states(self._store.reader, push.account, push.told)
        if found is None:
            await self._drop(push, "the account is gone")
            return
        names = msgspec.json.decode(push.types, type=list[str]) if push.types else None
        types = wanted(names)
        changed = {name: state for name, state in found.changed.items() if name in types}
        if not changed:
            await self._note(push, PROVED, found.modseq, UNCONCERNED, push.failures, push.said)
            return
        message = state_change({push.account: changed})
        await self._push(push, message, PROVED, found.modseq, changed)

    async def _push(
        self, push: Push, message: dict[str, Any], stage: int, told: int, changed: dict[str, int]
    ) -> None:
        """Send it, and note what became of it."""
        try:
            body, fields = await self._made(push, message, changed)
            response = await post(
                push.url,
                body,
                "application/json",
                self._settings.policy,
                fields=fields,
                resolver=self._settings.resolver,
            )
        except EgressError as error:
            await self._failed(push, str(error), 0, final=not error.temporary)
            return
        status = response.status
        if 200 <= status < 300:
            # News may follow a code at once.
            await self._note(push, stage, told, PAUSE if changed else 0)
        elif status in _GONE:
            # RFC 8030 §7.3
            await self._drop(push, "the push service does not know it any more")
        else:
            wait = _seconds(response.header(b"retry-after"), self._settings.clock())
            final = 300 <= status < 500 and status not in _LATER
            await self._failed(push, f"the push service answers {status}", wait, final=final)

    async def _made(
        self, push: Push, message: dict[str, Any], changed: dict[str, int]
    ) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        """Body and fields. Raises ``EgressError``."""
        body = msgspec.json.encode(message)
        fields = [
            ("TTL", str(LIFETIME)),
            ("Urgency", "normal" if DELIVERY in changed or not changed else "low"),
        ]
        if changed:
            # What waits at the service gives way to a later state of the same kinds (RFC 8030 §5.4).
            digest = blake2b(",".join(sorted(changed)).encode(), digest_size=18).digest()
            fields.append(("Topic", text_of(digest)))
        if push.p256dh:
            body = encrypted(body, push.p256dh, push.auth)
            fields.append(("Content-Encoding", CODING))
        vapid = await self._kept.vapid()
        if vapid is not None:
            url = parsed_url(push.url, self._settings.policy)
            origin = f"{url.scheme}://{url.authority}"
            fields.append(("Authorization", vapid.authorization(origin)))
        return body, tuple(fields)

    async def _note(
        self, push: Push, stage: int, told: int, wait: int, failures: int = 0, said: str = ""
    ) -> None:
        await self._store.submit(
            NotePush(
                account=push.account,
                n=push.n,
                stage=stage,
                told=told,
                due_at=int(self._settings.clock()) + wait,
                failures=failures,
                said=said,
            )
        )

    async def _failed(self, push: Push, said: str, wait: int, *, final: bool) -> None:
        failures = push.failures + 1
        if final and failures >= GIVE_UP:
            await self._drop(push, said)
            return
        later = min(FIRST_RETRY * 2 ** min(failures, 12), LAST_RETRY)
        log.info("a push was not taken", account=push.account, reason=said, failures=failures)
        await self._note(push, push.stage, push.told, max(later, wait), failures, said)

    async def _drop(self, push: Push, why: str) -> None:
        log.info("a push subscription is removed", account=push.account, reason=why)
        await self._store.submit(DropPush(account=push.account, n=push.n))


def _seconds(value: bytes | None, now: float) -> int:
    """How long a service wants to be left alone (RFC 9110 §10.2.3), an hour at most."""
    text = (value or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LAST_RETRY)
    try:
        return max(0, min(int(parsedate_to_datetime(text).timestamp() - now), LAST_RETRY))
    except (ValueError, TypeError, OverflowError):
        return 0
