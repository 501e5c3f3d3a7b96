"""The records that a domain needs in the DNS, and on demand what stands there."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

import msgspec

from malleposte.delivery.signing.kept import pairs_of, retired_of
from malleposte.delivery.signing.keys import SigningKey
from malleposte.directory.mta_sts import OwnPolicy, own_policy
from malleposte.operations.context import Context
from malleposte.operations.dkim import OfDomain
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import own_domain
from malleposte.operations.registry import Response, operation
from malleposte.operations.zone.certificate import chain_in, key_in, names_in
from malleposte.operations.zone.wanted import TESTING, Wanted, wanted

if TYPE_CHECKING:
    from malleposte.operations.zone.row import Row

_STANDS = ("right", "different")
AT_ONCE = 32
"""Look-ups side by side: all together take some 20 seconds where no resolver answers."""


class ShowRecords(OfDomain, frozen=True, kw_only=True):
    """``check``: hold each beside what the DNS says now."""

    check: bool = False


class RecordShown(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` as a zone has it, without quotes and last dots. ``needed``: mail suffers without it.
    ``state``: right, missing, different or unasked, '' where it was not checked; ``words``: what stands
    there, or why it could not be asked. ``publish``: it belongs into this domain's zone; others are set
    elsewhere (address and PTR of the server), or no records at all (its certificate, port 25, block lists),
    and are only checked."""

    purpose: str
    name: str
    kind: str
    value: str
    needed: bool
    publish: bool = True
    remark: str = ""
    state: str = ""
    words: str = ""


class DomainRecords(Response, frozen=True, kw_only=True):
    """``host``: this server's name, as it greets. ``unsigned``: the domain has no DKIM keys, or none that
    can be opened, for which ``troubles`` has the words."""

    domain: str
    host: str
    unsigned: bool
    troubles: tuple[str, ...]
    records: tuple[RecordShown, ...]


@operation("domain.records", ShowRecords, DomainRecords, audit="refused")
async def run(context: Context, request: ShowRecords, progress: Progress) -> DomainRecords:
    """All records; checked, every look-up has a deadline."""
    domain = await own_domain(context.store.reader, request.domain)
    host = context.settings.hostname.lower().rstrip(".")
    kept = await pairs_of(context.store.reader, context.settings.ring, domain)
    keys = [key for pair in kept.pairs for key in pair.keys]
    chain = await asyncio.to_thread(chain_in, context.settings.certificate)
    policy = await own_policy(context.store.reader, domain) or TESTING
    retired = await retired_of(context.store.reader, domain)
    records = wanted(
        domain,
        host,
        context.settings.offered,
        keys,
        key_in(chain),
        client_host=context.settings.client_host.rstrip("."),
        names=names_in(chain),
        policy=policy,
        retired=[one for one in retired if one.until > time.time()],
    )
    if request.check:
        rows = await _checked(context, host, chain, records, keys, progress)
        if any(row.name == f"_mta-sts.{domain}" and row.state in _STANDS for row in rows):
            rows.append(await _policy_row(context, domain, policy, host))
    else:
        rows = [_row(record) for record in records]
    return DomainRecords(
        domain=domain, host=host, unsigned=not keys, troubles=kept.troubles, records=tuple(rows)
    )


async def _policy_row(context: Context, domain: str, policy: OwnPolicy, host: str) -> RecordShown:
    """The policy that a record announces, fetched as others do."""
    from malleposte.delivery.tls_policies.sts_fetch import StsSettings
    from malleposte.operations.zone.asking import live
    from malleposte.operations.zone.policy import policy_seen

    settings = context.settings.policies or StsSettings()
    seen = await policy_seen(live(context.settings), domain, policy, host, settings)
    return RecordShown(
        purpose="mta-sts",
        name=f"mta-sts.{domain}",
        kind="HTTPS",
        value=f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
        # Who enforces a policy that is wrong does not deliver.
        needed=policy.mode == "enforce" and seen.state == "different",
        publish=False,
        state=seen.state,
        words=seen.words,
    )


def _row(record: Wanted, state: str = "", words: str = "") -> RecordShown:
    return RecordShown(
        purpose=record.purpose,
        name=record.name,
        kind=record.kind,
        value=record.value,
        # Without TLSA records all is well; with wrong ones nobody who checks them delivers.
        needed=record.needed or (record.purpose == "tlsa" and state == "different"),
        remark=record.remark,
        state=state,
        words=words,
    )


async def _checked(
    context: Context,
    host: str,
    chain: tuple[bytes, ...],
    wanted_: Sequence[Wanted],
    keys: Sequence[SigningKey],
    progress: Progress,
) -> list[RecordShown]:
    # DNS takes a tenth of a second to load, which other operations need not wait for.
    from malleposte.operations.zone import address, block_lists, leaving
    from malleposte.operations.zone.asking import live
    from malleposte.operations.zone.comparing import compare

    records = live(context.settings)
    turns = asyncio.Semaphore(AT_ONCE)
    server = msgspec.structs.replace(await address.server(records, host), chain=chain)
    done = 0

    async def in_turn(work: Awaitable[RecordShown]) -> RecordShown:
        nonlocal done
        async with turns:
            row = await work
        done += 1
        progress.report(done, len(wanted_), row.name)
        return row

    async def one(record: Wanted) -> RecordShown:
        seen = await compare(records, record, server, keys)
        return _row(record, seen.state, seen.words)

    rows = await asyncio.gather(*(in_turn(one(record)) for record in wanted_))
    outward = context.settings.outward
    found = await address.looked_at(records, server)
    if context.settings.certificate is not None:
        found.append(address.certificate(host, names_in(chain)))
    sources = await asyncio.to_thread(leaving.sources, outward)
    found += leaving.looked_at(sources, server)
    public = dict.fromkeys([*address.public(server), *sources])
    for rows_ in await asyncio.gather(
        leaving.port_open(records, outward),
        block_lists.looked_at(records, list(public), outward.block_lists),
    ):
        found += rows_
    return [*(_besides(row) for row in found), *rows]


def _besides(row: "Row") -> RecordShown:
    """What is no record of the domain's."""
    return RecordShown(
        purpose=row.purpose,
        name=row.name,
        kind=row.kind,
        value=row.value,
        needed=row.needed,
        publish=False,
        state=row.seen.state,
        words=row.seen.words,
    )
