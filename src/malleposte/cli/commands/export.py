"""``malleposte export``."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.caller import run
from malleposte.cli.exit_codes import LEFT_OUT, OK, REFUSED, Trouble
from malleposte.cli.export_files import EmlTarget, MaildirTarget, MboxTarget
from malleposte.cli.exporting import Export, Report, Target
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, say, size, spelt, table
from malleposte.cli.progress import shown
from malleposte.operations.mail_export import ExportMail
from malleposte.operations.mailfiles.source import Form

SHOWN = 20
"""Damaged messages shown on a terminal; --json lists them all."""


def export(
    address: str,
    target: Path,
    /,
    *,
    form: Form = "maildir",
    mailbox: Annotated[
        tuple[str, ...], Parameter(help="Only this mailbox and what is below it; repeatable.")
    ] = (),
    common: Common = DEFAULT,
) -> int:
    """Export an account's mail as Maildir, mbox or .eml files. Flags and dates are kept.

    Run it again after a break, or later: only what is not there yet is written. A message that is
    damaged in the store is listed and passed over.

    Parameters
    ----------
    address
        The account.
    target
        Folder to write into; it is made.
    form
        maildir, mbox or eml.
    """
    configuration = common.configuration()
    # It is somebody's mail, whatever the umask is.
    os.umask(0o077)
    where = spelt(f"{form}:{target.absolute()}")
    request = ExportMail(address=address, mailboxes=mailbox, target=where)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with shown("export", quiet=common.json, octets=True) as bar:
            job = Export(request, form, _target(form, target), target, bar)
            report = run(configuration, job.run)
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or target}: {error.strerror or error}") from None
    _tell(report, common)
    return LEFT_OUT if report.damaged else OK


def _target(form: Form, root: Path) -> Target:
    if form == "maildir":
        return MaildirTarget(root)
    return MboxTarget(root) if form == "mbox" else EmlTarget(root)


def _tell(report: Report, common: Common) -> None:
    if common.json:
        as_json(report)
        return
    table(
        ("mailbox", "exported", "there before", "damaged", "size", "into"),
        [
            (
                f.mailbox,
                f"{f.exported:,}",
                f"{f.there:,}",
                f"{f.damaged:,}",
                size(f.octets),
                f.target,
            )
            for f in report.folders
        ],
        right=(1, 2, 3, 4),
    )
    say(
        f"{report.exported:,} exported ({size(report.octets)}), {report.there:,} were there,"
        f" {report.damaged:,} damaged"
    )
    for one in report.damaged_messages[:SHOWN]:
        note(f"damaged: {one.mailbox}, UID {one.uid}: {one.reason}")
    if report.damaged > SHOWN:
        note(f"and {report.damaged - SHOWN:,} more: --json lists them")
