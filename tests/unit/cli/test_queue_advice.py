"""What `malleposte queue show` says is to be done: something for every reason that mail waits."""

import time

import pytest

from malleposte.cli.queue_advice import advice
from malleposte.operations.queue import QueuedMessage, QueuedRecipient, State


def told(
    *,
    said: str = "",
    way: str = "",
    held: str = "",
    state: State = "waits",
    due: int = 0,
    attempts: int = 1,
    rests: bool = False,
) -> str:
    one = QueuedRecipient(
        n=0,
        address="x@far.example",
        route="relay:smart.example:587",
        state=state,
        due_at=due,
        attempts=attempts,
        said=said,
        way=way,
    )
    message = QueuedMessage(
        id=17,
        trace="3567e0c1a2b40017",
        sender="ada@example.org",
        size=1,
        created_at=0,
        expires_at=0,
        held=held,
        recipients=(one,),
    )
    return advice(message, one, rests=rests)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("mx.far offers no TLS, which MTA-STS demands: nothing was sent", "tls except far.example"),
        ("the TLSA record of mx.far was not found: the resolver said", "tls except far.example"),
        ("smart.example refuses our sign-in as us: «535»", "malleposte relay test"),
        ("the relay old.example:25 is not configured here: configure it", "queue retry 17"),
        ("the mail of far.example leads back to this server", "malleposte domain add"),
        ("the MX record of far.example was not found: the resolver", "this server's resolver"),
        ("mx.far does not take us: «554 blocked»", "guards itself"),
        ("mx.far [192.0.2.1]:25: connection refused", "blocks port 25"),
        ("mx.far [192.0.2.1]:25: no answer in time", "blocks port 25"),
        ("its content could not be read from the store (x)", "malleposte fsck"),
        ("a defect of this server stopped it (KeyError)", "the log has the whole of it"),
        ("mx.far cannot take addresses beyond ASCII (SMTPUTF8)", "ASCII letters"),
        ("mx.far takes messages of 10 octets at most", "in parts, or a link"),
        ("mx.far said to RCPT TO: «452 4.2.2 full»", "its owner has to make room"),
        ("mx.far said to RCPT TO: «450 4.7.1 later»", "at once: malleposte queue retry 17"),
    ],
)
def test_every_reason_has_something_to_do(words: str, what: str) -> None:
    assert what in told(said=words)
    assert what in told(way=words)


def test_what_is_held_and_what_only_waits() -> None:
    limit = told(state="held", held="sending limit: ada sends 5 messages an hour at most")
    assert "queue release 17" in limit
    assert "malleposte limit set" in limit
    assert "account enable" in told(state="held", held="the account is suspended")
    assert "queue remove 17" in told(state="held", held="looks stolen")
    assert told(due=int(time.time()) + 900, attempts=0) == "nothing: it is sent at that time"
    assert told(attempts=0) == "nothing: it is on its way"
    assert "sending.enabled" in told(rests=True)
