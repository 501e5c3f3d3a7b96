"""Mail to other servers with the whole server: submitted, queued, sent; reported when it cannot be."""

import asyncio
import contextlib
import json
import smtplib
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dkim
import pytest

from malleposte.secrets.node_key import create_key_file
from support import mailbox
from support.processes import kill, of_kind
from support.scripted_smtp import Manner, ScriptedServer
from support.server import PASSWORD, Server, free_port
from support.zone import Zone, serving, text

SENDER = "u1@example.test"
FAR = "bob@far.example"
TEXT = (
    b"From: u1@example.test\r\nTo: bob@far.example\r\nBcc: u0@example.test\r\n"
    b"Subject: hello\r\n\r\n.dot\r\n"
)


@dataclass
class World:
    """A server of ours, one that answers by script at the domain far.example, and their names."""

    server: Server
    far: ScriptedServer
    zone: Zone
    manner: Manner
    far_port: int = 0
    messages: list[bytes] = field(default_factory=list)

    def submit(self, *recipients: str, text: bytes = TEXT) -> dict[str, tuple[int, bytes]]:
        """Whom the server refused."""
        context = ssl.create_default_context(cafile=str(self.server.data / "tls" / "ca.pem"))
        with smtplib.SMTP("localhost", self.server.ports["submission"], timeout=60) as client:
            client.starttls(context=context)
            client.login(SENDER, PASSWORD)
            refused: dict[str, tuple[int, bytes]] = client.sendmail(SENDER, recipients, text)
            return refused

    def command(self, *words: str) -> str:
        """What a command says."""
        program = [sys.executable, "-m", "malleposte", "--config", str(self.server.config)]
        return subprocess.run([*program, *words], capture_output=True, check=True, text=True).stdout

    def retry(self) -> str:
        """What `malleposte queue retry` says, of all that waits."""
        listed = json.loads(self.command("queue", "list", "--json"))
        return self.command("queue", "retry", *[str(one["id"]) for one in listed["messages"]])

    def inbox(self) -> list[bytes]:
        return mailbox.messages(self.server, SENDER, PASSWORD)


def until(there: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something, which must come."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@contextlib.contextmanager
def listening(far: ScriptedServer, port: int) -> Iterator[None]:
    """A scripted server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(far.start("127.0.0.1", port), loop).result(10)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(far.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Two workers, on each database."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    manner, zone, port = Manner(), Zone(), free_port()
    far = ScriptedServer(manner)
    zone.add("far.example", mx="10 mx.far.example.")
    zone.add("mx.far.example", a="127.0.0.1")
    with serving(zone) as names, listening(far, port):
        settings = {
            "sending": {
                "enabled": "true",
                "resolvers": '"127.0.0.1"',
                "resolver_port": str(names),
                "port": str(port),
                "networks": '"127.0.0.0/8"',
                "ipv6": "false",
            }
        }
        with Server(tmp_path / "server", dsn=dsn, settings=settings).running(2) as server:
            yield World(server, far, zone, manner, port)


def test_sent_and_filed_by_one_transaction(world: World) -> None:
    assert world.submit(FAR, "u0@example.test") == {}
    until(lambda: len(world.far.accepted) == 1)
    (taken,) = world.far.accepted
    assert (taken.sender, taken.recipients) == (SENDER, [FAR])
    head, _, body = taken.content.partition(b"\r\n\r\n")
    assert body == b".dot\r\n"
    assert head.startswith(b"Received: from ")
    assert b"Subject: hello" in head
    assert b"Bcc" not in head
    assert b"\r\nMessage-ID: <" in head
    (filed,) = mailbox.wait_for(world.server, "u0@example.test", PASSWORD, 1)
    assert filed.endswith(b"\r\n\r\n.dot\r\n")
    delivered = 'malleposte_deliveries_total{outcome="delivered"} 1.0'
    until(lambda: delivered in world.server.figures())
    assert 'malleposte_queue{state="waiting"} ' in world.server.figures()


def test_what_leaves_is_signed_by_both_keys_of_its_domain(world: World) -> None:
    create_key_file(world.server.data / "node.key")
    world.command("domain", "dkim", "example.test", "--new")
    records = json.loads(world.command("dns", "example.test", "--json"))["records"]
    keys = {
        one["name"].rstrip("."): one["value"] for one in records if "._domainkey." in one["name"]
    }
    assert len(keys) == 2
    for name, value in keys.items():
        world.zone.add(name, txt=text(value))
    odd = TEXT + b"bare\nends and \xe9\r\n\r\n"
    world.submit(FAR, text=odd)
    until(lambda: len(world.far.accepted) == 1)
    (signed,) = (one.content for one in world.far.accepted)
    assert verified(signed, keys) == 2


def test_administrators_hear_that_mail_leaves_unsigned(world: World) -> None:
    create_key_file(world.server.data / "node.key")
    world.command("domain", "dkim", "example.test", "--new")
    world.submit(FAR)
    world.submit(FAR)
    until(lambda: len(world.far.accepted) == 2)
    assert not any(b"DKIM-Signature" in one.content for one in world.far.accepted)
    (letter,) = mailbox.wait_for(world.server, "u0@example.test", PASSWORD, 1)
    assert b"\r\nSubject: Mail of example.test leaves unsigned\r\n" in letter
    assert 'malleposte_unsigned_total{domain="example.test"} ' in world.server.figures()
    assert world.inbox() == [], "and nobody else"


def test_nobody_writes_in_anothers_name(world: World) -> None:
    for author in ("u0@example.test", "boss@far.example", "u1@example.test, u0@example.test"):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            world.submit(FAR, text=TEXT.replace(b"u1@example.test", author.encode(), 1))
        assert refused.value.smtp_code == 550
        assert b"may not send as" in refused.value.smtp_error
    world.submit(FAR, text=TEXT.replace(b"u1@example.test", b"Me <U1+work@Example.test>", 1))
    until(lambda: len(world.far.accepted) == 1)


def verified(message: bytes, keys: dict[str, str]) -> int:
    """How many signatures there are; each must be good."""

    def ask(name: bytes, timeout: float = 5) -> bytes | None:
        found = keys.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None

    count = message.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    for at in range(count):
        assert dkim.DKIM(message).verify(idx=at, dnsfunc=ask)
    return count


def test_who_cannot_be_reached_comes_back_in_words(world: World) -> None:
    world.manner.steps["RCPT"] = "550 5.1.1 no such user here"
    assert world.submit(FAR) == {}
    (report,) = mailbox.wait_for(world.server, SENDER, PASSWORD, 1)
    message = mailbox.parsed(report)
    assert message.get_content_type() == "multipart/report"
    first, status, *_ = message.iter_parts()
    assert FAR in first.get_content()
    assert "no such user here" in first.get_content()
    assert b"Status: 5.1.1" in bytes(status)
    assert message["Auto-Submitted"].startswith("auto-")
    # Once, however often somebody looks.
    time.sleep(1.5)
    assert len(world.inbox()) == 1


def test_a_domain_that_is_not_there_is_told_at_once(world: World) -> None:
    world.submit("bob@nowhere.example")
    (report,) = mailbox.wait_for(world.server, SENDER, PASSWORD, 1)
    assert b"nowhere.example" in report


def test_strangers_are_relayed_nowhere(world: World) -> None:
    with smtplib.SMTP("127.0.0.1", world.server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail("a@elsewhere.example")
        assert client.rcpt(FAR)[0] == 550
    assert not world.far.commands


def test_what_is_queued_survives_every_process(world: World) -> None:
    """The far side is away; all our processes die; it comes back and has each message once."""
    world.manner.steps["GREETING"] = "421 4.3.2 not now"
    for number in range(5):
        world.submit(FAR, text=TEXT.replace(b"hello", b"number %d" % number))
    for process in of_kind(world.server, "worker") + of_kind(world.server, "writer"):
        kill(process)
    until(world.server.health)
    world.manner.steps.pop("GREETING")
    retried = world.retry()
    assert "5 recipients" in retried
    until(lambda: len(world.far.accepted) >= 5, 60)
    time.sleep(1.0)
    subjects = sorted(mailbox.parsed(one.content)["Subject"] for one in world.far.accepted)
    assert subjects == [f"number {number}" for number in range(5)]


def test_a_copy_for_a_far_one_goes_to_one_of_ours(world: World) -> None:
    world.manner.steps["GREETING"] = "421 4.3.2 not now"
    world.submit(FAR)
    until(lambda: "far.example" in world.command("queue", "list"))
    (queued,) = json.loads(world.command("queue", "list", "--json"))["messages"]
    assert "what to do" in world.command("queue", "show", str(queued["id"]))
    world.command("queue", "redirect", str(queued["id"]), FAR, "u0@example.test")
    (filed,) = mailbox.wait_for(world.server, "u0@example.test", PASSWORD, 1)
    assert filed.endswith(b"\r\n\r\n.dot\r\n")
    until(lambda: "Nothing waits." in world.command("queue", "list"))
    assert "redirected to u0@example.test" in world.command("trace", "--recipient", FAR)
    assert world.inbox() == [], "nobody is told that anything failed"


def test_what_is_queued_goes_by_a_relay_that_is_set_meanwhile(world: World) -> None:
    """The domain's own server never answers; the relay takes it, without anybody's retrying it."""
    world.zone.add("away.example", mx="10 mx.away.example.")
    world.zone.add("mx.away.example", a="127.0.0.99")
    world.submit("bob@away.example")
    until(lambda: "refused" in world.command("queue", "list", "--domain", "away.example"))
    relay = ("127.0.0.1", "--to", "away.example", "--port", str(world.far_port), "--tls", "none")
    world.command("relay", "set", *relay)
    assert "It works" in world.command("relay", "test", "--to", "away.example")
    until(lambda: len(world.far.accepted) == 1, 60)
    assert world.far.accepted[0].recipients == ["bob@away.example"]
    listed = world.command("audit", "list", "--operation", "relay")
    assert "relay.set" in listed


def test_a_suspended_account_has_nothing_leave(world: World) -> None:
    world.manner.steps["GREETING"] = "421 4.3.2 not now"
    world.submit(FAR)
    until(lambda: "far.example" in world.command("queue", "list"))
    assert "1 copy of its mail to others is held" in world.command("account", "disable", SENDER)
    world.manner.steps.pop("GREETING")
    assert "the account is suspended" in world.command("queue", "list", "--held")
    time.sleep(2.0)
    assert world.far.accepted == []
    world.command("account", "enable", SENDER)
    world.command("queue", "release", "--sender", SENDER)
    world.retry()  # the way was closed meanwhile
    until(lambda: len(world.far.accepted) == 1)
