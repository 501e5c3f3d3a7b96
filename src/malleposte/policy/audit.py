"""What goes into the audit: one event for every operator's action, done or not.

Invariants: an event is bounded and holds plain values; details whose name says that they are secret
are refused when the event is made, which is a bug of the caller and found by its tests. The sink
appends and never changes; it stamps the time, since clocks of nodes differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from malleposte.policy.permissions import Actor, Operation, Target

Detail = str | int | bool | None

MAX_DETAILS: Final = 32
# An audit is read by people and kept for years; a longer value is cut, with a mark.
MAX_DETAIL: Final = 1000
_SECRET_WORDS: Final = frozenset({"password", "passphrase", "secret", "token", "key", "hash"})


class Outcome(StrEnum):
    """`REFUSED` by permission; `FAILED` for any other reason, told in the details. `BEGUN`: what takes
    many steps, none of which was done before this line."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to what, with what outcome. `details`: what changed, before and after."""

    actor: Actor
    operation: Operation
    target: Target
    outcome: Outcome
    details: Mapping[str, Detail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.details) > MAX_DETAILS:
            raise ValueError(f"more than {MAX_DETAILS} details")
        for name in self.details:
            if not _SECRET_WORDS.isdisjoint(name.lower().replace("-", "_").split("_")):
                raise ValueError(f"detail {name} looks like a secret")
        bounded = {name: _bounded(value) for name, value in self.details.items()}
        object.__setattr__(self, "details", MappingProxyType(bounded))


def _bounded(value: Detail) -> Detail:
    if isinstance(value, str) and len(value) > MAX_DETAIL:
        return value[:MAX_DETAIL] + "…"
    return value


class AuditSink(Protocol):
    """Where events go for good (the store). `append` returns when the event is durable. An action
    that changes something carries its event along, or has one that it is begun: so there is no change
    without its event, whatever fails in between."""

    async def append(self, event: AuditEvent) -> None: ...
