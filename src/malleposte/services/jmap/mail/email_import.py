"""Email/import (RFC 8621 §4.8): messages that were uploaded, or stand in others, become emails."""

import time
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from malleposte.delivery.spool import COPIED, Spool
from malleposte.mime import fields
from malleposte.services.jmap import setting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store.ids import email_text
from malleposte.store.read import mailboxes

LINE: Final = 998
LOOKED_AT: Final = 64 * 1024
"""Octets in which a header and its line ends are looked for."""


class Imported(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An EmailImport."""

    blob_id: str
    mailbox_ids: dict[str, Any]
    keywords: dict[str, Any] | None = None
    received_at: str | None = None


class Import(Arguments, frozen=True, kw_only=True):
    """See the module."""

    if_in_state: str | None = None
    emails: dict[Id, Imported]


async def import_(context: Context, arguments: Import) -> Answer:
    """See the module."""
    access = await context.writing(arguments.account_id)
    account = access.account
    setting.check_count(len(arguments.emails), context.settings)
    reader = context.store.reader
    old = access.state(await mailboxes.modseq(reader, account))
    setting.check_state(arguments.if_in_state, old)
    filed: dict[str, tuple[int, int]] = {}
    failed: dict[str, SetError] = {}
    for id_, one in arguments.emails.items():
        try:
            filed[id_] = await _imported(context, access, one)
        except SetError as error:
            failed[id_] = error
        except filing.FAILURES as error:
            failed[id_] = filing.failure(error)
        else:
            context.created[id_] = email_text(filed[id_][0])
    created = await filing.described(context, account, filed)
    return {
        "accountId": arguments.account_id,
        "oldState": old,
        "newState": access.state(await mailboxes.modseq(reader, account)),
        "created": created or None,
        "notCreated": setting.shown(failed),
    }


async def _imported(context: Context, access: Access, one: Imported) -> tuple[int, int]:
    properties = {
        "mailboxIds": one.mailbox_ids,
        "keywords": one.keywords,
        "receivedAt": one.received_at,
    }
    to = filing.place(context, access.account, properties, int(time.time()))
    blobs = Blobs(context.store, context.settings, access)
    spool = Spool(context.store.incoming, context.actor)
    try:
        async with blobs.opened(one.blob_id) as blob:
            if blob is None:
                raise invalid("There is no such content here", "blobId")
            if not await blobs.spooled(blob, spool):
                most = context.settings.max_size_upload
                raise SetError("tooLarge", f"A message has at most {most} octets", maxSize=most)
        with spool.buffer() as buffer:
            start = bytes(buffer[:LOOKED_AT])
        if not is_message(start):
            raise SetError("invalidEmail", "This does not begin as a message does")
        if b"\n" in start.replace(b"\r\n", b""):
            await spool.rewrite(with_line_ends)
        return await filing.file(context, to, spool)
    finally:
        spool.close()


def is_message(start: bytes) -> bool:
    """Whether it begins with a header field, as each message does."""
    if start.startswith((b"\r", b"\n")):
        return False
    found = fields(start)
    # A line of an mbox file may stand before it.
    return bool(found) and found[0].start < LINE


def with_line_ends(buffer: bytes | memoryview) -> Iterator[bytes]:
    """A message with CRLF where it has LF: as files on many systems are."""
    kept = b""
    for at in range(0, len(buffer), COPIED):
        octets = kept + bytes(buffer[at : at + COPIED])
        kept = b"\r" if octets.endswith(b"\r") else b""
        octets = octets[: len(octets) - len(kept)]
        yield octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield kept


METHODS: Final = {"Email/import": Method(MAIL, Import, import_)}
