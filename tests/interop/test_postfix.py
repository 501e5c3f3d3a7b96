"""Debian's Postfix as the server on the other side: as it takes our mail, and as it sends to us."""

import contextlib
import hashlib
import itertools
import json
import re
from collections.abc import Iterator

import dkim
import dns.resolver
import pytest

from support import mailbox, two_servers
from support.apart import said
from support.postfix import LARGEST
from support.programs import need
from support.two_servers import (
    ELSEWHERE,
    FAR,
    FORGED,
    HESITANT,
    MISTAKEN,
    NAMED,
    NAMELESS,
    OLDER,
    OPEN,
    SENDER,
    STRICT,
    WITHOUT_TLS,
    TwoServers,
    until,
)
from support.zone import SILENCE, Between, serving

pytestmark = pytest.mark.interop

BOXES = (f"p{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def both() -> Iterator[TwoServers]:
    with two_servers.running() as both:
        yield both


@pytest.fixture
def two(both: TwoServers) -> Iterator[TwoServers]:
    """Both servers; the test's own sockets are in their network."""
    with both.apart.inside():
        if both.server.process is None:
            both.server.start()
        yield both


@pytest.fixture
def box() -> str:
    """A mailbox of Postfix that no other test uses."""
    return next(BOXES)


def letter(to: str, body: bytes = b"Here it is.\r\n", *, subject: str = "hello") -> bytes:
    head = f"From: {SENDER}\r\nTo: {to}\r\nSubject: {subject}\r\n"
    head += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return head.encode() + b"\r\n" + body


def body_of(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def signatures(two: TwoServers, message: bytes) -> int:
    """How many signatures there are, all of which must be good: to dkimpy each by itself, to OpenDKIM the
    whole, both by the records of the zone."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]

    def ask(name: bytes, timeout: float = 5) -> bytes:
        (record,) = resolver.resolve(name.decode(), "TXT", lifetime=timeout)
        return b"".join(record.strings)

    count = message.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    for at in range(count):
        assert dkim.DKIM(message).verify(idx=at, dnsfunc=ask)
    program = need("opendkim-testmsg", "opendkim-tools")
    said(*two.apart.prefix, program, "-t", two.server.folder, octets=message)
    return count


# From us to Postfix ---------------------------------------------------------------------------------


def test_it_goes_by_mx_signed_and_by_the_certificate_that_the_dns_names(
    two: TwoServers, box: str
) -> None:
    two.submit(f"{box}@{FAR}", text=letter(f"{box}@{FAR}"))
    (found,) = two.arrived(f"{box}@{FAR}")
    assert f"Return-Path: <{SENDER}>".encode() in found
    assert b"Received: from mail.example.test (unknown [198.51.100.1])" in found
    assert b"(using TLSv1.3 with cipher" in found
    assert signatures(two, found) == 2
    attempt = two.attempt(f"{box}@{FAR}")
    assert attempt["outcome"] == "delivered"
    assert re.fullmatch(
        r"mx\.far\.example \[198\.51\.100\.2\]:25, TLSv1\.3 TLS_\S+, certificate as DANE has it",
        attempt["host"],
    )
    assert "2.0.0 Ok: queued as" in attempt["said"]


def test_another_key_than_the_dns_names_gets_nothing(two: TwoServers, box: str) -> None:
    two.submit(f"{box}@{MISTAKEN}", text=letter(f"{box}@{MISTAKEN}"))
    two.waits(f"{box}@{MISTAKEN}", "its certificate is none that the TLSA records name")
    assert "DANE demands it: nothing was sent" in two.waiting(f"{box}@{MISTAKEN}")
    assert two.postfix.mail(f"{box}@{MISTAKEN}") == []


@pytest.mark.parametrize(
    ("domain", "how"),
    [
        (OPEN, "TLSv1.3 TLS_AES_256_GCM_SHA384, certificate not checked"),
        (WITHOUT_TLS, "without TLS"),
        (STRICT, "TLSv1.3 TLS_AES_256_GCM_SHA384, certificate verified"),
    ],
)
def test_how_it_was_encrypted_is_recorded(two: TwoServers, box: str, domain: str, how: str) -> None:
    two.submit(f"{box}@{domain}", text=letter(f"{box}@{domain}"))
    (found,) = two.arrived(f"{box}@{domain}")
    received = found.partition(b"by mx.far.example")[0]
    assert (b"using TLSv1.3" in received) is how.startswith("TLS")
    assert two.attempt(f"{box}@{domain}")["host"].endswith(f", {how}")


@pytest.mark.parametrize(
    ("domain", "address"), [(NAMED, "2a0e:aaaa::2"), (NAMELESS, "198.51.100.2")]
)
def test_ipv6_goes_from_an_address_that_has_a_name(
    two: TwoServers, box: str, domain: str, address: str
) -> None:
    two.submit(f"{box}@{domain}", text=letter(f"{box}@{domain}"))
    two.arrived(f"{box}@{domain}")
    assert f"[{address}]:25" in two.attempt(f"{box}@{domain}")["host"]


def test_a_server_that_an_enforced_policy_does_not_name_gets_nothing(
    two: TwoServers, box: str
) -> None:
    two.submit(f"{box}@{ELSEWHERE}", text=letter(f"{box}@{ELSEWHERE}"))
    two.waits(f"{box}@{ELSEWHERE}", "MTA-STS")
    assert two.postfix.mail(f"{box}@{ELSEWHERE}") == []


def test_who_is_refused_comes_back_and_the_others_arrive(two: TwoServers, box: str) -> None:
    two.submit(f"nobody@{FAR}", f"{box}@{FAR}", text=letter(f"{box}@{FAR}", subject="partly"))
    two.arrived(f"{box}@{FAR}")
    report = two.reported(b"Action: failed")
    assert f"rfc822; nobody@{FAR}".encode() in report
    assert b"Status: 5.1.1" in report
    message = mailbox.parsed(report)
    assert message["Return-Path"] == "<>"
    first, *_ = message.iter_parts()
    assert "User unknown in virtual mailbox table" in first.get_content()
    assert report.count(b"Final-Recipient:") == 1


def test_what_postfix_took_and_could_not_file_comes_back_by_its_own_report(two: TwoServers) -> None:
    two.submit(f"closed@{FAR}", text=letter(f"closed@{FAR}"))
    report = two.reported(b"this mailbox was closed")
    assert report.startswith(b"Return-Path: <>\r\n")
    assert b"Reporting-MTA: dns; mx.far.example" in report
    message = mailbox.parsed(report)
    assert message.get_content_type() == "multipart/report"
    assert two.attempt(f"closed@{FAR}")["outcome"] == "delivered"


def test_a_wish_to_hear_of_success_is_handed_on(two: TwoServers, box: str) -> None:
    """Postfix knows DSN: it reports, we do not say «relayed» besides."""
    address = f"{box}@{FAR}"
    two.submit(
        address,
        text=letter(address),
        mail=["RET=HDRS", f"ENVID=id-{box}"],
        rcpt=["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;Other+2B{box}@far.example"],
    )
    report = two.reported(f"Original-Envelope-Id: id-{box}".encode())
    assert b"Reporting-MTA: dns; mx.far.example" in report
    assert b"Action: delivered" in report
    assert f"Original-Recipient: rfc822;Other+{box}@far.example".encode() in report
    assert b"Here it is." not in report


def test_a_big_message_arrives_whole(two: TwoServers, box: str) -> None:
    line = hashlib.sha256(box.encode()).hexdigest().encode() + b"\r\n"
    body = line * (12_000_000 // len(line))
    two.submit(f"{box}@{FAR}", text=letter(f"{box}@{FAR}", body))
    (found,) = two.arrived(f"{box}@{FAR}")
    assert body_of(found) == body
    assert signatures(two, found) == 2


def test_one_that_is_too_big_for_postfix_is_not_even_sent(two: TwoServers, box: str) -> None:
    assert LARGEST > 200_000
    two.submit(f"{box}@{OLDER}", text=letter(f"{box}@{OLDER}", b"x" * 70 + b"\r\n", subject="s"))
    two.arrived(f"{box}@{OLDER}")
    big = (b"y" * 70 + b"\r\n") * 3_000
    two.submit(f"{box}@{OLDER}", text=letter(f"{box}@{OLDER}", big, subject="too big"))
    report = two.reported(b"Subject: too big")
    assert b"Status: 5.3.4" in report
    assert f"{box}@{OLDER}".encode() in report


def test_an_address_beyond_ascii(two: TwoServers) -> None:
    """Postfix takes it; a server that does not know it makes it come back."""
    address = f"données@{FAR}"
    two.submit(address, text=letter(address, subject="été"), mail=["SMTPUTF8"])
    (found,) = two.arrived(address)
    assert f"To: {address}".encode() in found
    assert mailbox.parsed(found)["Subject"] == "été"
    assert signatures(two, found) == 2
    two.submit(f"données@{OLDER}", text=letter(f"données@{OLDER}"), mail=["SMTPUTF8"])
    two.reported(b"Status: 5.6.7")
    assert two.postfix.mail(f"données@{OLDER}") == []


def test_eight_bits_are_recoded_before_they_are_signed(two: TwoServers, box: str) -> None:
    text = letter(f"{box}@{OLDER}", "Größe, Maß\r\n".encode())
    two.submit(f"{box}@{OLDER}", text=text, mail=["BODY=8BITMIME"])
    (found,) = two.arrived(f"{box}@{OLDER}")
    assert body_of(found).isascii()
    assert mailbox.parsed(found).get_content().split() == ["Größe,", "Maß"]
    assert signatures(two, found) == 2


def test_eight_bits_that_somebody_signed_are_left_as_they_are(two: TwoServers, box: str) -> None:
    """They go where 8BITMIME is known, and come back from elsewhere."""
    body = (
        "--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "Größe, Maß\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\nabc\r\n--x--\r\n"
    ).encode()
    kind = b'multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=x'
    text = letter("you", body, subject=f"signed {box}")
    text = text.replace(b"text/plain; charset=utf-8", kind, 1)
    two.submit(f"{box}@{OPEN}", f"{box}@{OLDER}", text=text, mail=["BODY=8BITMIME"])
    (found,) = two.arrived(f"{box}@{OPEN}")
    assert body_of(found) == body
    assert signatures(two, found) == 2
    report = two.reported(f"Subject: signed {box}".encode())
    assert b"Status: 5.6.3" in report
    assert f"rfc822; {box}@{OLDER}".encode() in report
    assert two.postfix.mail(f"{box}@{OLDER}") == []


def test_who_is_put_off_waits_and_goes_on(two: TwoServers, box: str) -> None:
    address = f"{box}@{HESITANT}"
    two.postfix.deferring.write_text(f"/^{box}@/ 450 4.7.1 greylisted, come back in a while\n")
    two.submit(address, text=letter(address))
    two.waits(address, "greylisted, come back in a while")
    assert two.attempt(address)["outcome"] == "deferred"
    two.postfix.deferring.write_text("")

    def gone() -> bool:
        # The connection that was kept for the next message still has the old table.
        two.retry(address)
        return bool(two.postfix.mail(address))

    until(gone, two.state)
    two.arrived(address)
    assert two.attempt(address)["outcome"] == "delivered"


def test_what_the_resolver_finds_forged_waits_in_words(two: TwoServers, box: str) -> None:
    two.submit(f"{box}@{FORGED}", text=letter(f"{box}@{FORGED}"))
    two.waits(
        f"{box}@{FORGED}",
        f"the MX record of {FORGED} was not found: the resolver at 127.0.0.1 answered SERVFAIL",
    )
    assert two.postfix.mail(f"{box}@{FORGED}") == []


# From Postfix to us ---------------------------------------------------------------------------------


def test_postfix_finds_us_and_our_certificate_by_the_records_that_we_print(
    two: TwoServers, box: str
) -> None:
    sender = f"{box}@{FAR}"
    two.theirs(sender, SENDER, text=letter(SENDER, "für Sie\r\n".encode(), subject=box))
    found = two.reported(f"Subject: {box}".encode())
    assert f"Return-Path: <{sender}>".encode() in found
    assert "für Sie".encode() in found
    assert b"Received: from mx.far.example" in found
    assert f"to=<{SENDER}>, relay=mail.example.test[198.51.100.1]:25" in two.postfix.log
    # By DANE: no authority has signed it that Postfix knows.
    assert "Verified TLS connection established to mail.example.test" in two.postfix.log


def test_what_is_printed_is_found_and_postfix_shows_that_port_25_is_open(two: TwoServers) -> None:
    # 4: nobody outside reaches the addresses of this network.
    said = two.command("dns", "example.test", "--check", "--json", code=4)
    rows = json.loads(said)["records"]
    assert {row["state"] for row in rows if row["publish"]} == {"right"}
    others = {row["purpose"]: row for row in rows if not row["publish"]}
    assert others["address"]["state"] == "different"
    assert others["certificate"]["state"] == "right"
    (port,) = (row for row in rows if row["name"] == "port 25 by IPv4")
    assert port["state"] == "right"
    assert port["words"].startswith(f"mx.{FAR} answers: 220 mx.{FAR} ESMTP Postfix")


def test_a_sender_beyond_ascii_is_taken(two: TwoServers, box: str) -> None:
    sender = f"données@{FAR}"
    text = letter(SENDER, subject=f"été {box}").replace(b"From: u1@", "From: données@".encode(), 1)
    two.theirs(sender, SENDER, text=text, mail=["BODY=8BITMIME", "SMTPUTF8"])
    found = two.reported(f"Subject: été {box}".encode())
    assert f"Return-Path: <{sender}>".encode() in found
    assert b"with UTF8SMTP" in found


def test_nobody_is_answered_for_mail_that_we_refuse(two: TwoServers, box: str) -> None:
    """Postfix hears it while it sends, and tells its own user."""
    sender = f"{box}@{FAR}"
    two.theirs(sender, "nobody@example.test", text=letter("nobody@example.test"))
    (report,) = two.arrived(sender)
    assert b"Status: 5.1.1" in report
    assert b"Remote-MTA: dns; mail.example.test" in report
    assert two.waiting(sender) == ""
    assert two.inbox("u0@example.test") == []


def test_a_big_message_of_postfix_arrives_whole(two: TwoServers, box: str) -> None:
    line = hashlib.sha256(box.encode()).hexdigest().encode() + b"\r\n"
    body = line * (12_000_000 // len(line))
    two.theirs(f"{box}@{FAR}", "u2@example.test", text=letter("u2@example.test", body))
    found = two.reported(line, "u2@example.test")
    assert body_of(found) == body


def test_many_at_once_arrive_once(two: TwoServers, box: str) -> None:
    """Both ways at the same time, over connections that are used again."""
    for number in range(20):
        subject = f"{box} number {number}"
        two.submit(f"{box}@{FAR}", text=letter(f"{box}@{FAR}", subject=subject))
        two.theirs(f"{box}@{FAR}", "u0@example.test", text=letter("u0", subject=subject))
    wanted = sorted(f"{box} number {number}" for number in range(20))
    found = two.arrived(f"{box}@{FAR}", 20)
    assert sorted(mailbox.parsed(one)["Subject"] for one in found) == wanted
    until(lambda: len(two.inbox("u0@example.test")) >= 20, two.state)
    inbox = two.inbox("u0@example.test")
    assert sorted(mailbox.parsed(one)["Subject"] for one in inbox) == wanted


# Another resolver -----------------------------------------------------------------------------------


@contextlib.contextmanager
def asking(two: TwoServers, between: Between) -> Iterator[None]:
    """Our server, started anew, asks something that stands before the resolver; it is stopped then."""
    with serving(between) as port:
        two.server.end()
        sending = two.server.settings["sending"]
        sending.update(resolvers='"127.0.0.1"', resolver_port=str(port))
        two.server.configure()
        two.server.start()
        try:
            yield
        finally:
            two.server.end()
            del sending["resolvers"], sending["resolver_port"]
            two.server.configure()


def test_a_resolver_that_drops_edns_and_one_that_is_silent(two: TwoServers, box: str) -> None:
    """Without EDNS it takes longer, and is as good; silence is no verdict."""
    between = Between(53)
    between.drops_edns = True
    between.broken[STRICT] = SILENCE
    with asking(two, between):
        two.submit(f"{box}@{STRICT}", f"{box}@{FAR}", text=letter(f"{box}@{FAR}"))
        (found,) = two.arrived(f"{box}@{FAR}")
        assert signatures(two, found) == 2
        assert two.attempt(f"{box}@{FAR}")["host"].endswith("certificate as DANE has it")
        two.waits(
            f"{box}@{STRICT}",
            f"the MX record of {STRICT} was not found: the resolver did not answer within 6 seconds",
        )
        assert two.postfix.mail(f"{box}@{STRICT}") == []
