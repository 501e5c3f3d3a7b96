"""AUTH: from what a client said to an account, or to the reply that it gets. RFC 4954."""

from typing import TYPE_CHECKING, Final

from malleposte.directory.book import Account
from malleposte.directory.signin import Refusal
from malleposte.services.connection import Connection
from malleposte.services.signing_in import NotSignedIn
from malleposte.services.signing_in import sign_in as through_the_door
from malleposte.store import StoreError
from malleposte.wire.smtp import Authenticate, Reply

if TYPE_CHECKING:
    from malleposte.services.smtpd.service import SmtpService

_REFUSALS: Final = {
    Refusal.WRONG: (535, "5.7.8"),
    Refusal.SUSPENDED: (535, "5.7.8"),
    Refusal.TOO_MANY: (454, "4.7.0"),
    Refusal.AWAY: (454, "4.7.0"),
    Refusal.SECOND_STEP: (535, "5.7.8"),
    Refusal.SCOPE: (535, "5.7.8"),
}
_AWAY: Final = Reply(454, "4.7.0", "Sign-in cannot be checked now; try again later")


async def sign_in(
    service: "SmtpService", connection: Connection, event: Authenticate
) -> Account | Reply:
    """Who signed in, or why nobody did."""
    mode, log = service.settings.mode.value, service.door.log
    try:
        account = await through_the_door(
            service.door,
            service.observer,
            mode,
            connection.peer,
            event.credentials,
        )
    except StoreError:
        return _AWAY
    if isinstance(account, NotSignedIn):
        code, enhanced = _REFUSALS[account.refusal]
        return Reply(code, enhanced, account.text)
    admission = connection.admission
    if admission is not None and not admission.signed_in(account.id):
        log.refused(mode, connection.peer, "connections")
        most = admission.per_account
        text = f"The account has {most} connections already; close some, or try again later"
        return Reply(454, "4.7.0", text)
    log.signed_in(mode, account.id, connection.peer, tls=connection.tls)
    return account
