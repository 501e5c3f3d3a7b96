"""Principals (RFC 9670 §2): a person, shared account or resource of one's own organisation, each an
account; and all of them together, as IMAP's ``anyone``.

Colleagues see each other's names and addresses, as the answers of IMAP's ACL commands tell them; of other
organisations on the server nobody is told, nor of devices.
"""

from collections.abc import Mapping
from typing import Any, Final

from malleposte.services.jmap.context import Context
from malleposte.services.jmap.sharing.names import principal_text
from malleposte.store.ids import account_text
from malleposte.store.read import colleagues
from malleposte.store.read.colleagues import Colleague
from malleposte.store.read.rights import ANYONE

TYPES: Final[Mapping[str, str]] = {
    "person": "individual",
    "shared": "other",
    "resource": "resource",
    "all": "group",
}
EVERYBODY: Final = Colleague(ANYONE, "", "Everybody", "all")
PROPERTIES: Final = (
    "id",
    "type",
    "name",
    "description",
    "email",
    "timeZone",
    "capabilities",
    "accounts",
)


async def state(context: Context) -> str:
    """Another one when the directory changed, or what accounts are open to who asks."""
    version = await colleagues.version(context.store.reader)
    session = await context.session()
    return f"{version}-{session['state']}"


async def every(context: Context) -> list[Colleague]:
    """All principals there are to who asks."""
    found = await colleagues.every(context.store.reader, context.account.organisation)
    return [EVERYBODY, *found]


async def shown(context: Context, some: list[Colleague]) -> list[dict[str, Any]]:
    """Principals with all their properties."""
    accounts = (await context.session())["accounts"]
    return [_shown(context, one, accounts) for one in some]


def _shown(context: Context, one: Colleague, accounts: Mapping[str, Any]) -> dict[str, Any]:
    account = account_text(one.id)
    return {
        "id": principal_text(one.id),
        "type": TYPES[one.kind],
        "name": one.name or one.address,
        "description": None,
        "email": one.address or None,
        "timeZone": context.account.time_zone or None if one.id == context.actor else None,
        "capabilities": {},
        "accounts": {account: accounts[account]} if account in accounts else None,
    }
