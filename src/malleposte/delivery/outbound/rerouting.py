"""What is queued goes by today's routing: a smart host that was turned on, off or changed strands nothing.

The routing that all of the queue goes by is noted; where today's is another one, each recipient is given
its route anew. Broken off, it begins again; what was given its route then stays.
"""

import asyncio
from typing import Final

import structlog

from malleposte.store import Store
from malleposte.store.commands import MOST_REROUTED, NoteRouting, Reroute, Rerouted
from malleposte.store.read.queue import routed
from malleposte.store.read.relays import noted_routing

from .dispatcher import CHOSEN
from .relays import mark_of
from .settings import Routing

log = structlog.get_logger(__name__)

PAUSE: Final = 0.02
"""Seconds between two slices at least."""
SHARE: Final = 4
"""How many times as long as a slice took the pause after it is: mail that is due passes between, and gets
today's route at its turn anyhow (``Dispatcher``)."""


async def reroute(store: Store, routing: Routing) -> int:
    """Give what is queued the routes of ``routing`` where they are not known to be; how many changed."""
    mark = mark_of(routing)
    if await noted_routing(store.reader) == mark:
        return 0
    after, count = (0, -1), 0
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        found = await routed(store.reader, after, limit=MOST_REROUTED)
        moves = tuple(
            Rerouted(message=one.message, n=one.n, route=route)
            for one in found
            if not one.route.startswith(CHOSEN)
            and (route := routing.route_of(one.address, one.sender)) != one.route
        )
        if moves:
            await store.submit(Reroute(moves=moves))
            count += len(moves)
        if len(found) < MOST_REROUTED:
            break
        after = (found[-1].message, found[-1].n)
        await asyncio.sleep(max(PAUSE, SHARE * (clock() - began)))
    await store.submit(NoteRouting(mark=mark))
    if count:
        log.info("queue_rerouted", recipients=count)
    return count
