"""Debian's ``unbound`` as this machine's resolver, over signed and unsigned zones of Debian's ``nsd``.

Both ask for ports and a resolv.conf that are the machine's own, so they run in a network of their own,
for which root is needed. As a program this module is what runs in there: it sends mail to servers at port
25 and says what became of it.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.message
import dns.query
import dns.rdata
import dns.rdataset
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from malleposte.delivery.outbound import Resolver
from malleposte.delivery.tls_policies import PolicySettings, TlsPolicies
from support.certificates import issue
from support.opendkim import apart
from support.programs import need
from support.scripted_smtp import Manner
from support.store import Clock, House, Place
from unit.delivery.outbound.outside import Outside

NAME_SERVER = 5300
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


def _zones(folder: Path) -> None:
    """Zone files and the anchor of trust."""
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
    zone = _zone(SIGNED, lines)
    key = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
    dns.dnssec.sign_zone(zone, keys=[(key, public)], lifetime=86_400)
    # Changed after it was signed, as an attacker on the way would.
    forged = dns.rdata.from_text("IN", "TLSA", OTHER.tlsa(3))
    zone.replace_rdataset(f"_25._tcp.mx3.{SIGNED}.", dns.rdataset.from_rdata(300, forged))
    zone.to_file(str(folder / SIGNED), relativize=False)
    folder.joinpath("anchor").write_text(f"{SIGNED}. IN DNSKEY {public.to_text()}\n")
    unsigned = [
        f"{OPEN}. MX 10 mx2.{SIGNED}.",
        f"mx.{OPEN}. A 127.0.0.1",
        f"_25._tcp.mx.{OPEN}. TLSA {OTHER.tlsa(3)}",
    ]
    _zone(OPEN, unsigned).to_file(str(folder / OPEN), relativize=False)


def _zone(name: str, lines: list[str]) -> dns.zone.Zone:
    head = ["$TTL 300", f"{name}. SOA ns.{name}. x.{name}. 1 2 3 4 300", f"{name}. NS ns.{name}."]
    text = "\n".join([*head, f"ns.{name}. A 127.0.0.1", *lines]) + "\n"
    return dns.zone.from_text(text, origin=f"{name}.", relativize=False)


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[None]:
    folder.joinpath("nsd.conf").write_text(
        "server:\n"
        f"  ip-address: 127.0.0.1@{NAME_SERVER}\n"
        f'  username: ""\n  zonesdir: "{folder}"\n  pidfile: "{folder}/nsd.pid"\n'
        f'  xfrdfile: "{folder}/xfrd"\n  zonelistfile: "{folder}/zones"\n  server-count: 1\n'
        "remote-control:\n  control-enable: no\n"
        + "".join(f'zone:\n  name: "{one}"\n  zonefile: "{one}"\n' for one in (SIGNED, OPEN))
    )
    folder.joinpath("unbound.conf").write_text(
        "server:\n"
        '  interface: 127.0.0.1\n  port: 53\n  username: ""\n  chroot: ""\n  pidfile: ""\n'
        f'  directory: "{folder}"\n  use-syslog: no\n  do-daemonize: no\n  do-ip6: no\n'
        '  do-not-query-localhost: no\n  module-config: "validator iterator"\n'
        f'  trust-anchor-file: "{folder}/anchor"\n'
        "remote-control:\n  control-enable: no\n"
        + "".join(
            f'stub-zone:\n  name: "{one}"\n  stub-addr: 127.0.0.1@{NAME_SERVER}\n'
            for one in (SIGNED, OPEN)
        )
    )
    programs = [
        subprocess.Popen([need("nsd"), "-d", "-c", folder / "nsd.conf"], stdout=sys.stderr),
        subprocess.Popen([need("unbound"), "-d", "-c", folder / "unbound.conf"], stdout=sys.stderr),
    ]
    try:
        _await(NAME_SERVER)
        _await(53)
        yield
    finally:
        for program in programs:
            program.terminate()
            program.wait(20)


def _await(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        query = dns.message.make_query(f"{OPEN}.", "SOA")
        with contextlib.suppress(OSError, dns.exception.DNSException):
            if dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5).answer:
                return
        assert time.monotonic() < until, f"nothing answers at port {port}"
        time.sleep(0.05)


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
    _zones(folder)
    with _served(folder):
        found = asyncio.run(_sent(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
