"""A mailbox as a file, made while it is sent: mbox, or a zip of messages.

What is damaged is passed over; a zip names it in a text beside the messages. A message that comes or goes
meanwhile is in it or not.
"""

import io
import time
import zipfile
from collections.abc import AsyncGenerator
from typing import Final

import structlog

from malleposte.directory.book import Account
from malleposte.operations.mail_export import flags_of
from malleposte.operations.mailfiles import mbox
from malleposte.services.jmap.own import vcards
from malleposte.services.jmap.transfers import disposition
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store import Store
from malleposte.store.dialect import Row
from malleposte.store.ids import LOW, MAILBOX_LETTER, account_number, account_of, id_number
from malleposte.store.read import emails, mailboxes

log = structlog.get_logger(__name__)

SLICE: Final = 50
"""Messages looked up at a time."""
_ROWS: Final = (
    "SELECT m.uid, m.deleted, e.id, e.received_at, e.flags, e.keywords FROM membership m"
    " JOIN email e ON e.id = m.email WHERE m.mailbox = $1 AND m.uid > $2 ORDER BY m.uid LIMIT $3"
)
_KINDS: Final = {"mbox": "application/mbox", "zip": "application/zip"}


async def export(
    store: Store, account: Account, of: str, mailbox: str, request: Request
) -> Response:
    """GET /jmap/export/ACCOUNT/MAILBOX?form=mbox|zip, and contacts (``vcards``). Raises
    ``Refused``."""
    request.allow("GET")
    form = request.query.get("form", "mbox")
    if form == "vcard":
        return await vcards.export(store, account, of, mailbox, request)
    if form not in _KINDS:
        raise Refused(400, "The form is mbox, zip or vcard.")
    number = id_number(MAILBOX_LETTER, mailbox)
    if account_number(of) != account.id or account_of(number) != account.id:
        raise Refused(404, "There is no such mailbox of yours.")
    found = await mailboxes.mailbox(store.reader, number)
    if found is None:
        raise Refused(404, "There is no such mailbox of yours.")
    name = f"{found.name}.{form}"
    messages = _messages(store, number)
    return Response(
        200,
        kind=_KINDS[form],
        fields=(
            ("Content-Disposition", disposition(name)),
            ("Cache-Control", "private, no-store"),
            ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ),
        route="jmap-export",
        pieces=_mbox(messages) if form == "mbox" else _zip(messages),
    )


Message = tuple[int, int, tuple[str, ...], bytes | None]
"""UID, when it came, flags, octets; None where it is damaged."""


async def _messages(store: Store, mailbox: int) -> AsyncGenerator[Message]:
    account, after = account_of(mailbox), 0
    shown = await mailboxes.keywords(store.reader, account)
    while rows := await store.reader.rows(_ROWS, mailbox, after, SLICE):
        after = rows[-1][0]
        stored = {
            one.email: one
            for one in await emails.stored_of(
                store.reader, account, sorted({row[2] & LOW for row in rows})
            )
        }
        for row in rows:
            yield await _message(store, row, stored.get(row[2]), shown)


async def _message(
    store: Store, row: Row, found: emails.Stored | None, shown: dict[str, str]
) -> Message:
    uid, deleted, email, received_at, bits, keywords = row
    flags = flags_of(bits, keywords, deleted, shown)
    try:
        if found is None:
            raise emails.Damaged(f"email {email} has no content in the store")
        pieces = emails.read(store.reader, store.blobs, found, 0, found.size)
        octets = b"".join([piece async for piece in pieces])
    except emails.Damaged as error:
        log.warning("export_damaged", email=email, error=str(error))
        return uid, received_at, flags, None
    return uid, received_at, flags, octets


async def _mbox(messages: AsyncGenerator[Message]) -> AsyncGenerator[bytes]:
    async for _, received_at, flags, octets in messages:
        if octets is not None:
            yield mbox.written(octets, flags, received_at)


class _Sink(io.RawIOBase):
    """What ``zipfile`` writes to, taken away piece by piece; it cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, octets: object, /) -> int:
        piece = bytes(octets)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


async def _zip(messages: AsyncGenerator[Message]) -> AsyncGenerator[bytes]:
    # Mail is stored as it is: to make it smaller would hold up all others in this process.
    sink, damaged = _Sink(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        async for uid, received_at, _, octets in messages:
            when = time.gmtime(max(received_at, 315_532_800))  # a zip begins in 1980
            name = f"{time.strftime('%Y-%m-%d', when)} {uid:08d}.eml"
            if octets is None:
                damaged.append(name)
                continue
            archive.writestr(zipfile.ZipInfo(name, when[:6]), octets)
            yield sink.take()
        if damaged:
            lines = "\r\n".join(("These messages are damaged on the server:", *damaged, ""))
            archive.writestr("damaged.txt", lines)
    yield sink.take()
