"""What is kept about TLS towards other servers."""

from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader

MOST_EXCEPTIONS: Final = 1_000
"""Exceptions that are read: they are made by hand."""


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy of MTA-STS. Times in Unix seconds; ``failed``: why it could not be fetched again, ''."""

    domain: str
    id: str
    policy: str
    fetched_at: int
    expires_at: int
    tried_at: int
    used_at: int
    failed: str


@dataclass(frozen=True, slots=True)
class TlsException:
    """Mail to ``destination`` leaves until then whatever its policies want."""

    destination: str
    until: int
    why: str
    made_at: int
    made_by: str


@dataclass(frozen=True, slots=True)
class TlsResult:
    """Sessions that ended alike; ``failure`` '' where they went well."""

    policy: str
    failure: str
    sessions: int


_POLICY = "domain, id, policy, fetched_at, expires_at, tried_at, used_at, failed"


async def sts_policy(reader: Reader, domain: str) -> KeptPolicy | None:
    """The policy of a domain that was fetched last, over or not."""
    row = await reader.row(f"SELECT {_POLICY} FROM sts_policy WHERE domain = $1", domain)
    return KeptPolicy(*row) if row else None


async def sts_ending(
    reader: Reader, *, before: int, used_after: int, tried_before: int, limit: int
) -> list[KeptPolicy]:
    """Policies that end before a moment, were used after another, and not tried again of late; those that
    end first first."""
    rows = await reader.rows(
        f"SELECT {_POLICY} FROM sts_policy WHERE expires_at < $1 AND used_at > $2"
        " AND tried_at < $3 ORDER BY expires_at LIMIT $4",
        before,
        used_after,
        tried_before,
        limit,
    )
    return [KeptPolicy(*row) for row in rows]


async def exceptions(reader: Reader) -> list[TlsException]:
    """All of them, those that ended of late too."""
    rows = await reader.rows(
        "SELECT destination, until, why, made_at, made_by FROM tls_exception"
        " ORDER BY destination LIMIT $1",
        MOST_EXCEPTIONS,
    )
    return [TlsException(*row) for row in rows]


async def reported_domains(reader: Reader, *, before: int, limit: int) -> list[tuple[int, str]]:
    """Days before one, and the domains with results on it."""
    rows = await reader.rows(
        "SELECT DISTINCT day, domain FROM tls_result WHERE day < $1 ORDER BY day, domain LIMIT $2",
        before,
        limit,
    )
    return [(int(row[0]), str(row[1])) for row in rows]


async def results(reader: Reader, day: int, domain: str) -> list[TlsResult]:
    """How sessions with servers of a domain went on a day."""
    rows = await reader.rows(
        "SELECT policy, failure, sessions FROM tls_result WHERE day = $1 AND domain = $2"
        " ORDER BY policy, failure",
        day,
        domain,
    )
    return [TlsResult(*row) for row in rows]
