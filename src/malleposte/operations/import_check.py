"""Reads some imported messages back and compares them with what was sent."""

from hashlib import blake2b
from typing import NamedTuple

from malleposte.operations.errors import OperationError
from malleposte.store import Store
from malleposte.store.read import emails


class Sample(NamedTuple):
    """An email and the digest its content was sent with."""

    email: int
    digest: bytes


EACH = 5
"""Messages checked in each mailbox: enough to see a systematic error."""


async def check_samples(store: Store, samples: dict[int, list[Sample]]) -> int:
    """How many were read back; what was expunged meanwhile is passed over.

    Raises ``OperationError`` where a message is not what was sent.
    """
    checked = 0
    for sample in (one for several in samples.values() for one in several):
        stored = await emails.stored_by_id(store.reader, sample.email)
        if stored is None:
            continue
        digest = blake2b(digest_size=32)
        try:
            async for piece in emails.read(store.reader, store.blobs, stored, 0, stored.size):
                digest.update(piece)
        except emails.Damaged as error:
            raise _wrong(sample.email, str(error)) from None
        if digest.digest() != sample.digest:
            raise _wrong(sample.email, "its octets are not those that were sent")
        checked += 1
    return checked


def _wrong(email: int, text: str) -> OperationError:
    return OperationError(
        "failed", "damaged", f"email {email} cannot be read back: {text}; run `malleposte fsck`"
    )
