"""The mail that tells administrators that a signing domain's mail leaves unsigned: once a day a domain.

``UnsignedAlert`` hears of it in a worker and has a job run; ``UnsignedNotices`` runs it. Workers know
nothing of each other: each has a job of its day run, and the second one finds the letter that is there.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from malleposte.delivery.notice import ADMINISTRATORS, file, is_written, number_of
from malleposte.directory.book import Book
from malleposte.i18n.locales import negotiated_locale
from malleposte.i18n.signing_texts import unsigned_mail
from malleposte.store import Store, StoreError
from malleposte.store.commands import AddJob
from malleposte.store.results import LeasedJob

log = structlog.get_logger("signing")

UNSIGNED_JOB: Final = "unsigned"
"""Kind of the job."""
DAY: Final = 86_400
MOST_DOMAINS: Final = 1_000
"""Domains of which a worker knows that they were told of."""
MOST_WHY: Final = 500
"""Characters of the reason."""


class Unsigned(msgspec.Struct, frozen=True, array_like=True):
    """A job's payload. ``at``: when, Unix seconds."""

    domain: str
    why: str
    at: int


class UnsignedAlert:
    """See the module; ``told`` is ``signing.signer.Unsigned``. ``clock``: seconds of the Unix epoch."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._days: OrderedDict[str, int] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def told(self, domain: str, why: str) -> None:
        """A message left unsigned."""
        now = int(self._clock())
        if self._days.get(domain) == now // DAY:
            return
        self._days[domain] = now // DAY
        self._days.move_to_end(domain)
        if len(self._days) > MOST_DOMAINS:
            self._days.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._job(domain, why[:MOST_WHY], now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all that was told is in the store, or was not taken."""
        await asyncio.gather(*self._tasks)

    async def _job(self, domain: str, why: str, now: int) -> None:
        payload = msgspec.msgpack.encode(Unsigned(domain, why, now))
        key = f"{domain}:{now // DAY}"
        try:
            await self._store.submit(
                AddJob(kind=UNSIGNED_JOB, key=key, payload=payload, run_at=now)
            )
        except StoreError as error:
            self._days.pop(domain, None)  # the next message tries again
            log.warning("administrators cannot be told now", domain=domain, reason=str(error))


class UnsignedNotices:
    """Runs jobs of the kind ``UNSIGNED_JOB``."""

    def __init__(self, store: Store, book: Book, hostname: str) -> None:
        self._store = store
        self._book = book
        self._hostname = hostname

    async def run(self, job: LeasedJob) -> None:
        """Write the letters of a job."""
        unsigned = msgspec.msgpack.decode(job.payload, type=Unsigned)
        domain = await self._book.domain(unsigned.domain)
        if domain is None:
            return
        day = unsigned.at // DAY
        for (account,) in await self._store.reader.rows(ADMINISTRATORS, domain.organisation):
            reader = await self._book.account(account)
            if reader is None:
                continue
            number = number_of(f"{job.kind}:{job.key}", day * DAY, reader)
            identity = f"unsigned.{unsigned.domain}.{day}.{reader.id}@{self._hostname}"
            if await is_written(self._store, number, identity):
                continue
            text = unsigned_mail(
                negotiated_locale([reader.locale]),
                unsigned.domain,
                unsigned.why,
                unsigned.at,
                reader.time_zone,
            )
            await file(
                self._store,
                reader,
                text,
                number=number,
                identity=identity,
                about=unsigned.domain,
            )
