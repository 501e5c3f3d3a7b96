"""The session object (RFC 8620 §2): what there is, for whom, and where."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from malleposte.directory.book import Account
from malleposte.services.jmap import contacts, core, mail, own, quota, sharing, sieve, submission
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.view.names import VIEW
from malleposte.store.ids import account_text
from malleposte.store.read.contacts import Sharer
from malleposte.store.read.sharers import Opened


def session_object(
    account: Account,
    settings: JmapSettings,
    base: str,
    more: Mapping[str, Any] | None = None,
    opened: Sequence[Opened] = (),
    sharers: Sequence[Sharer] = (),
) -> dict[str, Any]:
    """For who is signed in; ``base`` is where the service is reached, without a slash at its end. ``more``:
    capabilities of the service alone; ``opened``: accounts of others that show him mail; ``sharers``:
    those that share address books with him."""
    me = account_text(account.id)
    capabilities = {core.CORE: core.capability(settings), mail.MAIL: {}}
    capabilities |= {name: {} for name in (*submission.CAPABILITIES, *own.CAPABILITIES)}
    of_account = {core.CORE: {}, mail.MAIL: mail.capability(settings)}
    of_account |= submission.capabilities(settings)
    of_account |= own.capabilities()
    for name in (VIEW, quota.QUOTA):
        capabilities[name] = of_account[name] = {}
    capabilities |= {
        sharing.PRINCIPALS: {},
        sharing.OWNER: {},
        sieve.SIEVE: sieve.of_service(),
    }
    of_account[sieve.SIEVE] = sieve.capability()
    capabilities[contacts.CONTACTS] = {}
    of_account[contacts.CONTACTS] = contacts.capability()
    of_others = {name: of_account[name] for name in (core.CORE, mail.MAIL, VIEW)}
    of_account |= sharing.own_capabilities(account.id)
    others = sharing.accounts(account.id, opened, of_others, mail.MAIL)
    found: dict[str, Any] = {
        "capabilities": capabilities | dict(more or {}),
        "accounts": {
            me: {
                "name": account.address,
                "isPersonal": True,
                "isReadOnly": False,
                "accountCapabilities": of_account,
            },
            **contacts.accounts(account, sharers, others),
        },
        "primaryAccounts": {
            capability: me
            for capability in of_account
            if capability not in (core.CORE, sharing.OWNER)
        },
        "username": account.address,
        "apiUrl": f"{base}/jmap/api",
        "downloadUrl": f"{base}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?type={{type}}",
        "uploadUrl": f"{base}/jmap/upload/{{accountId}}/",
        "eventSourceUrl": f"{base}/jmap/events?types={{types}}&closeafter={{closeafter}}&ping={{ping}}",
    }
    found["state"] = state_of(found)
    return found


def state_of(found: dict[str, Any]) -> str:
    """The same for the same object, in every worker."""
    encoded = msgspec.json.encode(found, order="sorted")
    return hashlib.blake2b(encoded, digest_size=12).hexdigest()
