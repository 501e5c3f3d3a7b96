"""Debian's ``unbound`` as this machine's resolver, over signed and unsigned zones of Debian's ``nsd``.

Both ask for ports and a resolv.conf that are the machine's own, so they run in a network of their own,
for which root is needed. As a program this module is what runs in there: it sends mail to servers at port
25 and says what became of it.
"""

import asyncio
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from malleposte.delivery.outbound import Resolver
from malleposte.delivery.tls_policies import PolicySettings, TlsPolicies
from support.certificates import issue
from support.name_server import Names
from support.opendkim import apart
from support.programs import need
from support.scripted_smtp import Manner
from support.store import Clock, House, Place
from unit.delivery.outbound.outside import Outside

SIGNED, OPEN = "signed.example", "open.example"
SHOWN = issue("nobody.example", days=(-60, -1))
OTHER = issue("nobody.example")

DOMAINS = {
    f"right.{SIGNED}": f"mx1.{SIGNED}",
    f"wrong.{SIGNED}": f"mx2.{SIGNED}",
    f"broken.{SIGNED}": f"mx3.{SIGNED}",
    f"without.{SIGNED}": f"mx4.{SIGNED}",
    f"alias.{SIGNED}": f"mx5.{SIGNED}",
    f"away.{SIGNED}": f"mx.{OPEN}",
    OPEN: f"mx2.{SIGNED}",
}
"""Domains and their servers."""


def outcomes(folder: Path) -> dict[str, tuple[str, str, str]]:
    """What became of a message to each domain: outcome, with whom and how, words."""
    need("unbound")
    need("nsd")
    need("unshare", "util-linux")
    need("ip", "iproute2")
    if os.geteuid() != 0:
        pytest.skip("only root can give a program a resolver of its own")
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            *apart(),
            sys.executable,
            "-m",
            "support.validating",
            folder,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine gives no network of its own")
    assert done.returncode == 0, done.stderr
    found: Mapping[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return {domain: (row[0], row[1], row[2]) for domain, row in found.items()}


# In there -------------------------------------------------------------------------------------------


def _names(folder: Path) -> Names:
    lines = [f"{domain}. MX 10 {host}." for domain, host in DOMAINS.items() if domain != OPEN]
    lines += [f"mx{n}.{SIGNED}. A 127.0.0.{n}" for n in range(1, 5)]
    lines += [
        f"mx5.{SIGNED}. CNAME real.{SIGNED}.",
        f"real.{SIGNED}. A 127.0.0.1",
        f"_25._tcp.mx1.{SIGNED}. TLSA {SHOWN.tlsa(3)}",
        f"_25._tcp.mx2.{SIGNED}. TLSA {OTHER.tlsa(3)}",
        f"_25._tcp.mx3.{SIGNED}. TLSA {SHOWN.tlsa(3)}",
        f"_25._tcp.real.{SIGNED}. TLSA {SHOWN.tlsa(3)}",
    ]
    names = Names(folder)
    forged = {(f"_25._tcp.mx3.{SIGNED}", "TLSA"): OTHER.tlsa(3)}
    names.zone(SIGNED, lines, signed=True, forged=forged)
    unsigned = [
        f"{OPEN}. MX 10 mx2.{SIGNED}.",
        f"mx.{OPEN}. A 127.0.0.1",
        f"_25._tcp.mx.{OPEN}. TLSA {OTHER.tlsa(3)}",
    ]
    names.zone(OPEN, unsigned)
    return names


class _Whole(Outside):
    """Outside, with the system's resolver."""

    def resolver(self) -> Resolver:
        return Resolver()


async def _sent(folder: Path) -> dict[str, list[str]]:
    place = Place(folder / "data")
    async with place.open() as store:
        house = House(store, place, Clock())
        await house.domain("example.org")
        outside = _Whole(house, folder, port=25)
        for number in range(1, 5):
            await outside.server(number, Manner(context=SHOWN.context(folder)))
        for domain in DOMAINS:
            await outside.queue(f"a@{domain}", data=domain.encode())
        policies: Any = TlsPolicies(
            store, outside.resolver(), dataclasses.replace(PolicySettings(), mta_sts=False)
        )
        attempts = await outside.go(policies=policies)
        await outside.close()
    return {one.address.partition("@")[2]: [one.outcome, one.host, one.said] for one in attempts}


def _main() -> None:
    folder = Path(sys.argv[1])
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    with _names(folder).served():
        found = asyncio.run(_sent(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
