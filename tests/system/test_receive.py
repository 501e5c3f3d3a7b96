"""Mail comes in over SMTP, LMTP and submission, as a sender sees it."""

import asyncio
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from malleposte.store.commands import SetAlias
from malleposte.store.read import emails
from support.server import PASSWORD, Server
from support.vital_signs import buckets

BODY = "Subject: hello\r\nMessage-ID: <{0}@test.example>\r\n\r\nHello, {0}.\r\n"


@contextmanager
def smtp(server: Server, service: str = "smtp") -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", server.ports[service], timeout=30) as client:
        yield client


def context(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))


def rows(server: Server, sql: str, *args: object) -> list[tuple[Any, ...]]:
    """Ask the running server's database (read-only)."""
    from malleposte.store.dialect import drive
    from malleposte.store.sqlite import Sqlite

    db = Sqlite(server.data / "store.db", writable=False)
    try:
        return drive(db.rows(sql, *args))
    finally:
        db.close()


def filed(server: Server, name: str) -> list[str]:
    """Prefix lines of the copies of a message, by its Message-ID."""
    found = rows(
        server,
        "SELECT w.prefix FROM email_wide w WHERE w.message_id = $1 ORDER BY w.id",
        f"{name}@test.example",
    )
    return [bytes(row[0]).decode() for row in found]


def test_a_message_is_filed_with_its_trace_lines(server: Server) -> None:
    with smtp(server) as client:
        client.ehlo("sender.example")
        client.sendmail("a@sender.example", ["u1@example.test"], BODY.format("one"))
    (prefix,) = filed(server, "one")
    lines = prefix.split("\r\n")
    assert lines[0] == "Return-Path: <a@sender.example>"
    assert lines[1] == "Delivered-To: u1@example.test"
    assert lines[2].startswith("Received: from sender.example ([127.0.0.1])")
    assert "by mail.example.test with ESMTP id " in prefix
    assert "for <u1@example.test>;" in prefix


def test_the_stored_bytes_are_those_received(server: Server) -> None:
    body = b"Subject: bytes\r\nMessage-ID: <bytes@test.example>\r\n\r\n..dots\r\n.\r\n8bit \xff\x00\r\n"
    with smtp(server) as client:
        client.ehlo()
        client.sendmail("a@sender.example", ["u1@example.test"], body, ["BODY=8BITMIME"])

    async def read() -> bytes:
        from malleposte.store import embedded

        async with embedded(server.data, server.folder / "run" / "writer.sock") as store:
            row = await store.reader.row(
                "SELECT id FROM email_wide WHERE message_id = 'bytes@test.example'"
            )
            assert row is not None
            stored = await emails.stored_by_id(store.reader, row[0])
            assert stored is not None
            parts = [
                part
                async for part in emails.read(
                    store.reader, store.blobs, stored, len(stored.prefix), stored.size
                )
            ]
            return b"".join(parts)

    assert asyncio.run(read()) == body


def test_a_recipient_sees_no_other_recipient(server: Server) -> None:
    with smtp(server) as client:
        client.sendmail(
            "a@sender.example", ["u1@example.test", "u2@example.test"], BODY.format("two")
        )
    first, second = filed(server, "two")
    assert "u2@" not in first
    assert "u1@" not in second
    # Stored once.
    blobs = rows(
        server,
        "SELECT DISTINCT e.blob FROM email e JOIN email_wide w ON w.id = e.id"
        " WHERE w.message_id = 'two@test.example'",
    )
    assert len(blobs) == 1


@pytest.mark.parametrize(
    "address",
    ["U1@Example.TEST", "u1+folder@example.test", "u1+a+b@example.test", '"u1"@example.test'],
)
def test_an_address_has_many_spellings(server: Server, address: str) -> None:
    with smtp(server) as client:
        client.ehlo()
        client.mail("a@sender.example")
        assert client.rcpt(address)[0] == 250


@pytest.mark.parametrize(
    "address",
    ["postmaster@example.test", "abuse@example.test", "postmaster", "PostMaster@example.test"],
)
def test_postmaster_and_abuse_always_exist(server: Server, address: str) -> None:
    with smtp(server) as client:
        client.ehlo()
        client.mail("")
        assert client.docmd(f"RCPT TO:<{address}>")[0] == 250


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("nobody@example.test", 550, b"5.1.1"),
        ("someone@elsewhere.example", 550, b"5.7.1"),
        ("u1%elsewhere.example@example.test", 550, b"5.1.1"),
        ("u1@[127.0.0.1]", 550, b"5.7.1"),
    ],
)
def test_who_is_unknown_is_refused_at_rcpt(
    server: Server, address: str, code: int, words: bytes
) -> None:
    with smtp(server) as client:
        client.ehlo()
        client.mail("a@sender.example")
        answer = client.rcpt(address)
        assert answer[0] == code
        assert words in answer[1]


def test_lmtp_answers_for_each_recipient(server: Server) -> None:
    with smtplib.LMTP("127.0.0.1", server.ports["lmtp"]) as client:
        client.ehlo("mx.example")
        client.mail("a@sender.example")
        assert client.rcpt("u1@example.test")[0] == 250
        assert client.rcpt("nobody@example.test")[0] == 550
        assert client.rcpt("u2@example.test")[0] == 250
        client.docmd("DATA")
        client.send(BODY.format("lmtp") + ".\r\n")
        assert client.getreply()[0] == 250
        assert client.getreply()[0] == 250
    assert len(filed(server, "lmtp")) == 2


def test_submission_needs_tls_and_a_password(server: Server) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as client:
        client.ehlo()
        assert client.docmd("MAIL FROM:<u1@example.test>")[0] == 530
        client.starttls(context=context(server))
        client.ehlo()
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            client.login("u1@example.test", "not the password")
        assert wrong.value.smtp_code == 535
        client.login("U1@example.test", PASSWORD)
        client.sendmail("u1@example.test", ["u2@example.test"], BODY.format("submitted"))
    (prefix,) = filed(server, "submitted")
    assert "with ESMTPSA id" in prefix
    assert "TLSv1.3" in prefix


def test_a_sender_must_own_the_address(server: Server) -> None:
    with smtplib.SMTP_SSL(
        "127.0.0.1", server.ports["submissions"], context=context(server)
    ) as client:
        client.login("u1@example.test", PASSWORD)
        for address, code in (
            ("u2@example.test", 553),
            ("u1+tag@example.test", 250),
            ("x@elsewhere.example", 553),
        ):
            client.rset()
            assert client.mail(address)[0] == code, address


def test_sending_outside_is_refused_in_words(server: Server) -> None:
    with smtplib.SMTP_SSL(
        "127.0.0.1", server.ports["submissions"], context=context(server)
    ) as client:
        client.login("u1@example.test", PASSWORD)
        client.mail("u1@example.test")
        code, words = client.rcpt("someone@elsewhere.example")
        assert code == 550
        assert b"other domains" in words


def test_a_message_over_the_limit_is_refused(server: Server) -> None:
    with smtp(server) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "2000000"
        code, _ = client.docmd("MAIL FROM:<a@sender.example> SIZE=2000001")
        assert code == 552
        # A client that does not say how large it is.
        client.mail("a@sender.example")
        client.rcpt("u1@example.test")
        code, words = client.data(b"Subject: big\r\n\r\n" + b"x" * 2_100_000)
        assert code == 552
        assert b"5.3.4" in words


def test_a_large_message_goes_through_a_file(server: Server) -> None:
    line = b"0123456789" * 7 + b"\r\n"
    body = b"Subject: large\r\nMessage-ID: <large@test.example>\r\n\r\n" + line * 20_000
    with smtp(server) as client:
        client.sendmail("a@sender.example", ["u3@example.test"], body)
    (row,) = rows(
        server,
        "SELECT b.place, b.size FROM blob b JOIN email e ON e.blob = b.id"
        " JOIN email_wide w ON w.id = e.id WHERE w.message_id = 'large@test.example'",
    )
    assert row == ("file", len(body))


def test_a_message_in_a_circle_is_refused(server: Server) -> None:
    hops = "".join(f"Received: from a by b with SMTP id {n}\r\n" for n in range(101))
    with smtp(server) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("a@sender.example", ["u1@example.test"], hops + BODY.format("circle"))
    assert refused.value.smtp_code == 554
    assert b"5.4.6" in refused.value.smtp_error


def test_many_connections_at_once_are_all_served(server: Server) -> None:
    failures: list[BaseException] = []

    def send(number: int) -> None:
        try:
            with smtp(server) as client:
                for n in range(5):
                    client.sendmail(
                        "a@sender.example",
                        [f"u{number % 4}@example.test"],
                        BODY.format(f"many{number}x{n}"),
                    )
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    (row,) = rows(
        server, "SELECT count(*) FROM email_wide WHERE message_id LIKE 'many%@test.example'"
    )
    assert row[0] == 200


def test_the_figures_tell_of_it(server: Server) -> None:
    figures = server.figures()
    assert 'malleposte_messages_accepted_total{service="smtp"}' in figures
    assert "malleposte_loop_delay_seconds_bucket" in figures
    assert "malleposte_writer_wait_seconds_bucket" in figures
    assert buckets(figures, "malleposte_writer_queue_seconds")[float("inf")] > 0


def test_stopping_says_goodbye_and_a_second_start_finds_everything(tmp_path: object) -> None:
    from pathlib import Path

    server = Server(Path(str(tmp_path)), workers=1)
    asyncio.run(server.prepare(2))
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            client.sendmail("a@sender.example", ["u1@example.test"], BODY.format("before"))
            stopper = threading.Thread(target=server.stop)
            stopper.start()
            code, _ = client.getreply()
            assert code == 421
            stopper.join()
        server.start()
        assert len(filed(server, "before")) == 1
    finally:
        server.end()


def fill(client: smtplib.SMTP, body: str, who: str = "u1") -> None:
    for _ in range(60):
        client.sendmail("a@sender.example", [f"{who}@example.test"], body)


def quota_warnings(server: Server) -> list[tuple[int, str]]:
    """Levels and texts of the warnings filed, once there are three; each level once."""
    until = time.monotonic() + 20
    while True:
        found = rows(
            server,
            "SELECT message_id, preview FROM email_wide WHERE message_id LIKE 'quota.%' ORDER BY id",
        )
        if len(found) >= 3 or time.monotonic() > until:
            return sorted((int(row[0].split(".")[2]), row[1]) for row in found)
        time.sleep(0.1)


def test_an_alias_reaches_several_and_a_full_mailbox_refuses(tmp_path: object) -> None:
    from pathlib import Path

    server = Server(Path(str(tmp_path)), workers=1)
    asyncio.run(server.prepare(3, quota=20_000))

    async def alias() -> None:
        async with server.open_store() as store:
            await store.submit(SetAlias(address="team@example.test", accounts_=(2, 3)))

    asyncio.run(alias())
    server.start()
    try:
        with smtp(server) as client:
            client.sendmail("a@sender.example", ["team@example.test"], BODY.format("team"))
            assert len(filed(server, "team")) == 2
            filler = BODY.format("fill")
            with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)) as full:
                fill(client, filler * 10)
            assert "452" in str(full.value)
            assert "4.2.2" in str(full.value)
            warnings = quota_warnings(server)
            assert [level for level, _ in warnings] == [80, 90, 95]
            assert all("u1@example.test" in body for _, body in warnings)
            # Postmaster's mail is never over quota, however full its reader's mailbox is.
            with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)):
                fill(client, filler * 10, "u0")
            client.sendmail("", ["postmaster@example.test"], BODY.format("urgent"))
        assert len(filed(server, "urgent")) == 1
    finally:
        server.end()
