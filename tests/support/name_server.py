"""Zones of a test, some of them signed, served by Debian's ``nsd``; Debian's ``unbound`` as the resolver
that validates them.

Both take ports that are the machine's own, and so run in a network of their own.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.query
import dns.rdata
import dns.rdataset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from support.programs import need

NAME_SERVER = 5300
TTL = 300


class Names:
    """See the module."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._anchors: list[str] = []

    def zone(
        self,
        name: str,
        lines: Sequence[str],
        *,
        signed: bool = False,
        forged: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """A zone of lines as zone files have them. ``forged``: records (name, type) that are changed once
        it was signed, as an attacker on the way would."""
        head = [
            f"$TTL {TTL}",
            f"{name}. SOA ns.{name}. x.{name}. 1 2 3 4 {TTL}",
            f"{name}. NS ns.{name}.",
        ]
        text = "\n".join([*head, f"ns.{name}. A 127.0.0.1", *lines]) + "\n"
        zone = dns.zone.from_text(text, origin=f"{name}.", relativize=False)
        if signed:
            key = ec.generate_private_key(ec.SECP256R1())
            public = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
            dns.dnssec.sign_zone(zone, keys=[(key, public)], lifetime=86_400)
            self._anchors.append(f"{name}. IN DNSKEY {public.to_text()}\n")
        for (owner, kind), value in (forged or {}).items():
            record = dns.rdata.from_text("IN", kind, value)
            zone.replace_rdataset(f"{owner}.", dns.rdataset.from_rdata(TTL, record))
        zone.to_file(str(self._folder / name), relativize=False)
        self._names.append(name)

    @contextlib.contextmanager
    def served(self, *prefix: str) -> Iterator[None]:
        """Both programs at work; ``prefix``: words in front of their commands. Whoever calls is in the
        same network."""
        self._write()
        nsd, unbound = need("nsd"), need("unbound")
        programs = [
            subprocess.Popen(
                [*prefix, nsd, "-d", "-c", self._folder / "nsd.conf"], stdout=sys.stderr
            ),
            subprocess.Popen(
                [*prefix, unbound, "-d", "-c", self._folder / "unbound.conf"], stdout=sys.stderr
            ),
        ]
        try:
            self._await(NAME_SERVER)
            self._await(53)
            yield
        finally:
            for program in programs:
                program.terminate()
                program.wait(20)

    def _write(self) -> None:
        folder = self._folder
        folder.joinpath("anchor").write_text("".join(self._anchors))
        folder.joinpath("nsd.conf").write_text(
            "server:\n"
            f"  ip-address: 127.0.0.1@{NAME_SERVER}\n"
            f'  username: ""\n  zonesdir: "{folder}"\n  pidfile: "{folder}/nsd.pid"\n'
            f'  xfrdfile: "{folder}/xfrd"\n  zonelistfile: "{folder}/zones"\n  server-count: 1\n'
            "remote-control:\n  control-enable: no\n"
            + "".join(f'zone:\n  name: "{one}"\n  zonefile: "{one}"\n' for one in self._names)
        )
        folder.joinpath("unbound.conf").write_text(
            "server:\n"
            '  interface: 127.0.0.1\n  port: 53\n  username: ""\n  chroot: ""\n  pidfile: ""\n'
            f'  directory: "{folder}"\n  use-syslog: no\n  do-daemonize: no\n  do-ip6: no\n'
            '  do-not-query-localhost: no\n  module-config: "validator iterator"\n'
            f'  trust-anchor-file: "{folder}/anchor"\n'
            # It would answer for this one by itself (RFC 6761).
            '  local-zone: "test." nodefault\n'
            "remote-control:\n  control-enable: no\n"
            + "".join(
                f'stub-zone:\n  name: "{one}"\n  stub-addr: 127.0.0.1@{NAME_SERVER}\n'
                for one in self._names
            )
        )

    def _await(self, port: int) -> None:
        until = time.monotonic() + 20
        while True:
            query = dns.message.make_query(f"{self._names[0]}.", "SOA")
            with contextlib.suppress(OSError, dns.exception.DNSException):
                if dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5).answer:
                    return
            assert time.monotonic() < until, f"nothing answers at port {port}"
            time.sleep(0.05)
