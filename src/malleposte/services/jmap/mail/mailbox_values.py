"""What a client says of a mailbox that it makes or changes, checked (RFC 8621 §2)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.patching import Path, paths
from malleposte.store.execute.mailboxes import MAX_NAME, STANDARD, level_name
from malleposte.store.ids import MAILBOX_LETTER, account_of, id_number

ROLES: Final = frozenset(role for _, role in STANDARD) - {"inbox"}
"""Those that a client gives; INBOX has its own for ever."""
ORDERS: Final = 2**31
DEFAULT_ORDER: Final = 100
"""Behind the mailboxes that every account has."""


class Values:
    """Checks values; ``account`` is where the mailbox is, ``names`` are all properties there are."""

    def __init__(self, context: Context, account: int, names: Collection[str]) -> None:
        self._context = context
        self._names = names
        self._account = account
        self._checks: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
            "name": ("name", _name),
            "parentId": ("parent", self._parent),
            "role": ("role", _role),
            "sortOrder": ("sort_order", _order),
            "isSubscribed": ("subscribed", _subscribed),
        }

    def made(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Of a mailbox that is made, by the names of ``SetMailbox``. Raises ``SetError``."""
        wrong = dict.fromkeys(
            sorted(properties.keys() - self._checks), "is not for clients to give"
        )
        if "name" not in properties:
            wrong["name"] = "is missing"
        return self._checked({"name": "-"} | dict(properties), wrong)

    def changed(
        self, patch: Mapping[str, Any], current: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[Path, Any]]:
        """Of a patch: what is to be other than it is, and what else it says that must be so already.
        Raises ``SetError``."""
        values: dict[str, Any] = {}
        fixed: dict[Path, Any] = {}
        for path, value in paths(patch).items():
            name = path[0]
            if name in self._checks and len(path) > 1:
                raise SetError("invalidPatch", f"There is nothing within {name!r}")
            if name not in self._checks:
                fixed[path] = value
            elif value != current[name]:
                values[name] = value
        wrong = {path[0]: "is unknown" for path in fixed if path[0] not in self._names}
        return self._checked(values, wrong), fixed

    def _checked(self, values: Mapping[str, Any], wrong: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name in wrong:
                continue
            field, check = self._checks[name]
            try:
                found[field] = check(value)
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            words = "; ".join(f"{name[:100]} {why}" for name, why in list(wrong.items())[:20])
            raise invalid(words, *list(wrong)[:20])
        return found

    def _parent(self, value: Any) -> int:
        if value is None:
            return 0
        number = 0
        if isinstance(value, str):
            try:
                number = id_number(MAILBOX_LETTER, self._context.id_of(value))
            except SetError as error:
                raise ValueError(f"is none that there is: {error.description}") from None
        if account_of(number) != self._account:
            raise ValueError("is no mailbox of this account")
        return number


def fits(fixed: Mapping[Path, Any], current: Mapping[str, Any]) -> None:
    """Values that only the server sets may be given as they are (RFC 8620 §5.3). Raises ``SetError``."""
    wrong = []
    for path, value in fixed.items():
        place: Any = current
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if place != value:
            wrong.append(path[0])
    if wrong:
        raise invalid("This is for the server to set", *dict.fromkeys(wrong))


def in_order(create: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Mailboxes to be made, each behind the one it is to stand below (RFC 8620 §5.3)."""
    found: dict[str, dict[str, Any]] = {}
    for id_ in create:
        above = [id_]
        while True:
            parent = create[above[-1]].get("parentId")
            name = parent[1:] if isinstance(parent, str) and parent.startswith("#") else ""
            if name not in create or name in found or name in above:
                break  # those in a ring stay as they are, and fail
            above.append(name)
        for one in reversed(above):
            found.setdefault(one, create[one])
    return list(found.items())


def _name(value: Any) -> str:
    if not isinstance(value, str) or level_name(value) is None:
        raise ValueError(f"has 1 to {MAX_NAME} octets, without slashes and control characters")
    return value


def _role(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or value not in ROLES:
        raise ValueError(f"is one of {', '.join(sorted(ROLES))} here")
    return value


def _order(value: Any) -> int:
    if value is None:
        return DEFAULT_ORDER
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < ORDERS:
        raise ValueError("is a number from 0 to 2147483647")
    return value


def _subscribed(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value
