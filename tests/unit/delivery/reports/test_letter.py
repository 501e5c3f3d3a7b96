"""Reports as messages: the texts people read, and what programs and mail readers make of them.

The texts stand in ``texts/``, to be read: they are what a sender gets.
"""

import email
import email.policy
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.delivery.reports import Fate, ReportJob
from malleposte.delivery.reports.letter import GROUPS, NAMED, Reader, groups, letter, told
from malleposte.delivery.reports.original import HEADER, Original, header_of
from malleposte.delivery.reports.runner import worth_telling
from malleposte.i18n import delivery_texts, disposition_texts
from malleposte.i18n.locales import Locale
from malleposte.mime import body_text, last_values, parse
from malleposte.mime.charset import plain_text
from malleposte.mime.dsn import read_delivery_report

TEXTS = Path(__file__).parent / "texts"
CREATED = 1_796_064_660
LINES = re.compile(rb"(?:[^\r\n\0]{0,998}\r\n)*")
HEAD = "Subject: Déjeuner de vendredi\r\nMessage-ID: <1@a.example>\r\n\r\n".encode()

USER = Fate(
    address="bob@b.example",
    status="5.1.1",
    reply="550 5.1.1 <bob@b.example>: Recipient address rejected: User unknown in local table",
    remote="mx.b.example",
)
FULL = Fate(
    address="carl@c.example", status="4.2.2", reply="452 4.2.2 Mailbox full", remote="mx.c.example"
)
NOWHERE = Fate(
    address="x@nowhere.example", status="5.1.2", said="there is no domain nowhere.example"
)
NOBODY = Fate(address="y@nowhere.example", status="5.1.2", said=NOWHERE.said)
AWAY = Fate(
    address="dora@d.example",
    status="5.4.7",
    said="given up after 5 days; at last: mx.d.example [192.0.2.1]:25: connection refused",
)
FORWARDED = Fate(
    address="zoe@z.example",
    original="rfc822;team@example.test",
    status="5.7.26",
    reply="550 5.7.26 The sender is unauthenticated",
    remote="mx.z.example",
)
TAKEN = Fate(
    address="bob@b.example",
    status="2.0.0",
    reply="250 2.0.0 Ok: queued as 4F",
    remote="mx.b.example",
)
FATES = {
    "failed": (USER, FULL, NOWHERE, NOBODY, AWAY, FORWARDED),
    "delayed": (FULL,),
    "relayed": (TAKEN,),
    "expanded": (Fate(address="team@example.test", status="2.0.0", asked=True),),
}


def job(action: str, *fates: Fate, ret: str = "", envelope: str = "") -> ReportJob:
    return ReportJob(
        key="9.x",
        action=action,
        at=CREATED + 600,
        message=9,
        trace=77,
        account=1,
        sender="ada@example.test",
        blob=1,
        prefix=b"",
        size=100,
        ret=ret,
        envelope=envelope,
        created_at=CREATED,
        expires_at=CREATED + 5 * 86_400,
        fates=fates,
    )


def original(header: bytes = HEAD, whole: bytes = b"") -> Original:
    return Original(1, header, whole, last_values(header))


def ada(locale: str = "en", *, local: bool = True) -> Reader:
    return Reader("Ada", "ada@example.test", Locale(locale), "Europe/Paris", local)


def written(of: ReportJob, about: Original | None = None, reader: Reader | None = None) -> bytes:
    octets = letter(
        of, original() if about is None else about, reader or ada(), "mail.example.test", "r@m"
    )
    assert LINES.fullmatch(octets)
    return octets


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("action", list(FATES))
def test_what_a_sender_reads(action: str, locale: str) -> None:
    octets = written(job(action, *FATES[action]), reader=ada(locale))
    found = email.message_from_bytes(octets, policy=email.policy.default)
    text = f"Subject: {found['Subject']}\n\n{body_text(octets, parse(octets)[1])}"
    assert text.rstrip("\n") == (TEXTS / f"{action}.{locale}.txt").read_text().rstrip("\n")
    assert max(map(len, text.split("\n"))) <= 72


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_what_a_receipt_says(locale: str) -> None:
    subject, body = disposition_texts.receipt(
        Locale(locale), "Lunch", CREATED, "bob@b.example", "Asia/Kolkata"
    )
    expected = (TEXTS / f"receipt.{locale}.txt").read_text().rstrip("\n")
    assert f"Subject: {subject}\n\n{body}".rstrip("\n") == expected


def test_the_header_is_that_of_an_automatic_answer() -> None:
    found = email.message_from_bytes(written(job("failed", USER)), policy=email.policy.default)
    assert str(found["From"]) == "Mail delivery <postmaster@example.test>"
    assert str(found["To"]) == "Ada <ada@example.test>"
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["In-Reply-To"] == found["References"] == "<1@a.example>"
    assert found["Message-ID"] == "<r@m>"
    assert found["Content-Language"] == "en"


def test_programs_read_each_recipient() -> None:
    octets = written(job("failed", USER, FORWARDED, envelope="QQ1"))
    status = read_delivery_report(octets)
    assert status is not None
    assert (status.server, status.envelope, status.arrival) == ("mail.example.test", "QQ1", CREATED)
    user, forwarded = status.recipients
    assert user[:3] == ("bob@b.example", "failed", "5.1.1")
    assert user.diagnostic == USER.reply
    assert user.last_attempt == CREATED + 600
    assert user.log_id == "4d"
    assert forwarded.original == "rfc822;team@example.test"


def test_a_message_that_was_to_wait_says_until_when() -> None:
    """RFC 4865: a program knows by it which wish the report is about."""
    waited = Original(1, HEAD, b"", last_values(HEAD), release=1_796_151_060)
    octets = written(job("failed", USER), waited)
    assert b"\r\nFuture-Release-Request: until; 2026-12-01T18:51:00Z\r\n" in octets
    assert b"Future-Release" not in written(job("failed", USER))


def test_a_delay_says_until_when_it_is_tried() -> None:
    status = read_delivery_report(written(job("delayed", FULL)))
    assert status is not None
    assert status.recipients[0].retry_until == CREATED + 5 * 86_400


WHOLE = HEAD.replace("é".encode(), b"e") + b"the body\r\n"


@pytest.mark.parametrize(
    ("whole", "local", "media"),
    [
        (b"", True, "message/global-headers"),
        (WHOLE, True, "message/rfc822"),
        (WHOLE, False, "message/rfc822"),
        ("été\r\n".encode().join([WHOLE, b""]), True, "message/rfc822"),
        # What other servers may not take goes back by its header alone.
        ("été\r\n".encode().join([WHOLE, b""]), False, "text/rfc822-headers"),
        (WHOLE + b"x" * 2_000 + b"\r\n", True, "text/rfc822-headers"),
        (HEAD + b"the body\r\n", False, "message/global"),
    ],
)
def test_what_goes_back_of_the_message(whole: bytes, local: bool, media: str) -> None:
    header = whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if whole else HEAD
    about = original(header, whole)
    octets = written(job("failed", USER, ret="FULL"), about, ada(local=local))
    returned = parse(octets)[3]
    assert returned.media == media
    assert octets.isascii() or local


def test_nothing_goes_back_where_the_content_is_gone() -> None:
    octets = written(job("failed", USER), Original())
    assert [part.media for part in parse(octets)[1:]] == ["text/plain", "message/delivery-status"]
    assert "(no subject)" in body_text(octets, parse(octets)[1])


def test_what_a_program_sent_goes_back_by_its_header() -> None:
    header = b"Precedence: bulk\r\nSubject: news\r\n\r\n"
    octets = written(job("failed", USER), original(header, header + b"body\r\n"))
    assert parse(octets)[3].media == "text/rfc822-headers"


def test_strangers_do_not_hear_of_our_relays() -> None:
    fate = Fate(
        address="x@y.example", status="4.7.8", said="relay.corp refuses our sign-in as u@corp"
    )
    of = job("failed", fate)
    assert b"relay.corp" in written(of)
    octets = written(of, reader=ada(local=False))
    assert b"relay.corp" not in octets
    assert b"From: Mail delivery <postmaster@mail.example.test>" in octets


def test_many_recipients_are_told_shortly() -> None:
    alike = [Fate(address=f"u{n}@b.example", status="5.1.1", said="no") for n in range(NAMED + 5)]
    other = [Fate(address=f"u@b{n}.example", status="5.1.1", said="no") for n in range(GROUPS + 5)]
    found = groups([*alike, *other], local=True)
    assert len(found) == GROUPS
    assert len(found[0].addresses) == NAMED
    octets = written(job("failed", *alike, *other))
    shown = NAMED + GROUPS - 1
    more = f"{len(alike) + len(other) - shown} more recipients are named"
    assert more in body_text(octets, parse(octets)[1])
    status = read_delivery_report(octets)
    assert status is not None
    assert len(status.recipients) == len(alike) + len(other)


texts = st.text(max_size=200)


@given(texts, texts, texts, st.sampled_from(list(FATES)), st.booleans())
def test_no_words_break_a_report(
    words: str, host: str, subject: str, action: str, local: bool
) -> None:
    fate = Fate(
        address="bob@b.example", status="5.0.0", reply=words, said=host, remote=host, original=words
    )
    header = b"Subject: " + " ".join(plain_text(subject).split()).encode() + b"\r\n\r\n"
    octets = written(job(action, fate, USER), original(header), ada("fr", local=local))
    assert octets.isascii()
    status = read_delivery_report(octets)
    assert status is not None
    assert [one.address for one in status.recipients] == ["bob@b.example"] * 2
    assert {one.action for one in status.recipients} == {action}
    found = email.message_from_bytes(octets, policy=email.policy.default)
    assert found["Auto-Submitted"] == "auto-replied"
    assert len(list(found.iter_parts())) == 3


@pytest.mark.parametrize("address", ['"a b"@x.example', "jürgen@x.example", "a@b,c@x.example"])
def test_odd_senders_get_their_report(address: str) -> None:
    reader = Reader("", address, Locale("en"), "UTC", local=False)
    octets = written(job("failed", USER), reader=reader)
    assert b"\r\nTo: " in octets


# What is not told ---------------------------------------------------------------------------------

REPORT = b"Content-Type: multipart/report; report-type=%b; boundary=B\r\n"
DSN, MDN = REPORT % b"delivery-status", REPORT % b"disposition-notification"
AUTO, BULK, LIST = (
    b"Auto-Submitted: auto-replied\r\n",
    b"Precedence: Bulk\r\n",
    b"Precedence: list\r\n",
)
ABUSE = REPORT % b"feedback-report"


@pytest.mark.parametrize(
    ("header", "failed", "delayed"),
    [
        (b"Subject: x\r\n", True, True),
        (DSN, False, False),
        (MDN, False, False),
        (AUTO + ABUSE, False, False),
        (ABUSE, True, True),
        (AUTO, True, False),
        (b"Auto-Submitted: NO (really)\r\n", True, True),
        (BULK, True, False),
        (LIST, True, False),
    ],
)
def test_what_is_worth_telling(header: bytes, failed: bool, delayed: bool) -> None:
    about = original(header + b"\r\n")
    assert (worth_telling(job("failed", USER), about) is not None) is failed
    assert (worth_telling(job("delayed", FULL), about) is not None) is delayed


def test_a_delay_that_was_asked_for_is_told_even_to_programs() -> None:
    asked = Fate(address="b@b.example", status="4.4.1", asked=True)
    found = worth_telling(job("delayed", FULL, asked), original(AUTO + b"\r\n"))
    assert found is not None
    assert found.fates == (asked,)


# The header that goes back ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", b"A: 1\r\nB: 2\r\n\r\n"),
        (b"A: 1\n\nbody\n", b"A: 1\n\n"),
        (b"A: 1\r\nB: 2", b"A: 1\r\nB: 2\r\n\r\n"),
        (b"\r\nbody", b"\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_where_a_header_ends(octets: bytes, header: bytes) -> None:
    assert header_of(octets) == header


def test_a_long_header_is_cut_after_a_field() -> None:
    field = b"X-Long: " + b"x" * 60 + b"\r\n\tmore of it\r\n"
    cut = header_of(field * 2_000 + b"\r\nbody")
    assert len(cut) <= HEADER + 2
    assert cut.endswith(b"more of it\r\n\r\n")
    assert cut.count(b"X-Long") == cut.count(b"more of it")


def test_times_are_told_in_the_senders_zone() -> None:
    for zone, shown in (
        ("Europe/Paris", "19:51 (UTC+1)"),
        ("America/St_Johns", "15:21 (UTC-3:30)"),
        ("UTC", "18:51 (UTC)"),
        ("No/Such", "18:51 (UTC)"),
    ):
        assert delivery_texts.moment(Locale("en"), CREATED, zone).endswith(shown)


def test_a_long_subject_is_cut() -> None:
    about = original(b"Subject: " + b"x" * 500 + b"\r\n\r\n")
    subject, body = delivery_texts.failed(
        Locale("en"), told(job("failed", USER), about, ada(), "m")
    )
    assert len(subject) < 150
    assert "x" * 121 not in body
