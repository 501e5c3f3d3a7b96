"""Accounts of the session object in which there are contacts for somebody (RFC 8620 §2, RFC 9670 §1.5)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from malleposte.directory.book import Account
from malleposte.services.jmap.contacts.names import CONTACTS, directory_text
from malleposte.services.jmap.sharing.names import OWNER, principal_text
from malleposte.store.commands.contacts import MAX_PLACES
from malleposte.store.ids import account_text
from malleposte.store.read.contacts import Sharer

CAPABILITY: Final = {"maxAddressBooksPerCard": MAX_PLACES, "mayCreateAddressBook": False}
DIRECTORY: Final = "Directory"


def accounts(
    actor: Account, sharers: Sequence[Sharer], others: Mapping[str, Any]
) -> dict[str, Any]:
    """``others`` with those who share an address book, and the directory. Accounts stand in it once."""
    found = dict(others)
    for one in sharers:
        id_ = account_text(one.account)
        known = found.get(
            id_,
            {
                "name": one.address,
                "isPersonal": False,
                "isReadOnly": True,
                "accountCapabilities": {
                    OWNER: {
                        "accountIdForPrincipal": account_text(actor.id),
                        "principalId": principal_text(one.account),
                    }
                },
            },
        )
        found[id_] = {
            **known,
            "isReadOnly": known["isReadOnly"] and not one.writes,
            "accountCapabilities": {**known["accountCapabilities"], CONTACTS: CAPABILITY},
        }
    found[directory_text(actor.organisation)] = {
        "name": DIRECTORY,
        "isPersonal": False,
        "isReadOnly": True,
        "accountCapabilities": {CONTACTS: CAPABILITY},
    }
    return found
