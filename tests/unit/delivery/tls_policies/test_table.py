"""Other servers' TLS under DANE and MTA-STS: a row for each thing that goes right or wrong, its state and
its words."""

import dataclasses
import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from malleposte.delivery.outbound import Resolver
from malleposte.delivery.outbound.resolver import Found, LookupFailed
from malleposte.delivery.tls_policies import PolicySettings, StsSettings, TlsPolicies
from malleposte.store import TemporaryFailure
from malleposte.store.commands import SetTlsException
from malleposte.store.read import tls as kept
from support.certificates import Issued, issue
from support.https_host import HttpsHost
from support.scripted_smtp import DROP, GARBAGE, Manner
from support.scripted_smtp import SILENCE as NO_ANSWER
from support.zone import REFUSED, SERVFAIL, SILENCE
from unit.delivery.outbound.outside import PATIENT, QUICK, Attempt, Outside, says

DOMAIN, NAME = "there.example", "mx.there.example"
HOST = f"{NAME} [127.0.0.1]:N"
STS = f"the MTA-STS policy of {DOMAIN}"
DNS = f"the TLSA record of _N._tcp.{NAME} was not found"
WAITS = "; without it nobody knows which certificate is right (DANE): nothing was sent"
TOOK = "…took it…"
PLAIN = f"{HOST}, without TLS"
UNCHECKED = f"{HOST}, TLSv1.3 TLS_…, certificate not checked"
BY_DANE = f"{HOST}, TLSv1.3 TLS_…, certificate as DANE has it"
VERIFIED = f"{HOST}, TLSv1.3 TLS_…, certificate verified"

AUTHORITY = issue("authority", authority=True)
GOOD = issue(NAME, by=AUTHORITY)
OTHER_NAME = issue("elsewhere.example", by=AUTHORITY)
FOR_DOMAIN = issue(DOMAIN, by=AUTHORITY)
OVER = issue(NAME, by=AUTHORITY, days=(-60, -1))
OWN = issue("nobody.example", days=(-60, -1))
"""Signed by itself, for nobody, and over."""
NEXT = issue(NAME)


@dataclass
class World:
    """What a row may turn: the domain's records, its policy, its server."""

    outside: Outside
    web: HttpsHost
    folder: Path

    def enforce(self, mode: str = "enforce", hosts: Sequence[str] = (NAME,)) -> "World":
        """A policy of MTA-STS."""
        self.outside.zone.add(f"_mta-sts.{DOMAIN}", txt='"v=STSv1; id=1"')
        self.outside.zone.add(f"mta-sts.{DOMAIN}", a="127.0.0.1")
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts)]
        self.web.body = "\n".join([*lines, "max_age: 604800"]).encode()
        return self

    def sign(self, *domains: str) -> "World":
        """Domains that DNSSEC vouches for."""
        self.outside.zone.secure |= set(domains or (DOMAIN,))
        return self

    def unsign(self) -> "World":
        """It vouches for none."""
        self.outside.zone.secure.clear()
        return self

    def elsewhere(self) -> "World":
        """The domain's server is another domain's."""
        zone = self.outside.zone
        zone.records[DOMAIN, "MX"] = ["10 mx.other.example."]
        zone.add("mx.other.example", a="127.0.0.1")
        return self

    def alone(self) -> "World":
        """The domain has no MX record, and is its own server."""
        zone = self.outside.zone
        del zone.records[DOMAIN, "MX"]
        zone.add(DOMAIN, a="127.0.0.1")
        return self

    def asked(self, seconds: float, *, drops_edns: bool = False) -> "World":
        """How the resolver behaves, and how long it is waited for."""
        self.outside.dns, self.outside.zone.drops_edns = seconds, drops_edns
        return self

    def tlsa(self, *records: str, name: str = NAME) -> "World":
        """TLSA records of a server; its domain is signed."""
        self.sign()
        self.outside.zone.add(f"_{self.outside.port}._tcp.{name}", tlsa=list(records))
        return self

    def break_tlsa(self, how: str) -> "World":
        self.sign()
        self.outside.zone.broken[f"_{self.outside.port}._tcp.{NAME}"] = how
        return self

    def settings(self, **more: Any) -> PolicySettings:
        sts = StsSettings(
            port=self.web.port,
            authorities=AUTHORITY.trusted(self.folder),
            allowed=(ipaddress.ip_network("127.0.0.0/8"),),
        )
        return dataclasses.replace(PolicySettings(sts=sts), **more)

    async def go(self, **more: Any) -> list[Attempt]:
        outside = self.outside
        policies = TlsPolicies(
            outside.house.store,
            outside.resolver(),
            self.settings(**more),
            clock=outside.house.clock.time,
        )
        authorities = str(AUTHORITY.trusted(self.folder))
        timeouts = dataclasses.replace(
            PATIENT, handshake=QUICK if self._silent() else PATIENT.handshake
        )
        return await outside.go(policies=policies, authorities=authorities, timeouts=timeouts)

    def _silent(self) -> bool:
        return any(one.manner.handshake == NO_ANSWER for one in self.outside.servers.values())


@pytest.fixture
async def world(outside: Outside, tmp_path: Path) -> AsyncIterator[World]:
    web = HttpsHost()
    await web.start("127.0.0.1", issue(f"mta-sts.{DOMAIN}", by=AUTHORITY).context(tmp_path))
    yield World(outside, web, tmp_path)
    await web.close()


@dataclass
class Row:
    """``shows``: the server's certificate, None for a server without TLS."""

    name: str
    turn: Callable[[World], object]
    outcome: str
    said: str = TOOK
    host: str = ""
    shows: Issued | None = GOOD
    manner: dict[str, Any] = field(default_factory=dict)
    tls: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


def nothing(world: World) -> None:
    pass


def alias(world: World, *, secure: bool, at: str) -> None:
    """The server's name is an alias of one elsewhere; TLSA records stand at one of the two."""
    zone = world.outside.zone
    del zone.records[NAME, "A"]
    zone.add(NAME, cname="real.elsewhere.example.")
    zone.add("real.elsewhere.example", a="127.0.0.1")
    world.tlsa(OWN.tlsa(3), name=at)
    if secure:
        world.sign("elsewhere.example")


MISMATCH = (
    f"{HOST}: its certificate is none that the TLSA records name; DANE demands it: nothing was sent"
)
REMOTE = [
    Row("no policy", nothing, "delivered", host=UNCHECKED, shows=OWN),
    Row("no policy, no TLS", nothing, "delivered", host=PLAIN, shows=None, tls=False),
    # MTA-STS, enforced
    Row("enforce", World.enforce, "delivered", host=VERIFIED),
    Row(
        "enforce by a star",
        lambda w: w.enforce(hosts=["*.there.example"]),
        "delivered",
        host=VERIFIED,
    ),
    Row(
        "enforce: another name",
        World.enforce,
        "deferred",
        f"{HOST}: its certificate is not good: Hostname mismatch, certificate is not valid for"
        f" '{NAME}'; {STS} demands it: nothing was sent",
        shows=OTHER_NAME,
    ),
    Row(
        "enforce: over",
        World.enforce,
        "deferred",
        f"{HOST}: its certificate is not good: certificate has expired; {STS} demands it: nothing was sent",
        shows=OVER,
    ),
    Row(
        "enforce: signed by itself",
        World.enforce,
        "deferred",
        f"{HOST}: its certificate is not good: self-signed certificate; {STS} demands it: nothing was sent",
        shows=NEXT,
    ),
    Row(
        "enforce: STARTTLS stripped",
        World.enforce,
        "deferred",
        f"{HOST} offers no TLS, which {STS} demands: nothing was sent",
        shows=None,
    ),
    Row(
        "enforce: STARTTLS refused",
        World.enforce,
        "deferred",
        f"{HOST} refused TLS, which {STS} demands («454 4.7.0 not now»): nothing was sent",
        manner={"steps": {"STARTTLS": "454 4.7.0 not now"}},
    ),
    Row(
        "enforce: the handshake is garbage",
        World.enforce,
        "deferred",
        f"{HOST}: the TLS handshake failed (…); {STS} demands it: nothing was sent",
        manner={"handshake": GARBAGE},
    ),
    Row(
        "enforce: dropped in the handshake",
        World.enforce,
        "deferred",
        f"{HOST}: the connection was cut…; {STS} demands it: nothing was sent",
        manner={"handshake": DROP},
    ),
    Row(
        "enforce: a handshake that never ends",
        World.enforce,
        "deferred",
        f"{HOST}: …; {STS} demands it: nothing was sent",
        manner={"handshake": NO_ANSWER},
    ),
    Row(
        "enforce: a server that the policy does not name",
        lambda w: w.enforce(hosts=["a.example", "*.b.example"]),
        "deferred",
        f"{HOST}: it is not among the servers that {STS} names (a.example, *.b.example): nothing was sent",
    ),
    # MTA-STS that asks for nothing
    Row("testing", lambda w: w.enforce("testing"), "delivered", host=VERIFIED),
    Row(
        "testing: another name",
        lambda w: w.enforce("testing"),
        "delivered",
        host=f"{UNCHECKED}; {STS}, still in testing, would not have it: {HOST}: its certificate is not…",
        shows=OTHER_NAME,
    ),
    Row(
        "testing: STARTTLS stripped",
        lambda w: w.enforce("testing"),
        "delivered",
        host=PLAIN,
        shows=None,
        tls=False,
    ),
    Row(
        "testing: the handshake is garbage",
        lambda w: w.enforce("testing"),
        "delivered",
        host=f"{PLAIN} since {HOST}: the TLS handshake failed (…",
        manner={"handshake": GARBAGE},
        tls=False,
    ),
    Row(
        "testing: a server that the policy does not name",
        lambda w: w.enforce("testing", ["a.example"]),
        "delivered",
        host=UNCHECKED,
    ),
    Row("none", lambda w: w.enforce("none", []), "delivered", host=UNCHECKED, shows=OWN),
    Row(
        "a policy that cannot be read",
        lambda w: w.enforce("perhaps"),
        "delivered",
        host=UNCHECKED,
        shows=OWN,
    ),
    Row(
        "MTA-STS is off",
        World.enforce,
        "delivered",
        host=UNCHECKED,
        shows=OWN,
        settings={"mta_sts": False},
    ),
    # DANE
    Row(
        "DANE: the key of a certificate signed by itself",
        lambda w: w.tlsa(OWN.tlsa(3)),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row("DANE: an authority", lambda w: w.tlsa(AUTHORITY.tlsa(2)), "delivered", host=BY_DANE),
    Row(
        "DANE: an authority, for the domain's name",
        lambda w: w.tlsa(AUTHORITY.tlsa(2)),
        "delivered",
        host=BY_DANE,
        shows=FOR_DOMAIN,
    ),
    Row(
        "DANE: a domain that is its own server",
        lambda w: w.alone().tlsa(OWN.tlsa(3), name=DOMAIN),
        "delivered",
        host=BY_DANE.replace(NAME, DOMAIN),
        shows=OWN,
    ),
    Row(
        "DANE: a domain that is its own server, another key",
        lambda w: w.alone().tlsa(NEXT.tlsa(3), name=DOMAIN),
        "deferred",
        MISMATCH.replace(NAME, DOMAIN),
    ),
    Row("DANE: another key", lambda w: w.tlsa(NEXT.tlsa(3)), "deferred", MISMATCH),
    Row(
        "DANE: the old key and the new one",
        lambda w: w.tlsa(NEXT.tlsa(3), OWN.tlsa(3)),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row(
        "DANE: the right authority, and over",
        lambda w: w.tlsa(AUTHORITY.tlsa(2)),
        "deferred",
        f"{HOST}: its certificate is not one for {NAME} or {DOMAIN} by the authority that the TLSA"
        " records name (cert is not valid at validation time); DANE demands it: nothing was sent",
        shows=OVER,
    ),
    Row(
        "DANE: the right authority for another server",
        lambda w: w.tlsa(AUTHORITY.tlsa(2)),
        "deferred",
        f"{HOST}: its certificate is not one for {NAME} or {DOMAIN} by the authority that the TLSA"
        " records name (it is for elsewhere.example); DANE demands it: nothing was"
        " sent",
        shows=OTHER_NAME,
    ),
    Row(
        "DANE: STARTTLS stripped",
        lambda w: w.tlsa(GOOD.tlsa(3)),
        "deferred",
        f"{HOST} offers no TLS, which DANE demands: nothing was sent",
        shows=None,
    ),
    Row(
        "DANE: STARTTLS refused",
        lambda w: w.tlsa(GOOD.tlsa(3)),
        "deferred",
        f"{HOST} refused TLS, which DANE demands («454 4.7.0 not now»): nothing was sent",
        manner={"steps": {"STARTTLS": "454 4.7.0 not now"}},
    ),
    Row(
        "DANE: none that can be held against a certificate",
        lambda w: w.tlsa(NEXT.tlsa(1), NEXT.tlsa(0)),
        "delivered",
        host=f"{UNCHECKED}, its TLSA records cannot be held against it",
        shows=OWN,
    ),
    Row(
        "DANE: none that can be, and no TLS",
        lambda w: w.tlsa(NEXT.tlsa(1)),
        "deferred",
        f"{HOST} offers no TLS, which the TLSA record of {NAME} demands: nothing was sent",
        shows=None,
    ),
    Row(
        "DANE: not signed",
        lambda w: w.tlsa(NEXT.tlsa(3)).unsign(),
        "delivered",
        host=UNCHECKED,
    ),
    Row(
        "DANE: the server's zone is not signed",
        lambda w: w.elsewhere().tlsa(NEXT.tlsa(3), name="mx.other.example"),
        "delivered",
        host=UNCHECKED.replace(NAME, "mx.other.example"),
    ),
    Row(
        "DANE: the domain's MX records are not signed",
        lambda w: (
            w.elsewhere().tlsa(NEXT.tlsa(3), name="mx.other.example").unsign().sign("other.example")
        ),
        "delivered",
        host=UNCHECKED.replace(NAME, "mx.other.example"),
    ),
    Row("DANE: signed, without TLSA records", World.sign, "delivered", host=UNCHECKED, shows=OWN),
    Row(
        "DANE: an alias that is signed, by the name it leads to",
        lambda w: alias(w, secure=True, at="real.elsewhere.example"),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row(
        "DANE: an alias that is signed, by its own name",
        lambda w: alias(w, secure=True, at=NAME),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row(
        "DANE: a signed alias of a name that is not, by its own name",
        lambda w: alias(w, secure=False, at=NAME),
        "deferred",
        MISMATCH,
    ),
    Row(
        "DANE: a signed alias of a name that is not, by that",
        lambda w: alias(w, secure=False, at="real.elsewhere.example"),
        "delivered",
        host=UNCHECKED,
    ),
    *(
        Row(
            f"DANE: the look-up ends in {word}",
            lambda w, word=word: w.break_tlsa(word),  # type: ignore[misc]
            "deferred",
            f"{HOST}: {DNS}: the resolver at 127.0.0.1 answered {word}{WAITS}",
        )
        for word in (SERVFAIL, REFUSED)
    ),
    Row(
        "DANE: the look-up gets no answer",
        lambda w: w.break_tlsa(SILENCE).asked(0.5),
        "deferred",
        f"{HOST}: {DNS}: the resolver did not answer within 0.5 seconds{WAITS}",
    ),
    Row(
        "DANE: a resolver that drops EDNS",
        lambda w: w.tlsa(OWN.tlsa(3)).asked(1.0, drops_edns=True),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row(
        "DANE: a resolver that drops EDNS, and another key",
        lambda w: w.tlsa(NEXT.tlsa(3)).asked(1.0, drops_edns=True),
        "deferred",
        MISMATCH,
    ),
    Row(
        "DANE is off",
        lambda w: w.tlsa(NEXT.tlsa(3)),
        "delivered",
        host=UNCHECKED,
        settings={"dane": False},
    ),
    # Both: DANE decides
    Row(
        "DANE is met, MTA-STS is not",
        lambda w: w.enforce().tlsa(OWN.tlsa(3)),
        "delivered",
        host=BY_DANE,
        shows=OWN,
    ),
    Row(
        "MTA-STS is met, DANE is not",
        lambda w: w.enforce().tlsa(NEXT.tlsa(3)),
        "deferred",
        MISMATCH,
    ),
    Row(
        "the DNS fails, MTA-STS would be met",
        lambda w: w.enforce().break_tlsa(SERVFAIL),
        "deferred",
        f"{HOST}: {DNS}: the resolver at 127.0.0.1 answered SERVFAIL{WAITS}",
    ),
    Row(
        "MTA-STS where the domain is signed without TLSA records",
        lambda w: w.enforce().sign(),
        "deferred",
        f"{HOST}: its certificate is not good: self-signed certificate; {STS} demands it: nothing was sent",
        shows=NEXT,
    ),
    # Failures of look-ups that decide nothing
    Row(
        "whether there is a policy cannot be found out",
        lambda w: w.outside.zone.broken.update({f"_mta-sts.{DOMAIN}": SERVFAIL}),
        "delivered",
        host=UNCHECKED,
    ),
    Row(
        "whether reports are wanted cannot be found out",
        lambda w: w.outside.zone.broken.update({f"_smtp._tls.{DOMAIN}": SERVFAIL}),
        "delivered",
        host=UNCHECKED,
    ),
]


@pytest.mark.parametrize("row", REMOTE, ids=lambda row: row.name)
async def test_a_behaviour_ends_in_its_state_and_words(world: World, row: Row) -> None:
    outside = world.outside
    context = row.shows.context(world.folder) if row.shows is not None else None
    server = await outside.server(1, Manner(context=context, **row.manner))
    outside.domain(DOMAIN)
    row.turn(world)
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go(**row.settings)
    port = str(outside.port)

    def told(pattern: str) -> str:
        return pattern.replace("]:N", f"]:{port}").replace("_N._tcp", f"_{port}._tcp")

    assert attempt.outcome == row.outcome, attempt
    assert says(told(row.said), attempt.said), attempt.said
    if row.host:
        assert says(told(row.host), attempt.host), attempt.host
    taken = [row.tls] if row.outcome == "delivered" else []
    assert [one.tls for one in server.accepted] == taken
    assert len(server.taken) == len(taken), "nothing of it went out"
    # It waits for its route, and is not given up.
    assert set(await outside.routes()) == ({DOMAIN} if row.outcome == "deferred" else set())


async def test_a_resolver_that_is_not_on_this_machine_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says of DNSSEC, anybody on the way may have said: then there is no DANE."""
    outside = world.outside
    await outside.server(1, Manner(context=GOOD.context(world.folder)))
    outside.domain(DOMAIN)
    world.tlsa(NEXT.tlsa(3))
    monkeypatch.setattr("malleposte.delivery.outbound.resolver.Resolver.validating", False)
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert attempt.outcome == "delivered"
    assert attempt.host.endswith("certificate not checked")


async def test_another_server_of_the_domain_is_used_where_one_fails_its_policy(
    world: World,
) -> None:
    outside = world.outside
    await outside.server(1, Manner(context=NEXT.context(world.folder)))
    second = await outside.server(2, Manner(context=GOOD.context(world.folder)))
    outside.zone.add(DOMAIN, mx=[f"10 {NAME}.", f"20 b.{NAME}."])
    outside.zone.add(NAME, a="127.0.0.1")
    outside.zone.add(f"b.{NAME}", a="127.0.0.2")
    world.tlsa(GOOD.tlsa(3))
    world.tlsa(GOOD.tlsa(3), name=f"b.{NAME}")
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert attempt.outcome == "delivered", attempt
    assert len(second.accepted) == 1


@pytest.mark.parametrize("secure", [True, False])
async def test_a_server_is_told_by_which_name_its_certificate_is_looked_at(
    world: World, secure: bool
) -> None:
    """It may have several, and choose (SNI, RFC 7672 §8.1)."""
    asked: list[str | None] = []
    context = OWN.context(world.folder)
    context.sni_callback = lambda _, name, __: asked.append(name)
    await world.outside.server(1, Manner(context=context))
    world.outside.domain(DOMAIN)
    alias(world, secure=secure, at="real.elsewhere.example")
    await world.outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert attempt.outcome == "delivered"
    assert asked == ["real.elsewhere.example" if secure else NAME]


@pytest.mark.parametrize("destination", [DOMAIN, NAME])
async def test_an_exception_lets_mail_go_until_its_date(world: World, destination: str) -> None:
    outside, clock = world.outside, world.outside.house.clock
    await outside.server(1, Manner(context=OWN.context(world.folder)))
    outside.domain(DOMAIN)
    world.enforce()
    world.tlsa(NEXT.tlsa(3))
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert attempt.outcome == "deferred"
    until = int(clock.time()) + 86_400
    await outside.house.store.submit(
        SetTlsException(destination=destination, until=until, why="they know", by="admin")
    )
    clock.turn(3_600)
    (attempt,) = await world.go()
    assert attempt.outcome == "delivered", attempt
    assert says("…, certificate not checked, by an exception until 20…-…", attempt.host)
    clock.turn(86_400)
    await outside.queue(f"b@{DOMAIN}")
    (attempt,) = await world.go()
    assert attempt.outcome == "deferred"
    assert "DANE demands it" in attempt.said


async def test_domains_of_one_server_share_no_connection_where_their_policies_differ(
    world: World,
) -> None:
    """What was let in without a look at its certificate must not carry mail that wants one."""
    outside = world.outside
    server = await outside.server(1, Manner(context=OWN.context(world.folder)))
    outside.domain(DOMAIN)
    outside.zone.add("open.example", mx=f"10 {NAME}.")
    world.enforce()
    await outside.queue("a@open.example", f"b@{DOMAIN}")
    attempts = {one.address: one for one in await world.go()}
    assert attempts["a@open.example"].outcome == "delivered"
    assert attempts[f"b@{DOMAIN}"].outcome == "deferred"
    assert [one.recipients for one in server.accepted] == [["a@open.example"]]


async def test_a_report_about_tls_goes_whatever_the_policies_say(world: World) -> None:
    outside = world.outside
    server = await outside.server(1, Manner(context=OWN.context(world.folder)))
    outside.domain(DOMAIN)
    world.enforce()
    world.tlsa(NEXT.tlsa(3))
    await outside.queue(f"report@{DOMAIN}", routes=[f"opportunistic:{DOMAIN}"])
    await outside.queue(f"a@{DOMAIN}")
    attempts = {one.address: one for one in await world.go()}
    assert attempts[f"report@{DOMAIN}"].outcome == "delivered"
    assert attempts[f"a@{DOMAIN}"].outcome == "deferred"
    assert len(server.accepted) == 1


async def test_a_look_up_that_fails_once_does_not_pass_dane_by(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever disturbs the first question only would have mail go without."""
    outside = world.outside
    server = await outside.server(1, Manner(context=OWN.context(world.folder)))
    outside.domain(DOMAIN)
    world.tlsa(NEXT.tlsa(3))
    asked = Resolver.look_up
    failed: list[str] = []

    async def once(self: Resolver, name: str, kind: str) -> Found:
        if (name, kind) == (DOMAIN, "MX") and not failed:
            failed.append(name)
            raise LookupFailed("SERVFAIL")
        return await asked(self, name, kind)

    monkeypatch.setattr(Resolver, "look_up", once)
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert failed
    assert attempt.outcome == "deferred"
    assert says(MISMATCH.replace("]:N", f"]:{outside.port}"), attempt.said)
    assert server.taken == []


async def test_where_kept_policies_cannot_be_read_nothing_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = world.outside
    server = await outside.server(1, Manner(context=OWN.context(world.folder)))
    outside.domain(DOMAIN)

    async def away(*_: object) -> None:
        raise TemporaryFailure("the database is away")

    monkeypatch.setattr(kept, "sts_policy", away)
    await outside.queue(f"a@{DOMAIN}")
    (attempt,) = await world.go()
    assert (attempt.outcome, server.taken) == ("deferred", [])
    assert attempt.said == (
        f"whether a policy of {DOMAIN} is kept could not be found out: the database is away"
    )
