"""What people are told: what happened, what to do, in their language."""

from typing import get_args

import pytest

from malleposte.i18n.locales import ENGLISH, Locale
from malleposte.i18n.texts import (
    WIDTH,
    MailboxRole,
    QuotaState,
    mailbox_name,
    quota_warning,
    size_in_words,
)

FRENCH = Locale("fr")
STATE = QuotaState("anna@example.org", used=8_000_000_000, quota=10_000_000_000, grace=3 * 86400)


def test_the_warning_says_what_happened_and_what_to_do() -> None:
    subject, body = quota_warning(ENGLISH, 80, STATE)
    assert subject == "Your mailbox is 80 % full"
    assert body == (
        "Hello,\n"
        "\n"
        "the mailbox anna@example.org now holds 8 GB of 10 GB (80 %). New mail\n"
        "still arrives; 2 GB are left.\n"
        "\n"
        "When the mailbox is full, new mail is put off for 3 days, then returned\n"
        "to its senders. Reading, sending and deleting always work.\n"
        "\n"
        "What you can do:\n"
        "- Delete messages that you no longer need, those with large attachments\n"
        "  first.\n"
        "- Empty the Trash and Junk mailboxes.\n"
        "- Ask your administrator for more space.\n"
        "\n"
        "This message comes once each at 80, 90 and 95 percent.\n"
    )


def test_the_last_warning_is_urgent() -> None:
    body = quota_warning(ENGLISH, 95, STATE)[1].replace("\n", " ")
    assert "Only 2 GB are left: please make room now" in body


def test_without_grace_nothing_is_promised() -> None:
    state = QuotaState("anna@example.org", 8, 10, grace=0)
    body = quota_warning(ENGLISH, 90, state)[1]
    assert "put off" not in body
    assert "new mail is returned to its senders" in body


@pytest.mark.parametrize("level", [80, 90, 95])
def test_in_french_nothing_is_left_in_english(level: int) -> None:
    subject, body = quota_warning(FRENCH, level, STATE)
    assert subject == f"Votre boîte aux lettres est pleine à {level} %"
    assert "8\u202fGo sur 10\u202fGo" in body.replace("\u00a0", "\u202f").replace("\n", " ")
    assert "pendant 3 jours" in body.replace("\n", " ")
    assert not {"mailbox", "mail", "the", "you"} & set(body.lower().split())


@pytest.mark.parametrize("locale", [ENGLISH, FRENCH])
def test_lines_fit_for_mail(locale: Locale) -> None:
    for level in (80, 90, 95):
        _, body = quota_warning(locale, level, STATE)
        assert max(map(len, body.split("\n"))) <= WIDTH


def test_a_long_address_stays_whole() -> None:
    address = "a" * 64 + "@" + "b-" * 40 + "c.example"
    assert address in quota_warning(ENGLISH, 80, QuotaState(address, 8, 10, 0))[1]


def test_an_overfull_mailbox_has_nothing_left() -> None:
    state = QuotaState("a@example.org", used=12, quota=10, grace=0)
    assert "Only 0 bytes are left" in quota_warning(ENGLISH, 95, state)[1].replace("\n", " ")


@pytest.mark.parametrize(
    ("size", "english", "french"),
    [
        (0, "0 bytes", "0 octet"),
        (999, "999 bytes", "999 octets"),
        (1_000, "1 kB", "1 ko"),
        (1_234_567, "1.2 MB", "1,2 Mo"),
        (50_000_000_000, "50 GB", "50 Go"),
        (2_500_000_000_000, "2.5 TB", "2,5 To"),
    ],
)
def test_sizes(size: int, english: str, french: str) -> None:
    assert size_in_words(ENGLISH, size) == english
    assert size_in_words(FRENCH, size).replace("\u00a0", " ").replace("\u202f", " ") == french


def test_every_mailbox_role_has_a_name_in_each_language() -> None:
    roles = get_args(MailboxRole)
    assert len({mailbox_name(ENGLISH, role) for role in roles}) == 6
    assert mailbox_name(FRENCH, "inbox") == "Boîte de réception"
    assert {mailbox_name(FRENCH, r) for r in roles}.isdisjoint(
        mailbox_name(ENGLISH, r) for r in roles
    )
