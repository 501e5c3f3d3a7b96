"""A second step with the whole server: switched on by a page, felt by every protocol."""

import asyncio
import base64
import contextlib
import http.client
import imaplib
import json
import poplib
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest

from malleposte.secrets.node_key import create_key_file
from support import mailbox
from support.server import PASSWORD, Server
from support.sieve_client import SieveClient

ADA = "u1@example.test"
TOLD = "app password"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Two workers, on each database."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    with Server(tmp_path / "server", dsn=dsn).running(2) as server:
        create_key_file(server.data / "node.key")
        yield server


def trust(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))


@dataclass
class Page:
    """A page of the server: cookies, and where it comes from."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, content: Any = None, **more: str) -> tuple[int, Any]:
        port = self.server.ports["https"]
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=30, context=trust(self.server)
        )
        said = {"Origin": f"https://localhost:{port}", "Content-Type": "application/json"} | more
        if self.cookies:
            said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with contextlib.closing(connection):
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            for one in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = one.partition(";")[0].partition("=")
                self.cookies[name] = value
            octets = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(octets) if is_json else octets.decode()

    def post(self, path: str, /, **content: Any) -> Any:
        status, answer = self.ask("POST", f"/auth/{path}", content)
        assert status == 200, answer
        return answer

    def switch_on(self) -> str:
        """One-time codes; their seed."""
        self.post("sign-in", name=ADA, password=PASSWORD)
        secret: str = self.post("totp/start")["secret"]
        assert self.post("totp/confirm", code=pyotp.TOTP(secret).now())["recoveryCodes"]
        return secret


def by_imap(server: Server, password: str) -> str:
    with imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=trust(server)) as client:
        try:
            client.login(ADA, password)
        except imaplib.IMAP4.error as error:
            return str(error)
    return ""


def by_pop3(server: Server, password: str) -> str:
    client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=trust(server))
    try:
        client.user(ADA)
        client.pass_(password)
    except poplib.error_proto as error:
        return str(error)
    finally:
        client.quit()
    return ""


def by_smtp(server: Server, password: str) -> str:
    port = server.ports["submissions"]
    with smtplib.SMTP_SSL("localhost", port, context=trust(server)) as client:
        try:
            client.login(ADA, password)
        except smtplib.SMTPAuthenticationError as error:
            return str(error)
    return ""


def by_sieve(server: Server, password: str) -> str:
    with SieveClient(server.ports["managesieve"]) as client:
        client.start_tls(trust(server))
        answer = client.sign_in(ADA, password)
        return "" if answer.status == "OK" else str(answer)


def by_jmap(server: Server, password: str) -> str:
    token = base64.b64encode(f"{ADA}:{password}".encode()).decode()
    status, answer = Page(server).ask("GET", "/jmap/session", Authorization=f"Basic {token}")
    return "" if status == 200 else f"{status} {answer}"


WAYS = {"imap": by_imap, "pop3": by_pop3, "smtp": by_smtp, "sieve": by_sieve, "jmap": by_jmap}
SAID = {"imap": "[ALERT]", "pop3": "[AUTH]", "smtp": "5.7.8", "sieve": "NO", "jmap": "401"}


def ended(client: imaplib.IMAP4) -> bool:
    """Whether the server ends a session within a minute."""
    for _ in range(60):
        try:
            client.noop()
        except (imaplib.IMAP4.abort, OSError):
            return True
        time.sleep(1)
    return False


def test_every_protocol_refuses_the_main_password_and_takes_an_app_password(
    server: Server,
) -> None:
    for name, way in WAYS.items():
        assert way(server, PASSWORD) == "", name
    page = Page(server)
    held = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=trust(server))
    held.login(ADA, PASSWORD)
    secret = page.switch_on()
    apps = {
        name: page.post("app-passwords/add", label=name, protocols=[name])["password"]
        for name in WAYS
    }
    for name, way in WAYS.items():
        said = way(server, PASSWORD)
        assert SAID[name] in said, name
        assert TOLD in said, name
        assert TOLD not in way(server, "nonsense"), name
        for other, password in apps.items():
            assert (way(server, password) == "") is (other == name), (name, other)
    # What was signed in by the password alone is out within the minute.
    assert ended(held)
    held.shutdown()
    found = page.ask("GET", "/auth/credentials")[1]["appPasswords"]
    used = {one["label"]: one["lastUsedAt"] for one in found}
    assert all(used.values()), used
    # A page gets in by both steps, and its owner hears of the new browser.
    new = Page(server)
    assert new.post("sign-in", name=ADA, password=PASSWORD)["next"] == "totp"
    # The step that switched it on is spent; the next one is taken a little early.
    assert new.post("totp", code=pyotp.TOTP(secret).at(int(time.time()) + 30))["signedIn"]
    assert new.ask("GET", "/jmap/session")[0] == 200
    (letter,) = mailbox.wait_for(server, ADA, apps["imap"], 1)
    assert mailbox.parsed(letter)["Subject"] == f"New sign-in to {ADA}"


def test_an_operator_lists_ends_and_resets(server: Server) -> None:
    def command(*words: str) -> str:
        program = [sys.executable, "-m", "malleposte", "--config", str(server.config), *words]
        done = subprocess.run(program, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    page = Page(server)
    page.switch_on()
    made = command("account", "app-passwords", "add", ADA, "Scanner", "--protocol", "smtp")
    password = made.split()[-1]
    assert by_smtp(server, password) == ""
    assert "Scanner" in command("account", "app-passwords", "list", ADA)
    assert "password" in command("account", "sessions", "list", ADA)
    assert command("account", "sessions", "revoke", ADA).startswith("1 session")
    assert page.ask("GET", "/auth/state")[1]["signedIn"] is False
    assert TOLD in by_imap(server, PASSWORD)
    assert "password alone" in command("account", "second-factor", "reset", ADA)
    assert by_imap(server, PASSWORD) == ""
    audit = command("audit", "list", "--json")
    for name in ("add-app-password", "confirm-totp", "revoke-sessions", "reset-second-factor"):
        assert f"account.{name}" in audit
    assert password not in audit
