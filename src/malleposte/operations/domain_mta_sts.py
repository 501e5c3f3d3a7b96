"""How others are to encrypt mail to a domain of ours: its MTA-STS policy (RFC 8461)."""

import asyncio
from collections.abc import Sequence
from typing import Final

from malleposte.directory.addresses import BadAddressError, normalise_domain
from malleposte.directory.mta_sts import LIFE, OwnPolicy, own_policy
from malleposte.operations.context import Context
from malleposte.operations.dkim import OfDomain
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import own_domain
from malleposte.operations.registry import Response, operation
from malleposte.operations.zone.certificate import chain_in, covers, names_in
from malleposte.policy.audit import Detail
from malleposte.store.commands import SetDomain

MOST_SERVERS: Final = 20
"""Servers that a policy names beside this one."""


class PolicyShown(Response, frozen=True, kw_only=True):
    """A domain's policy. ``id``: what its record announces; ``servers``: all that it names; ``text``: as it
    is served at ``url``; ``words``: what to know besides."""

    domain: str
    mode: str
    id: str
    servers: tuple[str, ...]
    max_age: int
    text: str
    url: str
    words: str = ""


class ShowPolicy(OfDomain, frozen=True, kw_only=True):
    """A domain's policy."""


@operation("domain.mta-sts", ShowPolicy, PolicyShown, audit="refused")
async def show(context: Context, request: ShowPolicy, progress: Progress) -> PolicyShown:
    """What is set now."""
    domain = await own_domain(context.store.reader, request.domain)
    return _shown(context, domain, await _policy(context, domain))


class SetPolicy(OfDomain, frozen=True, kw_only=True):
    """``mode``: ``none``, ``testing`` or ``enforce``, '' as it is; ``servers``: those that the policy names
    beside this one, None: as they are."""

    mode: str = ""
    servers: tuple[str, ...] | None = None

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        servers = {} if self.servers is None else {"servers": " ".join(self.servers)}
        return {"mode": self.mode, **servers}


@operation("domain.mta-sts-set", SetPolicy, PolicyShown)
async def set_(context: Context, request: SetPolicy, progress: Progress) -> PolicyShown:
    """Set mode and servers. Again: nothing changes."""
    domain = await own_domain(context.store.reader, request.domain)
    if request.mode not in ("", *LIFE):
        raise invalid(f"the mode is one of {', '.join(LIFE)}")
    servers = None if request.servers is None else _servers(context, request.servers)
    was = await _policy(context, domain)
    policy = OwnPolicy(request.mode or was.mode, was.servers if servers is None else servers)
    words = ""
    if policy.mode == "enforce":
        words = await _check(context, domain, policy)
    act = SetDomain(name=domain, mta_sts=request.mode or None, mta_sts_mx=servers)
    accepted(await context.carry_out(act))
    return _shown(context, domain, policy, words)


async def _policy(context: Context, domain: str) -> OwnPolicy:
    found = await own_policy(context.store.reader, domain)
    if found is None:
        raise refusal("no-such-domain", f"there is no domain {domain}")
    return found


def _host(context: Context) -> str:
    return context.settings.hostname.lower().rstrip(".")


def _servers(context: Context, typed: Sequence[str]) -> tuple[str, ...]:
    if len(typed) > MOST_SERVERS:
        raise invalid(f"at most {MOST_SERVERS} servers beside this one")
    names = []
    for one in typed:
        star = "*." if one.startswith("*.") else ""
        try:
            names.append(star + normalise_domain(one.removeprefix("*.")))
        except BadAddressError as error:
            raise invalid(str(error)) from None
    return tuple(dict.fromkeys(name for name in names if name != _host(context)))


async def _check(context: Context, domain: str, policy: OwnPolicy) -> str:
    """Refuse what would keep mail away from whoever believes it; words where that cannot be known."""
    # DNS takes a tenth of a second to load, which other operations need not wait for.
    from malleposte.delivery.outbound.resolver import LookupFailed
    from malleposte.delivery.tls_policies.sts_policy import read_policy
    from malleposte.operations.zone.asking import live
    from malleposte.operations.zone.policy import strangers

    host = _host(context)
    names = names_in(await asyncio.to_thread(chain_in, context.settings.certificate))
    if names and not covers(names, host):
        raise refusal(
            "certificate",
            f"the certificate is not for {host}: who enforces the policy would deliver nothing",
        )
    try:
        left_out = await strangers(
            live(context.settings), domain, read_policy(policy.text(host).encode())
        )
    except LookupFailed as error:
        return f"whether the policy names all servers of the MX records is not known: {error}"
    if left_out:
        raise refusal(
            "servers",
            f"the MX records of {domain} name {', '.join(left_out)}, which the policy does not: who"
            " enforces it would not deliver there. Name them with --mx, or take them out of the zone first",
        )
    return ""


def _shown(context: Context, domain: str, policy: OwnPolicy, words: str = "") -> PolicyShown:
    host = _host(context)
    return PolicyShown(
        domain=domain,
        mode=policy.mode,
        id=policy.id(host),
        servers=policy.hosts(host),
        max_age=LIFE[policy.mode],
        text=policy.text(host),
        url=f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
        words=words,
    )
