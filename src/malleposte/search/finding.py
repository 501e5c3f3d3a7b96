"""Which emails a condition holds of, texts in them included, without an index.

What SQL knows comes first, then columns, then content, and only where they still decide. Each step is a
slice; in all so many emails and octets are opened, and so long is looked for, at the most. Conditions are
``store.matching``'s: a ``Text`` is looked for in a header field (``from``, ``subject``, ``header`` with its
name), in what is read (``body``) or in the names of files (``file``).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from malleposte.mime import decode_text
from malleposte.search import columns, visible
from malleposte.search.columns import ColumnText
from malleposte.search.headers import field_values
from malleposte.search.needle import Needle
from malleposte.store import Store, matching
from malleposte.store.ids import LOW
from malleposte.store.matching import Condition, Text
from malleposte.store.opened import Opened
from malleposte.store.queries import Known
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged

log = structlog.get_logger(__name__)

now: Callable[[], float] = time.monotonic

HOLD_AT_MOST: Final = 0.002
"""Seconds of work between two pauses."""
BODIES: Final = 25
"""Emails a statement reads: some 1 ms."""
JUDGED: Final = 5_000
"""Parts of conditions that are judged between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one search."""

    opened: int = 100_000
    """Emails of which the content is read."""
    octets: int = 1 << 30
    """Of their content."""
    seconds: float = 20


class TooMuch(Exception):
    """More would have to be read than a search may; the words say what helps."""

    def __init__(self) -> None:
        super().__init__(
            "There are too many messages to look through for this: name a folder, a sender or a time"
            " as well"
        )


class Pauses:
    """Lets others run where it is time."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = time.perf_counter()

    async def pause(self) -> None:
        """To be awaited between pieces of work."""
        if time.perf_counter() - self._last > HOLD_AT_MOST:
            await asyncio.sleep(0)
            self._last = time.perf_counter()


class Finding:
    """One search in an account. To be called with emails by number and what is known of each; the answer is
    those that the condition holds of. Raises ``TooMuch``."""

    def __init__(self, store: Store, account: int, limits: Limits) -> None:
        self._store = store
        self._account = account
        self._limits = limits
        self._until = now() + limits.seconds
        self._opened = 0
        self._octets = 0
        self._needles: dict[tuple[str, bool], Needle] = {}
        self._pause = Pauses().pause

    async def __call__(self, condition: Condition, known: Known) -> set[int]:
        """See the class."""
        texts = matching.texts(condition)
        for text in texts:
            if (text.text, text.words) not in self._needles:
                self._needles[text.text, text.words] = Needle(text.text, words=text.words)
                await self._pause()
        found: set[int] = set()
        left = await self._judged(condition, known, sorted(known), found)
        for text in texts:
            if left and columns.has_column(text.field, text.text):
                await self._by_column(text, left, known)
                left = await self._judged(condition, known, left, found)
        for start in range(0, len(left), BODIES):
            for opened in await self._open(left[start : start + BODIES]):
                number = opened.stored.email & LOW
                try:
                    if await self._holds(condition, opened, known[number]):
                        found.add(number)
                except Damaged as error:
                    log.error("search_damaged", email=opened.stored.email, error=str(error))
                await self._pause()
        return found

    def _needle(self, text: Text) -> Needle:
        return self._needles[text.text, text.words]

    async def _judged(
        self, condition: Condition, known: Known, numbers: list[int], found: set[int]
    ) -> list[int]:
        """Put what the condition surely holds of into ``found``; what is not sure yet."""
        left: list[int] = []
        every = max(1, JUDGED // (1 + sum(1 for _ in matching.leaves(condition))))
        for n, number in enumerate(numbers, 1):
            truth = matching.truth(condition, known[number])
            if truth:
                found.add(number)
            elif truth is None:
                left.append(number)
            if n % every == 0:
                await self._pause()
        return left

    async def _by_column(self, text: Text, numbers: list[int], known: Known) -> None:
        asked = ColumnText(text.field, self._needle(text))
        reader = self._store.reader
        for start in range(0, len(numbers), asked.rows_at_once):
            part = numbers[start : start + asked.rows_at_once]
            rows = await asked.rows(reader, self._account, part)
            verdicts = await asked.verdicts(rows, self._pause) if rows else {}
            for number in part:
                verdict = verdicts.get(number, False)
                if verdict is not None:
                    known[number][text] = verdict
            await self._pause()
        self._check()

    async def _open(self, numbers: Sequence[int]) -> list[Opened]:
        self._check()
        rows = await read_emails.stored_of(self._store.reader, self._account, sorted(numbers))
        self._opened += len(rows)
        self._octets += sum(row.content_size for row in rows)
        found = [Opened(self._store, row) for row in rows]
        for opened in found:
            opened.pause = self._pause
        return found

    def _check(self) -> None:
        limits = self._limits
        if self._opened > limits.opened or self._octets > limits.octets or now() > self._until:
            raise TooMuch

    async def _holds(
        self, condition: Condition, opened: Opened, known: dict[matching.Leaf, bool]
    ) -> bool:
        """Whether the condition holds of an email, opened. Raises ``Damaged``."""
        texts = [text for text in matching.texts(condition) if text not in known]
        for text in texts:
            if text.where != "body":
                known[text] = await self._in_header(text, opened)
        truth = matching.truth(condition, known)
        if truth is not None:
            return truth
        bodies = {self._needle(text): text for text in texts if text.where == "body"}
        async with aclosing(visible.found(opened, list(bodies))) as hits:
            async for needle, _ in hits:
                known[bodies[needle]] = True
                truth = matching.truth(condition, known)
                if truth is not None:
                    return truth
        return matching.holds(condition, lambda leaf: known.get(leaf, False))

    async def _in_header(self, text: Text, opened: Opened) -> bool:
        needle = self._needle(text)
        if text.where == "file":
            values = [visible.squeezed(name) for name in await visible.file_names(opened)]
        else:
            raw = await field_values(opened, text.field)
            if not text.text:
                return bool(raw)
            values = [visible.squeezed(decode_text(value)) for value in raw]
        for value in values:
            if await needle.in_text(value, self._pause):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Finder:
    """Begins searches in an account: what ``store.queries`` asks of texts."""

    store: Store
    account: int
    limits: Limits = Limits()

    def __call__(self) -> Finding:
        """A search of its own, with all that it may read before it."""
        return Finding(self.store, self.account, self.limits)
