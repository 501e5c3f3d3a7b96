"""Sieve as it is kept: what runs at delivery, scripts and forms of an owner, what runs remember.

An owner is an account, or an organisation as a negative number.
"""

from collections.abc import Iterable
from typing import NamedTuple

from malleposte.store.dialect import Reader

_COLUMNS = "name, version, active, size, n"
_DOMAIN = (
    "(SELECT CASE d.alias_of WHEN 0 THEN d.id ELSE d.alias_of END FROM domain d WHERE d.name = {})"
)
"""The domain of a name, whatever name of it that is."""


class Kept(NamedTuple):
    """A script as lists show it."""

    name: str
    version: int
    active: bool
    size: int
    n: int
    """Its number, the same under another name."""


class Piece(NamedTuple):
    """What runs at delivery: ``place`` is ``organisation``, ``domain``, ``vacation``, ``filters`` or
    ``script``."""

    place: str
    name: str
    content: bytes


class Form(NamedTuple):
    """What a form of the user interface keeps."""

    version: int
    state: bytes
    content: bytes


async def versions(reader: Reader, account: int, organisation: int) -> tuple[int, int]:
    """The versions of an account's scripts and forms, and of its organisation's; 0 where there are none."""
    rows = await reader.rows(
        "SELECT owner, version FROM sieve_head WHERE owner IN ($1, $2)", account, -organisation
    )
    found = {row[0]: int(row[1]) for row in rows}
    return found.get(account, 0), found.get(-organisation, 0)


async def own_to_run(reader: Reader, account: int) -> list[Piece]:
    """What runs for an account at delivery, in its order."""
    rows = await reader.rows(
        "SELECT CASE WHEN kind = 'vacation' THEN 1 ELSE 2 END, kind, content FROM sieve_form"
        " WHERE account = $1 AND length(content) > 0 UNION ALL SELECT 3, name, content"
        " FROM sieve_script WHERE owner = $1 AND domain = 0 AND active = 1",
        account,
    )
    places = ("", "vacation", "filters", "script")
    return [Piece(places[place], name, bytes(octets)) for place, name, octets in sorted(rows)]


async def site_to_run(reader: Reader, organisation: int, domain: str) -> list[Piece]:
    """What runs for all of an organisation, and for those in a domain (A-labels), in that order."""
    rows = await reader.rows(
        "SELECT CASE WHEN domain = 0 THEN 1 ELSE 2 END, name, content FROM sieve_script"
        " WHERE owner = $1 AND active = 1"
        f" AND (domain = 0 OR domain = {_DOMAIN.format('$2')})",
        -organisation,
        domain,
    )
    places = ("", "organisation", "domain")
    return [Piece(places[place], name, bytes(octets)) for place, name, octets in sorted(rows)]


async def scripts(reader: Reader, owner: int, domain: int = 0) -> list[Kept]:
    """An owner's scripts by name."""
    rows = await reader.rows(
        f"SELECT {_COLUMNS} FROM sieve_script WHERE owner = $1 AND domain = $2 ORDER BY name",
        owner,
        domain,
    )
    return [Kept(name, version, bool(active), size, n) for name, version, active, size, n in rows]


async def script(
    reader: Reader, owner: int, name: str, domain: int = 0
) -> tuple[Kept, bytes] | None:
    """One script and its octets."""
    row = await reader.row(
        f"SELECT {_COLUMNS}, content FROM sieve_script"
        " WHERE owner = $1 AND domain = $2 AND name = $3",
        owner,
        domain,
        name,
    )
    if row is None:
        return None
    name, version, active, size, n, content = row
    return Kept(name, version, bool(active), size, n), bytes(content)


async def octets_of(reader: Reader, owner: int, n: int, version: int) -> bytes | None:
    """A script by its number, as it is at a version; None: it is so no more."""
    row = await reader.row(
        "SELECT content FROM sieve_script"
        " WHERE owner = $1 AND domain = 0 AND n = $2 AND version = $3",
        owner,
        n,
        version,
    )
    return None if row is None else bytes(row[0])


async def included(reader: Reader, owner: int, name: str, domain: str = "") -> bytes | None:
    """A script that another one includes (RFC 6609); of an organisation's that of the domain goes first."""
    row = await reader.row(
        "SELECT content FROM sieve_script WHERE owner = $1 AND name = $2 AND (domain = 0"
        f" OR domain = {_DOMAIN.format('$3')}) ORDER BY domain DESC LIMIT 1",
        owner,
        name,
        domain,
    )
    return None if row is None else bytes(row[0])


async def form(reader: Reader, account: int, kind: str) -> Form | None:
    """A form of an account."""
    row = await reader.row(
        "SELECT version, state, content FROM sieve_form WHERE account = $1 AND kind = $2",
        account,
        kind,
    )
    return None if row is None else Form(int(row[0]), bytes(row[1]), bytes(row[2]))


async def remembered(
    reader: Reader, account: int, kind: int, digests: Iterable[bytes], now: int
) -> set[bytes]:
    """Which of some digests are known at a time."""
    found = set()
    for digest in digests:
        row = await reader.row(
            "SELECT 1 FROM sieve_memory"
            " WHERE account = $1 AND kind = $2 AND digest = $3 AND until > $4",
            account,
            kind,
            digest,
            now,
        )
        if row is not None:
            found.add(digest)
    return found


async def memories(reader: Reader, account: int, kind: int, now: int) -> int:
    """How much of a kind is remembered for an account at a time."""
    row = await reader.row(
        "SELECT count(*) FROM sieve_memory WHERE account = $1 AND kind = $2 AND until > $3",
        account,
        kind,
        now,
    )
    return int(row[0]) if row else 0
