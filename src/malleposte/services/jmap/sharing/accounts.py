"""The accounts of others in the session object (RFC 8620 §2, RFC 9670 §1.5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from malleposte.services.jmap.sharing.names import OWNER, PRINCIPALS, principal_text
from malleposte.store.ids import account_text
from malleposte.store.read.sharers import Opened


def own_capabilities(actor: int) -> dict[str, Any]:
    """Of one's own account: the principals are in it, and one of them is oneself."""
    return {
        PRINCIPALS: {"currentUserPrincipalId": principal_text(actor)},
        OWNER: _owner(actor, actor),
    }


def accounts(
    actor: int, opened: Iterable[Opened], capabilities: Mapping[str, Any], mail: str
) -> dict[str, Any]:
    """Accounts in which somebody gave something to the actor. ``capabilities``: what they have, that of
    mailboxes under the name ``mail``."""
    found = {}
    for one in opened:
        of_mail = capabilities[mail] | {"mayCreateTopLevelMailbox": one.creates}
        found[account_text(one.account)] = {
            "name": one.address,
            "isPersonal": False,
            "isReadOnly": not one.writes,
            "accountCapabilities": {
                **capabilities,
                mail: of_mail,
                OWNER: _owner(actor, one.account),
            },
        }
    return found


def _owner(actor: int, account: int) -> dict[str, str]:
    return {
        "accountIdForPrincipal": account_text(actor),
        "principalId": principal_text(account),
    }
