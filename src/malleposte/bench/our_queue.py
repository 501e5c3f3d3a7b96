"""A queue of ours, filled while no server runs: by the store's own command, as submission does it, and a
long one of what was deferred by rows, since a million commands would take a quarter of an hour."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from malleposte.bench.subject import Endpoint
from malleposte.delivery.outbound.settings import relay_route
from malleposte.delivery.spool import rendered
from malleposte.delivery.trace_header import trace_id
from malleposte.mime import summarize
from malleposte.store import Store, alone, cluster, content
from malleposte.store.commands import Deliver, Handing, Relay
from malleposte.store.sqlite import Sqlite

AT_ONCE = 64
_DAY = 86_400


def message(number: int, octets: int) -> bytes:
    """A plain message of about that size."""
    head = (
        f"From: reader@example.test\r\nTo: x{number}@elsewhere.test\r\nSubject: number {number}\r\n"
        f"Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}.bench@example.test>\r\n\r\n"
    ).encode()
    line = b"One size for every message, so that servers are compared and not letters.\r\n"
    return head + (line * (octets // len(line) + 1))[: max(0, octets - len(head) - 2)] + b"\r\n"


def fill(
    folder: Path, database: str, account: str, sink: Endpoint, count: int, octets: int
) -> None:
    """Queue so many messages of an account for the sink. `database`: PostgreSQL's, '' for SQLite."""
    asyncio.run(_fill(folder, database, account, sink, count, octets))


@contextlib.asynccontextmanager
async def _store(folder: Path, database: str) -> AsyncIterator[Store]:
    if database:
        async with cluster(database, folder / "spool") as store:
            yield store
    else:
        async with alone(folder) as store:
            yield store


async def _fill(
    folder: Path, database: str, account: str, sink: Endpoint, count: int, octets: int
) -> None:
    route = relay_route(sink.host, sink.port)
    async with _store(folder, database) as store:
        row = await store.reader.row(
            "SELECT id, organisation FROM account WHERE address = $1", account
        )
        assert row is not None
        commands = _commands(row[0], row[1], account, route, count, octets)
        while part := list(itertools.islice(commands, AT_ONCE)):
            await asyncio.gather(*map(store.submit, part))


def _commands(
    account: int, organisation: int, sender: str, route: str, count: int, octets: int
) -> Iterator[Deliver]:
    now = int(time.time())
    for number in range(count):
        text = message(number, octets)
        handing = Handing(
            organisation=organisation,
            account=account,
            sender=sender,
            relays=(Relay(address=f"x{number}@elsewhere.test", route=route),),
            expires_at=now + _DAY,
            prefix=b"Received: from bench.example.test by mx.example.test; now\r\n",
        )
        yield Deliver(
            content=content.in_rows(text),
            rendered=rendered(summarize(text)),
            filings=(),
            received_at=now,
            sender=sender,
            direction="local",
            trace_id=trace_id(),
            trace=b"",
            grace=0,
            handings=(handing,),
        )


def defer(folder: Path, count: int) -> None:
    """Queue so many messages more that wait until tomorrow, each for a domain of a thousand; SQLite only.

    All share the content of a message that is queued already.
    """
    db = Sqlite(folder / "store.db", writable=True)
    try:
        connection = db.connection
        (first,) = connection.execute("SELECT max(id) FROM queue_message").fetchone() or (0,)
        due = int(time.time()) + _DAY
        with connection:
            connection.execute(
                "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
                " INSERT INTO queue_message SELECT m.id + i, m.trace + i, m.account, m.sender, m.blob,"
                " m.prefix, m.size, m.needs, m.ret, m.envelope, m.created_at, ?3, ''"
                " FROM n, queue_message m WHERE m.id = ?1",
                (first, count, due + _DAY),
            )
            connection.execute(
                "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
                " INSERT INTO queue_recipient SELECT ?1 + i, 0, 'x' || i || '@d' || (i % 1000) || '.test',"
                " 'd' || (i % 1000) || '.test', '', '', 0, ?3, 3, 0, '450 later' FROM n",
                (first, count, due),
            )
            connection.execute(
                "INSERT INTO queue_route SELECT DISTINCT route, ?1, 0, 0, '' FROM queue_recipient"
                " WHERE true ON CONFLICT DO NOTHING",
                (due,),
            )
            connection.execute(
                "UPDATE sequence SET next = ?1 WHERE name = 'queue_message'", (first + count + 1,)
            )
    finally:
        db.close()
