"""AUTH and its exchange of challenges and responses (RFC 4954).

Invariants: a mechanism that shows the password is offered and run only where nobody can listen;
what the client sent is handed on in an `Authenticate` and kept nowhere.
"""

from collections.abc import Callable

from malleposte.wire.dialogue import Authenticate
from malleposte.wire.sasl import (
    Mechanism,
    SaslError,
    decode_initial_response,
    decode_response,
    start_mechanism,
)

from . import reply as r
from .reply import PeerError, Reply
from .transaction import Transaction


class Authentication(Transaction):
    """The part of the engine that has a client sign in. See `SmtpServer`."""

    def _auth(self, argument: bytes) -> Authenticate | None:
        if self.hello is None:
            raise PeerError.of(r.HELLO_FIRST)
        if not self.settings.offers_auth:
            raise PeerError.of(r.NOT_IMPLEMENTED)
        if self.signed_in:
            raise PeerError.of(r.ALREADY_SIGNED_IN)  # RFC 4954 §4
        if self._in_transaction:
            raise PeerError.of(r.IN_TRANSACTION)
        if not self.plaintext_allowed:
            raise PeerError.of(r.ENCRYPTION_FIRST)
        name, _, initial = argument.partition(b" ")
        if not name or b" " in initial:
            raise PeerError(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]")
        mechanism = start_mechanism(
            name.decode("ascii", "replace"), plaintext_allowed=self.plaintext_allowed
        )
        if mechanism is None:
            raise PeerError.of(r.UNKNOWN_MECHANISM)
        return self._auth_step(mechanism, initial or None, decode_initial_response)

    def _auth_response(self, line: bytes) -> Authenticate | None:
        mechanism, self._mechanism = self._mechanism, None
        assert mechanism is not None
        if line == b"*":
            raise PeerError.of(r.AUTH_CANCELLED)
        return self._auth_step(mechanism, line, decode_response)

    def _auth_step(
        self, mechanism: Mechanism, encoded: bytes | None, decode: Callable[[bytes], bytes]
    ) -> Authenticate | None:
        try:
            return super()._auth_step(mechanism, encoded, decode)
        except SaslError as error:
            raise PeerError(501, "5.5.2", str(error)) from None

    def _challenge(self, encoded: bytes) -> None:
        self._send(Reply(334, "", encoded.decode("ascii")))
