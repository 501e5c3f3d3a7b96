"""What can go wrong: with a request, with a method call, with one object of a ``set``."""

from typing import Any, Final

LIMIT: Final = "urn:ietf:params:jmap:error:limit"
NOT_JSON: Final = "urn:ietf:params:jmap:error:notJSON"
NOT_REQUEST: Final = "urn:ietf:params:jmap:error:notRequest"
UNKNOWN_CAPABILITY: Final = "urn:ietf:params:jmap:error:unknownCapability"


class RequestError(Exception):
    """A request of which nothing is carried out (RFC 8620 §3.6.1); ``limit`` names the one passed."""

    def __init__(self, kind: str, detail: str, *, status: int = 400, limit: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status
        self.limit = limit

    def problem(self) -> dict[str, Any]:
        """As RFC 7807 has it."""
        found: dict[str, Any] = {"type": self.kind, "status": self.status, "detail": self.detail}
        if self.limit:
            found["limit"] = self.limit
        return found


class MethodError(Exception):
    """A call that is not carried out (RFC 8620 §3.6.2); the calls beside it are."""

    def __init__(self, kind: str, description: str = "", **more: Any) -> None:
        super().__init__(description or kind)
        self.kind = kind
        self.description = description
        self.more = more

    def arguments(self) -> dict[str, Any]:
        """Of the response named ``error``."""
        found: dict[str, Any] = {"type": self.kind}
        if self.description:
            found["description"] = self.description
        return found | self.more


class NotOwn(MethodError):
    """A call about what only its owner has, in an account that is not the asking one's."""

    def __init__(self, account: str) -> None:
        super().__init__("accountNotFound")
        self.account = account


class SetError(Exception):
    """One object that is not created, updated or destroyed (RFC 8620 §5.3)."""

    def __init__(self, kind: str, description: str = "", **more: Any) -> None:
        super().__init__(description or kind)
        self.kind = kind
        self.description = description
        self.more = more

    def shown(self) -> dict[str, Any]:
        """As it stands in ``notCreated`` and its like."""
        found: dict[str, Any] = {"type": self.kind}
        if self.description:
            found["description"] = self.description
        return found | self.more


def invalid(description: str, *properties: str) -> SetError:
    """``invalidProperties``, with their names."""
    return SetError("invalidProperties", description, properties=list(properties))
