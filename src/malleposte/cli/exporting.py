"""An export from this side: takes what streams in and writes it in the form asked for.

What is on disk from an earlier run is left as it is and not asked for again. A message that the store
could not give whole leaves no file.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from malleposte.cli.caller import Caller, Outgoing
from malleposte.cli.output import spelt
from malleposte.cli.progress import Shown
from malleposte.operations.exchange import BrokenBody
from malleposte.operations.mail_export import ExportMail, MailExported
from malleposte.operations.mail_parcels import ExportHave, ExportItem, ExportPlan, FolderOffered

MAX_LISTED: Final = 10_000
"""Damaged messages named in the report; more are only counted."""
RANGES_AT_ONCE: Final = 10_000
"""UID ranges in one parcel: a line of the admin socket holds them."""


class FolderWriter(Protocol):
    """One mailbox in files (``cli.export_files``)."""

    @property
    def place(self) -> Path:
        """Where it stands."""
        ...

    def have(self) -> list[int]:
        """UIDs that are there whole, sorted."""
        ...

    def write(self, item: ExportItem, octets: bytes) -> None:
        """Add a message."""
        ...

    def close(self) -> None:
        """No more messages."""
        ...


class Target(Protocol):
    """A form of export in a place (``cli.export_files``)."""

    def folder(self, offered: FolderOffered) -> FolderWriter:
        """A mailbox of it, made or found."""
        ...


class FolderReport(msgspec.Struct, kw_only=True):
    """A mailbox: where it went, and what became of its messages."""

    mailbox: str
    target: str
    exported: int = 0
    there: int = 0
    damaged: int = 0
    octets: int = 0


class DamagedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the store could not give whole."""

    mailbox: str
    uid: int
    reason: str


class Report(msgspec.Struct, kw_only=True):
    """What an export did. ``there``: was there from an earlier run."""

    address: str
    target: str
    form: str
    exported: int = 0
    there: int = 0
    damaged: int = 0
    octets: int = 0
    seconds: float = 0.0
    folders: list[FolderReport] = msgspec.field(default_factory=list)
    damaged_messages: list[DamagedMessage] = msgspec.field(default_factory=list)


class Export:
    """One export of an account into a target."""

    def __init__(
        self,
        request: ExportMail,
        form: str,
        target: Target,
        place: Path,
        progress: Shown,
    ) -> None:
        self._request = request
        self._target = target
        self._place = place
        self._progress = progress
        self._planned = asyncio.Event()
        self._writers: list[FolderWriter] = []
        self._total = self._done = 0
        self.report = Report(address=request.address, target=request.target, form=form)

    async def run(self, caller: Caller) -> Report:
        """Have it done. Raises ``Trouble`` and ``OSError``."""
        started = time.monotonic()
        try:
            await caller.call(
                "mail.export", self._request, MailExported, feed=self._have(), take=self._take
            )
        finally:
            for writer in self._writers:
                writer.close()
        # What is reported as exported is on the disk.
        await asyncio.to_thread(_flush, self._place)
        report = self.report
        for name in ("exported", "there", "damaged", "octets"):
            setattr(report, name, sum(getattr(folder, name) for folder in report.folders))
        report.seconds = round(time.monotonic() - started, 3)
        return report

    async def _have(self) -> AsyncIterator[Outgoing]:
        """Once the plan is there: what need not be sent."""
        await self._planned.wait()
        for at, writer in enumerate(self._writers):
            uids = writer.have()
            self.report.folders[at].there = len(uids)
            ranges = _ranges(uids)
            for first in range(0, len(ranges), RANGES_AT_ONCE):
                part = tuple(ranges[first : first + RANGES_AT_ONCE])
                yield Outgoing(ExportHave(folder=at, uids=part))

    async def _take(self, head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
        if not self._planned.is_set():
            self._begin(msgspec.json.decode(head, type=ExportPlan))
            return
        item = msgspec.json.decode(head, type=ExportItem)
        folder = self.report.folders[item.folder]
        if item.damaged or pieces is None:
            folder.damaged += 1
            if len(self.report.damaged_messages) < MAX_LISTED:
                self.report.damaged_messages.append(
                    DamagedMessage(mailbox=folder.mailbox, uid=item.uid, reason=item.damaged)
                )
            return
        octets = bytearray()
        try:
            async for piece in pieces:
                octets += piece
        except BrokenBody:
            # A parcel that says why follows.
            return
        self._writers[item.folder].write(item, bytes(octets))
        folder.exported += 1
        folder.octets += len(octets)
        self._done += len(octets)
        self._progress.report(self._done, max(self._total, self._done), folder.mailbox)

    def _begin(self, plan: ExportPlan) -> None:
        for offered in plan.folders:
            writer = self._target.folder(offered)
            self._writers.append(writer)
            self.report.folders.append(
                FolderReport(mailbox=offered.path, target=spelt(str(writer.place)))
            )
        self._total = sum(offered.size for offered in plan.folders)
        self._planned.set()


def _flush(place: Path) -> None:
    """Flush the file system that a folder is on: one call for a hundred thousand small files."""
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))
    finally:
        os.close(descriptor)


def _ranges(uids: list[int]) -> list[tuple[int, int]]:
    """Sorted UIDs as ranges, both ends included."""
    ranges: list[tuple[int, int]] = []
    for uid in uids:
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1] = (ranges[-1][0], uid)
        else:
            ranges.append((uid, uid))
    return ranges
