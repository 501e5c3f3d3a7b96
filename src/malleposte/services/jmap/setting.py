"""What the ``set`` methods have in common (RFC 8620 §5.3)."""

from dataclasses import dataclass, field
from typing import Any

from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.errors import MethodError, SetError
from malleposte.services.jmap.settings import JmapSettings


def check(arguments: Set, settings: JmapSettings) -> None:
    """Raises ``MethodError`` where too much is to be done at once."""
    count = len(arguments.create or ()) + len(arguments.update or ()) + len(arguments.destroy or ())
    check_count(count, settings)


def check_count(count: int, settings: JmapSettings) -> None:
    """The same for other methods that change objects."""
    if count > settings.max_objects_in_set:
        raise MethodError(
            "requestTooLarge", f"At most {settings.max_objects_in_set} objects are changed at once"
        )


def check_state(asked: str | None, state: str) -> None:
    """Raises ``MethodError`` where the state is another than the one asked for."""
    if asked is not None and asked != state:
        raise MethodError("stateMismatch")


@dataclass(slots=True)
class Outcome:
    """What became of each object."""

    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    updated: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    destroyed: list[str] = field(default_factory=list)
    not_created: dict[str, SetError] = field(default_factory=dict)
    not_updated: dict[str, SetError] = field(default_factory=dict)
    not_destroyed: dict[str, SetError] = field(default_factory=dict)

    def answer(self, account: str, old: str, new: str) -> dict[str, Any]:
        """The arguments of the response."""
        return {
            "accountId": account,
            "oldState": old,
            "newState": new,
            "created": self.created or None,
            "updated": self.updated or None,
            "destroyed": self.destroyed or None,
            "notCreated": shown(self.not_created),
            "notUpdated": shown(self.not_updated),
            "notDestroyed": shown(self.not_destroyed),
        }


def shown(errors: dict[str, SetError]) -> dict[str, Any] | None:
    """Errors as they stand in an answer."""
    return {id_: error.shown() for id_, error in errors.items()} or None
