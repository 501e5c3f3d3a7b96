"""Who may do what: the one question that every operation asks.

Today's answer is generous: owners and administrators may do everything in their organisation, others
everything with what is their own, and nobody is refused a feature. What the other roles may is
filled in by the issue on administration, here and nowhere else.

What belongs to no organisation that is known (the queue, the trace, lists of everything, a domain that is
not there) is for those who stand above all organisations.

Rights on mailboxes (RFC 4314) are data and are asked in the store."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Operation = NewType("Operation", str)
"""Name of an operator's action, noun and verb: `account.add`, `domain.list`."""


class Role(StrEnum):
    """Roles of an account; it may have several."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    HELPDESK = "helpdesk"
    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `name` stands in the audit: an address, `local:UID` or `system`. `organisation` is
    None for those who stand above all: the machine's own administrators and the server itself."""

    name: str
    roles: frozenset[Role]
    organisation: int | None = None
    account: int | None = None

    @classmethod
    def local(cls, uid: int) -> "Actor":
        """A user of the machine who may use the admin socket: acts as owner of everything."""
        return cls(f"local:{uid}", frozenset({Role.OWNER}))

    @classmethod
    def system(cls) -> "Actor":
        """The server itself: jobs, migrations."""
        return cls("system", frozenset({Role.OWNER}))


@dataclass(frozen=True, slots=True)
class Target:
    """What is acted on: `name` for people and the audit; ids where they apply."""

    name: str
    organisation: int | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its reason in words, for the actor and the audit."""

    allowed: bool
    reason: str


def allowed(actor: Actor, operation: Operation, target: Target) -> Decision:
    """Whether `actor` may do `operation` to `target`."""
    own = actor.account is not None and actor.account == target.account
    if actor.organisation is not None and not own:
        if target.organisation is None:
            return Decision(False, f"{target.name} is more than one organisation's")
        if actor.organisation != target.organisation:
            return Decision(False, f"{target.name} belongs to another organisation")
    if actor.roles & {Role.OWNER, Role.ADMINISTRATOR}:
        return Decision(True, "administrators may")
    if own:
        return Decision(True, "it is their own")
    return Decision(False, f"{operation} on {target.name} needs an administrator")
