"""TLS towards other servers and relays: a row for each thing that goes right or wrong with it."""

import dataclasses
import ssl
from dataclasses import dataclass, field
from typing import Any

import pytest

from malleposte.delivery.outbound import RelaySettings, TlsPolicy
from malleposte.delivery.outbound.route import Exchange
from malleposte.delivery.outbound.tls import NoPolicies
from malleposte.delivery.outbound.words import Trouble, WayFailed
from malleposte.secrets.redaction import Secret
from support.scripted_smtp import DROP, EVERYTHING, GARBAGE, SILENCE, Manner
from unit.delivery.outbound.outside import PATIENT, QUICK, Outside, says

HOST = "mx.there.example [127.0.0.1]:N"
VERIFIED = TlsPolicy(demanded=True, verified=True, source="the policy of there.example")


@dataclass
class Demands(NoPolicies):
    """One policy for all."""

    policy: TlsPolicy

    async def group(self, domain: str) -> str:
        return domain

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        if self.policy.source == "nowhere":
            raise WayFailed(Trouble("4.7.5", f"the policy of {domain} could not be read"))
        return self.policy


@dataclass
class Row:
    name: str
    manner: Manner
    outcome: str
    said: str
    host: str = ""
    policy: TlsPolicy | None = None
    certificate: str = "mx.there.example"
    trusted: bool = True
    relay: dict[str, Any] = field(default_factory=dict)
    tls: bool = False
    """Whether what was taken came by TLS."""
    speaks_tls: bool = True


async def wrong(session: ssl.SSLObject) -> str:
    return "its certificate is not the one that DNS names"


async def right(session: ssl.SSLObject) -> str:
    return "" if session.getpeercert(binary_form=True) else "no certificate"


PLAIN = "without TLS"
TOOK = "…took it…"
AUTH = (*EVERYTHING, "AUTH PLAIN LOGIN")
SIGNED = {"user": "me@example.org", "password": Secret("secret")}
ROWS = [
    # Opportunistic
    Row(
        "any certificate will do",
        Manner(),
        "delivered",
        TOOK,
        f"{HOST}, TLSv1.3 TLS_…, certificate not checked",
        certificate="elsewhere.example",
        trusted=False,
        tls=True,
    ),
    Row("not offered", Manner(), "delivered", TOOK, f"{HOST}, {PLAIN}", speaks_tls=False),
    Row(
        "STARTTLS refused",
        Manner(steps={"STARTTLS": "454 4.7.0 no certificate at the moment"}),
        "delivered",
        TOOK,
        f"{HOST}, {PLAIN} since STARTTLS was refused («454 4.7.0 no certificate at the moment»)",
    ),
    Row(
        "the handshake is garbage",
        Manner(handshake=GARBAGE),
        "delivered",
        TOOK,
        f"{HOST}, {PLAIN} since {HOST}: the TLS handshake failed (…",
    ),
    Row(
        "dropped in the handshake",
        Manner(handshake=DROP),
        "delivered",
        TOOK,
        f"{HOST}, {PLAIN} since {HOST}: the connection was cut…",
    ),
    Row(
        "a handshake that never ends",
        Manner(handshake=SILENCE),
        "delivered",
        TOOK,
        f"{HOST}, {PLAIN} since {HOST}: …",
    ),
    Row(
        "dropped at STARTTLS",
        Manner(steps={"STARTTLS": DROP}),
        "delivered",
        TOOK,
        f"{HOST}, {PLAIN} since {HOST}: the server closed the connection at STARTTLS",
    ),
    # Demanded by a policy
    Row(
        "verified",
        Manner(),
        "delivered",
        TOOK,
        f"{HOST}, TLSv1.3 TLS_…, certificate verified",
        VERIFIED,
        tls=True,
    ),
    Row(
        "of an unknown authority",
        Manner(),
        "deferred",
        f"{HOST}: its certificate is not good: unable to get local issuer certificate; the"
        " policy of there.example demands it: nothing was sent",
        policy=VERIFIED,
        trusted=False,
    ),
    Row(
        "for another name",
        Manner(),
        "deferred",
        f"{HOST}: its certificate is not good: Hostname mismatch, certificate is not valid for"
        " 'mx.there.example'; the policy of there.example demands it: nothing was sent",
        policy=VERIFIED,
        certificate="elsewhere.example",
    ),
    Row(
        "demanded and not offered",
        Manner(),
        "deferred",
        f"{HOST} offers no TLS, which the policy of there.example demands: nothing was sent",
        policy=VERIFIED,
        speaks_tls=False,
    ),
    Row(
        "demanded and refused",
        Manner(steps={"STARTTLS": "454 4.7.0 not now"}),
        "deferred",
        f"{HOST} refused TLS, which the policy of there.example demands («454 4.7.0 not now»):"
        " nothing was sent",
        policy=VERIFIED,
    ),
    Row(
        "demanded and broken",
        Manner(handshake=GARBAGE),
        "deferred",
        f"{HOST}: the TLS handshake failed (…); the policy of there.example demands it: nothing…",
        policy=VERIFIED,
    ),
    Row(
        "a check that finds nothing wrong",
        Manner(),
        "delivered",
        TOOK,
        f"{HOST}, TLSv1.3 TLS_…, certificate as DANE has it",
        TlsPolicy(demanded=True, check=right, source="DANE"),
        trusted=False,
        tls=True,
    ),
    Row(
        "a check that finds something",
        Manner(),
        "deferred",
        f"{HOST}: its certificate is not the one that DNS names; DANE demands it: nothing was sent",
        policy=TlsPolicy(demanded=True, check=wrong, source="DANE"),
    ),
    Row(
        "a server that the policy does not name",
        Manner(),
        "deferred",
        f"{HOST}: not among the servers of the policy",
        policy=TlsPolicy(refuse="not among the servers of the policy"),
    ),
    Row(
        "a policy that cannot be read",
        Manner(),
        "deferred",
        "the policy of there.example could not be read",
        policy=TlsPolicy(source="nowhere"),
    ),
    # Relays
    Row(
        "a relay, signed in",
        Manner(can=AUTH),
        "delivered",
        "localhost took it: …",
        "localhost [127.0.0.1]:N, TLSv1.3 TLS_…, certificate verified",
        certificate="localhost",
        relay=SIGNED,
        tls=True,
    ),
    Row(
        "a relay with TLS from the first octet",
        Manner(can=AUTH, implicit=True),
        "delivered",
        "localhost took it: …",
        "localhost [127.0.0.1]:N, TLSv1.3 TLS_…, certificate verified",
        certificate="localhost",
        relay={**SIGNED, "implicit": True},
        tls=True,
    ),
    Row(
        "a relay of an unknown authority",
        Manner(can=AUTH),
        "deferred",
        "localhost [127.0.0.1]:N: its certificate is not good: unable to get local"
        " issuer certificate; the configuration of this relay demands it: nothing was sent",
        certificate="localhost",
        relay=SIGNED,
        trusted=False,
    ),
    Row(
        "a relay whose certificate is not looked at",
        Manner(can=AUTH),
        "delivered",
        "localhost took it: …",
        "localhost [127.0.0.1]:N, TLSv1.3 TLS_…, certificate not checked",
        relay={**SIGNED, "verify": False},
        trusted=False,
        tls=True,
    ),
    Row(
        "a relay that offers no TLS",
        Manner(can=AUTH),
        "deferred",
        "localhost [127.0.0.1]:N offers no TLS, which the configuration of this relay demands:…",
        relay=SIGNED,
        speaks_tls=False,
    ),
    Row(
        "a relay on loopback without TLS",
        Manner(can=AUTH),
        "delivered",
        "localhost took it: …",
        "localhost [127.0.0.1]:N, without TLS",
        relay={**SIGNED, "tls": False},
        speaks_tls=False,
    ),
    Row(
        "a wrong password",
        Manner(can=AUTH, steps={"AUTH": "535 5.7.8 bad credentials"}),
        "deferred",
        "localhost [127.0.0.1]:N refuses our sign-in as me@example.org: «535 5.7.8 bad"
        " credentials»; check user and password of this relay",
        certificate="localhost",
        relay=SIGNED,
    ),
    Row(
        "no way to sign in",
        Manner(),
        "deferred",
        "localhost [127.0.0.1]:N offers neither AUTH PLAIN nor AUTH LOGIN: we cannot sign in there",
        certificate="localhost",
        relay=SIGNED,
    ),
    Row(
        "dropped at AUTH",
        Manner(can=AUTH, steps={"AUTH": DROP}),
        "deferred",
        "localhost [127.0.0.1]:N: the server closed the connection at AUTH",
        certificate="localhost",
        relay=SIGNED,
    ),
    Row(
        "a relay that is not configured",
        Manner(),
        "deferred",
        "the relay gone.example:25 is not configured here: configure it, or redirect what is"
        " queued for it",
        relay={"host": "gone.example", "port": 25},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_tls_comes_to(outside: Outside, row: Row) -> None:
    if row.speaks_tls:
        row.manner.context = outside.tls(row.certificate)
    server = await outside.server(1, row.manner)
    outside.domain()
    outside.zone.add("localhost", a="127.0.0.1")
    handshake = QUICK if row.manner.handshake == SILENCE else 10.0
    settings: dict[str, Any] = {
        "timeouts": dataclasses.replace(PATIENT, handshake=handshake),
    }
    if row.trusted:
        settings["authorities"] = outside.authority(row.certificate)
    route = "there.example"
    if row.relay:
        relay = RelaySettings(**{"host": "localhost", "port": outside.port, **row.relay})
        route = relay.route
        if relay.host == "localhost":
            settings["relays"] = {route: relay}
    await outside.queue("a@there.example", routes=[route])
    policies = Demands(row.policy) if row.policy else None
    (attempt,) = await outside.go(policies=policies, **settings)
    port = str(outside.port)
    assert attempt.outcome == row.outcome, attempt
    assert says(row.said.replace("]:N", f"]:{port}"), attempt.said), attempt.said
    if row.host:
        assert says(row.host.replace("]:N", f"]:{port}"), attempt.host), attempt.host
    assert [taken.tls for taken in server.accepted] == (
        [row.tls] if row.outcome == "delivered" else []
    )
    assert ("secret" in repr(outside.settings(**settings))) is False
    assert set(await outside.routes()) == ({route} if row.outcome == "deferred" else set())


async def test_a_server_whose_tls_failed_is_spoken_to_without_at_once(outside: Outside) -> None:
    server = await outside.server(1, Manner(context=outside.tls(), handshake=GARBAGE))
    outside.domain()
    for number in range(3):
        await outside.queue(f"a{number}@there.example", data=b"%d" % number)
    attempts = await outside.go()
    assert [a.outcome for a in attempts] == ["delivered"] * 3
    assert server.commands.count("STARTTLS") <= 3
    before = server.commands.count("STARTTLS")
    await outside.queue("b@there.example")
    await outside.go()
    assert server.commands.count("STARTTLS") == before + 1, "another worker does not know it"
