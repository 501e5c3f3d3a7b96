"""A queue of ours, filled while no server runs, by the store's own command, as submission does it."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from malleposte.bench.subject import Endpoint
from malleposte.delivery.outbound.relays import TO, rule_route
from malleposte.delivery.spool import rendered
from malleposte.delivery.trace_header import trace_id
from malleposte.mime import summarize
from malleposte.store import Store, alone, cluster, content
from malleposte.store.commands import Deliver, Handing, Relay
from malleposte.store.commands.relays import PutRelay

AT_ONCE = 64
TOGETHER = 1_000
"""Deferred messages of one command."""
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
    """Queue so many messages of an account for the sink, where mail to their domain goes from now on.
    `database`: PostgreSQL's, '' for SQLite."""
    rule = PutRelay(
        kind=TO, name="elsewhere.test", host=sink.host, port=sink.port, tls="none", verify=False
    )
    route = rule_route(rule.host, rule.port, rule.kind, rule.name)
    relays = (Relay(address=f"x{number}@elsewhere.test", route=route) for number in range(count))
    texts = (message(number, octets) for number in range(count))
    each = ((text, (relay,)) for text, relay in zip(texts, relays, strict=True))
    asyncio.run(_submit(folder, database, account, each, rule))


def defer(folder: Path, database: str, account: str, count: int, octets: int) -> None:
    """Queue so many messages more that wait until tomorrow, each for one of a thousand domains.

    A thousand go in one command and share their content: else a million would take an hour.
    """
    due = int(time.time()) + _DAY
    relays = (
        Relay(
            address=f"x{number}@d{number % 1000}.test", route=f"d{number % 1000}.test", due_at=due
        )
        for number in range(count)
    )
    each = ((message(at, octets), part) for at, part in enumerate(_parts(relays, TOGETHER)))
    asyncio.run(_submit(folder, database, account, each))


T = TypeVar("T")


def _parts(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(things)
    while part := tuple(itertools.islice(rest, size)):
        yield part


@contextlib.asynccontextmanager
async def _store(folder: Path, database: str) -> AsyncIterator[Store]:
    if database:
        async with cluster(database, folder / "spool") as store:
            yield store
    else:
        async with alone(folder) as store:
            yield store


async def _submit(
    folder: Path,
    database: str,
    account: str,
    each: Iterable[tuple[bytes, tuple[Relay, ...]]],
    rule: PutRelay | None = None,
) -> None:
    """Queue texts, each once for every relay beside it."""
    async with _store(folder, database) as store:
        if rule is not None:
            await store.submit(rule)
        row = await store.reader.row(
            "SELECT id, organisation FROM account WHERE address = $1", account
        )
        assert row is not None
        commands = (_command(row[0], row[1], account, text, relays) for text, relays in each)
        for part in _parts(commands, AT_ONCE):
            await asyncio.gather(*map(store.submit, part))


def _command(
    account: int, organisation: int, sender: str, text: bytes, relays: tuple[Relay, ...]
) -> Deliver:
    now = int(time.time())
    return Deliver(
        content=content.in_rows(text),
        rendered=rendered(summarize(text)),
        filings=(),
        received_at=now,
        sender=sender,
        direction="local",
        trace_id=trace_id(),
        trace=b"",
        grace=0,
        handings=tuple(
            Handing(
                organisation=organisation,
                account=account,
                sender=sender,
                relays=(relay,),
                expires_at=max(now, relay.due_at) + _DAY,
                prefix=b"Received: from bench.example.test by mx.example.test; now\r\n",
            )
            for relay in relays
        ),
    )
