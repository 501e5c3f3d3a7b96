"""A look at who is signed in, RETR and QUIT: what fails for one is told and is no other's matter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import structlog

from malleposte.directory.book import Account, Book
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.store import PermanentFailure, StoreError, TemporaryFailure
from malleposte.store.commands import AnyCommand, Expunge, SetAccount
from malleposte.store.read import emails as read_emails
from malleposte.store.results import AnyResult, Refused
from unit.services.pop3d.harness import Served

ONE = b"Subject: one\r\n\r\nfirst\r\n"
FAILURES = pytest.mark.parametrize(
    ("failure", "event"),
    [
        (PermanentFailure("a damaged row"), "pop3_defect"),
        (TemporaryFailure("away"), "pop3_store_away"),
    ],
    ids=["permanent", "temporary"],
)


@FAILURES
async def test_an_account_that_cannot_be_read_does_not_end_the_look(
    served: Served, monkeypatch: pytest.MonkeyPatch, failure: StoreError, event: str
) -> None:
    """Who is suspended is out and leases are kept, of sessions behind it too; and it is told."""
    damaged, first = await served.account()
    suspended, second = await served.account()
    kept, third = await served.account()
    client, out = await served.signed_in(first), await served.signed_in(second)
    await served.signed_in(third)
    read, renewed = Book.account, []

    async def account(book: Book, number: int) -> Account | None:
        if number == damaged:
            raise failure
        return await read(book, number)

    async def renew(_: Exclusive, number: int) -> bool:
        renewed.append(number)
        return True

    monkeypatch.setattr(Book, "account", account)
    monkeypatch.setattr(Exclusive, "renew", renew)
    await served.store.submit(SetAccount(account=suspended, status="suspended"))
    with structlog.testing.capture_logs() as lines:
        await served.service.look()
    assert [line["event"] for line in lines] == [event]
    assert (await out.line()).startswith(b"-ERR ")
    assert renewed == [kept]
    assert await client.ask("NOOP") == "+OK\r\n"


@FAILURES
async def test_a_message_the_store_cannot_go_on_with_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch, failure: StoreError, event: str
) -> None:
    """Nothing that a client could take for its end is sent, and the log tells why."""
    account, address = await served.account()
    await served.fill(account, ONE)
    client = await served.signed_in(address)

    async def broken(*_: object) -> AsyncIterator[bytes]:
        yield b"Subject: one\r\n"
        yield b"\r\n"
        raise failure

    monkeypatch.setattr(read_emails, "read", broken)
    said = b""
    with structlog.testing.capture_logs() as lines:
        client.writer.write(b"RETR 1\r\nNOOP\r\n")
        with contextlib.suppress(ConnectionError):
            said = await client.ended()
        for _ in range(500):
            if any(line["event"] == "pop3_ended" for line in lines):
                break
            await asyncio.sleep(0.01)
    assert not said.endswith((b"\r\n.\r\n", b"+OK\r\n"))
    assert [line["event"] for line in lines] == [event, "pop3_ended"]


@pytest.mark.parametrize(
    ("met", "event"),
    [
        (PermanentFailure("a bug"), "pop3_defect"),
        (TemporaryFailure("away"), "pop3_store_away"),
        (Refused(reason="no-rights"), "pop3_not_deleted"),
    ],
    ids=["permanent", "temporary", "refused"],
)
async def test_where_deleting_fails_the_client_and_the_log_are_told(
    served: Served, monkeypatch: pytest.MonkeyPatch, met: StoreError | Refused, event: str
) -> None:
    """RFC 1939 §6; the mailbox is free all the same."""
    account, address = await served.account()
    await served.fill(account, ONE)
    client = await served.signed_in(address)
    await client.ask("DELE 1")
    writer = served.store.writer

    class Moody:
        async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
            if not isinstance(command, Expunge):
                return await writer.submit(command, fd)
            if isinstance(met, StoreError):
                raise met
            return met

    monkeypatch.setattr(served.store, "writer", Moody())
    with structlog.testing.capture_logs() as lines:
        said = await client.ask("QUIT")
    assert said == "-ERR [SYS/TEMP] Some deleted messages were not removed\r\n"
    assert await client.ended() == b""
    assert event in {line["event"] for line in lines}
    assert await served.uids(account) == [1]
    await served.signed_in(address)


async def test_who_is_suspended_fetches_no_further(served: Served) -> None:
    """In the middle of a message there is no place for words: the connection is cut, with nothing that
    a client could take for the end."""
    account, address = await served.account()
    line = b"x" * 70 + b"\r\n"
    await served.fill(account, b"Subject: large\r\n\r\n" + line * 500_000)
    client = await served.signed_in(address)
    transport = client.writer.transport
    transport.pause_reading()  # type: ignore[attr-defined]
    with structlog.testing.capture_logs() as lines:
        client.writer.write(b"RETR 1\r\n")
        (connection,) = served.listener.connections
        for _ in range(500):
            if connection._drain is not None:
                break
            await asyncio.sleep(0.01)
        await served.store.submit(SetAccount(account=account, status="suspended"))
        await served.service.look()
        transport.resume_reading()  # type: ignore[attr-defined]
        said = b""
        with contextlib.suppress(ConnectionError):
            said = await client.ended()
        for _ in range(500):
            if any(line["event"] == "pop3_ended" for line in lines):
                break
            await asyncio.sleep(0.01)
    assert len(said) < 500_000 * len(line) // 2
    assert not said.endswith(b"\r\n.\r\n")
    assert b"-ERR" not in said
    (ended,) = [line for line in lines if line["event"] == "pop3_ended"]
    assert (ended["reason"], ended["retrieved"]) == ("dismissed", 0)
