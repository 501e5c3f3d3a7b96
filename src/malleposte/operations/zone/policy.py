"""A domain's MTA-STS policy as others get it, beside what it should be."""

from typing import Final

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import LiveRecords
from malleposte.delivery.signing.published import Seen
from malleposte.delivery.tls_policies.sts_fetch import StsSettings, fetched
from malleposte.delivery.tls_policies.sts_policy import BadPolicy, StsPolicy, read_policy
from malleposte.directory.mta_sts import OwnPolicy
from malleposte.egress.settings import EgressError
from malleposte.operations.zone.comparing import RIGHT, shown

SECONDS: Final = 8.0
"""For the policy to come."""


async def policy_seen(
    records: LiveRecords, domain: str, own: OwnPolicy, host: str, settings: StsSettings
) -> Seen:
    """What is served. Policies are compared by what they do: one that is served elsewhere may say more."""
    try:
        policy = read_policy(await fetched(domain, settings, records, SECONDS))
    except EgressError as error:
        state = "unasked" if error.temporary else "different"
        return Seen(state, shown(f"the policy could not be had: {error}"))  # type: ignore[arg-type]
    except BadPolicy as error:
        return Seen("different", shown(f"what is served is no policy: {error}"))
    if policy.mode != own.mode:
        return Seen(
            "different",
            f"its mode is {policy.mode} and not {own.mode}: it is served elsewhere, or kept on the way",
        )
    if policy.mode == "none":
        return RIGHT
    return await _servers_seen(records, domain, policy, host)


async def _servers_seen(records: LiveRecords, domain: str, policy: StsPolicy, host: str) -> Seen:
    if not policy.allows(host):
        return Seen("different", f"it does not name {host}")
    try:
        left_out = await strangers(records, domain, policy)
    except LookupFailed as error:
        return Seen("unasked", str(error))
    if left_out:
        return Seen(
            "different",
            shown(f"it does not name {', '.join(left_out)}, which the MX records do")
            + f": `malleposte domain mta-sts {domain} --mx NAME`, or take those out of the zone",
        )
    return RIGHT


async def strangers(records: LiveRecords, domain: str, policy: StsPolicy) -> list[str]:
    """Servers of the MX records that a policy does not name: who enforces it delivers nothing there.
    Raises ``LookupFailed``."""
    values = (await records.find(domain, "MX")).values
    return [
        host for _, _, host in (one.partition(" ") for one in values) if not policy.allows(host)
    ]
