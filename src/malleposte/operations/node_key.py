"""Which node keys the store needs: what is sealed says under which key, and a canary is sealed first.

So a key file that was lost or mixed up is noticed while it can still be brought back, and not when the
first secret cannot be opened. The key itself never comes here.
"""

from malleposte.operations.context import Context
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import PutSecret
from malleposte.store.dialect import Reader

CANARY = "node-key"
"""Name and purpose of the sealed value that nothing but this comparison needs."""


class NoteNodeKey(Request, frozen=True, kw_only=True):
    """``sealed``: anything, sealed by the node's key for ``CANARY``; ``key_id`` of that key, hexadecimal.
    ``replace`` the canary that is there, whose key is gone."""

    key_id: str
    sealed: bytes
    replace: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"id": self.key_id, "replace": self.replace}


class NodeKeysNeeded(Response, frozen=True, kw_only=True):
    """``key_ids`` of all that is sealed in the store, the canary included, in hexadecimal."""

    key_ids: tuple[str, ...]


@operation("server.node-key", NoteNodeKey, NodeKeysNeeded)
async def note(context: Context, request: NoteNodeKey, progress: Progress) -> NodeKeysNeeded:
    """Keep the canary, where there is none yet. Again: nothing changes."""
    reader = context.store.reader
    there = await reader.row("SELECT 1 FROM secret WHERE name = $1", CANARY)
    if there is None or request.replace:
        command = PutSecret(name=CANARY, sealed=request.sealed, key_id=request.key_id)
        await context.carry_out(command)
    return NodeKeysNeeded(key_ids=await key_ids(reader))


async def key_ids(reader: Reader) -> tuple[str, ...]:
    """Of every sealed value in the store, sorted."""
    rows = await reader.rows("SELECT DISTINCT key_id FROM secret ORDER BY key_id")
    return tuple(row[0] for row in rows)
