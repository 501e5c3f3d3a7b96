"""A mail program that is told nothing but an address: it asks the demo for its settings, and signs in."""

import imaplib
import json
import plistlib
import poplib
import smtplib
import ssl
import subprocess
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from unit.cli.demo import ended, started
from unit.cli.program import Program

ADDRESS = "user@example.test"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook"


class Way(NamedTuple):
    """A service as a settings file names it. `tls`: implicit or starttls."""

    protocol: str
    host: str
    port: int
    tls: str
    name: str


class Demo(NamedTuple):
    connect: dict[str, Any]
    said: str

    @property
    def password(self) -> str:
        (account,) = [a for a in self.connect["accounts"] if a["address"] == ADDRESS]
        return str(account["password"])

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.connect["ca"])

    def fetch(self, path: str, *, posted: bytes | None = None, service: str = "https") -> bytes:
        url = self.connect["services"][service]["url"].rstrip("/") + path
        request = urllib.request.Request(url, posted, {"Content-Type": "text/xml"})
        with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
            return bytes(answer.read())

    def sign_in(self, way: Way) -> None:
        """As a mail program does: with the certificate checked, raises if it is not let in."""
        implicit = way.tls == "implicit"
        where = (way.host, way.port)
        if way.protocol == "imap":
            imap = (
                imaplib.IMAP4_SSL(*where, ssl_context=self.context)
                if implicit
                else imaplib.IMAP4(*where)
            )
            with imap:
                if not implicit:
                    imap.starttls(self.context)
                imap.login(way.name, self.password)
        elif way.protocol == "pop3":
            pop3 = (
                poplib.POP3_SSL(*where, context=self.context) if implicit else poplib.POP3(*where)
            )
            if not implicit:
                pop3.stls(self.context)
            pop3.user(way.name)
            assert pop3.pass_(self.password).startswith(b"+OK")
            pop3.quit()
        else:
            smtp = (
                smtplib.SMTP_SSL(*where, context=self.context) if implicit else smtplib.SMTP(*where)
            )
            with smtp:
                if not implicit:
                    smtp.starttls(context=self.context)
                smtp.login(way.name, self.password)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    program = Program(tmp_path_factory.mktemp("a"))
    folder = program.folder / "demo"
    process, said, _ = started(program, folder)
    try:
        yield Demo(json.loads((folder / "connect.json").read_text()), said)
    finally:
        ended(process)


def texts(element: ET.Element) -> dict[str, str]:
    return {child.tag.rpartition("}")[2]: child.text or "" for child in element}


def of_thunderbird(document: bytes) -> list[Way]:
    kinds = {"SSL": "implicit", "STARTTLS": "starttls"}
    found = []
    for server in ET.fromstring(document).findall("emailProvider/*[@type]"):
        said = texts(server)
        assert said["authentication"] == "password-cleartext"
        name = said["username"].replace("%EMAILADDRESS%", ADDRESS)
        found.append(
            Way(
                server.attrib["type"],
                said["hostname"],
                int(said["port"]),
                kinds[said["socketType"]],
                name,
            )
        )
    return found


@pytest.mark.parametrize("service", ["http", "https"])
@pytest.mark.parametrize(
    "path",
    [
        f"/mail/config-v1.1.xml?emailaddress={ADDRESS}",
        f"/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={ADDRESS}",
    ],
)
def test_as_thunderbird_does(demo: Demo, path: str, service: str) -> None:
    ways = of_thunderbird(demo.fetch(path, service=service))
    assert [(way.protocol, way.tls) for way in ways] == [
        (protocol, tls) for protocol in ("imap", "pop3", "smtp") for tls in ("implicit", "starttls")
    ]
    for way in ways:
        demo.sign_in(way)


def test_as_outlook_does(demo: Demo) -> None:
    where = json.loads(
        demo.fetch(f"/autodiscover/autodiscover.json/v1.0/{ADDRESS}?Protocol=AutodiscoverV1")
    )
    assert where["Protocol"] == "AutodiscoverV1"
    assert where["Url"].startswith(demo.connect["services"]["https"]["url"])
    asked = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{OUTLOOK}/requestschema/2006">'
        f"<Request><EMailAddress>{ADDRESS}</EMailAddress><AcceptableResponseSchema>"
        f"{OUTLOOK}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
    )
    path = "/" + where["Url"].split("/", 3)[3]
    document = ET.fromstring(demo.fetch(path, posted=asked.encode()))
    space = f"{{{OUTLOOK}/responseschema/2006a}}"
    assert document.findtext(f"{space}Response/{space}Account/{space}Action") == "settings"
    protocols = [texts(p) for p in document.iter(f"{space}Protocol")]
    assert [p["Type"] for p in protocols] == ["IMAP", "POP3", "SMTP"]
    for said in protocols:
        tls = {"SSL": "implicit", "TLS": "starttls"}[said["Encryption"]]
        way = Way(said["Type"].lower(), said["Server"], int(said["Port"]), tls, said["LoginName"])
        demo.sign_in(way)


def test_as_a_device_of_apple_does(demo: Demo, tmp_path: Path) -> None:
    signed = tmp_path / "mail.mobileconfig"
    signed.write_bytes(demo.fetch(f"/mail/apple.mobileconfig?email={ADDRESS}"))
    # By the authority that the device trusts, for any purpose: a server's certificate is none of mail.
    profile = subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-CAfile",
         demo.connect["ca"], "-purpose", "any"],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    (account,) = plistlib.loads(profile)["PayloadContent"]
    assert account["EmailAddress"] == ADDRESS
    for way, protocol in (("Incoming", "imap"), ("Outgoing", "smtp")):
        server = {
            key.removeprefix(f"{way}MailServer"): value
            for key, value in account.items()
            if key.startswith(f"{way}MailServer")
        }
        assert server["UseSSL"] is True
        demo.sign_in(
            Way(protocol, server["HostName"], server["PortNumber"], "implicit", server["Username"])
        )


def test_what_is_printed_can_be_typed(demo: Demo) -> None:
    lines = [line.split(maxsplit=3) for line in demo.said.splitlines() if "curl" in line]
    (line,) = [line for line in lines if line[0] == "http"]
    done = subprocess.run(line[3], shell=True, capture_output=True, check=True, timeout=60)
    assert of_thunderbird(done.stdout)


def test_no_answer_says_whether_an_address_is_in_use(demo: Demo) -> None:
    nobody = "nobody-at-all@example.test"
    for path in ("/mail/config-v1.1.xml?emailaddress=", "/mail/apple.mobileconfig?email="):
        known, unknown = demo.fetch(path + ADDRESS), demo.fetch(path + nobody)
        assert bool(known) == bool(unknown)
    assert demo.fetch(f"/mail/config-v1.1.xml?emailaddress={nobody}") == demo.fetch(
        f"/mail/config-v1.1.xml?emailaddress={ADDRESS}"
    )
    with pytest.raises(urllib.error.HTTPError) as failed:
        demo.fetch("/mail/config-v1.1.xml?emailaddress=user@example.net")
    with failed.value as answer:
        assert answer.code == 404
        assert b"no such domain here" in answer.read()
