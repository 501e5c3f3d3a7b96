"""Reports: what is built is read back, by us and by Python's own reader; what comes in is read as it is."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.mime import compose, dsn, last_values, mdn, parse, report
from malleposte.mime.charset import plain_text
from malleposte.mime.dsn import DeliveryStatus, RecipientStatus
from malleposte.mime.limits import REPORT_BLOCKS
from malleposte.mime.mdn import Disposition, ReceiptRequest

LINES = re.compile(rb"(?:[^\r\n\0]{0,998}\r\n)*")
ONE = RecipientStatus("bob@b.example", "failed", "5.1.1")


def message(entity: compose.Multipart) -> bytes:
    return compose.message([compose.unstructured("Subject", "Report")], entity)


def built(*recipients: RecipientStatus, **more: object) -> bytes:
    status = DeliveryStatus("mx.example.org", recipients, **more)  # type: ignore[arg-type]
    return message(dsn.delivery_report("Bonjour, été", status))


# Delivery status -----------------------------------------------------------------------------------


WHOLE = DeliveryStatus(
    "mx.example.org",
    (
        RecipientStatus(
            "bob@b.example",
            "failed",
            "5.1.1",
            original="rfc822;Bob+list@b.example",
            remote="mx.b.example",
            diagnostic="550 5.1.1 no such user",
            last_attempt=1_764_528_000,
            log_id="1f",
        ),
        RecipientStatus(
            "jürgen+x@bücher.example",
            "delayed",
            "4.2.2",
            original="utf-8;jürgen@bücher.example",
            retry_until=1_764_600_000,
        ),
    ),
    envelope="QQ314159",
    arrival=1_764_520_000,
)


def test_a_delivery_report_comes_back_whole() -> None:
    octets = message(dsn.delivery_report("Hello", WHOLE))
    assert LINES.fullmatch(octets)
    assert dsn.read_delivery_report(octets) == WHOLE


def test_pythons_reader_sees_the_same() -> None:
    header = report.returned_header(b"Subject: lunch\r\nMessage-ID: <1@a>\r\n\r\n")
    octets = message(dsn.delivery_report("Hello", WHOLE, header))
    found = email.message_from_bytes(octets, policy=email.policy.default)
    assert found.get_content_type() == "multipart/report"
    assert found.get_param("report-type") == "delivery-status"
    parts: Any = found.iter_parts()  # the stubs know no message/delivery-status
    text, status, returned = parts
    assert text.get_content().split() == ["Hello"]
    about, bob, juergen = status.get_payload()
    assert about["Reporting-MTA"] == "dns; mx.example.org"
    assert about["Original-Envelope-Id"] == "QQ314159"
    assert bob["Final-Recipient"] == "rfc822; bob@b.example"
    assert bob["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert "Will-Retry-Until" not in bob
    # RFC 6533 §3: the form for 7-bit reports, without plus, equals sign and backslash.
    final = juergen["Final-Recipient"]
    assert final == r"utf-8; j\x{FC}rgen\x{2B}x@b\x{FC}cher.example"
    assert returned.get_content_type() == "text/rfc822-headers"


texts = st.text(max_size=300)


@given(texts, texts, texts)
def test_no_words_of_others_break_a_field(words: str, host: str, envelope: str) -> None:
    one = ONE._replace(diagnostic=words, remote=host, log_id=envelope)
    octets = built(one, ONE, envelope=envelope)
    assert octets.isascii()
    assert LINES.fullmatch(octets)
    found = dsn.read_delivery_report(octets)
    assert found is not None
    assert [(r.address, r.action, r.status) for r in found.recipients] == [ONE[:3]] * 2
    assert found.server == "mx.example.org"


@given(st.text(min_size=1, max_size=60))
def test_any_address_comes_back(local: str) -> None:
    local = "".join(plain_text(local).split()).strip("<>") or "x"
    address = f"{local}@b.example"
    found = dsn.read_delivery_report(built(ONE._replace(address=address)))
    assert found is not None
    if "\\x{" not in address and "=?" not in address:
        assert found.recipients[0].address == address.lstrip("<").rstrip(">")


@pytest.mark.parametrize(
    ("header", "media"),
    [
        (b"Subject: lunch\r\n\r\n", "text/rfc822-headers"),
        (b"Subject: caf\xe9\r\n\r\n", "text/rfc822-headers"),
        (b"Subject: " + b"x" * 2_000 + b"\r\n\r\n", "text/rfc822-headers"),
        (b"Subject: nul\0\r\n\r\n", "text/rfc822-headers"),
        ("Subject: été\r\n\r\n".encode(), "message/global-headers"),
    ],
)
def test_any_header_goes_back_in_seven_bits(header: bytes, media: str) -> None:
    octets = message(dsn.delivery_report("x", WHOLE, report.returned_header(header)))
    assert LINES.fullmatch(octets)
    assert octets.isascii()
    part = parse(octets)[-1]
    assert part.media == media
    found: Any = email.message_from_bytes(octets).get_payload()
    if media.startswith("text/"):
        assert found[2].get_payload(decode=True).rstrip() == header.rstrip()


def test_a_whole_message_goes_back_as_it_is_or_not_at_all() -> None:
    plain = b"Subject: x\r\n\r\nbody\r\n"
    leaf = report.returned_whole(plain, 14)
    assert leaf is not None
    assert leaf.body == plain
    assert report.returned_whole(b"Subject: x\r\n\r\n\0", 14) is None
    assert report.returned_whole(b"Subject: x\r\n\r\n" + b"y" * 999, 14) is None
    utf8 = "Subject: été\r\n\r\nbody\r\n".encode()
    leaf = report.returned_whole(utf8, 18)
    assert leaf is not None
    assert leaf.fields[0] == b"Content-Type: message/global\r\n"
    assert leaf.body.isascii()


# Reports of others ----------------------------------------------------------------------------------

POSTFIX = b"""From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B"

--B
Content-Description: Notification

This is the mail system.

--B
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4F1
Arrival-Date: Mon, 30 Nov 2026 10:00:00 +0100 (CET)

Final-Recipient: rfc822; bob@b.example
Original-Recipient: rfc822;bob@b.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.b.example
Diagnostic-Code: smtp; 550 5.1.1 <bob@b.example>: Recipient address rejected:
    User unknown

--B
Content-Type: message/rfc822

Subject: lunch

--B--
"""


def test_a_report_of_postfix_is_read() -> None:
    found = dsn.read_delivery_report(POSTFIX)
    assert found is not None
    assert found.server == "mx.example.org"
    assert found.arrival == 1_796_029_200
    (one,) = found.recipients
    assert one.permanent
    assert one[:3] == ("bob@b.example", "failed", "5.1.1")
    assert one.diagnostic.endswith("Recipient address rejected: User unknown")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Everything in one block, brackets, comments, upper case.
        (
            b"Reporting-MTA: dns; a\nFinal-Recipient: RFC822;<bob@b.example>\n"
            b"Action: FAILED (mailbox full)\nStatus: 5.2.2 (full)\n",
            ("bob@b.example", "failed", "5.2.2"),
        ),
        # Blank lines first, and lines that are white space for blank ones.
        (
            b"\n\nReporting-MTA: a\n \t\nFinal-Recipient: bob@b.example\nAction: nonsense\nStatus: 9\n",
            ("bob@b.example", "", ""),
        ),
        # RFC 6533: raw UTF-8.
        (
            b"Reporting-MTA: dns; a\n\nFinal-Recipient: utf-8; j\xc3\xbcrgen@b.example\n"
            b"Action: delayed\nStatus: 4.4.1\n",
            ("jürgen@b.example", "delayed", "4.4.1"),
        ),
    ],
)
def test_odd_reports_are_read(fields: bytes, expected: tuple[str, str, str]) -> None:
    octets = (
        b"Content-Type: multipart/report; boundary=B\n\n--B\n\nx\n"
        b"--B\nContent-Type: message/delivery-status\n\n" + fields + b"\n--B--\n"
    )
    found = dsn.read_delivery_report(octets)
    assert found is not None
    assert found.recipients[0][:3] == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"Subject: hello\n\nI am no report.\n",
        POSTFIX.replace(b"message/delivery-status", b"text/plain"),
        POSTFIX.replace(b"-Recipient:", b"-Person:"),
        # A report that was forwarded is about somebody else's mail.
        b"Content-Type: multipart/mixed; boundary=M\n\n--M\nContent-Type: message/rfc822\n\n"
        + POSTFIX
        + b"\n--M--\n",
    ],
)
def test_what_is_no_delivery_report(octets: bytes) -> None:
    assert dsn.read_delivery_report(octets) is None
    assert mdn.read_disposition_report(octets) is None


@given(st.binary(max_size=400))
def test_no_octets_make_the_readers_raise(noise: bytes) -> None:
    octets = b"Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/%b\n\n%b\n--B--\n"
    for kind in (*dsn.KINDS, *mdn.KINDS):
        body = b"Final-Recipient: utf-8; \\x{D800}\\x{FFFFFF}" + noise
        dsn.read_delivery_report(octets % (kind.encode(), body))
        mdn.read_disposition_report(octets % (kind.encode(), body))


def test_a_flood_of_recipients_is_bounded() -> None:
    body = b"Final-Recipient: rfc822; a@b\nAction: failed\n\n" * 100_000
    octets = (
        b"Content-Type: multipart/report; boundary=B\n\n--B\n"
        b"Content-Type: message/delivery-status\n\n" + body + b"--B--\n"
    )
    found = dsn.read_delivery_report(octets)
    assert found is not None
    assert len(found.recipients) == REPORT_BLOCKS


# Read receipts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "disposition",
    [
        Disposition("ada@example.org", "displayed", "1@a", "rfc822;Ada@example.org"),
        Disposition("ada@example.org", "deleted", by_hand=False, agreed=False),
        Disposition(
            "jürgen@example.org", "displayed", "1@a", program="mail.example.org; Malleposte"
        ),
        Disposition("ada@example.org", "displayed", modifiers=("error",)),
    ],
)
def test_a_receipt_comes_back(disposition: Disposition) -> None:
    octets = message(mdn.disposition_report("Seen", disposition))
    assert octets.isascii()
    assert mdn.read_disposition_report(octets) == disposition
    assert dsn.read_delivery_report(octets) is None


ASKED = b"Return-Path: <Ada@A.example>\r\nDisposition-Notification-To: Ada <Ada@a.example>\r\n"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (ASKED, ReceiptRequest(("Ada@a.example",), doubtful=False)),
        (ASKED.replace(b"<Ada@A", b"<ada@A"), ReceiptRequest(("Ada@a.example",), doubtful=True)),
        (ASKED.partition(b"\n")[2], ReceiptRequest(("Ada@a.example",), doubtful=True)),
        (
            ASKED.replace(b": Ada", b": x@y.example, Ada"),
            ReceiptRequest(("x@y.example", "Ada@a.example"), doubtful=True),
        ),
        (b"Subject: x\r\n", None),
        (b"Disposition-Notification-To: nobody\r\n", None),
        (ASKED + b"Disposition-Notification-Options: x=required,y\r\n", None),
        (
            ASKED + b"Disposition-Notification-Options: x=optional,y\r\n",
            ReceiptRequest(("Ada@a.example",), doubtful=False),
        ),
        # RFC 8098 §2.1: never about a report.
        (
            ASKED + b"Content-Type: multipart/report; report-type=Disposition-Notification\r\n",
            None,
        ),
        (ASKED + b"Content-Type: multipart/report; report-type=delivery-status\r\n", None),
    ],
)
def test_who_asks_for_a_receipt(header: bytes, expected: ReceiptRequest | None) -> None:
    assert mdn.receipt_request(last_values(header + b"\r\n")) == expected
