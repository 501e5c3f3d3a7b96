"""The job that gives copies Emails of their own after rights on a mailbox changed (``execute.parting``)."""

import asyncio
from typing import Final

import msgspec

from malleposte.store import Store
from malleposte.store.commands import PartCopies
from malleposte.store.read.rights import inheriting
from malleposte.store.results import Done, LeasedJob

PAUSE: Final = 0.01
"""Seconds between two commands, in which others have their turn."""


async def part_copies(store: Store, job: LeasedJob) -> None:
    """All that is left in the mailbox, and in those below it for which the same list counts."""
    top = msgspec.msgpack.decode(job.payload, type=int)
    for mailbox in await inheriting(store.reader, top):
        after = 0
        while True:
            done = await store.submit(PartCopies(mailbox=mailbox, after=after))
            if not isinstance(done, Done) or not done.more:
                break
            after = done.count
            await asyncio.sleep(PAUSE)
