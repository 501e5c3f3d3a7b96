"""Submissions as a client sees them, with what became of each recipient (RFC 8621 §7)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from malleposte.services.jmap.context import Context
from malleposte.services.jmap.submission.envelopes import Envelope
from malleposte.services.jmap.submission.names import IDENTITY_LETTER, SUBMISSION_LETTER, text_of
from malleposte.services.jmap.times import utc_date
from malleposte.store.ids import email_text, thread_text
from malleposte.store.read import submissions
from malleposte.store.read.submissions import Queued, Submission, Tried

TABLE: Final = "email_submission"
PROPERTIES: Final = (
    "id",
    "identityId",
    "emailId",
    "threadId",
    "envelope",
    "sendAt",
    "undoStatus",
    "deliveryStatus",
    "dsnBlobIds",
    "mdnBlobIds",
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside the columns. ``answers``: for each recipient the address that other servers are
    told, what SMTP answers, and whether it is filed already."""

    envelope: dict[str, Any]
    answers: list[tuple[str, str, bool]]


def state_of(envelope: Envelope, answers: list[tuple[str, str, bool]]) -> bytes:
    """What is kept of a message that is handed over."""
    return msgspec.json.encode(State(envelope=msgspec.to_builtins(envelope), answers=answers))


async def shown(context: Context, kept: Sequence[Submission]) -> list[dict[str, Any]]:
    """All properties of some submissions."""
    reader = context.store.reader
    traces = [one.trace for one in kept]
    queued: dict[int, list[Queued]] = {}
    tried: dict[int, list[Tried]] = {}
    if traces:
        for waiting in await submissions.queued(reader, traces):
            queued.setdefault(waiting.trace, []).append(waiting)
        for ended in await submissions.tried(reader, traces):
            tried.setdefault(ended.trace, []).append(ended)
    return [_shown(one, queued.get(one.trace, []), tried.get(one.trace, [])) for one in kept]


def _shown(one: Submission, queued: Sequence[Queued], tried: Sequence[Tried]) -> dict[str, Any]:
    state = msgspec.json.decode(one.state, type=State)
    return {
        "id": text_of(SUBMISSION_LETTER, one.n),
        "identityId": text_of(IDENTITY_LETTER, one.identity),
        "emailId": email_text(one.email),
        "threadId": thread_text(one.thread),
        "envelope": state.envelope,
        "sendAt": utc_date(one.send_at),
        "undoStatus": undo_status(one, state, queued),
        "deliveryStatus": _delivery(one, state, queued, tried),
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }


def undo_status(one: Submission, state: State, queued: Sequence[Queued]) -> str:
    """``pending`` while all of it waits in the queue, and nothing of it was tried."""
    if one.canceled:
        return "canceled"
    if not queued or any(filed for _, _, filed in state.answers):
        return "final"
    return "final" if any(r.attempts or r.state > 1 for r in queued) else "pending"


def _delivery(
    one: Submission, state: State, queued: Sequence[Queued], tried: Sequence[Tried]
) -> dict[str, Any]:
    waiting = {r.address: r for r in queued if r.state < 2}
    ended = {t.address: t for t in tried}
    found: dict[str, Any] = {}
    recipients = [address["email"] for address in state.envelope["rcptTo"]]
    for email, (remote, reply, filed) in zip(recipients, state.answers, strict=True):
        delivered = "yes" if filed else "unknown"
        if one.canceled:
            delivered = "no"
        elif remote in waiting:
            delivered = "queued"
        elif remote in ended:
            # Where another server took it, nobody knows here what came of it.
            end = ended[remote]
            known = "yes" if not end.host else "unknown"
            delivered = known if end.outcome == "delivered" else "no"
            reply = _reply(end, reply)
        found[email] = {"smtpReply": reply, "delivered": delivered, "displayed": "unknown"}
    return found


def _reply(end: Tried, before: str) -> str:
    said = " ".join(end.said.split())[:1_000]
    if said[:3].isdigit():
        return said
    if not said or end.outcome == "removed":
        return before
    return f"{'250 2.0.0' if end.outcome == 'delivered' else '550 5.0.0'} {said}"
