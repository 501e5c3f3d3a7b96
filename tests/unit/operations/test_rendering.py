"""Rendering anew: lost rows come back as IMAP showed them, what an older version made is put right, damage
is named and passed over; beside a store in use."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from malleposte.delivery.spool import Spool, prepare
from malleposte.operations.errors import OperationError
from malleposte.operations.rendering import Renderer
from malleposte.operations.store_fsck import Examined, Found, Fsck
from malleposte.operations.store_render import MailRendered, NotRendered, RenderMail
from malleposte.store import PermanentFailure, Store, TemporaryFailure
from malleposte.store.commands import (
    AnyCommand,
    Deliver,
    Filing,
    PurgeRecoverable,
    Render,
)
from malleposte.store.content import FRAME
from malleposte.store.ids import LOW
from malleposte.store.results import AnyResult, Delivered, Done, Filed
from support import corpora
from support.imap_client import ImapClient
from support.store import House, inbox
from unit.operations.desk import Desk, Tape
from unit.services.imapd.harness import Served, serve

PREFIX = b"Return-Path: <ada@example.com>\r\nReceived: from here\r\n"
FETCH = b"FETCH 1:* (UID ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)"


def message(subject: str = "Hello", *, attached: int = 0) -> bytes:
    """A message of the usual shape; ``attached``: octets of an attachment."""
    made = EmailMessage()
    made["From"] = "Ada Ä <ada@example.com>"
    made["To"] = "team: bob@example.org, Eve <eve@example.org>;"
    made["Subject"] = subject
    made["Date"] = "Mon, 5 Jan 2026 10:00:00 +0100"
    made["Message-ID"] = f"<{subject.replace(' ', '.')}@example.com>"
    made.set_content("Some words, some of them naïve.\n")
    if attached:
        made.add_attachment(
            bytes(attached), maintype="application", subtype="pdf", filename="a.pdf"
        )
    return made.as_bytes().replace(b"\n", b"\r\n")


def own() -> list[bytes]:
    """Messages below and above what is parsed in one go, and what is kept in memory."""
    small = [message(f"n{n}", attached=n * 60_000) for n in range(7)]
    return [*small, message("large", attached=2_000_000), b"", b"no header\r\n\r\n"]


async def deliver(house: House, account: int, *messages: bytes) -> list[int]:
    """File messages as they come in; their emails."""
    found = []
    for data in messages:
        spool = Spool(house.store.incoming)
        spool.write(data)
        made = await prepare(spool)
        spool.close()
        command = Deliver(
            content=made.content,
            rendered=made.rendered,
            filings=(Filing(account=account, prefix=PREFIX),),
            received_at=1_790_000_000,
        )
        filed: tuple[Filed, ...] = (await house.do(command, Delivered, made.descriptor)).filed
        made.close()
        found.append(filed[0].email)
    return found


async def columns(house: House) -> list[Any]:
    """All that rendering makes, and what must not move with it."""
    return await house.rows(
        "SELECT w.*, e.sent_at, e.attachment, e.size, e.thread, e.modseq FROM email_wide w"
        " JOIN email e ON e.id = w.id ORDER BY w.id"
    )


async def lose(house: House, *emails: int) -> None:
    async with house.place.raw() as tx:
        for email in emails:
            await tx.run("DELETE FROM email_wide WHERE id = $1", email)


async def age(house: House, *emails: int) -> None:
    """Have emails look as an older version would have rendered them."""
    async with house.place.raw() as tx:
        for email in emails:
            await tx.run(
                "UPDATE email_wide SET preview = 'old', to_text = 'old', envelope = $1,"
                " bodystructure_utf8 = $1, message_id = NULL, thread_key = NULL WHERE id = $2",
                b"old",
                email,
            )
            await tx.run("UPDATE email SET sent_at = 1, attachment = 5 WHERE id = $1", email)


async def damage(house: House, email: int) -> None:
    """Have the first octets of its content unreadable."""
    await house.damage(
        "UPDATE blob_frame SET data = $1 WHERE id = (SELECT blob FROM email WHERE id = $2) * 4096",
        b"x",
        email,
    )


async def fsck(desk: Desk, **how: Any) -> tuple[Examined, list[Found]]:
    tape = Tape()
    done = await desk.call("store.fsck", Fsck(**how), Examined, tape)
    return done, [msgspec.json.decode(head, type=Found) for head, _ in tape.sent]


async def render(
    desk: Desk, *addresses: str, tape: Tape | None = None
) -> tuple[MailRendered, list[NotRendered]]:
    tape = tape or Tape()
    done = await desk.call("store.render", RenderMail(addresses=addresses), MailRendered, tape)
    return done, [msgspec.json.decode(head, type=NotRendered) for head, _ in tape.sent]


async def opened(served: Served) -> ImapClient:
    client = await served.connect()
    await client.login("ada@example.org", "hash")
    await client.command(b"SELECT INBOX")
    return client


# Lost rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("some", [own, corpora.shapes])
async def test_lost_rows_come_back_as_imap_showed_them(
    house: House, desk: Desk, some: Callable[[], Sequence[bytes]]
) -> None:
    account = await house.account("ada")
    messages = list(some())
    emails = await deliver(house, account, *messages)
    size = (await house.info(inbox(account))).size
    async with serve(house.store) as served:
        before = (await (await opened(served)).command(FETCH)).untagged
        await lose(house, *emails)
        done, found = await fsck(desk)
        assert done.found == len(found) == len(emails)
        assert {(f.kind, f.repairable, f.address) for f in found} == {
            ("email-wide", True, "ada@example.org")
        }
        assert f"not the {len(PREFIX)} octets" in found[0].text
        repaired, _ = await fsck(desk, repair=True)
        assert (repaired.found, repaired.repaired, repaired.remaining) == (
            done.found,
            done.found,
            0,
        )
        after = (await (await opened(served)).command(FETCH)).untagged
        assert [_without_size(one) for one in after] == [_without_size(one) for one in before]
    assert [await house.bytes_of(email) for email in emails] == messages
    assert (await house.info(inbox(account))).size == size - len(emails) * len(PREFIX)
    again, _ = await fsck(desk, repair=True, deep=True)
    assert again.found == 0


def _without_size(line: bytes) -> bytes:
    """The size is that of what is left; everything else stays to the octet."""
    before, _, after = line.partition(b" RFC822.SIZE ")
    return before + after.lstrip(b"0123456789")


async def test_one_repair_puts_right_counters_and_lost_rows(house: House, desk: Desk) -> None:
    """Rendering moves counters along, so these come first; the whole ends clean."""
    account, other = await house.account("ada"), await house.account("bob")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(4)))
    await deliver(house, other, message("of bob"))
    deep = await house.mailbox(account, "deep")
    await house.copy(inbox(account), deep)
    await house.expunge(inbox(account), ((2, 2),))
    await lose(house, *emails[:3])
    async with house.place.raw() as tx:
        for sql in (
            "UPDATE mailbox SET size = 1, messages = 99",
            "UPDATE email SET mailboxes = 7, size = size + 3",
            "UPDATE account_head SET used_bytes = 5",
        ):
            await tx.run(sql)
        await tx.run("DELETE FROM mailbox WHERE id = $1", deep)
    repaired, _ = await fsck(desk, repair=True)
    assert repaired.found > 5
    assert repaired.remaining == 0


async def test_only_the_accounts_named(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    emails = await deliver(house, ada, message()) + await deliver(house, bob, message())
    await lose(house, *emails)
    done, _ = await fsck(desk, repair=True, addresses=("bob@example.org",))
    assert (done.found, done.remaining) == (1, 0)
    done, found = await fsck(desk, repair=True)
    assert (done.found, done.remaining) == (1, 0)
    assert found[0].address == "ada@example.org"


async def test_more_than_are_told_one_by_one(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a number findings are only counted; they are repaired all the same, whoever's they are."""
    monkeypatch.setattr("malleposte.store.fsck.MAX_SAME", 2)
    monkeypatch.setattr("malleposte.operations.store_fsck.LOOK_AT", 2)
    ada, bob = await house.account("ada"), await house.account("bob")
    emails = await deliver(house, ada, *(message(f"n{n}") for n in range(5)))
    emails += await deliver(house, bob, message("of bob"))
    await lose(house, *emails)
    done, _ = await fsck(desk, repair=True)
    assert (done.found, done.remaining) == (3, 0)
    assert await house.value("SELECT count(*) FROM email_wide") == 6


async def test_a_lost_row_of_damaged_content_remains_and_says_why(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    bad, good = await deliver(house, account, message("bad"), message("good"))
    await lose(house, bad, good)
    await damage(house, bad)
    done, found = await fsck(desk, repair=True)
    left = [one for one in found if one.remains and one.kind == "email-wide"]
    assert [one.object for one in left] == [f"email {bad & LOW} of account {account}"]
    assert "cannot be rendered: blob" in left[0].text
    assert not left[0].repairable
    assert done.remaining > 0
    rows = await house.rows("SELECT id FROM email_wide")
    assert [row[0] for row in rows] == [good]


# Another rendering --------------------------------------------------------------------------------


@pytest.mark.parametrize("some", [own, corpora.shapes])
async def test_what_an_older_version_made_is_put_right(
    house: House, desk: Desk, some: Callable[[], Sequence[bytes]]
) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    emails = await deliver(house, ada, *some())
    emails += await deliver(house, bob, message("of bob"))
    await house.expunge(inbox(bob))
    before = await columns(house)
    assert (await render(desk))[0].changed == 0
    of_old = {*emails[::2], emails[-1]}
    await age(house, *of_old)
    assert await columns(house) != before
    done, left = await render(desk)
    assert (done.looked, done.changed, done.restored, done.left_out) == (
        len(emails),
        len(of_old),
        0,
        0,
    )
    assert left == []
    assert await columns(house) == before
    again, _ = await render(desk)
    assert (again.looked, again.changed) == (len(emails), 0)
    lines = [one[4] for one in await desk.audit() if one[1:4:2] == ("store.render", "done")]
    assert [line["changed"] for line in lines] == [0, len(of_old), 0]


async def test_only_the_accounts_named_are_rendered(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    emails = await deliver(house, ada, message()) + await deliver(house, bob, message())
    await age(house, *emails)
    done, _ = await render(desk, "bob@example.org")
    assert (done.looked, done.changed) == (1, 1)
    done, _ = await render(desk, "ada@example.org", "bob@example.org")
    assert (done.looked, done.changed) == (2, 1)
    with pytest.raises(OperationError, match="no account"):
        await render(desk, "ada@example.org", "eve@example.org")


async def test_a_lost_row_differs_too(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    lost, aged, _ = await deliver(house, account, message("a"), message("b"), message("c"))
    await lose(house, lost)
    await age(house, aged)
    done, _ = await render(desk)
    assert (done.looked, done.changed, done.restored) == (3, 2, 1)


async def test_damaged_content_is_named_and_the_rest_goes_on(house: House, desk: Desk) -> None:
    """Its rendering, made when it was whole, stays as it is."""
    account = await house.account("ada")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(5)))
    before = await columns(house)
    await age(house, emails[0], emails[4])
    await damage(house, emails[1])
    await house.damage(
        "UPDATE blob_frame SET data = (SELECT data FROM blob_frame WHERE id ="
        " (SELECT blob FROM email WHERE id = $1) * 4096) WHERE id ="
        " (SELECT blob FROM email WHERE id = $2) * 4096",
        emails[0],
        emails[2],
    )
    await house.damage(
        "DELETE FROM blob WHERE id = (SELECT blob FROM email WHERE id = $1)", emails[3]
    )
    done, left = await render(desk)
    assert (done.looked, done.changed, done.left_out) == (5, 2, 3)
    assert [one.object for one in left] == [
        f"email {email & LOW} of account {account}" for email in emails[1:4]
    ]
    assert {one.address for one in left} == {"ada@example.org"}
    assert ["damaged" in left[0].text, "not what was stored" in left[1].text] == [True, True]
    assert "gone" in left[2].text
    assert await columns(house) == before


# Beside everything else ---------------------------------------------------------------------------


class _Between:
    """A writer and a reader of a store before whose calls something happens, one after the other."""

    def __init__(self, store: Store, before: Callable[[str], Awaitable[None]]) -> None:
        self._store = store
        self._happens = before
        self._lock = asyncio.Lock()
        self.dialect = store.reader.dialect

    def wrapped(self) -> Store:
        return dataclasses.replace(self._store, reader=self, writer=self)

    async def _before(self, what: str) -> None:
        async with self._lock:
            await self._happens(what)

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        await self._before(type(command).__name__)
        return await self._store.writer.submit(command, fd)

    async def rows(self, *args: Any) -> Any:
        await self._before("read")
        return await self._store.reader.rows(*args)

    async def row(self, *args: Any) -> Any:
        await self._before("read")
        return await self._store.reader.row(*args)


async def _purge(house: House, account: int) -> None:
    await house.expunge(inbox(account), until=1)
    await house.do(PurgeRecoverable(), Done)


@pytest.mark.parametrize("moment", ["read", "Render"])
async def test_what_is_purged_meanwhile_is_no_error(house: House, moment: str) -> None:
    account = await house.account("ada")
    emails = await deliver(house, account, message(), message("large", attached=400_000))
    await age(house, *emails)
    happened: list[str] = []

    async def before(what: str) -> None:
        if what == moment and not happened:
            happened.append(what)
            await _purge(house, account)

    desk = Desk(_Between(house.store, before).wrapped())
    renderer = Renderer(desk.store, _never)
    for email in emails:
        await renderer.render(email)
    await renderer.finish()
    assert happened == [moment]
    assert (renderer.changed, renderer.failed) == (0, 0)
    assert await house.rows("SELECT id FROM email_wide") == []


async def _never(email: int, why: str) -> None:
    raise AssertionError(f"{email} was left out: {why}")


async def test_mail_that_comes_and_goes_all_the_time_is_no_error(house: House) -> None:
    account = await house.account("ada")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(20)))
    await age(house, *emails)
    calls = 0

    async def before(what: str) -> None:
        nonlocal calls
        calls += 1
        await deliver(house, account, message(f"new {calls}"))
        uids = await house.uids(inbox(account))
        await house.expunge(inbox(account), ((uids[0], uids[0]),), until=calls % 2 * (1 << 40))
        await house.do(PurgeRecoverable(), Done)

    done, left = await render(Desk(_Between(house.store, before).wrapped()))
    assert left == []
    assert done.looked > 0
    assert await house.value("SELECT count(*) FROM email_wide WHERE preview = 'old'") == 0


async def test_others_have_their_turn_while_a_large_message_is_rendered(house: House) -> None:
    """However little it waits for: frame by frame, and slice by slice of the parser."""
    account = await house.account("ada")
    (email,) = await deliver(house, account, message(attached=3_000_000))
    await age(house, email)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    renderer = Renderer(house.store, _never)
    await renderer.render(email)
    task.cancel()
    assert turns > 3_000_000 // FRAME
    await renderer.finish()
    assert renderer.changed == 1


async def test_many_are_written_together(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.operations.rendering.TOGETHER", 3)
    account = await house.account("ada")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(7)))
    await age(house, *emails)
    waiting: list[int] = []
    renderer = Renderer(house.store, _never)
    for email in emails:
        await renderer.render(email)
        waiting.append(len(renderer._waiting))
    await renderer.finish()
    assert waiting == [1, 2, 0, 1, 2, 0, 1]
    assert renderer.changed == 7


async def test_a_store_that_is_away_ends_it_and_it_is_taken_up_again(house: House) -> None:
    account = await house.account("ada")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(3)))
    before_all = await columns(house)
    await age(house, *emails)
    written = 0

    async def before(what: str) -> None:
        nonlocal written
        written += what == "Render"
        if what == "Render" and written == 2:
            raise TemporaryFailure("gone for a walk")

    with pytest.raises(OperationError, match="gone for a walk") as caught:
        await render(Desk(_Between(house.store, before).wrapped()))
    assert caught.value.kind == "unavailable"
    done, _ = await render(Desk(house.store))
    assert done.changed == 1
    assert await columns(house) == before_all


async def test_what_the_store_can_never_take_is_named_and_the_rest_written(house: House) -> None:
    account = await house.account("ada")
    emails = await deliver(house, account, *(message(f"n{n}") for n in range(3)))
    await age(house, *emails)

    class _Refusing(_Between):
        async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
            if isinstance(command, Render) and command.email == emails[1]:
                raise PermanentFailure("too large")
            return await super().submit(command, fd)

    async def before(what: str) -> None:
        return

    done, left = await render(Desk(_Refusing(house.store, before).wrapped()))
    assert (done.changed, done.left_out) == (2, 1)
    assert left[0].text == "too large"


async def test_a_rendering_nobody_waits_for_ends(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await deliver(house, account, message())
    with pytest.raises(OperationError, match="went away"):
        await render(desk, tape=Tape(gone=True))
    await lose(house, *await deliver(house, account, message("lost")))
    with pytest.raises(OperationError, match="went away"):
        await desk.call("store.fsck", Fsck(repair=True), Examined, Tape(gone=True))
    house.damaged = True


async def test_progress_is_told(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await deliver(house, account, *(message(f"n{n}") for n in range(3)))
    await house.expunge(inbox(account), ((1, 1),))
    tape = Tape()
    await render(desk, tape=tape)
    assert tape.reports == [(n, 3, "rendering") for n in (1, 2, 3)]
