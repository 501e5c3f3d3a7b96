"""Who a client is: what it gave for a sign-in goes through the door, and what came of it is told and
logged."""

from dataclasses import dataclass
from typing import Final, Protocol

from malleposte.directory.book import Account
from malleposte.directory.signin import Door, Refusal
from malleposte.wire.sasl import Credentials


class Observer(Protocol):
    """Told of what happens."""

    def signed_in(self, service: str, good: bool) -> None:
        """A sign-in ended."""


_PROTOCOLS: Final = {
    "imap": "imap",
    "pop3": "pop3",
    "managesieve": "sieve",
    "smtp": "smtp",
    "submission": "smtp",
    "lmtp": "smtp",
}
"""What app passwords call each service."""


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Why not; ``text`` is for the client's screen."""

    refusal: Refusal
    text: str


async def sign_in(
    door: Door,
    observer: Observer,
    service: str,
    peer: str,
    credentials: Credentials,
) -> Account | NotSignedIn:
    """See the module. That it was good is the caller's to log, who may refuse for reasons of its own.
    Store failures come through."""
    result = await door.sign_in(
        credentials.authcid,
        credentials.password,
        peer,
        acting_as=credentials.authzid,
        protocol=_PROTOCOLS[service],
    )
    account = result.account
    observer.signed_in(service, account is not None)
    if account is not None:
        return account
    refusal = result.refusal or Refusal.WRONG
    door.log.refused(service, peer, refusal.value)
    return NotSignedIn(refusal, result.text)
