"""Outcomes as the outbound side settles them."""

from collections.abc import Callable

import pytest

from malleposte.delivery.outbound import Settled
from malleposte.store.commands import DELIVERED, FAILED, WAITS, Outcome
from malleposte.store.results import TakenMessage, TakenRecipient

CREATED = 1_796_064_660
STATES = {"failed": FAILED, "delivered": DELIVERED, "waits": WAITS, "warned": WAITS}

Settle = Callable[..., Settled]


def taken(**changed: object) -> TakenMessage:
    """A queued message of Ada's."""
    known: dict[str, object] = {
        "id": 9,
        "trace": 77,
        "account": 1,
        "sender": "ada@example.test",
        "blob": 1,
        "prefix": b"",
        "size": 100,
        "needs": 0,
        "ret": "",
        "envelope": "",
        "created_at": CREATED,
        "expires_at": CREATED + 5 * 86_400,
        "recipients": (),
    }
    return TakenMessage(**{**known, **changed})  # type: ignore[arg-type]


def settled(
    state: str = "failed",
    notify: str = "",
    *,
    n: int = 0,
    attempt: int = 1,
    message: TakenMessage | None = None,
    address: str = "bob@b.example",
    original: str = "",
    already: bool = False,
    said: str = "mx.b.example said to RCPT TO: «550 5.1.1 unknown»",
    status: str = "5.1.1",
    reply: str = "550 5.1.1 unknown",
    remote: str = "mx.b.example",
    reports: bool = False,
) -> Settled:
    """What became of a try for a recipient; ``warned``: it takes long by now."""
    message = message or taken()
    recipient = TakenRecipient(
        n=n,
        address=address,
        route="b.example",
        notify=notify,
        original=original,
        attempt=attempt,
        warned=already,
    )
    outcome = Outcome(
        message=message.id,
        n=n,
        attempt=attempt,
        state=STATES[state],
        said=said,
        warned=state == "warned",
    )
    return Settled(message, recipient, outcome, status, reply, remote, reports)


@pytest.fixture
def settle() -> Settle:
    return settled


@pytest.fixture
def message() -> Callable[..., TakenMessage]:
    return taken
