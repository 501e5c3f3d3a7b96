"""``malleposte audit …``: who did what."""

import time

from cyclopts import App

from malleposte.cli.caller import Caller, run
from malleposte.cli.commands.queue import when
from malleposte.cli.commands.trace import seconds
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.operations.audit_list import AuditPage, AuditShown, Happened, ListAudit

audit = App(name="audit", help="Who did what: every act of an operator, done, refused or failed.")


@audit.command(name="list")
def list_(
    *,
    actor: str = "",
    operation: str = "",
    target: str = "",
    outcome: Happened = "",
    since: str = "30d",
    until: str = "",
    limit: int = 100,
    common: Common = DEFAULT,
) -> int:
    """List lines of the audit, the newest first.

    Parameters
    ----------
    actor
        Who did it: `local:UID` on this machine, or an address; a part of it will do.
    operation
        What: as `queue.release`, or all of `queue`.
    target
        On what: an address or a domain, or a part of it.
    outcome
        Only what ended so.
    since
        How far back: 20s, 30m, 12h, 2d, 3w.
    until
        Nothing younger than this, as since.
    limit
        At most so many lines.
    """
    now = int(time.time())
    first, last = now - seconds(since), now - seconds(until) if until else 0

    async def pages(caller: Caller) -> tuple[list[AuditShown], bool]:
        found: list[AuditShown] = []
        below = 0
        while True:
            request = ListAudit(
                actor=actor,
                operation=operation,
                target=target,
                outcome=outcome,
                since=max(0, first),
                until=last,
                below=below,
                limit=max(1, min(500, limit - len(found))),
            )
            page = await caller.call("audit.list", request, AuditPage)
            found += page.lines
            below = page.below
            if not below or len(found) >= limit:
                return found, bool(below)

    found, more = run(common.configuration(), pages)
    if common.json:
        as_json({"lines": found, "more": more})
        return OK
    if found:
        table(
            ("when", "who", "what", "on", "outcome", "details"),
            [
                (
                    when(one.at),
                    one.actor,
                    one.operation,
                    one.target,
                    one.outcome,
                    ", ".join(f"{name} {value}" for name, value in one.details.items()),
                )
                for one in found
            ],
        )
    else:
        say("No such line; --since looks further back.")
    if more:
        say(f"There are more; --limit shows up to so many (now {limit}).")
    return OK
