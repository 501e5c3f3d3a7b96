"""``malleposte import``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.caller import run
from malleposte.cli.exit_codes import LEFT_OUT, OK, REFUSED, USAGE, Trouble
from malleposte.cli.import_journal import Journal, journal_folder
from malleposte.cli.importing import Import, Report, mapped
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, say, size, table
from malleposte.cli.progress import shown
from malleposte.node.config import Configuration
from malleposte.operations.mail_import import MAX_FOLDERS
from malleposte.operations.mail_parcels import FolderWanted
from malleposte.operations.mailfiles.folder_names import decoded
from malleposte.operations.mailfiles.mbox import Quoting
from malleposte.operations.mailfiles.source import Form, Source, UnknownSource, found_form

SHOWN = 20
"""Skipped records shown on a terminal; --json lists them all."""


def import_(
    address: str,
    source: Path,
    /,
    *,
    form: Form | None = None,
    into: str = "",
    map_: Annotated[
        tuple[str, ...], Parameter(name="--map", help="Folder of the source = mailbox; repeatable.")
    ] = (),
    quoting: Quoting = "rd",
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    state: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Import mail from an mbox file, a Maildir, or a folder of .eml files. Flags and dates are kept.

    Run it again after a break, or later: only what is not there yet is imported. A record that cannot
    be read is listed and passed over.

    Parameters
    ----------
    address
        The account that gets the mail.
    source
        The file or folder.
    form
        What it is; found out by looking if not given.
    into
        Mailbox that everything goes below; the source's INBOX goes into it itself.
    quoting
        mbox: rd (any >From was quoted), o (only From was), none.
    dry_run
        Only show which folder would go into which mailbox.
    state
        Folder for the journal that a later run takes up; by default imports in the data folder.
    """
    configuration = common.configuration()
    found, wanted = _looked_at(source, form, quoting, into, map_)
    if dry_run:
        return _dry_run(configuration, found, wanted, address, common)
    folder = journal_folder(configuration.node.data_dir, state)
    journal = Journal(folder, found.identity, address)
    try:
        with shown("import", quiet=common.json, octets=True) as bar:
            job = Import(found, address, wanted, journal, bar)
            try:
                report = run(configuration, job.run)
            except Trouble as trouble:
                if job.report.folders:
                    again = "run the same command again: it goes on where it stopped"
                    raise Trouble(
                        trouble.code,
                        f"{trouble.text} ({len(journal):,} messages are in; {again})",
                        trouble.reason,
                    ) from None
                raise
    finally:
        journal.close()
    _tell(report, common)
    return LEFT_OUT if report.skipped or report.others else OK


def _looked_at(
    path: Path, form: Form | None, quoting: Quoting, into: str, names: tuple[str, ...]
) -> tuple[Source, list[tuple[str, Path, FolderWanted]]]:
    table_of = {}
    for name in names:
        left, equals, right = name.partition("=")
        if not equals or not left or not right:
            raise Trouble(USAGE, f"--map {name}: give FOLDER=MAILBOX")
        table_of[decoded(left)] = decoded(right)
    try:
        source = Source(path, form or found_form(path), quoting)
        folders = [
            (name, place, mapped(name, decoded(into).strip("/"), table_of))
            for name, place in source.folders()
        ]
    except UnknownSource as error:
        raise Trouble(REFUSED, str(error), "unknown-source") from None
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or path}: {error.strerror or error}") from None
    if not folders:
        raise Trouble(REFUSED, f"{path} holds no {source.form} folder", "unknown-source")
    if len(folders) > MAX_FOLDERS:
        raise Trouble(
            REFUSED, f"{path} holds more than {MAX_FOLDERS:,} folders; import it in parts"
        )
    missing = set(table_of) - {name for name, _, _ in folders}
    if missing:
        raise Trouble(USAGE, f"--map: the source has no folder {sorted(missing)[0]!r}")
    return source, folders


def _dry_run(
    configuration: Configuration,
    source: Source,
    wanted: list[tuple[str, Path, FolderWanted]],
    address: str,
    common: Common,
) -> int:
    with shown("looking", quiet=True) as bar:
        report = run(configuration, Import(source, address, wanted, None, bar).run)
    for folder, (path, place, _) in zip(report.folders, wanted, strict=True):
        measured = source.measure(path, place)
        folder.found, folder.octets = measured.messages, measured.octets
    if common.json:
        as_json(report)
        return OK
    table(
        ("folder", "goes into", "", "messages", "size"),
        [
            (
                f.source,
                f.target,
                "new" if f.made else "there",
                f"{f.found:,}",
                size(f.octets),
            )
            for f in report.folders
        ],
        right=(3, 4),
    )
    _tell_others(report)
    say("Nothing was imported; --map FOLDER=MAILBOX and --into change the table.")
    return OK


def _tell(report: Report, common: Common) -> None:
    if common.json:
        as_json(report)
        return
    table(
        ("folder", "mailbox", "found", "imported", "there before", "skipped", "size"),
        [
            (
                f.source,
                f.target,
                f"{f.found:,}",
                f"{f.imported:,}",
                f"{f.there:,}",
                f"{f.skipped:,}",
                size(f.octets),
            )
            for f in report.folders
        ],
        right=(2, 3, 4, 5, 6),
    )
    rate = f", {report.imported / report.seconds:,.0f} messages/s" if report.seconds else ""
    say(
        f"{report.imported:,} imported ({size(report.octets)}{rate}), {report.there:,} were there,"
        f" {report.skipped:,} skipped; {report.checked:,} read back and found equal"
    )
    for record in report.skipped_records[:SHOWN]:
        note(f"skipped: {record.where}: {record.reason}")
    if report.skipped > SHOWN:
        note(f"and {report.skipped - SHOWN:,} more: --json lists them")
    _tell_others(report)


def _tell_others(report: Report) -> None:
    for record in report.others[:SHOWN]:
        note(f"not imported: {record.where}: {record.reason}")
    if len(report.others) > SHOWN:
        note(f"and {len(report.others) - SHOWN:,} more: --json lists them")
