"""The records of a domain: what is to be published, and what is said of what stands in the DNS."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from malleposte.operations.dkim import KeysMade, MakeKeys
from malleposte.operations.domain_records import DomainRecords, RecordShown, ShowRecords
from malleposte.operations.zone import bind
from malleposte.operations.zone.wanted import TESTING, wanted
from malleposte.secrets.sealing import KeyRing, NodeKey
from support.certificates import issue
from support.store import House
from support.zone import REFUSED, SERVFAIL, SILENCE, Zone, text
from unit.operations.desk import Desk

RING = KeyRing([NodeKey.random()])
HOST = "mail.example.org"


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    yield zone
    zone.close()


@pytest.fixture
def desk(house: House, zone: Zone) -> Desk:
    return Desk(
        house.store,
        ring=lambda: RING,
        resolvers=("127.0.0.1",),
        resolver_port=zone.port,
        offered={"https": 443, "submissions": 465, "imaps": 9_993, "smtp": 25},
    )


async def records(desk: Desk, *, check: bool = False) -> DomainRecords:
    request = ShowRecords(domain="example.org", check=check)
    return await desk.call("domain.records", request, DomainRecords)


async def found(desk: Desk) -> dict[tuple[str, str], tuple[str, str]]:
    """(name, type) → (state, words)."""
    rows = (await records(desk, check=True)).records
    return {(row.name, row.kind): (row.state, row.words) for row in rows}


def publish(zone: Zone, rows: tuple[RecordShown, ...]) -> None:
    """All of them, and this server's address."""
    for row in rows:
        if row.name == "_mta-sts.example.org":
            continue  # else the policy would be asked for at 8.8.8.8
        value = row.value
        if row.kind == "TXT":
            value = text(value)
        elif not value.endswith("."):
            value += "."
        zone.add(row.name, **{row.kind.lower(): value})
    zone.add(HOST, a="8.8.8.8", aaaa="2001:4860:4860::8888")
    zone.add("8.8.8.8.in-addr.arpa", ptr=f"{HOST}.")
    zone.add(
        "8.8.8.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.0.6.8.4.1.0.0.2.ip6.arpa", ptr=f"{HOST}."
    )


async def test_what_is_to_be_published(desk: Desk) -> None:
    await desk.call("domain.dkim-new", MakeKeys(domain="example.org"), KeysMade)
    shown = await records(desk)
    values = {(row.name, row.kind): row.value for row in shown.records}
    assert shown.host == HOST
    assert not shown.unsigned
    assert values["example.org", "MX"] == f"10 {HOST}"
    assert values["example.org", "TXT"] == "v=spf1 mx ~all"
    assert values[HOST, "TXT"] == "v=spf1 a -all"
    assert values["_dmarc.example.org", "TXT"].startswith(
        "v=DMARC1; p=none; rua=mailto:postmaster@"
    )
    assert values["_mta-sts.example.org", "TXT"] == f"v=STSv1; id={TESTING.id(HOST)}"
    assert values["_smtp._tls.example.org", "TXT"].startswith("v=TLSRPTv1; rua=mailto:")
    for name in ("mta-sts", "autoconfig", "autodiscover"):
        assert values[f"{name}.example.org", "CNAME"] == HOST
    assert values["_imaps._tcp.example.org", "SRV"] == f"0 1 9993 {HOST}"
    assert values["_submissions._tcp.example.org", "SRV"] == f"0 1 465 {HOST}"
    assert values["_autodiscover._tcp.example.org", "SRV"] == f"0 1 443 {HOST}"
    for service in ("jmap", "carddavs"):
        assert values[f"_{service}._tcp.example.org", "SRV"] == f"0 1 443 {HOST}"
    for service in ("imap", "submission", "pop3", "pop3s", "sieve"):
        assert values[f"_{service}._tcp.example.org", "SRV"] == "0 0 0 ."
    keys = [name for name, _ in values if name.endswith("._domainkey.example.org")]
    assert len(keys) == 2


async def test_a_domain_without_keys_is_said_to_be_unsigned(desk: Desk) -> None:
    assert (await records(desk)).unsigned


async def test_all_that_was_printed_is_right_once_it_is_published(desk: Desk, zone: Zone) -> None:
    await desk.call("domain.dkim-new", MakeKeys(domain="example.org"), KeysMade)
    publish(zone, (await records(desk)).records)
    states = await found(desk)
    assert states.pop(("_mta-sts.example.org", "TXT"))[0] == "missing"
    assert {state for state, _ in states.values()} == {"right"}


async def test_an_empty_zone_lacks_everything(desk: Desk, zone: Zone) -> None:
    assert {state for state, _ in (await found(desk)).values()} == {"missing"}


@pytest.mark.parametrize(
    ("name", "kind", "stands", "state", "words"),
    [
        ("example.org", "mx", ["5 backup.example.net.", f"20 {HOST}."], "right", ""),
        ("example.org", "mx", ["10 mx.example.net."], "different", "10 mx.example.net (mail.ex"),
        ("example.org", "mx", ["0 ."], "different", "0 . ("),
        ("example.org", "txt", ['"v=spf1 include:_spf.example.net +MX -all"'], "right", ""),
        ("example.org", "txt", [f'"v=spf1 a:{HOST} -all"', '"google-site=1"'], "right", ""),
        ("example.org", "txt", ['"v=spf1 ip4:8.8.8.0/24 ip6:2001:4860::/32 -all"'], "right", ""),
        ("example.org", "txt", ['"v=spf1 ip4:8.8.8.0/24 -all"'], "different", "names neither mx"),
        ("example.org", "txt", ['"v=spf1 ip4:nonsense -all"'], "different", "is no network"),
        ("example.org", "txt", ['"v=spf1 -all"'], "different", "v=spf1 -all (it names neither"),
        ("example.org", "txt", ['"v=spf1 mx"', '"v=spf1 a"'], "different", "as good as none"),
        ("example.org", "txt", ['"v=spf10 mx"'], "missing", ""),
        ("_dmarc.example.org", "txt", ['"v=DMARC1;p=reject"'], "right", ""),
        ("_dmarc.example.org", "txt", ['"v=DMARC1; p=maybe"'], "different", "p=maybe is no policy"),
        ("_dmarc.example.org", "txt", ['"v=DMARC1"'], "different", "p= is missing"),
        ("_smtp._tls.example.org", "txt", ['"v=TLSRPTv1; rua=https://x.example/"'], "right", ""),
        ("_smtp._tls.example.org", "txt", ['"v=TLSRPTv1;"'], "different", "no rua="),
        ("autoconfig.example.org", "cname", ["www.example.org."], "different", "www.example.org"),
        ("_imaps._tcp.example.org", "srv", [f"5 7 9993 {HOST}."], "right", ""),
        ("_imaps._tcp.example.org", "srv", [f"0 1 993 {HOST}."], "different", "0 1 993"),
        ("_imaps._tcp.example.org", "srv", ["0 0 0 ."], "different", "0 0 0 ."),
        ("_pop3._tcp.example.org", "srv", [f"0 1 110 {HOST}."], "different", "not offered"),
    ],
)
async def test_what_stands_there_is_judged_by_what_it_does(
    desk: Desk, zone: Zone, name: str, kind: str, stands: list[str], state: str, words: str
) -> None:
    publish(zone, (await records(desk)).records)
    zone.records[name, kind.upper()] = stands
    was = (await found(desk))[name, kind.upper()]
    assert was[0] == state
    assert words in was[1]


@pytest.mark.parametrize(
    ("offered", "names"),
    [
        ({}, []),
        ({"http": 8080}, []),
        ({"http": 80}, ["autoconfig CNAME"]),
        ({"https": 8443}, ["_autodiscover._tcp SRV"]),
        ({"https": 8443, "http": 80}, ["autoconfig CNAME", "_autodiscover._tcp SRV"]),
        ({"https": 443}, ["autoconfig CNAME", "autodiscover CNAME", "_autodiscover._tcp SRV"]),
    ],
)
def test_programs_are_led_only_where_they_are_answered(
    offered: dict[str, int], names: list[str]
) -> None:
    """A name has no port: whoever asks it comes to 80 or 443."""
    found = wanted("example.org", HOST, offered, ())
    assert [
        f"{one.name.removesuffix('.example.org')} {one.kind}"
        for one in found
        if one.name.startswith(("auto", "_auto"))
    ] == names


def test_programs_are_led_to_the_name_that_is_for_them() -> None:
    found = wanted(
        "example.org", HOST, {"https": 443, "imaps": 993}, (), client_host="imap.example.net"
    )
    values = {one.name: one.value for one in found if one.kind in ("SRV", "CNAME", "MX")}
    assert values["_imaps._tcp.example.org"] == "0 1 993 imap.example.net"
    assert values["autoconfig.example.org"] == "imap.example.net"
    assert values["mta-sts.example.org"] == HOST
    assert values["example.org"] == f"10 {HOST}"


@pytest.mark.parametrize(
    ("names", "warned"),
    [
        ((), []),
        ((HOST,), ["_mta-sts", "mta-sts", "autoconfig", "autodiscover"]),
        ((HOST, "autodiscover.example.org", "mta-sts.example.org"), ["autoconfig"]),
        (("*.example.org",), []),
        (
            ("*.org", "*.autoconfig.example.org"),
            ["_mta-sts", "mta-sts", "autoconfig", "autodiscover"],
        ),
    ],
)
def test_a_name_that_the_certificate_is_not_for_is_said(
    names: tuple[str, ...], warned: list[str]
) -> None:
    found = wanted("example.org", HOST, {"https": 443}, (), names=names)
    remarks = {one.name: one.remark for one in found if "the certificate is not for" in one.remark}
    assert list(remarks) == [f"{label}.example.org" for label in warned]


async def test_the_server_s_own_certificate_is_looked_at(house: House, tmp_path: Path) -> None:
    path = tmp_path / "server.pem"
    path.write_bytes(issue(HOST, "autodiscover.example.org").pem)
    desk = Desk(house.store, ring=lambda: RING, offered={"https": 443}, certificate=path)
    rows = {row.name: row.remark for row in (await records(desk)).records}
    assert "the certificate is not for" in rows["autoconfig.example.org"]
    assert rows["autodiscover.example.org"] == ""


async def test_addresses_of_another_name_for_programs_are_asked_for(
    house: House, zone: Zone
) -> None:
    desk = Desk(
        house.store,
        ring=lambda: RING,
        resolvers=("127.0.0.1",),
        resolver_port=zone.port,
        offered={"https": 443},
        client_host="imap.example.org",
    )
    zone.add(HOST, a="8.8.8.8")
    zone.add("imap.example.org", a="8.8.4.4")
    for address, state in (("8.8.8.8", "different"), ("8.8.4.4", "right")):
        zone.records["autoconfig.example.org", "A"] = [address]
        assert (await found(desk))["autoconfig.example.org", "CNAME"][0] == state


async def test_addresses_in_place_of_a_cname_are_as_good(desk: Desk, zone: Zone) -> None:
    publish(zone, (await records(desk)).records)
    del zone.records["autoconfig.example.org", "CNAME"]
    zone.add("autoconfig.example.org", a="8.8.8.8")
    assert (await found(desk))["autoconfig.example.org", "CNAME"] == ("right", "")
    zone.add("autoconfig.example.org", aaaa="2001:db8::1")
    assert (await found(desk))["autoconfig.example.org", "CNAME"][0] == "different"


async def test_the_way_back_from_an_address(desk: Desk, zone: Zone) -> None:
    publish(zone, (await records(desk)).records)
    ipv4 = ("8.8.8.8.in-addr.arpa", "PTR")
    ipv6 = ("8.8.8.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.0.6.8.4.1.0.0.2.ip6.arpa", "PTR")
    zone.records[ipv4] = ["dns.google."]
    del zone.records[ipv6]
    states = await found(desk)
    assert states[ipv4] == ("different", "dns.google (its provider sets it)")
    assert states[ipv6][0] == "missing"
    assert states[ipv6][1].endswith("its provider sets it; until then nothing is sent by IPv6")


async def test_ipv6_needs_a_name_where_there_is_nothing_else(desk: Desk, zone: Zone) -> None:
    """Beside IPv4 it is not used without one, and nothing suffers."""
    zone.add(HOST, a="8.8.8.8", aaaa="2001:4860:4860::8888")
    for there, needed in ((["8.8.8.8"], False), ([], True)):
        zone.records[HOST, "A"] = there
        rows = (await records(desk, check=True)).records
        (ipv6,) = [row for row in rows if row.name.endswith("ip6.arpa")]
        assert (ipv6.state, ipv6.needed) == ("missing", needed)


@pytest.mark.parametrize(
    ("names", "state", "words"),
    [
        ((HOST, "imap.example.org"), "right", ""),
        (("*.example.org",), "right", ""),
        (("www.example.org",), "different", f"it is for www.example.org, not for {HOST}"),
        ((), "missing", "there is no certificate that names a host"),
    ],
)
async def test_the_certificate_is_for_the_name_that_the_server_greets_with(
    house: House, zone: Zone, tmp_path: Path, names: tuple[str, ...], state: str, words: str
) -> None:
    path = tmp_path / "server.pem"
    if names:
        path.write_bytes(issue(*names).pem)
    desk = Desk(house.store, resolvers=("127.0.0.1",), resolver_port=zone.port, certificate=path)
    rows = (await records(desk, check=True)).records
    (row,) = [row for row in rows if row.kind == "TLS"]
    assert (row.purpose, row.name, row.state) == ("certificate", HOST, state)
    assert row.words.startswith(words)
    assert row.needed
    assert not row.publish


async def test_an_address_that_nobody_outside_reaches(desk: Desk, zone: Zone) -> None:
    zone.add(HOST, a=["192.168.1.2"])
    assert (await found(desk))[HOST, "A"] == (
        "different",
        "192.168.1.2 (nobody outside can reach it)",
    )


async def test_what_could_not_be_asked_is_no_verdict(desk: Desk, zone: Zone) -> None:
    publish(zone, (await records(desk)).records)
    zone.broken["example.org"] = SERVFAIL
    zone.broken["_dmarc.example.org"] = REFUSED
    states = await found(desk)
    for key in (("example.org", "MX"), ("example.org", "TXT"), ("_dmarc.example.org", "TXT")):
        assert states[key][0] == "unasked"
        assert f"the {key[1]} record of {key[0]} could not be asked for: " in states[key][1]
    assert states["_smtp._tls.example.org", "TXT"] == ("right", "")


@pytest.mark.slow
async def test_a_dns_that_says_nothing_takes_seconds_and_no_longer(desk: Desk, zone: Zone) -> None:
    for row in (await records(desk)).records:
        zone.broken[row.name] = SILENCE
    zone.broken[HOST] = SILENCE
    started = time.monotonic()
    states = await found(desk)
    assert {state for state, _ in states.values()} == {"unasked"}
    assert time.monotonic() - started < 40


async def test_zone_lines_are_what_a_name_server_reads() -> None:
    assert bind.line("example.org", "MX", "10 mail.example.org") == (
        "example.org.\t3600\tIN\tMX\t10 mail.example.org."
    )
    assert bind.line("_x._tcp.example.org", "SRV", "0 0 0 .").endswith("\t0 0 0 .")
    assert bind.strings("a" * 300) == f'"{"a" * 255}" "{"a" * 45}"'
    assert bind.strings('say "\\"') == '"say \\"\\\\\\""'
    assert bind.strings("") == '""'


async def test_the_servers_key_is_offered_to_the_dns_and_compared_with_it(
    house: House, zone: Zone, tmp_path: Path
) -> None:
    server, other = issue(HOST), issue(HOST)
    path = tmp_path / "server.pem"
    path.write_bytes(server.pem)
    desk = Desk(
        house.store,
        resolvers=("127.0.0.1",),
        resolver_port=zone.port,
        offered={"smtp": 25},
        certificate=path,
    )
    name = f"_25._tcp.{HOST}"

    async def tlsa() -> RecordShown:
        rows = (await records(desk, check=True)).records
        return next(row for row in rows if row.kind == "TLSA")

    missing = await tlsa()
    assert (missing.name, missing.state, missing.needed) == (name, "missing", False)
    assert missing.value == server.tlsa(3)
    assert "DNSSEC" in missing.remark
    zone.add(name, tlsa=[other.tlsa(3), missing.value])
    assert (await tlsa()).state == "right", "beside the record of the next key"
    zone.records[name, "TLSA"] = [server.tlsa(2, 0, 1), server.tlsa(3, 0, 2)]
    assert (await tlsa()).state == "right", "in another form"
    # Who publishes a wrong one gets no mail from those who check: that is no trifle.
    zone.records[name, "TLSA"] = [other.tlsa(3)]
    wrong = await tlsa()
    assert (wrong.state, wrong.needed) == ("different", True)
    assert wrong.words.endswith(
        "(its certificate is none that the TLSA records name: who checks it will not deliver)"
    )
    zone.records[name, "TLSA"] = [server.tlsa(1)]
    assert "none of them is usable" in (await tlsa()).words


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_without_a_certificate_there_is_no_tlsa_record(
    house: House, zone: Zone, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_bytes(content)
    desk = Desk(house.store, offered={"smtp": 25}, certificate=path)
    assert "TLSA" not in {row.kind for row in (await records(desk)).records}
