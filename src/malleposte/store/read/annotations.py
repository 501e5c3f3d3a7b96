"""What clients note on mailboxes and on the server (IMAP METADATA, RFC 5464).

A shared entry hangs on a mailbox and is seen by whoever may see that; a private one only by the account
that wrote it. Names are in lower case, without ``/shared`` or ``/private``: ``/comment``.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader, Sql, any_of, both
from malleposte.store.ids import account_of

MAX_VALUE: Final = 64 * 1024
"""Octets of a value: an icon or a filter; clients keep colours and sort orders."""
MAX_ENTRIES: Final = 1_000
"""Entries an account keeps: the shared ones of its mailboxes, and its private ones wherever they are."""
MAX_OCTETS: Final = 4 * 1024 * 1024
"""Octets of the same, names and values: read at once by whoever asks for all."""
LARGE: Final = 1024
"""Octets from which on a value is read alone by who asks for those of many mailboxes."""

_OF = (
    "SELECT name, reader <> 0, length(value), CASE WHEN length(value) <= $1 THEN value END"
    " FROM annotation WHERE account = $2 AND mailbox = $3 AND reader IN (0, $4)"
)
_NAMES = Sql(sqlite="name IN (SELECT value FROM json_each($5))", postgres="name = ANY($5::text[])")
_OF_ALL = both(
    "SELECT mailbox, name, reader <> 0, CASE WHEN length(value) <= $1 THEN value END FROM annotation"
    " WHERE {accounts} AND {mailboxes} AND reader IN (0, $4) AND {names}",
    accounts=any_of("account", 2),
    mailboxes=any_of("mailbox", 3),
    names=_NAMES,
)
_VALUE = (
    "SELECT value FROM annotation WHERE account = $1 AND mailbox = $2 AND reader = $3 AND name = $4"
)
_KEPT = (
    "SELECT count(*), coalesce(sum(length(name) + length(value)), 0) FROM annotation"
    " WHERE reader = $1 OR (account = $1 AND reader = 0)"
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One entry. ``value`` is None where it is larger than was asked for; ``size`` says how large."""

    name: str
    private: bool
    size: int
    value: bytes | None


async def annotations(
    reader: Reader, actor: int, mailbox: int, largest: int = MAX_VALUE
) -> list[Annotation]:
    """All entries of a mailbox, or for 0 of the server, that an actor sees; rights are the caller's."""
    rows = await reader.rows(_OF, largest, account_of(mailbox) or actor, mailbox, actor)
    return [
        Annotation(name, bool(private), size, None if value is None else bytes(value))
        for name, private, size, value in rows
    ]


async def of_mailboxes(
    reader: Reader, actor: int, mailboxes: Collection[int], names: Iterable[str]
) -> dict[int, dict[tuple[str, bool], bytes | None]]:
    """Entries of these names of mailboxes, in one statement: mailbox to (name, private) to value; None:
    it is a ``LARGE`` one, to be read alone (``value``)."""
    found: dict[int, dict[tuple[str, bool], bytes | None]] = {}
    accounts = sorted({account_of(mailbox) for mailbox in mailboxes})
    rows = await reader.rows(_OF_ALL, LARGE, accounts, list(mailboxes), actor, list(names))
    for mailbox, name, private, value in rows:
        note = None if value is None else bytes(value)
        found.setdefault(mailbox, {})[name, bool(private)] = note
    return found


async def value(reader: Reader, actor: int, mailbox: int, name: str, private: bool) -> bytes | None:
    """One of them; None: it is gone."""
    of = actor if private else 0
    row = await reader.row(_VALUE, account_of(mailbox), mailbox, of, name)
    return None if row is None else bytes(row[0])


async def kept(reader: Reader, account: int) -> tuple[int, int]:
    """(entries, octets) that an account keeps, of ``MAX_ENTRIES`` and ``MAX_OCTETS``."""
    row = await reader.row(_KEPT, account)
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
