"""Who did what: the audit, read."""

import time
from typing import Any, Literal

import msgspec

from malleposte.operations.context import Context
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.read import audit

PAGE = 500
"""Lines of a page."""
LOOKED_AT = 20_000
"""Lines one call looks through at the most; the caller goes on."""
FIRST = (1 << 62) - 1

Happened = Literal["", "done", "begun", "refused", "failed"]


class AuditShown(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``at``: Unix seconds; ``outcome``: done, begun, refused, failed."""

    id: int
    at: int
    actor: str
    operation: str
    target: str
    outcome: str
    details: dict[str, Any]


class ListAudit(Request, frozen=True, kw_only=True):
    """``actor``, ``target``: parts of what is looked for; ``operation``: a name, or what stands before its
    dot. ``since``, ``until``: Unix seconds, 0 from the beginning and to now. ``below``: where the last page
    ended."""

    actor: str = ""
    operation: str = ""
    target: str = ""
    outcome: Happened = ""
    since: int = 0
    until: int = 0
    below: int = 0
    limit: int = PAGE

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {
            "of": self.actor or None,
            "operation": self.operation or None,
            "about": self.target or None,
        }


class AuditPage(Response, frozen=True, kw_only=True):
    """Newest first. ``below``: ask again with it, 0 at the end."""

    lines: tuple[AuditShown, ...]
    below: int


@operation("audit.list", ListAudit, AuditPage)
async def list_(context: Context, request: ListAudit, progress: Progress) -> AuditPage:
    """A page of the audit. Who looks stands in it, too: it tells what everybody did. Again: looks
    again."""
    wanted = audit.Wanted(
        actor=request.actor,
        operation=request.operation,
        target=request.target,
        outcome=request.outcome,
    )
    found, below = await audit.find(
        context.store.reader,
        wanted,
        since=request.since,
        until=(request.until or int(time.time()) + 3_600) + 1,
        below=request.below or FIRST,
        most=max(1, min(request.limit, PAGE)),
        look_at=LOOKED_AT,
    )
    return AuditPage(lines=tuple(map(_shown, found)), below=below)


def _shown(line: audit.AuditLine) -> AuditShown:
    try:
        details = msgspec.json.decode(line.details, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        details = {"unread": line.details[:200]}
    return AuditShown(
        id=line.id,
        at=line.at,
        actor=line.actor,
        operation=line.operation,
        target=line.target,
        outcome=line.outcome,
        details=details,
    )
