"""An import from this side: reads the source, streams it, keeps the journal, counts.

Order: the plan comes first and is noted in the journal; then messages go out as fast as the server takes
them while acknowledgements come back. What cannot be read is listed and passed over.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from malleposte.cli.caller import Caller, Outgoing
from malleposte.cli.import_journal import Journal, Key, digest_of
from malleposte.cli.output import spelt
from malleposte.cli.progress import Shown
from malleposte.i18n.folder_names import role_of
from malleposte.operations.mail_import import FolderNow, ImportMail, MailImported
from malleposte.operations.mail_parcels import FolderWanted, ImportAck, ImportItem, ImportPlan
from malleposte.operations.mailfiles.folder_names import fit
from malleposte.operations.mailfiles.message_file import Skipped, SourceMessage, Unreadable
from malleposte.operations.mailfiles.source import Source

MAX_LISTED: Final = 10_000
"""Skipped records named in the report; more are only counted."""

MAX_OTHERS: Final = 1_000
_A: Final = {"mbox": "an mbox file", "maildir": "a Maildir", "eml": "a folder of .eml files"}


class FolderReport(msgspec.Struct, kw_only=True):
    """A folder of the source: into which mailbox, and what became of its messages. ``there``: imported
    by an earlier run."""

    source: str
    target: str
    role: str = ""
    made: bool = False
    found: int = 0
    imported: int = 0
    there: int = 0
    skipped: int = 0
    octets: int = 0


class SkippedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was not imported, and why."""

    folder: str
    where: str
    reason: str


class Report(msgspec.Struct, kw_only=True):
    """What an import did. ``checked``: messages read back from the store and found equal;
    ``mailboxes``: what they hold now, whoever put it there."""

    source: str
    form: str
    address: str
    dry_run: bool = False
    imported: int = 0
    there: int = 0
    skipped: int = 0
    octets: int = 0
    checked: int = 0
    seconds: float = 0.0
    folders: list[FolderReport] = msgspec.field(default_factory=list)
    mailboxes: tuple[FolderNow, ...] = ()
    skipped_records: list[SkippedRecord] = msgspec.field(default_factory=list)
    others: list[SkippedRecord] = msgspec.field(default_factory=list)
    """Mail of other forms beside and below, which was not looked at."""


def mapped(path: str, into: str, names: dict[str, str]) -> FolderWanted:
    """Which mailbox a folder of the source goes into: as told, else by its role, else by its name."""
    if path in names:
        return FolderWanted(path=fit(names[path]))
    if into:
        return FolderWanted(path=fit(into if path == "INBOX" else f"{into}/{path}"))
    role = role_of(path)
    return FolderWanted(path=role.capitalize() if role else fit(path), role=role)


class Import:
    """One import of a source into an account."""

    def __init__(
        self,
        source: Source,
        address: str,
        wanted: list[tuple[str, Path, FolderWanted]],
        journal: Journal | None,
        progress: Shown,
    ) -> None:
        self._source = source
        self._address = address
        self._wanted = wanted
        self._journal = journal
        self._progress = progress
        self._planned = asyncio.Event()
        self._out: dict[int, tuple[int, Key, int, str]] = {}
        self._total = self._read = 0
        self._resumed = journal is not None and journal.head is not None
        self.report = Report(
            source=spelt(str(source.root)),
            form=source.form,
            address=address,
            dry_run=journal is None,
        )
        for place, form in itertools.islice(source.others(), MAX_OTHERS):
            reason = (
                f"it is {_A[form]}, and this import is of {_A[source.form]}: import it by itself"
            )
            record = SkippedRecord(folder="", where=spelt(str(place)), reason=reason)
            self.report.others.append(record)

    async def run(self, caller: Caller) -> Report:
        """Have it done. Raises ``Trouble``; the journal holds what was done until then."""
        started = time.monotonic()
        journal = self._journal
        head = journal.head if journal is not None else None
        request = ImportMail(
            address=self._address,
            folders=tuple(wanted for _, _, wanted in self._wanted),
            source=spelt(self._source.identity),
            resumed=head is not None,
            lineage=head.lineage if head else "",
            since=head.since if head else 0,
            dry_run=journal is None,
        )
        try:
            done = await caller.call(
                "mail.import",
                request,
                MailImported,
                progress=None,
                feed=self._feed() if journal is not None else None,
                take=self._take,
            )
        finally:
            if journal is not None:
                journal.flush()
        for at, _, _, where in self._out.values():
            self._skip(at, where, "the server gave no answer about it")
        report = self.report
        report.checked, report.mailboxes = done.checked, done.folders
        report.seconds = round(time.monotonic() - started, 3)
        for name in ("imported", "there", "skipped", "octets"):
            setattr(report, name, sum(getattr(folder, name) for folder in report.folders))
        return report

    async def _take(self, head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
        if not self._planned.is_set():
            self._plan(msgspec.json.decode(head, type=ImportPlan))
            return
        ack = msgspec.json.decode(head, type=ImportAck)
        at, key, size, where = self._out.pop(ack.n)
        folder = self.report.folders[at]
        if ack.refused:
            self._skip(at, where, ack.refused)
            return
        folder.there += ack.there
        folder.imported += not ack.there
        folder.octets += 0 if ack.there else size
        assert self._journal is not None
        self._journal.done(key, ack.email)

    def _plan(self, plan: ImportPlan) -> None:
        if self._journal is not None:
            self._journal.begin(plan.lineage, plan.since)
        for (path, _, wanted), planned in zip(self._wanted, plan.folders, strict=True):
            self.report.folders.append(
                FolderReport(source=path, target=planned.path, role=wanted.role, made=planned.made)
            )
        self._planned.set()

    async def _feed(self) -> AsyncIterator[Outgoing]:
        await self._planned.wait()
        self._total = sum(self._octets(place) for _, place, _ in self._wanted)
        number = 0
        for at, (path, place, _) in enumerate(self._wanted):
            try:
                for found in self._source.read(path, place):
                    self._read += found.size
                    self._progress.report(self._read, max(self._total, self._read), path)
                    self.report.folders[at].found += 1
                    outgoing = self._outgoing(at, number, found)
                    if outgoing is not None:
                        number += 1
                        yield outgoing
            except OSError as error:
                self._skip(at, str(place), f"cannot be read: {error.strerror or error}")

    def _octets(self, place: Path) -> int:
        try:
            return self._source.octets(place)
        except OSError:
            return 0

    def _outgoing(self, at: int, number: int, found: SourceMessage | Skipped) -> Outgoing | None:
        if isinstance(found, Skipped):
            self._skip(at, found.where, found.reason)
            return None
        try:
            octets = found.read()
        except Unreadable as error:
            self._skip(at, found.where, str(error))
            return None
        if not octets:
            self._skip(at, found.where, "it is empty")
            return None
        journal = self._journal
        assert journal is not None
        digest = digest_of(octets)
        key = journal.key(found.folder, digest)
        if key in journal:
            self.report.folders[at].there += 1
            return None
        self._out[number] = (at, key, len(octets), found.where)
        item = ImportItem(
            n=number,
            folder=at,
            flags=found.flags,
            received_at=found.received_at,
            doubt=self._resumed,
            known=journal.known(digest) if self._resumed else (),
        )
        return Outgoing(item, [octets])

    def _skip(self, at: int, where: str, reason: str) -> None:
        folder = self.report.folders[at]
        folder.skipped += 1
        if len(self.report.skipped_records) < MAX_LISTED:
            record = SkippedRecord(folder=folder.source, where=spelt(where), reason=reason)
            self.report.skipped_records.append(record)
