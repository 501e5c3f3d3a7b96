"""Mail on its way to other servers: what waits and why. What is done about it: ``queue_acts``."""

from typing import Literal

import msgspec

from malleposte.delivery.trace_header import shown_id
from malleposte.directory.addresses import normalise_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import sender_number
from malleposte.operations.registry import Request, Response, operation
from malleposte.store.commands import HELD
from malleposte.store.read import queue

State = Literal["waits", "held"]


class QueuedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient. ``due_at``: when it is tried next (Unix seconds). ``said``: the last answer;
    ``way``: what is wrong with the way itself, '' for nothing."""

    n: int
    address: str
    route: str
    state: State
    due_at: int
    attempts: int
    said: str
    way: str


class QueuedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message. ``id`` is what commands name it by, ``trace`` its number in logs. Times in Unix
    seconds, ``size`` in octets."""

    id: int
    trace: str
    sender: str
    size: int
    created_at: int
    expires_at: int
    held: str
    recipients: tuple[QueuedRecipient, ...]


class ListQueue(Request, frozen=True, kw_only=True):
    """``sender``: an account's address, or a domain for what its aliases and groups send on; ``domain``:
    that of recipients; at most one of these and ``held``."""

    after: int = 0
    sender: str = ""
    domain: str = ""
    held: bool = False
    limit: int = queue.PAGE


class QueuePage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last one. ``waiting`` and ``held`` count recipients in all.
    ``rests``: this server does not send, so that nothing of it is tried."""

    messages: tuple[QueuedMessage, ...]
    more: bool
    waiting: int
    held: int
    oldest: int
    rests: bool = False


@operation("queue.list", ListQueue, QueuePage, audit="refused")
async def list_(context: Context, request: ListQueue, progress: Progress) -> QueuePage:
    """A page of the queue, oldest first."""
    if sum(map(bool, (request.sender, request.domain, request.held))) > 1:
        raise invalid("name a sender, or a domain, or ask for what is held: one of them")
    reader = context.store.reader
    account = await sender_number(reader, request.sender) if request.sender else 0
    most = max(1, min(request.limit, queue.PAGE))
    found = await queue.page(
        reader,
        after=request.after,
        account=account,
        domain=normalise_domain(request.domain) if request.domain else "",
        held=request.held,
        limit=most,
    )
    totals = await queue.totals(reader)
    return QueuePage(
        messages=tuple(map(_shown, found)),
        more=len(found) == most,
        waiting=totals.waiting,
        held=totals.held,
        oldest=totals.oldest,
        rests=not context.settings.sends,
    )


def _shown(message: queue.QueuedMessage) -> QueuedMessage:
    return QueuedMessage(
        id=message.id,
        trace=shown_id(message.trace),
        sender=message.sender,
        size=message.size,
        created_at=message.created_at,
        expires_at=message.expires_at,
        held=message.held,
        recipients=tuple(
            QueuedRecipient(
                n=one.n,
                address=one.address,
                route=one.route,
                state="held" if one.state == HELD else "waits",
                due_at=max(one.due_at, one.closed_until),
                attempts=one.attempts,
                said=one.said,
                way=one.why if one.closed_until else "",
            )
            for one in message.recipients
        ),
    )
