"""Upload and download of blobs (RFC 8620 §6.1, §6.2), in pieces, so that none is held in memory."""

import asyncio
import os
import re
import secrets
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from malleposte.delivery.spool import Spool, compressed
from malleposte.directory.book import Account
from malleposte.mime.charset import plain_text
from malleposte.mime.parameters import percent
from malleposte.services.jmap.access import Access, access_to
from malleposte.services.jmap.errors import LIMIT, MethodError, RequestError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.blobs import upload_blob
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.web.messages import Refused, Request, Response, json
from malleposte.store import DiskFull, PermanentFailure, Store, StoreError, content
from malleposte.store.commands import PutUpload
from malleposte.store.incoming import NoRoom
from malleposte.store.read.emails import Damaged
from malleposte.store.results import Refused as CommandRefused
from malleposte.store.results import Swept

MEDIA: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
"""RFC 6838 §4.2."""
ANYTHING: Final = "application/octet-stream"
_ACTS: Final = re.compile(
    r"(?:java|ecma|j|live|vb)script|html|[/+]xml|xsl|svg|css|wasm|manifest|-replace|event-stream",
    re.IGNORECASE,
)
"""In types of what a browser would run, or show as a page: a blob is never answered as one."""
_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9!#$&+.^_`|~ -]")
NAME: Final = 200
"""Characters of a file's name."""


@dataclass(slots=True)
class Transfers:
    """See the module. Counts uploads under way, in this process."""

    settings: JmapSettings
    store: Store
    _under_way: Counter[int] = field(default_factory=Counter)

    async def upload(self, account: Account, to: str, request: Request) -> Response:
        """Content of any type, kept for a day under the name in the answer."""
        request.allow("POST")
        access = await self._access(account, to)
        if self._under_way[account.id] >= self.settings.max_concurrent_upload:
            words = f"At most {self.settings.max_concurrent_upload} uploads at a time"
            raise RequestError(LIMIT, words, limit="maxConcurrentUpload")
        self._under_way[account.id] += 1
        try:
            number, size = await self._received(account, request)
        except NoRoom as error:
            raise Refused(507 if error.full else 503, f"{error.text}.") from None
        except OSError as error:
            raise _unavailable(error) from None
        except StoreError as error:
            raise _unavailable(error) from None
        finally:
            self._under_way[account.id] -= 1
            if not self._under_way[account.id]:
                del self._under_way[account.id]
        given = request.field(b"content-type").partition(";")[0].strip().lower()
        return json(
            201,
            {
                "accountId": to,
                "blobId": upload_blob(number, access.account if access.reader else 0),
                "type": given if MEDIA.fullmatch(given) else ANYTHING,
                "size": size,
            },
            "jmap-upload",
        )

    async def _access(self, account: Account, text: str) -> Access:
        try:
            return await access_to(self.store, account.id, text)
        except MethodError:
            raise Refused(404, "There is no such account for you.") from None
        except StoreError as error:
            raise _unavailable(error) from None

    async def _received(self, account: Account, request: Request) -> tuple[int, int]:
        most = self.settings.max_size_upload
        spool = Spool(self.store.incoming, account.id)
        try:
            pieces = request.content.pieces(most, self.store.incoming.settings.seconds)
            async with aclosing(pieces):
                async for piece in pieces:
                    spool.write(bytes(piece))
            return await kept(self.store, self.settings, account.id, spool), spool.size
        except Refused as error:
            if error.status != 413:
                raise
            raise RequestError(LIMIT, error.words, status=413, limit="maxSizeUpload") from None
        finally:
            spool.close()

    async def download(
        self, account: Account, of: str, blob: str, name: str, request: Request
    ) -> Response:
        """A blob, as the type that was asked for if that is harmless, and always to be saved: it is no page
        of ours, and no script of one."""
        request.allow("GET")
        access = await self._access(account, of)
        kind = request.query.get("type", "") or ANYTHING
        if MEDIA.fullmatch(kind) is None:
            raise Refused(400, "The type to answer with is written as type/subtype.")
        if _ACTS.search(kind) is not None:
            kind = ANYTHING
        blobs = Blobs(self.store, self.settings, access)
        try:
            async with blobs.opened(blob) as found:
                if found is None:
                    raise Refused(404, "There is no such content here (any more).")
                length = found.length
        except (StoreError, OSError) as error:
            raise _unavailable(error) from None
        except Damaged:
            raise Refused(500, "This content is damaged on the server.") from None
        fields = [
            ("Content-Disposition", disposition(name)),
            # What a name means never changes; who may see it does.
            ("Cache-Control", "private, immutable, max-age=31536000"),
            ("Vary", "Cookie, Authorization"),
            ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
            ("Accept-Ranges", "none" if length is None else "bytes"),
        ]
        start, end, status = 0, length, 200
        if length is not None and (asked := _range(request, length)) is not None:
            start, end = asked
            if start >= end:
                fields.append(("Content-Range", f"bytes */{length}"))
                raise Refused(416, "The content has no such octets.", tuple(fields[-1:]))
            fields.append(("Content-Range", f"bytes {start}-{end - 1}/{length}"))
            status = 206
        return Response(
            status,
            kind=kind,
            fields=tuple(fields),
            route="jmap-download",
            pieces=_pieces(blobs, blob, start, end),
            length=-1 if end is None else end - start,
        )


async def kept(store: Store, settings: JmapSettings, account: int, spool: Spool) -> int:
    """Put what is in a spool into the store as an upload of an account; its number. Raises
    ``RequestError`` where that has too many."""
    with spool.buffer() as buffer:
        spool.expect_copy()
        what, descriptor = await compressed(buffer, spool.folder)
    number = secrets.randbits(62) | 1
    command = PutUpload(
        account=account,
        content=what,
        number=number,
        most=settings.max_uploads,
        most_octets=settings.max_size_uploads,
    )
    try:
        result = await store.submit(command, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    if isinstance(result, CommandRefused):
        raise RequestError(LIMIT, f"{result.text[:1].upper()}{result.text[1:]}", limit="uploads")
    if isinstance(result, Swept) and result.files:
        await asyncio.to_thread(content.unlink, store.blobs, result.files)
    return number


async def _pieces(blobs: Blobs, id_: str, start: int, end: int | None) -> AsyncGenerator[bytes]:
    """Opened again, so that nothing stays open of a response that is never begun."""
    async with blobs.opened(id_) as blob:
        if blob is None:
            raise Damaged("a blob is gone while it is sent")
        async for piece in blob.pieces(start, end):
            yield piece


def _range(request: Request, length: int) -> tuple[int, int] | None:
    """The octets asked for (RFC 9110 §14.2); None for all of them: also of several ranges, and where it
    depends on a validator, for there is none (§13.1.5)."""
    found = _RANGE.fullmatch(request.field(b"range").replace(" ", ""))
    if found is None or request.method != "GET" or request.field(b"if-range"):
        return None
    first, last, suffix = found.groups()
    if suffix:
        return max(length - int(suffix), 0), length if int(suffix) else 0
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, length) if last else length


def disposition(name: str) -> str:
    """``Content-Disposition`` of something to be saved under a name (RFC 6266, RFC 8187)."""
    name = " ".join(plain_text(name).replace("/", "_").replace("\\", "_").split())[:NAME]
    if not name:
        return "attachment"
    plain = _PLAIN.sub("_", name)
    found = f'attachment; filename="{plain}"'
    if plain != name:
        found += f"; filename*=UTF-8''{percent(name.encode('utf-8', 'replace')).decode('ascii')}"
    return found


def _unavailable(error: Exception) -> Refused:
    if isinstance(error, PermanentFailure):
        return Refused(500, "This went wrong in the server.")
    full = isinstance(error, DiskFull)
    return Refused(
        507 if full else 503, "The server cannot take or give this now; try again later."
    )
