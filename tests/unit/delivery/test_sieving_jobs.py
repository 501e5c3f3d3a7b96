"""Work that follows from scripts: replies of who is away, and words about scripts that fail."""

import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.delivery.passing import Passing
from malleposte.delivery.reports import REPORT_JOB, Reporter, ReporterSettings
from malleposte.delivery.sieving import Arrival, Redirecting, Sieving, SievingSettings
from malleposte.delivery.sieving.copies import Copy
from malleposte.delivery.sieving.failing import FailureNotices
from malleposte.delivery.sieving.header_edits import Edited, edited, in_front
from malleposte.delivery.sieving.notifying import Notifications
from malleposte.delivery.sieving.rejecting import report
from malleposte.delivery.sieving.replying import Replies, letter
from malleposte.delivery.sieving.work import (
    FAILURE_JOB,
    REJECTION_JOB,
    REPLY_JOB,
    Rejection,
    Reply,
    ScriptFailed,
)
from malleposte.directory.book import Book
from malleposte.directory.senders import Senders
from malleposte.mime import fields
from malleposte.mime.compose import Mailbox
from malleposte.sieve import AddHeader, DeleteHeader, MimeMessage
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    Filing,
    PutScript,
    SetAccount,
    SetAlias,
    TakeQueued,
)
from malleposte.store.read import emails
from malleposte.store.results import LeasedJob, Taken

ADA, BOB = 1, 2
REPLY = Reply(
    account=ADA,
    to="ann@elsewhere.example",
    subject="Auto: hello",
    reason="Ich bin im Urlaub.\n",
    mime=False,
    sender="",
    message_id="1@x",
    references=("0@x",),
    trace=77,
    at=1_790_000_000,
)


@pytest.fixture
async def house(store: Store) -> Store:
    await store.submit(CreateDomain(name="example.test"))
    for name in ("ada", "bob"):
        await store.submit(
            CreateAccount(
                address=f"{name}@example.test",
                name=name.title(),
                password_hash="",
                role="owner" if name == "bob" else "",
                locale="fr" if name == "bob" else "en",
            )
        )
    await store.submit(SetAlias(address="info@example.test", accounts_=(ADA,)))
    return store


def replies(store: Store, *, sends: bool = True) -> Replies:
    book = Book(store)
    sending = Sending(Routing()) if sends else None
    passing = Passing(store.reader, Senders(store, book), sending) if sending else None
    redirecting = Redirecting(store.reader, book, sending, passing)
    sieving = Sieving(store, book, redirecting, SievingSettings("mail.example.test"))
    return Replies(store, book, "mail.example.test", sending, sieving)


def leased(kind: str, payload: msgspec.Struct, key: str = "4d.1") -> LeasedJob:
    octets = msgspec.msgpack.encode(payload)
    return LeasedJob(id=5, kind=kind, key=key, payload=octets, epoch=1, attempts=1)


async def queued(store: Store) -> list[tuple[str, str, str]]:
    taken = await store.submit(TakeQueued(routes=9, each=9, seconds=60))
    assert isinstance(taken, Taken)
    return [
        (message.sender, recipient.address, recipient.notify)
        for message in taken.messages
        for recipient in message.recipients
    ]


async def texts(store: Store, account: int) -> list[bytes]:
    rows = await store.reader.rows("SELECT id FROM email WHERE account = $1 ORDER BY id", account)
    found = []
    for (number,) in rows:
        stored = await emails.stored_by_id(store.reader, number)
        assert stored is not None
        pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
        found.append(b"".join([piece async for piece in pieces]))
    return found


async def test_a_reply_leaves_from_the_null_sender_once(house: Store) -> None:
    runs = replies(house)
    for _ in range(2):  # a job can be run twice
        await runs.run(leased(REPLY_JOB, REPLY))
    assert await queued(house) == [("", "ann@elsewhere.example", "NEVER")]


async def test_an_account_replies_so_often_in_an_hour(
    house: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forged senders would have it write to thousands, past all limits of sending."""
    monkeypatch.setattr("malleposte.delivery.sieving.replying.HOURLY", 2)
    writer = replies(house)
    for number in range(4):
        job = msgspec.structs.replace(REPLY, to=f"a{number}@elsewhere.example")
        await writer.run(msgspec.structs.replace(leased(REPLY_JOB, job), key=f"key{number}"))
    rows = await house.reader.rows("SELECT address FROM queue_recipient ORDER BY address")
    assert [row[0] for row in rows] == ["a0@elsewhere.example", "a1@elsewhere.example"]


async def test_a_reply_to_a_colleague_is_filed_and_his_filters_run(house: Store) -> None:
    script = (
        b'require "fileinto"; if header "auto-submitted" "auto-replied" { fileinto "Archive"; }'
    )
    await house.submit(PutScript(owner=BOB, name="a", content=script, active=True))
    await replies(house).run(
        leased(REPLY_JOB, msgspec.structs.replace(REPLY, to="bob@example.test"))
    )
    rows = await house.reader.rows(
        "SELECT b.role FROM membership m JOIN mailbox b ON b.id = m.mailbox"
    )
    assert rows == [("archive",)]
    (text,) = await texts(house, BOB)
    assert text.startswith(b"Return-Path: <>\r\nDelivered-To: bob@example.test\r\nFrom: Ada <ada@")


@pytest.mark.parametrize("why", ["nothing is sent", "inside only", "suspended"])
async def test_who_gets_no_reply(house: Store, why: str) -> None:
    if why == "inside only":
        await house.submit(SetAccount(account=ADA, internal=True))
    if why == "suspended":
        await house.submit(SetAccount(account=ADA, status="suspended"))
    await replies(house, sends=why != "nothing is sent").run(leased(REPLY_JOB, REPLY))
    assert await queued(house) == []


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("", b"From: Ada <ada@example.test>\r\n"),
        ("Info desk <info@example.test>", b"From: Info desk <info@example.test>\r\n"),
        ("Boss <bob@example.test>", b"From: Ada <ada@example.test>\r\n"),
        ("x@elsewhere.example", b"From: Ada <ada@example.test>\r\n"),
    ],
)
async def test_nobody_answers_as_somebody_else(house: Store, sender: str, shown: bytes) -> None:
    job = msgspec.structs.replace(REPLY, to="bob@example.test", sender=sender)
    await replies(house).run(leased(REPLY_JOB, job))
    (text,) = await texts(house, BOB)
    assert shown in text


async def test_work_of_a_newer_version_is_left_to_a_node_that_knows_it(house: Store) -> None:
    with pytest.raises(ValueError, match="version 2"):
        await replies(house).run(leased(REPLY_JOB, msgspec.structs.replace(REPLY, version=2)))


ME = Mailbox("Ada", "ada@example.test")


def header_of(message: bytes) -> dict[str, str]:
    head = message.partition(b"\r\n\r\n")[0] + b"\r\n"
    return {f.name.decode().lower(): f.value.decode().strip() for f in fields(head)}


def test_a_reply_says_that_a_program_wrote_it_and_what_about() -> None:
    said = header_of(letter(REPLY, ME, "r@x"))
    assert said["auto-submitted"] == "auto-replied"
    assert said["in-reply-to"] == "<1@x>"
    assert said["references"] == "<0@x> <1@x>"
    assert said["to"] == "<ann@elsewhere.example>"
    assert said["subject"] == "Auto: hello"


def test_of_an_entity_of_the_scripts_own_only_content_is_taken() -> None:
    reason = (
        "Content-Type: text/html; charset=utf-8\r\nBcc: victim@x.example\r\nSubject: x\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n<b>Fort, ä</b>"
    )
    octets = letter(msgspec.structs.replace(REPLY, mime=True, reason=reason), ME, "r@x")
    said = header_of(octets)
    assert said["content-type"] == "text/html; charset=utf-8"
    assert said["subject"] == "Auto: hello"
    assert "bcc" not in said
    assert octets.endswith("\r\n\r\n<b>Fort, ä</b>\r\n".encode())


@pytest.mark.parametrize("reason", ["no blank line", "Subject: x\n\nno content field"])
def test_what_is_no_entity_is_a_text(reason: str) -> None:
    octets = letter(msgspec.structs.replace(REPLY, mime=True, reason=reason), ME, "r@x")
    assert header_of(octets)["content-type"].startswith("text/plain")


# Failures ------------------------------------------------------------------------------------------

FAILED = ScriptFailed(
    account=ADA,
    domain="example.test",
    place="script",
    name="main",
    words="line 1, column 2: no",
    at=1_790_000_000,
)


async def test_whose_script_fails_is_told_once(house: Store) -> None:
    runs = FailureNotices(house, Book(house), "mail.example.test")
    for _ in range(2):
        await runs.run(leased(FAILURE_JOB, FAILED))
    (text,) = await texts(house, ADA)
    assert b"Subject: A mail filter does not work\r\n" in text
    assert b"line 1, column 2: no" in text
    assert b"Auto-Submitted: auto-generated" in text
    assert await texts(house, BOB) == []


async def test_administrators_are_told_of_theirs_in_their_language(house: Store) -> None:
    runs = FailureNotices(house, Book(house), "mail.example.test")
    job = msgspec.structs.replace(FAILED, account=0, place="organisation", name="spam")
    await runs.run(leased(FAILURE_JOB, job))
    assert await texts(house, ADA) == []
    (text,) = await texts(house, BOB)
    assert b"Un filtre de courrier ne fonctionne pas" in text


async def test_a_sender_of_ours_reads_why_he_was_rejected(house: Store) -> None:
    header = b"From: bob@example.test\r\nSubject: hello there\r\nMessage-ID: <9@x>\r\n\r\n"
    arrival = Arrival(
        sender="bob@example.test",
        buffer=header + b"Hi\r\n",
        structure=b"",
        header_size=len(header),
        line=b"",
        each=False,
        account=BOB,
        number=99,
        now=time.time(),
    )
    copy = Copy(
        ADA, "ada@example.test", "example.test", Filing(account=ADA), "", "bob@example.test"
    )
    job = report(arrival, copy, "Go\r\naway, bitte schön.", "mail.example.test")
    reporter = Reporter(
        house, Book(house), ReporterSettings("mail.example.test", Routing().route_of)
    )
    await reporter.run(
        LeasedJob(id=1, kind=REPORT_JOB, key=job.key, payload=job.payload, epoch=1, attempts=1)
    )
    (text,) = await texts(house, BOB)
    assert b"Final-Recipient: rfc822; ada@example.test" in text
    assert b"Status: 5.7.1" in text
    assert b"Subject: hello there" in text
    assert b"In-Reply-To: <9@x>" in text


REJECTED = Rejection(
    account=ADA,
    recipient="info@example.test",
    original="rfc822;Info@example.test",
    to="ann@elsewhere.example",
    reason="Non, merci.",
    header=b"Subject: hello\r\nMessage-ID: <9@x>\r\nContent-Language: fr\r\n\r\n",
    trace=77,
    at=1_790_000_000,
)


def notifications(store: Store, *, sends: bool = True) -> Notifications:
    runs = replies(store, sends=sends)
    return Notifications(store, runs.book, runs.hostname, runs.sending, runs.sieving)


async def test_a_rejection_leaves_from_the_null_sender_once(house: Store) -> None:
    for _ in range(2):  # a job can be run twice
        await notifications(house).run(leased(REJECTION_JOB, REJECTED))
    assert await queued(house) == [("", "ann@elsewhere.example", "NEVER")]


async def test_a_rejection_names_the_address_that_was_written_to(house: Store) -> None:
    job = msgspec.structs.replace(REJECTED, to="bob@example.test")
    await notifications(house).run(leased(REJECTION_JOB, job))
    (text,) = await texts(house, BOB)
    assert text.startswith(b"Return-Path: <>\r\n")
    assert b"From: Ada <info@example.test>\r\n" in text
    assert b"Final-Recipient: rfc822; info@example.test\r\n" in text
    assert b"Disposition: automatic-action/MDN-sent-automatically; deleted\r\n" in text
    assert b"Content-Language: fr\r\n" in text  # Bob's


async def test_a_rejection_in_the_language_of_the_message_for_who_is_not_ours(house: Store) -> None:
    made = await notifications(house)._letter(REJECTED, Mailbox("Ada", "info@example.test"), "x@y")
    assert b"Content-Language: fr\r\n" in made


async def test_no_notification_in_somebody_elses_name(house: Store) -> None:
    """A group's address, or one that is the account's no more, is not written as."""
    job = msgspec.structs.replace(REJECTED, to="bob@example.test", recipient="bob@example.test")
    await notifications(house).run(leased(REJECTION_JOB, job))
    (text,) = await texts(house, BOB)
    assert b"From: Ada <ada@example.test>\r\n" in text


# Header edits --------------------------------------------------------------------------------------

HEADER = b"A: 1\r\nno field\r\nB: 2\r\n folded\r\nA: 3\r\n\r\n"


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ((DeleteHeader("a", 1),), b"B: 2\r\n folded\r\nA: 3\r\n\r\n"),
        ((DeleteHeader("A", 2),), b"A: 1\r\nno field\r\nB: 2\r\n folded\r\n\r\n"),
        ((DeleteHeader("A", 1), DeleteHeader("A", 1)), b"B: 2\r\n folded\r\n\r\n"),
        ((DeleteHeader("A", 3),), HEADER),
        ((AddHeader("X", "y"),), b"X: y\r\n" + HEADER),
        ((AddHeader("X", "y", last=True),), HEADER[:-2] + b"X: y\r\n\r\n"),
        ((AddHeader("A", "0"), DeleteHeader("A", 1)), HEADER),
    ],
)
def test_edits_of_a_header(edits: tuple[AddHeader | DeleteHeader, ...], after: bytes) -> None:
    assert edited(HEADER, edits) == after


@pytest.mark.parametrize(
    ("header", "after"),
    [(b"\r\n", b"X: y\r\n\r\n"), (b"", b"X: y\r\n"), (b"\n", b"X: y\r\n\n")],
)
def test_a_field_in_a_message_without_any(header: bytes, after: bytes) -> None:
    assert edited(header, (AddHeader("X", "y"),)) == after


def test_what_can_stand_before_the_stored_message() -> None:
    added = (AddHeader("X-A", "1"), AddHeader("X-B", "2"))
    assert in_front(added) == b"X-B: 2\r\nX-A: 1\r\n"
    for other in (
        AddHeader("X", "1", last=True),
        DeleteHeader("X", 1),
        AddHeader("subject", "x"),
        AddHeader("Content-Type", "text/html"),
    ):
        assert in_front((*added, other)) is None


names = st.sampled_from(["A", "B", "Subject"])
edits = st.lists(
    st.builds(AddHeader, names, st.sampled_from(["x", "y z", "ü"]), st.booleans())
    | st.builds(DeleteHeader, names, st.integers(1, 4)),
    max_size=6,
)
headers = st.lists(
    st.sampled_from([b"A: 1\r\n", b"b: 2\r\n\tmore\r\n", b"Subject: x\r\n", b"bad line\r\n"]),
    max_size=6,
).map(lambda lines: b"".join(lines) + b"\r\n")


@given(headers, edits)
@settings(max_examples=300, deadline=None)
def test_the_next_script_sees_what_will_be_stored(
    header: bytes, edits: list[AddHeader | DeleteHeader]
) -> None:
    seen = Edited(MimeMessage(header + b"Hi\r\n"), edits).fields()
    stored = [(f.name, f.value) for f in fields(edited(header, edits))]
    assert [name.lower() for name, _ in seen] == [name.lower() for name, _ in stored]
    for (_, ours), (_, kept) in zip(seen, stored, strict=True):
        assert b"=?" in kept or ours.split() == kept.split()
