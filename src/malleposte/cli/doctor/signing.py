"""DKIM: whether the mail of each domain leaves signed."""

from collections.abc import Sequence
from typing import Final

from malleposte.cli.caller import Caller
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.operations.dkim import DkimKeys, ListKeys

MOST: Final = 50
"""Domains that are looked at."""
SHOWN: Final = 5
"""Domains that are named."""


async def checks(caller: Caller, domains: Sequence[str]) -> list[Check]:
    """One for each way in which mail leaves unsigned."""
    unsigned: list[str] = []
    silent: list[str] = []
    found: list[Check] = []
    looked_at = domains[:MOST]
    for number, domain in enumerate(looked_at):
        keys = await caller.call("domain.dkim-list", ListKeys(domain=domain), DkimKeys)
        found += [
            wrong("signing", f"{domain}: {words}", "make new keys with `malleposte domain dkim`")
            for words in keys.troubles
        ]
        if not keys.keys:
            if not keys.troubles:
                unsigned.append(domain)
        elif not any(key.signs and key.algorithm == "rsa-sha256" for key in keys.keys):
            if any(key.state == "unasked" for key in keys.keys):
                # Each of the others would take as long.
                left = len(looked_at) - number - 1
                more = f"; {left} further domains were not looked at" if left else ""
                words = f"{domain}: its records could not be asked for{more}"
                found.append(warn("signing", words, "see that the resolver answers"))
                break
            silent.append(domain)
    if silent:
        found.append(
            wrong(
                "signing",
                f"mail of {_named(silent)} leaves unsigned: no RSA key stands in the DNS as it should",
                "publish the records that `malleposte dns DOMAIN --check` misses",
            )
        )
    if unsigned:
        found.append(
            warn(
                "signing",
                f"mail of {_named(unsigned)} leaves unsigned: there are no keys",
                "`malleposte domain dkim DOMAIN --new`",
            )
        )
    if not found and looked_at:
        found.append(ok("signing", f"mail of {_named(looked_at)} leaves signed"))
    return found


def _named(domains: Sequence[str]) -> str:
    more = f" and {len(domains) - SHOWN} more" if len(domains) > SHOWN else ""
    return ", ".join(domains[:SHOWN]) + more
