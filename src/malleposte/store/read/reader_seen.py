r"""The ``\Seen`` of a reader who is not the owner, where it was ever set or cleared."""

from collections.abc import Sequence
from typing import Final

from malleposte.store.dialect import Reader, any_of, both

_OF: Final = both(
    "SELECT email, seen FROM reader_seen WHERE {emails} AND reader = $2",
    emails=any_of("email", 1),
)


async def of(reader: Reader, actor: int, emails: Sequence[int]) -> dict[int, int]:
    """The flag by email; those left out are as the owner has them."""
    return dict(await reader.rows(_OF, list(emails), actor))
