"""Forwards, names of domains and groups with the whole server: by the command line, through the queue."""

import json
import smtplib
import subprocess
import threading
import time
from email.utils import parseaddr

import dkim
import pytest

from malleposte.delivery.signing.dkim import sign
from malleposte.delivery.signing.keys import make
from malleposte.secrets.node_key import create_key_file
from support import mailbox
from support.processes import kill, of_kind
from support.server import PASSWORD
from support.zone import text as zone_text
from system.test_sending import FAR, World, until, world

__all__ = ["world"]

STRANGER = "zoe@strict.example"
TEXT = b"From: Zoe <zoe@strict.example>\r\nSubject: %s\r\n\r\nHello.\r\n"


@pytest.fixture
def post(world: World) -> World:
    """Mail may be forwarded; the domain of the stranger has a policy of DMARC."""
    create_key_file(world.server.data / "node.key")
    world.zone.add("_dmarc.strict.example", txt='"v=DMARC1; p=reject"')
    world.zone.add("strict.example", mx="10 mx.far.example.")
    world.command("domain", "forwarding", "example.test", "anywhere")
    password = world.server.data / "password"
    password.write_text(PASSWORD)
    world.command("account", "add", "u2@example.test", "--password-file", str(password))
    return world


def arrive(world: World, *recipients: str, subject: str = "hello", sender: str = STRANGER) -> None:
    """A message of a stranger, which must be taken."""
    with smtplib.SMTP("127.0.0.1", world.server.ports["smtp"], timeout=60) as client:
        assert client.sendmail(sender, recipients, TEXT % subject.encode()) == {}


def refused(world: World, *words: str) -> str:
    """Why a command is refused."""
    with pytest.raises(subprocess.CalledProcessError) as error:
        world.command(*words)
    return str(error.value.stderr)


def test_a_forward_goes_out_and_reports_about_it_come_back(post: World) -> None:
    post.command("domain", "forwarding", "example.test", "inside")
    assert "malleposte domain forwarding" in refused(post, "forward", "set", "u1@example.test", FAR)
    post.command("domain", "forwarding", "example.test", "anywhere")
    said = post.command("forward", "set", "u1@example.test", FAR, "--no-copy")
    assert said == "mail of u1@example.test goes on to bob@far.example, without a copy there\n"
    arrive(post, "u1@example.test")
    until(lambda: len(post.far.accepted) == 1)
    (taken,) = post.far.accepted
    assert taken.recipients == [FAR]
    assert taken.content.endswith(TEXT % b"hello")
    assert b"Delivered-To: u1@example.test\r\n" in taken.content
    back = taken.sender
    assert back.startswith("SRS0=")
    assert back.endswith("=strict.example=zoe@example.test")
    assert post.inbox() == []
    # Only reports, and only with our hash.
    with smtplib.SMTP("127.0.0.1", post.server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail("spammer@bad.example")
        assert client.rcpt(back)[0] == 550
        client.rset()
        client.mail("")
        assert client.rcpt(back.replace("zoe", "joe"))[0] == 550
    arrive(post, back, sender="", subject="undeliverable")
    until(lambda: len(post.far.accepted) == 2)
    assert (post.far.accepted[1].sender, post.far.accepted[1].recipients) == ("", [STRANGER])
    listed = json.loads(post.command("forward", "list", "--outside", "--json"))["forwards"]
    assert [(one["address"], one["target"]) for one in listed] == [("u1@example.test", FAR)]
    post.command("forward", "delete", "u1@example.test")
    arrive(post, "u1@example.test")
    mailbox.wait_for(post.server, "u1@example.test", PASSWORD, 1)


def test_what_is_sent_on_is_sealed_and_its_signature_holds(post: World) -> None:
    keys = publish(post, "example.test")
    signer = make("strict.example", "20270101", int(time.time()))
    keys |= {key.name: key.record for key in signer.keys}
    text = TEXT % b"signed"
    header, _, body = text.partition(b"\r\n\r\n")
    signed = sign(header, [body], signer.keys, int(time.time())) + text
    post.command("forward", "set", "u1@example.test", FAR)
    post.command("group", "add", "team@example.test", "--senders", "anyone")
    post.command("group", "join", "team@example.test", "carl@far.example")
    with smtplib.SMTP("127.0.0.1", post.server.ports["smtp"], timeout=60) as client:
        client.sendmail(STRANGER, ["u1@example.test", "team@example.test"], signed)
    until(lambda: len(post.far.accepted) == 2)

    def ask(name: bytes, timeout: float = 5) -> bytes | None:
        found = keys.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None

    (forwarded,) = (one.content for one in post.far.accepted if FAR in one.recipients)
    assert dkim.ARC(forwarded).verify(dnsfunc=ask)[0] == dkim.CV_Pass
    assert all(dkim.DKIM(forwarded).verify(idx=at, dnsfunc=ask) for at in range(2)), "the author's"
    (listed,) = (one.content for one in post.far.accepted if FAR not in one.recipients)
    assert parseaddr(mailbox.parsed(listed)["From"])[1] == "team@example.test"
    assert dkim.DKIM(listed).verify(idx=0, dnsfunc=ask), "the group's"
    assert b"d=example.test" in listed.partition(b"bh=")[0]


def publish(world: World, domain: str) -> dict[str, str]:
    """Make keys of a domain and put their records into the DNS; the records by name."""
    world.command("domain", "dkim", domain, "--new")
    records = json.loads(world.command("dns", domain, "--json"))["records"]
    keys = {
        one["name"].rstrip("."): one["value"] for one in records if "._domainkey." in one["name"]
    }
    for name, value in keys.items():
        world.zone.add(name, txt=zone_text(value))
    return keys


def test_a_forward_that_fails_is_told_to_its_owner_and_not_to_a_stranger(post: World) -> None:
    post.command("forward", "set", "u1@example.test", "gone@nowhere.example", "--no-copy")
    arrive(post, "u1@example.test")
    # Who it claims to be from may be anybody: the owner gets the word, and the message in it.
    (told,) = mailbox.wait_for(post.server, "u1@example.test", PASSWORD, 1)
    assert b"gone@nowhere.example" in told
    assert STRANGER.encode() in told
    assert post.far.accepted == []


def test_a_group_survives_the_policy_of_its_authors_domain(post: World) -> None:
    post.command("group", "add", "team@example.test", "--name", "The Team", "--senders", "anyone")
    post.command("group", "join", "team@example.test", "u0@example.test", "u1@example.test", FAR)
    post.command("group", "join", "team@example.test", "u2@example.test", "--owner")
    arrive(post, "team@example.test")
    until(lambda: len(post.far.accepted) == 1)
    (taken,) = post.far.accepted
    assert (taken.sender, taken.recipients) == ("team+bounces@example.test", [FAR])
    message = mailbox.parsed(taken.content)
    assert parseaddr(message["From"]) == ("Zoe via The Team", "team@example.test")
    assert parseaddr(message["Reply-To"])[1] == STRANGER
    assert message["List-Id"].endswith("<team.example.test>")
    for member in ("u0@example.test", "u1@example.test"):
        (filed,) = mailbox.wait_for(post.server, member, PASSWORD, 1)
        assert filed.endswith(TEXT % b"hello")
    # What comes back is the owner's.
    arrive(post, taken.sender, sender="", subject="undeliverable")
    mailbox.wait_for(post.server, "u2@example.test", PASSWORD, 1)
    # Our own author is not renamed, though nothing signs: the sender's domain is his.
    post.command("group", "set", "team@example.test", "--senders", "members")
    text = b"From: u1@example.test\r\nSubject: mine\r\n\r\nx\r\n"
    post.submit("team@example.test", text=text)
    until(lambda: len(post.far.accepted) == 2)
    assert mailbox.parsed(post.far.accepted[1].content)["From"] == "u1@example.test"
    with smtplib.SMTP("127.0.0.1", post.server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(STRANGER)
        code, words = client.rcpt("team@example.test")
    assert (code, b"members only" in words) == (550, True)


def test_domains_by_other_names_and_at_other_servers(post: World) -> None:
    post.command("domain", "add", "other.test")
    post.command("domain", "alias", "other.test", "example.test")
    post.command("domain", "catch-all", "example.test", "u2@example.test")
    arrive(post, "u1@other.test", "whoever@other.test")
    mailbox.wait_for(post.server, "u1@example.test", PASSWORD, 1)
    mailbox.wait_for(post.server, "u2@example.test", PASSWORD, 1)
    post.command("domain", "add", "inner.test")
    names = post.server.data / "names"
    names.write_text("a\nb@inner.test\n")
    port = post.far_port
    said = post.command(
        "domain", "relay", "inner.test", f"127.0.0.1:{port}", "--recipients", str(names), "--json"
    )
    assert json.loads(said)["relayed"] == 2
    arrive(post, "a@inner.test")
    until(lambda: len(post.far.accepted) == 1)
    assert (post.far.accepted[0].sender, post.far.accepted[0].recipients) == (
        STRANGER,
        ["a@inner.test"],
    )
    with smtplib.SMTP("127.0.0.1", post.server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(STRANGER)
        assert client.rcpt("nobody@inner.test")[0] == 550


def test_what_was_taken_is_not_lost_when_every_process_dies(post: World) -> None:
    """Messages to a forward and a group come in while all processes are killed once: of each that was
    answered 250, the copy here, the forwarded one and the member's are there."""
    member = "carl@far.example"
    post.command("forward", "set", "u0@example.test", FAR)
    post.command("group", "add", "team@example.test", "--senders", "anyone")
    post.command("group", "join", "team@example.test", "u2@example.test", member)
    post.manner.steps["GREETING"] = "421 4.3.2 not now"
    taken: list[str] = []
    stop = threading.Event()

    def pour() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                arrive(post, "u0@example.test", "team@example.test", subject=f"number {number}")
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)
            else:
                taken.append(f"number {number}")

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        until(lambda: len(taken) > 10)
        for process in of_kind(post.server, "worker") + of_kind(post.server, "writer"):
            kill(process)
        before = len(taken)
        until(lambda: len(taken) > before + 10, 60)
    finally:
        stop.set()
        thread.join(70)
    post.manner.steps.pop("GREETING")
    post.retry()

    def gone_to(address: str) -> set[str]:
        return {
            str(mailbox.parsed(one.content)["Subject"])
            for one in post.far.accepted
            if address in one.recipients
        }

    until(lambda: gone_to(FAR) >= set(taken) and gone_to(member) >= set(taken), 60)
    for account in ("u0@example.test", "u2@example.test"):
        filed = mailbox.messages(post.server, account, PASSWORD)
        subjects = [str(mailbox.parsed(one)["Subject"]) for one in filed]
        assert set(subjects) >= set(taken)
        assert len(subjects) == len(set(subjects)), "none twice"
