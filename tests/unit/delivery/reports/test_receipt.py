"""Read receipts: made for who asked, from the null sender, and never for what may not be answered."""

import email
import email.policy

from malleposte.delivery.reports import read_receipt
from malleposte.delivery.reports.receipt import Receipt
from malleposte.i18n.locales import Locale
from malleposte.mime import body_text, parse
from malleposte.mime.compose import Mailbox
from malleposte.mime.mdn import read_disposition_report

HEADER = (
    b"Return-Path: <carl@c.example>\r\n"
    b"Original-Recipient: rfc822; Team@example.test\r\n"
    b"From: Carl <carl@c.example>\r\n"
    b"Date: Mon, 30 Nov 2026 10:00:00 +0100\r\n"
    b"Subject: lunch\r\n"
    b"Message-ID: <1@c.example>\r\n"
    b"Disposition-Notification-To: Carl <carl@c.example>\r\n\r\n"
)


def receipt(header: bytes = HEADER, locale: str = "en") -> Receipt | None:
    return read_receipt(
        header,
        Mailbox("Ada", "ada@example.test"),
        Locale(locale),
        time_zone="Europe/Paris",
        at=1_796_065_000,
        hostname="mail.example.test",
        message_id="m@example.test",
    )


def test_a_receipt_says_who_saw_which_message() -> None:
    made = receipt()
    assert made is not None
    assert made.recipients == ("carl@c.example",)
    found = email.message_from_bytes(made.message, policy=email.policy.default)
    assert found.get_param("report-type") == "disposition-notification"
    assert str(found["From"]) == "Ada <ada@example.test>"
    assert str(found["To"]) == "carl@c.example"
    assert found["References"] == found["In-Reply-To"] == "<1@c.example>"
    assert found["Auto-Submitted"] == "auto-replied"
    disposition = read_disposition_report(made.message)
    assert disposition is not None
    assert (disposition.recipient, disposition.type) == ("ada@example.test", "displayed")
    assert disposition.message_id == "1@c.example"
    assert disposition.original == "rfc822;Team@example.test"
    assert disposition.by_hand
    assert disposition.agreed
    text = body_text(made.message, parse(made.message)[1])
    assert "of November 30, 2026, 10:00 (UTC+1)" in " ".join(text.split())


def test_it_is_in_the_users_language() -> None:
    made = receipt(locale="fr")
    assert made is not None
    assert "a été affiché" in body_text(made.message, parse(made.message)[1])


def test_nobody_gets_one_who_did_not_ask() -> None:
    assert receipt(HEADER.replace(b"Disposition-Notification-To", b"X-Other")) is None


def test_there_is_no_receipt_for_a_receipt() -> None:
    made = receipt()
    assert made is not None
    assert receipt(b"Disposition-Notification-To: carl@c.example\r\n" + made.message) is None


def test_a_message_without_anything_else_is_answered_too() -> None:
    made = receipt(b"Disposition-Notification-To: carl@c.example\r\n\r\n")
    assert made is not None
    assert b"References" not in made.message
