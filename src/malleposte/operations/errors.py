"""How an operation ends when it does not succeed: one exception, in words that say what to do."""

from typing import Literal

from malleposte.store.results import AnyResult, Refused

Kind = Literal["refused", "invalid", "unavailable", "failed"]
"""``refused``: not allowed, or not as things stand; ``invalid``: the request makes no sense;
``unavailable``: try again later; ``failed``: anything else."""

_WORDS = {
    "no-such-account": "there is no such account",
    "no-such-mailbox": "there is no such mailbox (any more)",
    "no-such-domain": "there is no such domain",
    "exists": "it exists already",
    "no-rights": "the account has no rights on that mailbox",
    "over-quota": "the account's space is used up: raise its quota or delete mail first",
    "over-quota-long": "the account's space is used up: raise its quota or delete mail first",
    "bad-name": "the name cannot be used",
    "purging": "too much deleted mail of the account waits for its removal: try again in a minute",
    "limit": "there are too many of them",
    "in-use": "it is still in use",
    "reserved": "it belongs to the server itself",
}


class OperationError(Exception):
    """See the module. ``reason`` is a short word for scripts, the text is for people."""

    def __init__(self, kind: Kind, reason: str, text: str) -> None:
        super().__init__(text)
        self.kind: Kind = kind
        self.reason = reason
        self.text = text


def refusal(reason: str, text: str) -> OperationError:
    """For an operation that cannot be done as things stand."""
    return OperationError("refused", reason, text)


def invalid(text: str) -> OperationError:
    """For a request that makes no sense."""
    return OperationError("invalid", "invalid", text)


def refused_by_store(result: Refused) -> OperationError:
    """What the store refused, in words."""
    text = result.text if len(result.text) > 5 else ""
    return OperationError(
        "refused", result.reason, text or _WORDS.get(result.reason, result.reason)
    )


def accepted(result: AnyResult) -> AnyResult:
    """The store's answer, unless it refused: then ``OperationError``."""
    if isinstance(result, Refused):
        raise refused_by_store(result)
    return result
