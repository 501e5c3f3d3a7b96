"""STARTTLS, LOGIN and AUTHENTICATE (RFC 9051 §6.2; RFC 4959, RFC 4616)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from malleposte.directory.signin import Refusal
from malleposte.services.imapd.general import log_client
from malleposte.services.imapd.replies import Refuse
from malleposte.services.signing_in import NotSignedIn, sign_in
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.auth import Authenticate, Login, StartTls
from malleposte.wire.imap.events import AuthResponse
from malleposte.wire.sasl import (
    Challenge,
    Credentials,
    SaslError,
    prepare_password,
    start_mechanism,
)

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_CODES: Final = {
    Refusal.WRONG: codes.AUTHENTICATIONFAILED,
    Refusal.SUSPENDED: codes.ALERT,  # shown to the user word for word
    Refusal.TOO_MANY: codes.LIMIT,
    Refusal.AWAY: codes.UNAVAILABLE,
    Refusal.SECOND_STEP: codes.ALERT,
    Refusal.SCOPE: codes.ALERT,
}
_GUESSES: Final = 5
"""Refused sign-ins of a connection, then it is closed. A mail program tries one or two."""
_IN_CLEAR: Final = "A password may only be sent under TLS: use STARTTLS first"


async def start_tls(session: "Session", command: StartTls) -> bytes | None:
    """RFC 9051 §6.2.1."""
    connection = session.connection
    if not (session.service.settings.starttls and connection.can_start_tls):
        # The engine waits for TLS or for the end of the command.
        raise Refuse("TLS is on already" if connection.tls else "There is no TLS here", bad=True)
    if connection.has_input:
        # What came with STARTTLS came in clear; the engine ends the connection (CVE-2021-33515).
        await session.read(0.0)
        return None
    session.send(responses.ok(command.tag, "Begin TLS"))
    session.flush()
    await connection.start_tls()
    session.engine.tls_started()
    return None


async def login(session: "Session", command: Login) -> bytes:
    """RFC 9051 §6.2.3."""
    if not session.secure:
        raise Refuse(_IN_CLEAR, codes.PRIVACYREQUIRED)
    try:
        credentials = Credentials(command.user, prepare_password(command.password))
    except SaslError:
        raise Refuse("The name or the password is wrong", codes.AUTHENTICATIONFAILED) from None
    return await _sign_in(session, command.tag, credentials)


async def authenticate(session: "Session", command: Authenticate) -> bytes | None:
    """RFC 9051 §6.2.2; the initial response is RFC 4959."""
    mechanism = start_mechanism(command.mechanism, plaintext_allowed=session.secure)
    if mechanism is None:
        if not session.secure:
            raise Refuse(_IN_CLEAR, codes.PRIVACYREQUIRED)
        raise Refuse("This mechanism is not supported", codes.CANNOT)
    response = command.initial
    try:
        while True:
            step = mechanism.step(response)
            if isinstance(step, Credentials):
                return await _sign_in(session, command.tag, step)
            assert isinstance(step, Challenge)
            session.engine.challenge(step.octets)
            event = await session.next_event()
            if not isinstance(event, AuthResponse):
                return None  # cancelled, or the end: the engine has answered
            response = event.data
    except SaslError as error:
        raise Refuse(str(error), codes.AUTHENTICATIONFAILED) from None


async def _sign_in(session: "Session", tag: bytes, credentials: Credentials) -> bytes:
    service, connection = session.service, session.connection
    account = await session.patiently(
        sign_in(service.door, service.observer, "imap", connection.peer, credentials)
    )
    if isinstance(account, NotSignedIn):
        raise Refuse(account.text, _CODES[account.refusal])
    if not service.enter(session, account):
        service.door.log.refused("imap", connection.peer, "connections")
        most = service.settings.sessions_per_account
        raise Refuse(
            f"The account has {most} connections already: close a program on another device, or ask "
            "your administrator for more (imap.connections_per_account)",
            codes.LIMIT,
        )
    session.account = account
    session.engine.signed_in()
    if connection.admission is not None:
        connection.admission.signed_in()
    service.door.log.signed_in("imap", account.id, connection.peer, tls=connection.tls)
    log_client(session)
    return responses.ok(tag, "Signed in", codes.capability(session.capabilities()))


def _few(
    handler: Callable[["Session", Any], Awaitable[bytes | None]],
) -> Callable[["Session", Any], Awaitable[bytes | None]]:
    """A connection gets few guesses; whoever wants more has to connect anew, where limits see him."""

    async def tried(session: "Session", command: Any) -> bytes | None:
        try:
            return await handler(session, command)
        except Refuse:
            session.refused_sign_ins += 1
            if session.refused_sign_ins >= _GUESSES:
                session.dismiss("Too many failed sign-ins")
            raise

    return tried


HANDLERS: Final = {StartTls: start_tls, Login: _few(login), Authenticate: _few(authenticate)}
