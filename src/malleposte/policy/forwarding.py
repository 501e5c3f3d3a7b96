"""Whether an account's mail may go on to an address: asked here for forwards, aliases, groups and Sieve.

To addresses of its own organisation always. To others where the account's domain, or where that says
nothing, its organisation allows it; without a word of theirs nobody may, for a forward to outside takes a
company's mail away unseen. An account that is for inside only never may.
"""

from typing import Final, Literal

from malleposte.policy.permissions import Decision
from malleposte.store.dialect import Reader

Forwarding = Literal["inside", "anywhere"]
RULES: Final = ("inside", "anywhere")

_INSIDE = "SELECT 1 FROM domain d WHERE d.name = $1 AND d.organisation = $2"
_ACCOUNT = (
    "SELECT a.organisation, a.internal, coalesce(nullif(d.forwarding, ''), o.forwarding), d.name"
    " FROM account a JOIN organisation o ON o.id = a.organisation"
    " JOIN address p ON p.address = a.address JOIN domain d ON d.id = p.domain WHERE a.id = $1"
)
_DOMAIN = (
    "SELECT d.organisation, 0, coalesce(nullif(d.forwarding, ''), o.forwarding), d.name"
    " FROM domain d JOIN organisation o ON o.id = d.organisation WHERE d.name = $1"
)


async def may_forward(reader: Reader, account: int, address: str) -> Decision:
    """Whether mail of an account may go on to ``address`` (its domain in A-labels), with the reason in
    words."""
    return await _decided(reader, _ACCOUNT, account, address)


async def may_lead(reader: Reader, domain: str, address: str) -> Decision:
    """Whether an alias or a group of ``domain`` may lead to ``address``."""
    return await _decided(reader, _DOMAIN, domain, address)


async def _decided(reader: Reader, sql: str, who: int | str, address: str) -> Decision:
    row = await reader.row(sql, who)
    if row is None:
        return Decision(False, "whose mail would be forwarded is not there any more")
    organisation, internal, rule, own = row
    name = address.rpartition("@")[2].lower()
    if await reader.row(_INSIDE, name, organisation) is not None:
        return Decision(True, "it stays inside")
    if internal:
        return Decision(False, "the account has mail inside its organisation only")
    if rule == "anywhere":
        return Decision(True, f"{own} allows it")
    return Decision(
        False,
        f"{address} is at another server, and mail of {own} is not forwarded to other servers: an"
        " administrator can allow it with"
        f" `malleposte domain forwarding {own} anywhere`",
    )
