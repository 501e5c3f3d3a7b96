"""What became of tries goes into the store: what is done together in one command; nobody waits for more.

A store that does not answer is asked again until it does; meanwhile nothing new is begun (``ready``),
for what is sent and not recorded is sent twice in the end. Reports to senders are made by a function of
the caller, and go in with the outcomes they follow from.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from malleposte.delivery.trace_header import shown_id
from malleposte.store import Store, StoreError, TemporaryFailure
from malleposte.store.commands import FAILED, WAITS, Closing, RecordOutcomes, Report

from .outcome import Settled

__all__ = ["Recorder", "Reporting", "Settled", "no_reports"]

log = structlog.get_logger(__name__)

AT_ONCE: Final = 200
"""Outcomes in one command: some 800 rows, and 10 ms for their lines of the log."""
SHOWN: Final = 10
"""Recipients named in a line of the log; the others are counted."""
_EVENTS: Final = {WAITS: "smtp_deferred", FAILED: "smtp_failed"}
AGAIN_FIRST, AGAIN_LAST = 0.1, 5.0

Reporting = Callable[[Sequence[Settled]], Sequence[Report]]
"""Which reports follow from outcomes: failures, warnings, deliveries that were asked about. A report's key
names the try, since what is recorded twice must not be reported twice."""


def no_reports(settled: Sequence[Settled]) -> Sequence[Report]:
    """Nobody is told anything."""
    return ()


class Recorder:
    """See the module. ``done`` is told what needs no care any more."""

    def __init__(
        self, store: Store, reporting: Reporting, done: Callable[[Sequence[Settled]], None]
    ) -> None:
        self._store = store
        self._reporting = reporting
        self._done = done
        self._settled: list[Settled] = []
        self._closings: dict[str, Closing] = {}
        self._some = asyncio.Event()
        self._ready = asyncio.Event()
        self._ready.set()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, settled: Iterable[Settled], closings: Iterable[Closing] = ()) -> None:
        """Have outcomes recorded, and how routes are with them; the last word on a route counts."""
        self._settled += settled
        for closing in closings:
            self._closings[closing.route] = closing
        if self._settled or self._closings:
            self._idle.clear()
            self._some.set()

    async def ready(self) -> None:
        """Wait until the store takes what is recorded."""
        if not self._ready.is_set():
            await self._ready.wait()

    async def flushed(self) -> None:
        """Wait until everything is recorded."""
        await self._idle.wait()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self._some.wait()
            batch, self._settled = self._settled[:AT_ONCE], self._settled[AT_ONCE:]
            closings, self._closings = tuple(self._closings.values()), {}
            if not self._settled:
                self._some.clear()
            await self._record(batch, closings)
            self._log(batch, closings)
            self._done(batch)
            if not self._settled and not self._closings:
                self._idle.set()

    def _log(self, batch: Sequence[Settled], closings: Sequence[Closing]) -> None:
        """A line for each message, outcome and answer; of what was given back untried, none."""
        lines: dict[tuple[int, int, str], list[Settled]] = {}
        for one in batch:
            outcome = one.outcome
            if outcome.said:
                lines.setdefault((outcome.message, outcome.state, outcome.said), []).append(one)
        for (_, state, said), alike in lines.items():
            message = alike[0].message
            more = {"more": len(alike) - SHOWN} if len(alike) > SHOWN else {}
            log.info(
                _EVENTS.get(state, "smtp_sent"),
                id=shown_id(message.trace),
                sender=message.sender,
                recipients=[one.recipient.address for one in alike[:SHOWN]],
                host=alike[0].outcome.host,
                said=said,
                **more,
            )
        for closing in closings:
            if closing.until:
                log.info(
                    "route_closed", route=closing.route, until=closing.until, said=closing.said
                )

    async def _record(self, batch: Sequence[Settled], closings: tuple[Closing, ...]) -> None:
        command = RecordOutcomes(
            outcomes=tuple(one.outcome for one in batch),
            routes=closings,
            reports=tuple(self._reports(batch)),
        )
        try:
            await self._submit(command)
        except StoreError as error:
            # A defect in one of them: the others count all the same; that one's lease will end.
            if len(batch) <= 1:
                log.error("an outcome was not taken by the store", reason=str(error))
                return
            half = len(batch) // 2
            await self._record(batch[:half], closings)
            await self._record(batch[half:], ())

    async def _submit(self, command: RecordOutcomes) -> None:
        pause = AGAIN_FIRST
        while True:
            try:
                await self._store.submit(command)
            except TemporaryFailure as error:
                if self._ready.is_set():
                    log.warning("sending waits for the store", reason=str(error))
                    self._ready.clear()
                await asyncio.sleep(pause)
                pause = min(pause * 2, AGAIN_LAST)
            else:
                self._ready.set()
                return

    def _reports(self, batch: Sequence[Settled]) -> Iterable[Report]:
        told = [one for one in batch if one.outcome.state != WAITS or one.outcome.warned]
        if not told:
            return ()
        try:
            return self._reporting(told)
        except Exception:
            log.exception("a report could not be made")
        reports: list[Report] = []
        for one in told:
            try:
                reports += self._reporting([one])
            except Exception:  # noqa: BLE001 - said above; the other senders are told
                log.error("a sender is not told", message=one.message.id, n=one.recipient.n)
        return reports
