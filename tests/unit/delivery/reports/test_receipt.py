"""Read receipts: made for who asked, from the null sender, and never for what may not be answered."""

import email
import email.policy

import pytest

from malleposte.delivery.reports import Notifier, read_receipt, rejection
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


def notifier(locale: str = "en") -> Notifier:
    return Notifier(
        user=Mailbox("Ada", "ada@example.test"),
        recipient="ada@example.test",
        locale=Locale(locale),
        time_zone="Europe/Paris",
        hostname="mail.example.test",
        message_id="m@example.test",
    )


def receipt(header: bytes = HEADER, locale: str = "en") -> Receipt | None:
    return read_receipt(header, notifier(locale), 1_796_065_000)


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


@pytest.mark.parametrize(
    "line",
    [
        b"Return-Path: <>\r\n",
        b"Auto-Submitted: auto-generated\r\n",
        b"List-Id: <all.example.test>\r\n",
        b"Precedence: bulk\r\n",
    ],
)
def test_reports_programs_and_lists_get_no_receipt(line: bytes) -> None:
    assert receipt(line + HEADER) is None


def test_only_the_return_path_on_top_is_believed() -> None:
    """Whoever sends a message can write one into it."""
    assert receipt(HEADER.replace(b"From:", b"Return-Path: <>\r\nFrom:")) is not None
    forged = HEADER.replace(b"Return-Path: <carl@c.example>\r\n", b"Return-Path: <>\r\n")
    assert receipt(forged.replace(b"From:", b"Return-Path: <carl@c.example>\r\nFrom:")) is None


# Rejections ----------------------------------------------------------------------------------------


def rejected(reason: str, locale: str = "en", header: bytes = HEADER) -> bytes:
    return rejection(
        header,
        notifier(locale),
        1_796_065_000,
        to="carl@c.example",
        reason=reason,
        original="rfc822;Sales@example.test",
    )


def test_a_rejection_keeps_the_filters_own_words() -> None:
    """RFC 5429 §2.2: the exact text; and what programs are told (RFC 8098)."""
    made = rejected("Go away,\n  bitte schön.\x1b[31m")
    found = email.message_from_bytes(made, policy=email.policy.default)
    assert found.get_param("report-type") == "disposition-notification"
    assert str(found["Subject"]) == "Not accepted: lunch"
    assert str(found["From"]) == "Ada <ada@example.test>"
    assert found["In-Reply-To"] == "<1@c.example>"
    assert found["Auto-Submitted"] == "auto-replied"
    text = body_text(made, parse(made)[1])
    assert "    Go away,\n      bitte schön." in text.replace("\r\n", "\n")
    assert "\x1b" not in text
    disposition = read_disposition_report(made)
    assert disposition is not None
    assert (disposition.type, disposition.by_hand, disposition.agreed) == ("deleted", False, False)
    assert disposition.recipient == "ada@example.test"
    assert disposition.original == "rfc822;Sales@example.test"
    assert disposition.message_id == "1@c.example"
    (_, _, returned) = found.iter_parts()
    assert "Message-ID: <1@c.example>" in returned.get_content()


def test_a_rejection_is_in_its_readers_language() -> None:
    made = rejected("Non.", locale="fr")
    text = body_text(made, parse(made)[1])
    assert "n’a pas été accepté" in " ".join(text.split())
    assert "Le motif indiqué :" in text


def test_a_rejection_without_words_or_header_is_one_too() -> None:
    made = rejected(" \n", header=b"\r\n")
    assert read_disposition_report(made) is not None
    assert "reason" not in body_text(made, parse(made)[1])
