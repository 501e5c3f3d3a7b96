"""What the ``set`` methods have in common (RFC 8620 §5.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import MethodError, SetError
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.commands import AnyCommand
from malleposte.store.results import Done, Refused

Refusal = Callable[[str], SetError]
"""Makes the error of one object of the words of a command that was refused."""
OVER_QUOTA: Final = partial(SetError, "overQuota")
FORBIDDEN: Final = partial(SetError, "forbidden")


def not_found(_: str) -> SetError:
    """A ``Refusal`` that says no more than that there is no such object."""
    return SetError("notFound")


async def carried_out(
    context: Context,
    command: AnyCommand,
    refusals: Mapping[str, Refusal],
    otherwise: Refusal = FORBIDDEN,
) -> int:
    """The count that a command answers. Raises ``SetError``: by its reason, where it is refused."""
    result = await context.submit(command)
    if isinstance(result, Done):
        return result.count
    assert isinstance(result, Refused), result
    raise refusals.get(result.reason, otherwise)(result.text)


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
