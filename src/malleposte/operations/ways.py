"""By which way mail goes as things stand now: what an operator sends elsewhere, or has tried anew."""

from typing import TYPE_CHECKING

from malleposte.directory.resolution import Found, Resolution
from malleposte.operations.context import Context
from malleposte.operations.errors import refusal
from malleposte.store.read.relays import relays

if TYPE_CHECKING:
    from malleposte.delivery.outbound.settings import Routing


async def routing(context: Context) -> "Routing":
    """The configuration's and the store's."""
    # What sends takes its time to load, which other operations need not wait for.
    from malleposte.delivery.outbound.relays import routing_of

    smart_host = context.settings.smart_host()
    kept = await relays(context.store.reader)
    return routing_of(smart_host.route if smart_host is not None else "", kept)


async def way_of(context: Context, known: "Routing", address: str, sender: str) -> str:
    """The route of an address: ``here:`` for one of ours, whomever it reaches then."""
    from malleposte.delivery.outbound.settings import HERE

    local, _, domain = address.rpartition("@")
    if await context.book.domain(domain.lower()) is None:
        return known.route_of(address, sender)
    relay = _relayed(await context.book.resolve(local, domain))
    return f"host:{relay}" if relay else HERE


def _relayed(resolution: Resolution) -> str:
    """Where mail of an address is relayed to as it is, '' for one that reaches somebody here."""
    onward = resolution.onward
    if len(onward) == 1 and not resolution.accounts and not onward[0].account:
        return onward[0].relay
    return ""


async def way_elsewhere(context: Context, address: str, sender: str, before: str) -> str:
    """The route of an address that a copy for ``before`` goes to instead. Raises ``OperationError`` where
    it would reach nobody, or come back."""
    local, _, domain = address.rpartition("@")
    if address == before:
        raise refusal("loop", f"the copy goes to {address} already")
    resolution = await context.book.resolve(local, domain)
    if resolution.found is not Found.NOT_OURS:
        if resolution.found is not Found.HERE:
            raise refusal("no-such-account", f"nobody here gets the mail of {address}")
        if before in await _reached(context, resolution):
            raise refusal("loop", f"{address} leads to {before} again: name another address")
    return await way_of(context, await routing(context), address, sender)


async def _reached(context: Context, resolution: Resolution) -> set[str]:
    """Addresses elsewhere that an address of ours leads to."""
    found = {one.address.lower() for one in resolution.onward if not one.relay}
    if resolution.group:
        rows = await context.store.reader.rows(
            "SELECT address FROM group_member WHERE mail_group = $1 AND member = 1",
            resolution.group,
        )
        found |= {str(row[0]).lower() for row in rows}
    return found
