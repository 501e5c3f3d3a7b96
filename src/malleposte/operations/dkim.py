"""A domain's DKIM keys: made, listed with what the DNS says of them, retired.

Keys are made where they are sealed and never leave. A new pair signs once its records are published; until
then the one before it does, so that a rotation leaves no gap (``delivery.signing``).
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from malleposte.delivery.signing.kept import MOST_PAIRS, pairs_of, retired_of, stems_of
from malleposte.delivery.signing.keys import (
    LETTERS,
    KeyPair,
    SigningKey,
    date_stem,
    make,
    record_name,
    secret_name,
    selectors_of,
    stem_of,
    written,
)
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import own_domain
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.secrets.node_key import NodeKeyError
from malleposte.store.commands import PutSecret, RetireKey
from malleposte.store.results import Refused


class OfDomain(Request, frozen=True, kw_only=True):
    """A request about one domain's keys."""

    domain: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("domain", self.domain)


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its private part. ``made``: Unix seconds; ``name`` and ``record``: of its TXT record.
    ``state``: right, missing, different or unasked, '' where the DNS was not looked at; ``words``: what is
    wrong; ``signs``: mail is signed by it now."""

    selector: str
    algorithm: str
    made: int
    name: str
    record: str
    state: str = ""
    words: str = ""
    signs: bool = False


class ListKeys(OfDomain, frozen=True, kw_only=True):
    """All of a domain's keys."""


class RetiredShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was destroyed. ``name``: of its record, which mail that is under way needs until ``until``
    (Unix seconds)."""

    selector: str
    name: str
    retired: int
    until: int


class DkimKeys(Response, frozen=True, kw_only=True):
    """The newest first. ``troubles``: in words, for each pair that cannot be opened. ``retired``: keys
    whose records are needed still, or can go."""

    domain: str
    keys: tuple[KeyShown, ...]
    troubles: tuple[str, ...] = ()
    retired: tuple[RetiredShown, ...] = ()


@operation("domain.dkim-list", ListKeys, DkimKeys, audit="refused")
async def list_(context: Context, request: ListKeys, progress: Progress) -> DkimKeys:
    """Each key, and whether its record stands in the DNS, asked now."""
    domain = await own_domain(context.store.reader, request.domain)
    kept = await pairs_of(context.store.reader, context.settings.ring, domain)
    keys = await _looked_at(context, kept.pairs)
    retired = tuple(
        RetiredShown(
            selector=one.selector,
            name=record_name(domain, one.selector),
            retired=one.retired_at,
            until=one.until,
        )
        for one in await retired_of(context.store.reader, domain)
    )
    return DkimKeys(domain=domain, keys=keys, troubles=kept.troubles, retired=retired)


class MakeKeys(OfDomain, frozen=True, kw_only=True):
    """A further pair of keys."""


class KeysMade(Response, frozen=True, kw_only=True):
    """The new ones; they sign once their records are published."""

    domain: str
    keys: tuple[KeyShown, ...]


@operation("domain.dkim-new", MakeKeys, KeysMade)
async def new(context: Context, request: MakeKeys, progress: Progress) -> KeysMade:
    """Make a pair of keys. Again: another pair."""
    domain = await own_domain(context.store.reader, request.domain)
    known = await stems_of(context.store.reader, domain)
    if len(known) >= MOST_PAIRS:
        raise refusal("limit", f"{domain} has {len(known)} pairs of keys: retire old ones first")
    # A record of that name may be needed still.
    gone = {stem_of(one.selector) for one in await retired_of(context.store.reader, domain)}
    now = int(time.time())
    for letter in LETTERS:
        stem = date_stem(now) + letter
        if stem in known or stem in gone:
            continue
        pair = await asyncio.to_thread(make, domain, stem, now)
        if await _kept(context, pair):
            return KeysMade(domain=domain, keys=tuple(_shown(key, now) for key in pair.keys))
    raise refusal("limit", f"{domain} has got too many keys today: wait until tomorrow")


async def _kept(context: Context, pair: KeyPair) -> bool:
    """Whether it could be kept under its name, which another call may have taken meanwhile."""
    try:
        ring = context.settings.ring()
    except NodeKeyError as error:
        raise refusal("node-key", str(error)) from None
    command = PutSecret(
        name=pair.secret_name,
        sealed=ring.seal(pair.secret_name, written(pair)),
        key_id=ring.current.id.hex(),
        fresh=True,
    )
    selectors = " ".join(key.selector for key in pair.keys)
    result = await context.carry_out(command, selectors=selectors)
    if isinstance(result, Refused) and result.reason == "exists":
        return False
    accepted(result)
    return True


class RetireKeys(OfDomain, frozen=True, kw_only=True):
    """``selector``: of one key of a pair, or what both have in common. ``last``: also where no other key
    could sign in its place; ``at_once``: others may have got the key, and its record is to go now, whatever
    becomes of mail under way."""

    selector: str
    last: bool = False
    at_once: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"selector": self.selector, "last": self.last, "at_once": self.at_once}


class KeysRetired(Response, frozen=True, kw_only=True):
    """``names``: of the records that can go from the zone at ``until`` (Unix seconds)."""

    domain: str
    selectors: tuple[str, ...]
    names: tuple[str, ...]
    until: int = 0


@operation("domain.dkim-retire", RetireKeys, KeysRetired)
async def retire(context: Context, request: RetireKeys, progress: Progress) -> KeysRetired:
    """Destroy a pair of keys. Again: refused, there is none such."""
    domain = await own_domain(context.store.reader, request.domain)
    stem = stem_of(request.selector.strip().lower())
    if stem not in await stems_of(context.store.reader, domain):
        raise refusal(
            "no-such-key",
            f"{domain} has no key {request.selector}: see `malleposte domain dkim {domain}`",
        )
    kept = await pairs_of(context.store.reader, context.settings.ring, domain)
    keys = await _looked_at(context, kept.pairs)
    going = [key for key in keys if stem_of(key.selector) == stem]
    # Without its record none of them signs.
    unseen = bool(going) and all(key.state in ("missing", "different") for key in going)
    if not request.last and not unseen:
        _check_others(domain, [key for key in keys if key not in going])
    selectors = selectors_of(stem)
    # Of a pair that cannot be opened nobody knows them any more.
    known = {key.selector: key.record for key in going}
    over = unseen or request.at_once
    until = int(time.time()) + (0 if over else context.settings.under_way)
    gone = RetireKey(
        name=secret_name(domain, stem),
        domain=domain,
        records=tuple((one, known.get(one, "")) for one in selectors),
        until=until,
    )
    accepted(await context.carry_out(gone))
    return KeysRetired(
        domain=domain,
        selectors=selectors,
        names=tuple(record_name(domain, one) for one in selectors),
        until=until,
    )


def _check_others(domain: str, others: Sequence[KeyShown]) -> None:
    """Refuse where mail would leave unsigned: RSA is what every receiver verifies."""
    if any(key.state == "right" and key.algorithm == "rsa-sha256" for key in others):
        return
    raise refusal(
        "last-key",
        f"no other RSA key of {domain} is seen in the DNS: mail would leave unsigned. Make new keys"
        " with --new and publish them first, or give --last to stop signing",
    )


async def _looked_at(context: Context, pairs: Sequence[KeyPair]) -> tuple[KeyShown, ...]:
    # DNS takes a tenth of a second to load, which other operations need not wait for.
    from malleposte.delivery.signing.published import looked_at
    from malleposte.operations.zone.asking import live

    records = live(context.settings)
    keys = [(key, pair.made) for pair in pairs for key in pair.keys]
    found = await asyncio.gather(*(looked_at(records, key) for key, _ in keys))
    signing: set[str] = set()
    shown = []
    for (key, made), (seen, _) in zip(keys, found, strict=True):
        signs = seen.state == "right" and key.algorithm not in signing
        if signs:
            signing.add(key.algorithm)
        shown.append(_shown(key, made, seen.state, seen.words, signs=signs))
    return tuple(shown)


def _shown(
    key: SigningKey, made: int, state: str = "", words: str = "", *, signs: bool = False
) -> KeyShown:
    return KeyShown(
        selector=key.selector,
        algorithm=key.algorithm,
        made=made,
        name=key.name,
        record=key.record,
        state=state,
        words=words,
        signs=signs,
    )
