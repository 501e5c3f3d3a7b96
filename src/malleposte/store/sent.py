"""How much one sender (an account, a domain) has sent, by hours: a row of its own for each hour."""

from typing import Final

from malleposte.store import dialect
from malleposte.store.dialect import Row, Sql

HOURS: Final = 24
"""Hours that the limit of recipients looks back, the one that runs among them."""

WRITE = dialect.insert(
    "sent",
    dict.fromkeys(("kind", "id", "hour", "messages", "recipients", "told"), "bigint"),
    on_conflict="ON CONFLICT (kind, id, hour) DO UPDATE SET messages = excluded.messages,"
    " recipients = excluded.recipients, told = excluded.told",
)
_MINE = " ON CONFLICT (kind, id, hour) DO UPDATE SET messages = sent.messages"
LOCK = dialect.Bulk(
    sqlite="INSERT INTO sent (kind, id, hour, messages, recipients, told)"
    f" VALUES ($1, $2, $3, 0, 0, 0){_MINE}",
    postgres="INSERT INTO sent (kind, id, hour, messages, recipients, told)"
    " SELECT kind, id, hour, 0, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
    f" AS v(kind, id, hour) ORDER BY kind, id{_MINE}",
    types=("bigint", "bigint", "bigint"),
)
"""The rows of this hour, made where they are not there, in one order."""
_SUMS = (
    "coalesce(sum(CASE WHEN s.hour = $1 THEN s.messages END), 0),"
    " coalesce(sum(CASE WHEN s.hour = $1 THEN s.recipients END), 0),"
    " coalesce(sum(s.recipients), 0), coalesce(max(s.told), 0),"
    " coalesce(max(CASE WHEN s.hour = $1 THEN s.told END), 0)"
)
READ = Sql(
    sqlite=f"SELECT s.kind, s.id, {_SUMS} FROM sent s WHERE s.hour > $2 AND s.kind = $3 AND s.id = $4"
    " GROUP BY s.kind, s.id",
    postgres=f"SELECT s.kind, s.id, {_SUMS} FROM (SELECT * FROM sent WHERE hour > $2) s"
    " JOIN unnest($3::bigint[], $4::bigint[]) AS v(kind, id) ON v.kind = s.kind AND v.id = s.id"
    " GROUP BY s.kind, s.id",
)


class Sent:
    """What a sender sent in the hour ``hour``, and within ``HOURS`` up to it (``day``: recipients)."""

    __slots__ = (
        "_told_now",
        "day",
        "dirty",
        "hour",
        "id",
        "kind",
        "messages",
        "recipients",
        "told",
    )

    def __init__(self, kind: int, id_: int, hour: int) -> None:
        self.kind, self.id, self.hour = kind, id_, hour
        self.messages = self.recipients = self.day = 0
        self.told = self._told_now = self.dirty = False

    def read(self, row: Row) -> None:
        """Take the sums of ``READ``."""
        self.messages, self.recipients, self.day = map(int, row[:3])
        self.told, self._told_now = bool(row[3]), bool(row[4])

    def row(self) -> Row:
        """Parameters of ``WRITE``."""
        return (
            self.kind,
            self.id,
            self.hour,
            self.messages,
            self.recipients,
            int(self._told_now),
        )

    def count(self, recipients: int) -> None:
        """A message goes."""
        self.messages += 1
        self.recipients += recipients
        self.day += recipients
        self.dirty = True

    def tell(self) -> bool:
        """Whether people are to be told something of it: once in the time it looks back."""
        if self.told:
            return False
        self.told = self._told_now = self.dirty = True
        return True
