"""Identities: those of every address that an account may send as are made where there are none.

Addresses of others, on which somebody has a right to send in their name or on their behalf, are identities
of his own account, since an identity says as whom *the user* may send (RFC 8621 §6): what he sends so is
his to follow and to undo, and stands in his account. Rights on somebody's mailboxes give none.
"""

from typing import Any, Final

import msgspec

from malleposte.directory.senders import Way
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.submission.names import IDENTITY_LETTER, text_of
from malleposte.store.commands import SeedIdentities
from malleposte.store.commands.submissions import MAX_IDENTITIES
from malleposte.store.dialect import any_of, both
from malleposte.store.read import submissions
from malleposte.store.read.submissions import Identity

DEFAULTS: Final[dict[str, Any]] = {
    "name": "",
    "replyTo": None,
    "bcc": None,
    "textSignature": "",
    "htmlSignature": "",
}
PROPERTIES: Final = ("id", "email", *DEFAULTS, "mayDelete")

_ADDRESSES: Final = (
    "SELECT t.address FROM address_target t JOIN address a ON a.address = t.address"
    " WHERE t.account = $1 AND a.kind NOT IN ('system', 'group') UNION"
    " SELECT address FROM send_right WHERE account = $1 ORDER BY 1 LIMIT $2"
)
_NAMES: Final = both(
    "SELECT address, name FROM account WHERE id <> $1 AND {addresses} AND name <> ''",
    addresses=any_of("address", 2, "text"),
)
"""Those of others: of whom it is written, not who writes."""


async def identities(context: Context, account: int) -> list[Identity]:
    """An account's, the defaults among them."""
    reader = context.store.reader
    rows = await reader.rows(_ADDRESSES, account, MAX_IDENTITIES)
    own = context.account.address
    wanted = list(dict.fromkeys([own, *(row[0] for row in rows)]))
    known = await submissions.addresses(reader, account)
    missing = [
        address
        for address in wanted
        if address not in known and await may_send_as(context, account, address)
    ]
    if missing:
        names: dict[str, str] = dict(await reader.rows(_NAMES, account, missing))
        seeds = tuple(
            (address, msgspec.json.encode({"name": names.get(address, context.account.name)}))
            for address in missing
        )
        await context.submit(SeedIdentities(account=account, identities=seeds))
    return await submissions.identities(reader, account)


async def may_send_as(context: Context, account: int, address: str) -> bool:
    """Whether an account may write from an address."""
    return await context.senders.way(account, address) is not Way.NOT


def shown(context: Context, identity: Identity) -> dict[str, Any]:
    """All properties of an identity."""
    return {
        "id": text_of(IDENTITY_LETTER, identity.n),
        "email": identity.address,
        **DEFAULTS,
        **msgspec.json.decode(identity.state, type=dict[str, Any]),
        "mayDelete": identity.address != context.account.address,
    }
