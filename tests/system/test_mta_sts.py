"""Policies of MTA-STS with the whole server: set by the command, fetched as RFC 8461 has it."""

import asyncio
import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from malleposte.delivery.outbound import DnsSettings, Resolver
from malleposte.delivery.tls_policies import StsSettings
from malleposte.delivery.tls_policies.sts_fetch import fetched
from malleposte.delivery.tls_policies.sts_policy import StsPolicy, read_policy
from malleposte.egress.settings import EgressError
from support.certificates import Issued, issue
from support.programs import need
from support.server import Server
from support.zone import Zone, serving

DOMAIN = "example.test"
NAME = f"mta-sts.{DOMAIN}"


@pytest.fixture(scope="module")
def authority() -> Issued:
    return issue("authority", authority=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Issued) -> Iterator[Server]:
    """With a certificate for its own name and for the policy's."""
    folder = tmp_path_factory.mktemp("sts")
    pair = issue("mail.example.test", NAME, by=authority)
    (folder / "cert.pem").write_bytes(pair.pem)
    key = folder / "key.pem"
    key.touch(0o600)
    key.write_bytes(pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = {
        "node": {"hostname": '"mail.example.test"'},
        "tls": {"certificate": f'"{folder}/cert.pem"', "key": f'"{folder}/key.pem"'},
        "sending": {"resolvers": '"127.0.0.1"', "resolver_port": "9"},
    }
    with Server(folder / "server", workers=1, settings=settings).running(1) as server:
        yield server


def command(server: Server, *words: str) -> str:
    program = [sys.executable, "-m", "malleposte", "--config", str(server.config)]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def policy(server: Server, trusted: Path, domain: str = DOMAIN) -> StsPolicy:
    """As a server fetches it that is about to send."""
    zone = Zone()
    zone.add(f"mta-sts.{domain}", a="127.0.0.1")
    with serving(zone) as port:
        resolver = DnsSettings(servers=("127.0.0.1",), port=port)
        settings = StsSettings(
            port=server.ports["https"],
            authorities=trusted,
            allowed=(ipaddress.ip_network("127.0.0.0/8"),),
        )
        octets = asyncio.run(_fetched(domain, settings, resolver))
    return read_policy(octets)


async def _fetched(domain: str, settings: StsSettings, resolver: DnsSettings) -> bytes:
    return await fetched(domain, settings, Resolver(resolver))


def test_from_testing_to_enforce_and_back(
    server: Server, authority: Issued, tmp_path: Path
) -> None:
    trusted = authority.trusted(tmp_path)
    hosts = ("mail.example.test",)
    assert policy(server, trusted) == StsPolicy("testing", hosts, 604_800)
    said = command(server, "domain", "mta-sts", DOMAIN, "enforce", "--mx", "mx2.example.net")
    assert "whether the policy names all servers of the MX records is not known" in said
    assert policy(server, trusted) == StsPolicy("enforce", (*hosts, "mx2.example.net"), 1_209_600)
    command(server, "domain", "mta-sts", DOMAIN, "none", "--alone")
    assert policy(server, trusted) == StsPolicy("none", hosts, 86_400)
    command(server, "domain", "mta-sts", DOMAIN, "testing")
    assert 'http_responses_total{route="mta-sts",status="200"}' in server.figures()


def test_who_checks_the_name_is_not_had_by_another_domain(
    server: Server, authority: Issued, tmp_path: Path
) -> None:
    with pytest.raises(EgressError) as failed:
        policy(server, authority.trusted(tmp_path), "example.net")
    assert failed.value.kind == "tls"


@pytest.mark.interop
def test_curl_gets_it_too(server: Server, authority: Issued, tmp_path: Path) -> None:
    port = server.ports["https"]
    done = subprocess.run(
        [need("curl"), "-sS", "--cacert", authority.trusted(tmp_path), "--resolve",
         f"{NAME}:{port}:127.0.0.1", "-D", "-", f"https://{NAME}:{port}/.well-known/mta-sts.txt"],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    head, _, body = done.partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: text/plain\r\n" in head + b"\r\n"
    assert read_policy(body).mode == "testing"
