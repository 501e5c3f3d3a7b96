"""``malleposte dns`` and ``malleposte domain dkim`` as programs, against a DNS of the test."""

import json
import re
import shutil
from collections.abc import Iterator

import dns.zone
import pytest

from support.server import free_port
from support.zone import SERVFAIL, Zone, serving, text
from unit.cli.program import TOML, Program

HOST = "mail.example.test"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation with the domain example.test."""
    program = Program(tmp_path_factory.mktemp("dns"))
    program.config.write_text(TOML)
    program.run("init", "--admin", "admin@example.test")
    return program


@pytest.fixture
def zone() -> Iterator[Zone]:
    zone = Zone()
    with serving(zone):
        yield zone


@pytest.fixture
def program(template: Program, zone: Zone, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A copy of it that asks the zone."""
    folder = tmp_path_factory.mktemp("d")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    program = Program(folder)
    asks = f'[sending]\nresolvers = "127.0.0.1"\nresolver_port = {zone.port}\n'
    asks += 'block_lists = "list.example"\n'
    asks += f'[web]\nurl = "https://{HOST}"\n'
    program.config.write_text(TOML + asks)
    return program


def publish(zone: Zone, lines: str) -> None:
    """What ``--zone`` printed, as a name server reads it, and this server's address."""
    for name, _, _, kind, value in (
        line.split("\t", 4) for line in lines.splitlines() if not line.startswith(";")
    ):
        if not name.startswith("_mta-sts."):  # else the policy would be asked for at 8.8.8.8
            zone.add(name.removesuffix("."), **{kind.lower(): value})
    zone.add(HOST, a="8.8.8.8")
    zone.add("8.8.8.8.in-addr.arpa", ptr=f"{HOST}.")
    zone.add("2.0.0.127.list.example", a="127.0.0.2")


def test_from_a_new_domain_to_a_zone_that_is_right(program: Program, zone: Zone) -> None:
    assert "has no DKIM keys" in program.run("domain", "dkim", "example.test").stdout
    assert "example.test has no DKIM keys" in program.run("dns", "example.test").stdout
    made = program.run("domain", "dkim", "example.test", "--new").stdout
    assert "v=DKIM1; k=rsa; p=MII" in made
    lines = program.run("dns", "example.test", "--zone").stdout
    names = dns.zone.from_text(lines, origin=".", check_origin=False).nodes
    assert len(names) > 10
    assert f"example.test.\t3600\tIN\tMX\t10 {HOST}." in lines
    assert f"_autodiscover._tcp.example.test.\t3600\tIN\tSRV\t0 1 443 {HOST}." in lines
    before = program.run("dns", "example.test", "--check", code=4).stdout
    # The certificate, which is here already.
    assert "1 right, " in before
    publish(zone, lines)
    after = program.run("dns", "example.test", "--check").stdout
    assert re.search(r"8\.8\.8\.8 +LIST +right +not on list\.example", after)
    assert "1 missing, 0 different, 0 could not be asked" in after
    checked = program.json("dns", "example.test", "--check")
    assert [record["name"] for record in checked["records"] if record["state"] != "right"] == [
        "_mta-sts.example.test"
    ]
    assert {record["kind"] for record in checked["records"] if not record["publish"]} == {
        "A",
        "PTR",
        "TLS",
        "LIST",
    }
    listed = program.json("domain", "dkim", "example.test")["keys"]
    assert [key["signs"] for key in listed] == [True, True]
    assert listed[0]["selector"] in program.run("domain", "dkim", "example.test").stdout


def test_the_table_and_json_say_the_same(program: Program) -> None:
    table = program.run("dns", "example.test").stdout
    told = program.json("dns", "example.test")
    for record in told["records"]:
        assert record["name"] in table
        assert record["value"] in table
    assert f"{HOST} needs A and AAAA records" in table


def test_the_exit_code_says_what_is_needed(program: Program, zone: Zone) -> None:
    program.run("domain", "dkim", "example.test", "--new")
    publish(zone, program.run("dns", "example.test", "--zone").stdout)
    # Nice to have.
    del zone.records["autoconfig.example.test", "CNAME"]
    assert "2 missing" in program.run("dns", "example.test", "--check").stdout
    zone.broken["_dmarc.example.test"] = SERVFAIL
    said = program.run("dns", "example.test", "--check", code=3).stdout
    assert re.search(
        r"_dmarc\.example\.test +TXT +could not be asked +the resolver at .* SERVFAIL", said
    )
    zone.records["example.test", "MX"] = ["10 other.example.net."]
    said = program.run("dns", "example.test", "--check", code=4).stdout
    assert "10 other.example.net" in said


def test_a_server_on_a_block_list_or_behind_a_closed_port_is_told(
    program: Program, zone: Zone
) -> None:
    program.run("domain", "dkim", "example.test", "--new")
    publish(zone, program.run("dns", "example.test", "--zone").stdout)
    zone.add("8.8.8.8.list.example", a="127.0.0.4", txt='"an open relay: https://list.example"')
    said = program.run("dns", "example.test", "--check", code=4).stdout
    assert "on list.example: 127.0.0.4, an open relay: https://list.example" in said
    del zone.records["8.8.8.8.list.example", "A"]
    zone.add("big.example", mx="10 mx.big.example.")
    zone.add("mx.big.example", a="127.0.0.1")
    text = program.config.read_text().replace(
        "[sending]\n",
        f"[sending]\nenabled = true\nport = {free_port()}\nipv6 = false\n"
        'networks = "127.0.0.0/8"\nport_probes = "big.example"\n',
    )
    program.config.write_text(text)
    said = program.run("dns", "example.test", "--check", code=4).stdout
    assert "mx.big.example [127.0.0.1]: connection refused" in said
    assert "sending.smart_host" in said


def test_a_hostile_zone_does_not_move_the_cursor(program: Program, zone: Zone) -> None:
    zone.add("example.test", txt=['"v=spf1 \\027[2J \\155[1m"'])
    said = program.run("dns", "example.test", "--check", code=4).stdout
    assert "v=spf1" in said
    assert "\x1b" not in said
    assert "\x9b" not in said


def test_keys_are_retired_once_others_sign(program: Program, zone: Zone) -> None:
    first = program.json("domain", "dkim", "example.test", "--new")["keys"]
    for key in first:
        zone.add(key["name"], txt=text(key["record"]))
    second = program.json("domain", "dkim", "example.test", "--new")["keys"]
    refused = program.run(
        "domain", "dkim", "example.test", "--retire", first[0]["selector"], code=1
    )
    assert "publish them first" in refused.stderr
    for key in second:
        zone.add(key["name"], txt=text(key["record"]))
    said = program.run("domain", "dkim", "example.test", "--retire", first[0]["selector"]).stdout
    assert "Leave their records until" in said
    assert first[1]["name"] in said
    said = program.run("domain", "dkim", "example.test").stdout
    assert f"{first[0]['selector']} is retired; leave {first[0]['name']} until" in said
    assert first[0]["record"][:60] in program.run("dns", "example.test", "--zone").stdout
    left = program.json("domain", "dkim", "example.test")["keys"]
    assert [key["selector"] for key in left] == [key["selector"] for key in second]
    words = ("--retire", second[0]["selector"], "--last", "--at-once")
    assert "not needed any more" in program.run("domain", "dkim", "example.test", *words).stdout
    said = program.run("domain", "dkim", "example.test").stdout
    assert f"{second[0]['name']} can go from the zone" in said


def test_a_policy_is_set_and_its_record_printed(program: Program, zone: Zone) -> None:
    words = ("domain", "mta-sts", "example.test")
    before = program.run(*words).stdout
    assert "  mode: testing" in before
    zone.add("example.test", mx=[f"10 {HOST}.", "20 backup.example.net."])
    assert "Name them with --mx" in program.run(*words, "enforce", code=1).stderr
    after = program.run(*words, "enforce", "--mx", "backup.example.net").stdout
    assert "  mode: enforce" in after
    assert "  mx: backup.example.net" in after
    told = program.json(*words)
    record = f'_mta-sts.example.test.\t3600\tIN\tTXT\t"v=STSv1; id={told["id"]}"'
    assert record in program.run("dns", "example.test", "--zone").stdout
    assert told["id"] in after
    assert told["id"] not in before
    assert program.json(*words, "testing", "--alone")["servers"] == [HOST]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("dns", "nosuch.example"), 1, "there is no domain nosuch.example"),
        (("dns", "example.test", "--zone", "--check"), 2, "one at a time"),
        (("domain", "dkim", "nosuch.example", "--new"), 1, "there is no domain nosuch.example"),
        (("domain", "dkim", "example.test", "--new", "--retire", "x"), 2, "two steps"),
        (("domain", "dkim", "example.test", "--last"), 2, "--last belongs to --retire"),
        (("domain", "dkim", "example.test", "--at-once"), 2, "--at-once belongs to --retire"),
        (("domain", "mta-sts", "nosuch.example"), 1, "there is no domain nosuch.example"),
        (("domain", "mta-sts", "example.test", "strict"), 2, "strict"),
        (("domain", "mta-sts", "example.test", "--mx", "a.example", "--alone"), 2, "contradict"),
        (("domain", "dkim", "example.test", "--retire", "x"), 1, "has no key x"),
    ],
)
def test_what_cannot_be_done_is_said(
    program: Program, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in program.run(*words, code=code).stderr


def test_keys_need_the_node_key(program: Program) -> None:
    (program.data / "node.key").unlink()
    refused = program.run("domain", "dkim", "example.test", "--new", "--json", code=1)
    assert json.loads(refused.stdout)["error"]["reason"] == "node-key"
    assert "bring that file back" in refused.stderr


def test_the_private_keys_lie_nowhere_unsealed(program: Program) -> None:
    program.run("domain", "dkim", "example.test", "--new")
    files = list(program.data.glob("store.db*"))
    assert files
    for path in files:
        octets = path.read_bytes()
        assert b'"ed25519":' not in octets
        assert b"PRIVATE KEY" not in octets
