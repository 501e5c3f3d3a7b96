"""Behaviours of other servers as rows, and what each must come to.

A row has servers (127.0.0.1 and on), names, a message, and for each recipient the outcome, the enhanced
code and the words (``…``: anything; N: the port). ``closed``: the routes that are closed, and why.
``taken``: messages that servers answered 2yz. What follows from these is looked at for every row: when it
is tried again, one line in the trace for each recipient, and what its sender is told.
"""

import contextlib
import dataclasses
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from malleposte.delivery.outbound import RelaySettings, Settled
from malleposte.delivery.outbound.outcome import Judge
from malleposte.delivery.reports import reporting
from malleposte.delivery.reports.job import ReportJob
from malleposte.store.commands import WAITS
from support.scripted_smtp import Manner
from support.zone import SILENCE as NO_ANSWER
from unit.delivery.outbound.outside import PATIENT, QUICK, Attempt, Outside, says

ONE = ("a@there.example",)
TWO = ("a@there.example", "b@there.example")
THREE = (*TWO, "c@there.example")
NO_PIPELINING = ("8BITMIME", "ENHANCEDSTATUSCODES")
MX: Mapping[str, Mapping[str, Any]] = {
    "there.example": {"mx": "10 mx.there.example."},
    "mx.there.example": {"a": "127.0.0.1"},
}
MX_TWO: Mapping[str, Mapping[str, Any]] = {
    "there.example": {"mx": ["10 mx.there.example.", "20 mx2.there.example."]},
    "mx.there.example": {"a": "127.0.0.1"},
    "mx2.there.example": {"a": "127.0.0.2"},
}
HOST = "mx.there.example [127.0.0.1]:N"
SOON, LATER = 300, 1_800
"""Seconds until the second try: of most, and of a mailbox that is full."""
ROUTE = 120
"""Seconds for which a route is closed first."""

End = tuple[str, str, str]
TAKEN: End = ("delivered", "2.0.0", "…took it…")


@dataclass
class Row:
    name: str
    ends: Sequence[End]
    """(outcome, enhanced code, words) for each recipient."""
    manners: Sequence[Manner] = (Manner(),)
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MX)
    broken: dict[str, str] = field(default_factory=dict)
    to: Sequence[str] = ONE
    message: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    taken: int = 0
    quick: str = ""
    """The timeout that is short, since its step is never answered."""
    again: int = SOON
    """Seconds until what is deferred is tried again, where its route is open."""
    age: int = 0
    """Seconds since the message was queued."""
    told: Sequence[str] | None = None
    """Reports to its sender; by default one of failure where there was any."""
    relay: bool = False
    """It goes to a relay at 127.0.0.1, in clear."""
    deaf: bool = False
    """Nobody takes connections at 127.0.0.1, nor refuses them."""


def steps(**replies: str | Sequence[str]) -> Manner:
    return Manner(steps=dict(replies))


def way(status: str, words: str) -> dict[str, Any]:
    """A way that failed: recipients wait, and the route is closed."""
    return {"ends": [("deferred", status, words)], "closed": {"there.example": words}}


class Watching(Judge):
    """Keeps what it said last of each recipient."""

    found: dict[str, Settled]

    def troubled(self, message: Any, recipient: Any, *rest: Any, **more: Any) -> Settled:
        settled = super().troubled(message, recipient, *rest, **more)
        self.found[recipient.address] = settled
        return settled

    def answered(self, message: Any, recipient: Any, *rest: Any, **more: Any) -> Settled:
        settled = super().answered(message, recipient, *rest, **more)
        self.found[recipient.address] = settled
        return settled


async def comes_to(outside: Outside, row: Row) -> None:
    """Send the message of a row, and look at everything that came of it."""
    for number, manner in enumerate(row.manners, start=1):
        await outside.server(number, manner)
    for name, records in row.names.items():
        outside.zone.add(name, **records)
    outside.zone.broken = row.broken
    if NO_ANSWER in row.broken.values():
        outside.dns = 0.6
    clock = outside.house.clock
    clock.stop()
    with contextlib.ExitStack() as stack:
        if row.deaf:
            outside.port = stack.enter_context(_deaf())
        settings = dict(row.settings)
        routes: Sequence[str] = ()
        if row.relay:
            relay = RelaySettings(host="localhost", port=outside.port, tls=False)
            settings["relays"] = {relay.route: relay}
            outside.zone.add("localhost", a="127.0.0.1")
            routes = [relay.route] * len(row.to)
        await outside.queue(*row.to, routes=routes, **row.message)
        clock.turn(row.age)
        settings["timeouts"] = dataclasses.replace(
            PATIENT, **({row.quick: QUICK} if row.quick else {})
        )
        judge = Watching(outside.settings(**settings).schedule, clock=clock.time)
        judge.found = {}
        attempts = await outside.go(judge=judge, reporting=reporting, **settings)
    port = str(outside.port or 9)
    _ended(row, attempts, judge.found, port)
    await _route_is(outside, row, port)
    await _goes_on(outside, row)
    await _sender_is_told(outside, row)
    assert sum(len(server.accepted) for server in outside.servers.values()) == row.taken


def _ended(row: Row, attempts: list[Attempt], found: Mapping[str, Settled], port: str) -> None:
    """Each recipient has one outcome, with its code and words."""
    lines = {attempt.address: attempt for attempt in attempts}
    assert len(attempts) == len(row.to) == len(lines)
    for address, (outcome, status, words) in zip(row.to, row.ends, strict=True):
        attempt = lines[address]
        assert (attempt.attempt, attempt.outcome) == (1, outcome), attempt
        assert says(words.replace("]:N", f"]:{port}"), attempt.said), attempt.said
        assert found[address].status == status, (found[address].status, attempt)
        assert found[address].outcome.said == attempt.said


async def _route_is(outside: Outside, row: Row, port: str) -> None:
    """Exactly those routes are closed, for their first pause, and say why."""
    routes = await outside.routes()
    assert routes.keys() == row.closed.keys()
    for route, words in row.closed.items():
        seconds, failures, said = routes[route]
        assert says(words.replace("]:N", f"]:{port}"), said), said
        assert 0.9 * ROUTE - 1 <= seconds <= 1.1 * ROUTE
        assert failures == 1


async def _goes_on(outside: Outside, row: Row) -> None:
    """What was deferred waits, and comes when it should; nothing else is in the queue to be tried."""
    now = int(outside.house.clock.time())
    rows = await outside.house.rows("SELECT address, state, due_at FROM queue_recipient")
    waits = {address: due - now for address, state, due in rows if state == WAITS}
    ends = dict(zip(row.to, row.ends, strict=True))
    assert waits.keys() == {address for address, end in ends.items() if end[0] == "deferred"}
    for seconds in waits.values():
        if row.closed:
            assert seconds <= 1.1 * ROUTE, "it waits for its route alone"
        else:
            assert 0.9 * row.again - 1 <= seconds <= 1.1 * row.again


async def _sender_is_told(outside: Outside, row: Row) -> None:
    """A report of each failure, once, and no report of anything else but what the row says."""
    jobs = await outside.house.rows("SELECT payload FROM job")
    told = [msgspec.msgpack.decode(payload, type=ReportJob) for (payload,) in jobs]
    failed = [a for a, end in zip(row.to, row.ends, strict=True) if end[0] == "failed"]
    wanted = ["failed"] if failed else []
    assert sorted(one.action for one in told) == sorted(wanted if row.told is None else row.told)
    if row.told is None:
        assert sorted(fate.address for one in told for fate in one.fates) == sorted(failed)


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """A port at 127.0.0.1 whose queue of connections is full: whoever comes waits."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
