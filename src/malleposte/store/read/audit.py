"""The audit as it was written, newest first."""

from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader

SLICE: Final = 2_000
"""Lines a statement brings."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What an operator did. ``at``: Unix seconds; ``details``: JSON."""

    id: int
    at: int
    actor: str
    operation: str
    target: str
    outcome: str
    details: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, whatever its case; '' anything. ``actor``, ``target``: parts; ``operation``: a
    whole name, or what stands before its dot."""

    actor: str = ""
    operation: str = ""
    target: str = ""
    outcome: str = ""

    def fits(self, line: AuditLine) -> bool:
        """Whether a line is one of those."""
        operation = self.operation.lower().rstrip(".")
        return (
            self.actor.casefold() in line.actor.casefold()
            and self.target.casefold() in line.target.casefold()
            and self.outcome in ("", line.outcome)
            and operation in ("", line.operation, line.operation.partition(".")[0])
        )


async def find(
    reader: Reader,
    wanted: Wanted,
    *,
    since: int,
    until: int,
    below: int,
    most: int,
    look_at: int,
) -> tuple[list[AuditLine], int]:
    """At most ``most`` lines with numbers below one, and where to go on (0: there are no more); some
    ``look_at`` are looked through, then the caller decides whether to go on."""
    found: list[AuditLine] = []
    looked_at = 0
    while looked_at < look_at:
        rows = await reader.rows(
            "SELECT id, at, actor, operation, target, outcome, details FROM audit"
            " WHERE id < $1 AND at >= $2 AND at < $3 ORDER BY id DESC LIMIT $4",
            below,
            since,
            until,
            SLICE,
        )
        for row in rows:
            line = AuditLine(*row)
            below = line.id
            looked_at += 1
            if wanted.fits(line):
                found.append(line)
                if len(found) == most:
                    return found, below
        if len(rows) < SLICE:
            return found, 0
    return found, below
