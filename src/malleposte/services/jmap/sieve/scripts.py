"""Scripts as a client sees them, and their content on its way in."""

from typing import Any, Final

from malleposte.delivery.sieving.checking import Checker
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.blobs import script_blob
from malleposte.services.jmap.sieve.names import SCRIPT_LETTER
from malleposte.sieve import SieveError
from malleposte.store.execute.sieve import MAX_SCRIPT
from malleposte.store.read import sieve
from malleposte.store.read.sieve import Kept

PROPERTIES: Final = ("id", "name", "blobId", "isActive")


def script_text(n: int) -> str:
    """The id of a script."""
    return f"{SCRIPT_LETTER}{n:x}"


def shown(one: Kept) -> dict[str, Any]:
    """All properties of a script."""
    return {
        "id": script_text(one.n),
        "name": one.name,
        "blobId": script_blob(one.n, one.version),
        "isActive": one.active,
    }


async def state(context: Context) -> str:
    """Moves with each change of a script; also with one of the forms, which are kept beside."""
    own, _ = await sieve.versions(context.store.reader, context.actor, 0)
    return str(own)


async def known(context: Context) -> dict[int, Kept]:
    """The scripts there are, by number."""
    return {one.n: one for one in await sieve.scripts(context.store.reader, context.actor)}


async def octets_of(context: Context, blob_id: object) -> bytes:
    """A script's content, out of a blob. Raises ``SetError``, and what reading raises."""
    if not isinstance(blob_id, str):
        raise SetError("invalidProperties", "blobId names the content", properties=["blobId"])
    blobs = Blobs(context.store, context.settings, Access(context.actor, context.actor))
    found = bytearray()
    async with blobs.opened(blob_id) as blob:
        if blob is None:
            raise SetError("blobNotFound", "There is no such content here", notFound=[blob_id])
        async for piece in blob.pieces():
            found += piece
            if len(found) > MAX_SCRIPT:
                words = f"A script has at most {MAX_SCRIPT:,} octets"
                raise SetError("tooLarge", words, maxSize=MAX_SCRIPT)
    return bytes(found)


async def check(context: Context, octets: bytes, name: str = "") -> None:
    """Raises ``SetError`` with every mistake in a script."""
    checker = context.checker or Checker(context.store.reader)
    try:
        await checker.check(
            octets, owner=context.actor, organisation=context.account.organisation, name=name
        )
    except SieveError as error:
        raise SetError("invalidSieve", str(error)) from None
