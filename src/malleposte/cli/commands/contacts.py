"""``malleposte contacts …``."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from cyclopts import App

from malleposte.cli.caller import Outgoing, run
from malleposte.cli.exit_codes import LEFT_OUT, OK, REFUSED, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, printable, say, spelt
from malleposte.cli.progress import shown
from malleposte.operations.contacts import (
    Cards,
    ContactsExported,
    ContactsImported,
    ExportContacts,
    ImportContacts,
)

contacts = App(name="contacts", help="Contacts of an account, from and to vCard files.")

PARCEL = 256 * 1024
"""Octets after which what was read of a file goes to the server, at the end of a card."""
MOST = 8 * 1024 * 1024
"""Octets of one card."""


@contacts.command(name="import")
def import_(
    address: str, file: Path | None = None, /, *, book: str = "", common: Common = DEFAULT
) -> int:
    """Take the cards of a vCard file (version 3 or 4) into an account's contacts.

    A card that is there already, by its UID, is replaced where the file has another. A card that is none is
    listed and passed over.

    Parameters
    ----------
    address
        The account.
    file
        The file; left out: standard input.
    book
        The name of the address book, made where it is missing; without it the account's default.
    """
    request = ImportContacts(address=address, book=book, source=_named(file))
    try:
        with (
            _opened(file) as source,
            shown("import", quiet=common.json) as bar,
        ):
            done = run(
                common.configuration(),
                lambda caller: caller.call(
                    "contacts.import",
                    request,
                    ContactsImported,
                    progress=bar,
                    feed=_feed(source),
                ),
            )
    except OSError as error:
        raise Trouble(REFUSED, f"{file}: {error.strerror or error}") from None
    if common.json:
        as_json(done)
    else:
        say(
            f"{printable(done.book)}: {done.made:,} new, {done.changed:,} changed,"
            f" {done.same:,} were there, {done.refused:,} not taken"
        )
        for one in done.wrong:
            note(f"not taken: {printable(one)}")
    return LEFT_OUT if done.refused else OK


def _named(file: Path | None) -> str:
    return spelt(str(file)) if file is not None else "standard input or output"


def _opened(file: Path | None) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if file is None else file.open("rb")


async def _feed(source: BinaryIO) -> AsyncIterator[Outgoing]:
    for parcel in parcels(source):
        yield Outgoing(Cards(), [parcel])


def parcels(source: BinaryIO) -> Iterator[bytes]:
    """A file in pieces that end with a card. Raises ``Trouble``."""
    lines: list[bytes] = []
    size = 0
    while line := source.readline(MOST):
        lines.append(line)
        size += len(line)
        if size > MOST:
            raise Trouble(REFUSED, f"there is no end of a card (END:VCARD) within {MOST:,} octets")
        if size >= PARCEL and line.strip().upper() == b"END:VCARD":
            yield b"".join(lines)
            lines, size = [], 0
    if b"".join(lines).strip():
        yield b"".join(lines)


@contacts.command
def export(
    address: str,
    file: Path | None = None,
    /,
    *,
    book: str = "",
    version: Literal["3.0", "4.0"] = "4.0",
    common: Common = DEFAULT,
) -> int:
    """Write an account's contacts into a vCard file.

    Parameters
    ----------
    address
        The account.
    file
        The file, which must not be there yet; left out: standard output.
    book
        The name of one address book; without it all of them.
    version
        3.0 for old programs.
    """
    request = ExportContacts(address=address, book=book, version=version, target=_named(file))
    try:
        with _target(file) as target, shown("export", quiet=common.json) as bar:

            async def take(head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
                if pieces is not None:
                    async for piece in pieces:
                        target.write(piece)

            done = run(
                common.configuration(),
                lambda caller: caller.call(
                    "contacts.export", request, ContactsExported, progress=bar, take=take
                ),
            )
    except FileExistsError:
        raise Trouble(REFUSED, f"{file} is there already: name another file") from None
    except OSError as error:
        raise Trouble(REFUSED, f"{file}: {error.strerror or error}") from None
    if file is None:
        return OK
    if common.json:
        as_json(done)
    else:
        say(f"{done.exported:,} {'card' if done.exported == 1 else 'cards'} in {file}")
    return OK


def _target(file: Path | None) -> BinaryIO:
    if file is None:
        return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # They are somebody's contacts, whatever the umask is.
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
