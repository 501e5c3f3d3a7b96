"""A domain's keys as the store keeps them: sealed, a secret a pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from malleposte.delivery.signing.keys import KeyPair, UnreadableKey, read, secret_name
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing, SealError
from malleposte.store.dialect import Reader

MOST_PAIRS: Final = 10
"""Pairs of keys of one domain."""

MOST_RETIRED: Final = 50
"""Destroyed keys of one domain that are told of."""

Ring = Callable[[], KeyRing]
"""Gives the node's keys. Raises ``NodeKeyError``."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``pairs``: the newest first; ``troubles``: in words, for each pair that cannot be opened."""

    pairs: tuple[KeyPair, ...]
    troubles: tuple[str, ...] = ()


class Retired(NamedTuple):
    """A key that was destroyed, with the ``record`` that verifies mail under way, '' where nobody knows it
    any more. Times in Unix seconds."""

    selector: str
    record: str
    retired_at: int
    until: int


async def stems_of(reader: Reader, domain: str) -> list[str]:
    """Of a domain's pairs, whether they can be opened or not."""
    return [stem for stem, _ in await _rows(reader, domain)]


async def pairs_of(reader: Reader, ring: Ring, domain: str) -> Kept:
    """A domain's keys. One pair that cannot be opened does not take the others along."""
    rows = await _rows(reader, domain)
    if not rows:
        return Kept(())
    try:
        keys = ring()
    except NodeKeyError as error:
        return Kept((), (str(error),))
    pairs, troubles = [], []
    for stem, sealed in rows:
        try:
            pairs.append(read(domain, stem, keys.unseal(secret_name(domain, stem), sealed)))
        except (SealError, UnreadableKey) as error:
            troubles.append(f"keys {stem}: {error}")
    pairs.sort(key=lambda pair: (pair.made, pair.stem), reverse=True)
    return Kept(tuple(pairs), tuple(troubles))


async def retired_of(reader: Reader, domain: str) -> list[Retired]:
    """A domain's keys that were destroyed, the last first."""
    rows = await reader.rows(
        "SELECT selector, record, retired_at, until FROM dkim_retired WHERE domain = $1"
        " ORDER BY retired_at DESC, selector LIMIT $2",
        domain,
        MOST_RETIRED,
    )
    return [Retired(*row) for row in rows]


async def _rows(reader: Reader, domain: str) -> list[tuple[str, bytes]]:
    start = secret_name(domain)
    rows = await reader.rows(
        "SELECT name, sealed FROM secret WHERE $1 = substr(name, 1, $2)"
        " ORDER BY updated_at DESC, name DESC LIMIT $3",
        start,
        len(start),
        MOST_PAIRS,
    )
    return [(name.removeprefix(start), bytes(sealed)) for name, sealed in rows]
