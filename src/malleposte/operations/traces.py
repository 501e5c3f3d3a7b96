"""What became of a message: who brought it, whom it reached, what each attempt to send it on came to."""

import time

import msgspec

from malleposte.delivery.trace_header import parse_id, shown_id
from malleposte.operations.context import Context
from malleposte.operations.errors import invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, operation
from malleposte.store.commands import HELD
from malleposte.store.read import traces

PAGE = 100
"""Messages of a page."""
LOOKED_AT = 20_000
"""Traces one call looks through at the most: some 100 ms; the caller goes on."""


class TracedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, or what somebody did. ``at``: Unix seconds; ``host``: whom we spoke with, and how."""

    at: int
    attempt: int
    outcome: str
    host: str
    said: str


class TracedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What a script of ``account`` did with its copy: ``what`` is ``filed`` (``where``: the mailbox),
    ``sent on`` (the address), ``discarded``, or ``rejected``, of which the sender heard by mail."""

    account: str
    what: str
    where: str = ""


class TracedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient. ``by``: the address of ours whose forward it is, ''. ``accounts``: whom it reached
    here, in INBOX but for ``copies``: what scripts did. ``state``: ``filed``, ``waits``, ``held``, or what
    the last attempt came to; ``next``: when it is tried, 0 not; ``message``: its number in the queue, 0
    once it has left it."""

    address: str
    by: str = ""
    accounts: tuple[str, ...] = ()
    state: str
    next: int = 0
    said: str = ""
    message: int = 0
    attempts: tuple[TracedAttempt, ...] = ()
    copies: tuple[TracedCopy, ...] = ()


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """One message. ``id`` stands in its Received line, in what its sender was answered, and in the log;
    ``at``: Unix seconds; ``size``: octets; ``notes``: what scripts wanted and did not get."""

    id: str
    at: int
    direction: str
    sender: str
    message_id: str
    peer: str
    hello: str
    protocol: str
    tls: str
    login: str
    size: int
    recipients: tuple[TracedRecipient, ...]
    notes: tuple[str, ...] = ()


class FindTraces(Request, frozen=True, kw_only=True):
    """``sender``, ``recipient``, ``message_id``: parts of what is looked for. ``id``: one message by its
    number, as ``Traced.id``. ``since``, ``until``: Unix seconds, 0 for as long as there are traces and
    for now. ``below``: where the last page ended."""

    sender: str = ""
    recipient: str = ""
    message_id: str = ""
    id: str = ""
    since: int = 0
    until: int = 0
    below: str = ""
    limit: int = PAGE


class TracePage(Response, frozen=True, kw_only=True):
    """Newest first. ``below``: ask again with it, '' at the end; ``looked_at``: traces looked through."""

    traces: tuple[Traced, ...]
    below: str
    looked_at: int


@operation("trace.find", FindTraces, TracePage)
async def find(context: Context, request: FindTraces, progress: Progress) -> TracePage:
    """What became of messages. Who looks stands in the audit: it tells who writes to whom. Again: looks
    again."""
    since, below = traces.first_of(request.since), _end(request)
    if request.id:
        since = _number(request.id)
        below = since + 1
    wanted = traces.Wanted(
        sender=request.sender, recipient=request.recipient, message_id=request.message_id
    )
    reader = context.store.reader
    most = max(1, min(request.limit, PAGE))
    found = await traces.find(reader, wanted, since, below, most=most, look_at=LOOKED_AT)
    names = await traces.accounts(reader, found.traces)
    return TracePage(
        traces=tuple(_shown(trace, names) for trace in found.traces),
        below=shown_id(found.below) if found.below > since else "",
        looked_at=found.looked_at,
    )


def _end(request: FindTraces) -> int:
    if request.below:
        return _number(request.below)
    # Clocks of several nodes differ: what came «just now» elsewhere is not to be missed.
    return traces.first_of((request.until or int(time.time()) + 3_600) + 1)


def _number(text: str) -> int:
    try:
        number = parse_id(text.strip())
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 63:
        raise invalid(
            f"{text} is no number of a message: it stands behind «id» in its Received line"
        )
    return number


def _shown(trace: traces.Trace, names: dict[int, str]) -> Traced:
    record = trace.record
    return Traced(
        id=shown_id(trace.id),
        at=trace.at,
        direction=trace.direction,
        sender=trace.sender,
        message_id=trace.message_id,
        peer=str(record.get("peer", "")),
        hello=str(record.get("hello", "")),
        protocol=str(record.get("with", "")),
        tls=str(record.get("tls", "")),
        login=str(record.get("login", "")),
        size=int(record.get("size", 0)),
        recipients=_recipients(trace, names),
        notes=tuple(map(str, record.get("notes", ()))),
    )


def _recipients(trace: traces.Trace, names: dict[int, str]) -> tuple[TracedRecipient, ...]:
    """Those of the envelope, then those that came to it later: forwards, a redirected copy."""
    attempts: dict[str, list[TracedAttempt]] = {}
    for one in trace.attempts:
        attempts.setdefault(one.address, []).append(
            TracedAttempt(
                at=one.at, attempt=one.attempt, outcome=one.outcome, host=one.host, said=one.said
            )
        )
    waiting = {one.address: one for one in trace.waiting}
    forwarded = trace.forwarded
    reached = {
        address: tuple(_name(names, a) for a in accounts) for address, accounts in trace.recipients
    }
    owners = {address: of for address, of in trace.recipients if of}
    became = trace.became
    for account in became:
        if not any(account in of for of in owners.values()):
            # It came there by somebody's redirect.
            name = _name(names, account)
            owners.setdefault(name, (account,))
            reached.setdefault(name, (name,))
    # What an account did not take stands under its own address, whatever name led to it.
    ours = {name for accounts in reached.values() for name in accounts} - reached.keys()
    found = []
    for address in dict.fromkeys([*reached, *waiting, *attempts]):
        if address in ours and address not in waiting:
            continue
        accounts = reached.get(address, ())
        names_ = dict.fromkeys((address, *accounts))
        tried = tuple(
            sorted((one for name in names_ for one in attempts.get(name, ())), key=lambda a: a.at)
        )
        state, due, said, message = "filed" if accounts else "", 0, "", 0
        if tried:
            state, said = tried[-1].outcome, tried[-1].said
        if (left := waiting.get(address)) is not None:
            held = left.state == HELD
            state, message = "held" if held else "waits", left.message
            due, said = (0, left.held) if held else (left.due_at, left.said)
        found.append(
            TracedRecipient(
                address=address,
                by=forwarded.get(address, "") if address not in reached else "",
                accounts=accounts,
                state=state or "accepted",
                next=due,
                said=said,
                message=message,
                attempts=tried,
                copies=tuple(
                    TracedCopy(account=_name(names, one), what=what, where=where)
                    for one in owners.get(address, ())
                    for what, where in became.get(one, ())
                ),
            )
        )
    return tuple(found)


def _name(names: dict[int, str], account: int) -> str:
    return names.get(account, f"account {account}, deleted")
