"""Submissions that come further by themselves change when somebody looks, or is told of changes."""

from malleposte.store import Store
from malleposte.store.commands import NoteProgress
from malleposte.store.read import submissions


async def noted(store: Store, account: int) -> None:
    """Have those of an account change that came further. Store failures come through."""
    if await submissions.some_moved(store.reader, account):
        await store.submit(NoteProgress(account=account))
