"""All methods there are, by name, and the capabilities they belong to."""

from typing import Final

from malleposte.services.jmap import contacts, core, mail, own, quota, sharing, sieve, submission
from malleposte.services.jmap.context import Method
from malleposte.services.jmap.push import subscriptions
from malleposte.services.jmap.push.names import VAPID, WEBSOCKET
from malleposte.services.jmap.view.names import VIEW

METHODS: Final[dict[str, Method]] = (
    core.METHODS
    | mail.METHODS
    | submission.METHODS
    | own.METHODS
    | quota.METHODS
    | subscriptions.METHODS
    | sharing.METHODS
    | sieve.METHODS
    | contacts.METHODS
)
CAPABILITIES: Final = frozenset(
    (VIEW, WEBSOCKET, VAPID, sharing.OWNER, *(method.capability for method in METHODS.values()))
)
