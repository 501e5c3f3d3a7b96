"""A store under test: where it lives, and short ways to fill it and to ask it."""

import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from malleposte.store import Store, alone, cluster, content
from malleposte.store.commands import (
    SYSTEM,
    AnyCommand,
    Append,
    Content,
    Copy,
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    Deliver,
    Expunge,
    Filing,
    Ranges,
    Rendered,
    SetRights,
    StoreFlags,
)
from malleposte.store.dialect import Dialect, Row, Sql, Tx
from malleposte.store.fsck import Finding, check
from malleposte.store.ids import LOW
from malleposte.store.postgres import PostgresTx
from malleposte.store.read import emails, mailboxes
from malleposte.store.results import (
    AnyResult,
    Appended,
    Copied,
    Created,
    Delivered,
    Done,
    Expunged,
    Filed,
    Refused,
    Stored,
)
from malleposte.store.sqlite import Sqlite

T = TypeVar("T")
ALL: Ranges = ((1, 0xFFFFFFFF),)
_numbers = itertools.count(1)


class Clock:
    """The store's time: runs with the real one until ``stop``; ``turn`` moves it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._stopped: float | None = None

    def time(self) -> float:
        now = time.time() if self._stopped is None else self._stopped
        return now + self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    def stop(self) -> int:
        """Stand still from now on; what it shows."""
        self._stopped = time.time()
        return int(self.time())

    def turn(self, seconds: float) -> None:
        """Move forward, or back."""
        self._offset += seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store lives: on SQLite in ``folder``, or on PostgreSQL at ``dsn``."""

    folder: Path
    dsn: str = ""

    @property
    def dialect(self) -> Dialect:
        return "postgres" if self.dsn else "sqlite"

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.folder / "store.db"

    def open(self) -> AbstractAsyncContextManager[Store]:
        """The store, opened as a command line would that is alone with it."""
        if self.dsn:
            return cluster(self.dsn, self.folder, size=4)
        return alone(self.folder)

    @contextlib.asynccontextmanager
    async def raw(self, *, keep: bool = True) -> AsyncIterator[Tx]:
        """A transaction past all commands, to do damage; foreign keys and triggers are asleep.

        ``keep``: committed at the end.
        """
        if self.dsn:
            connection = await asyncpg.connect(self.dsn)
            try:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("SET LOCAL session_replication_role = replica")
                yield PostgresTx(connection)
                await (transaction.commit() if keep else transaction.rollback())
            finally:
                await connection.close()
        else:
            db = Sqlite(self.database, writable=True)
            try:
                db.connection.execute("PRAGMA foreign_keys = OFF")
                db.begin()
                yield db
                if keep:
                    db.commit()
                else:
                    db.rollback()
            finally:
                db.close()


def rendered(
    *,
    subject: str = "Hello",
    message_id: str | None = None,
    references: tuple[str, ...] = (),
) -> Rendered:
    """What ``mime`` would have made of a message, as far as the store minds."""
    own = (message_id,) if message_id is not None else ()
    return Rendered(
        structure=b"structure",
        envelope=b"envelope",
        bodystructure=b"bodystructure",
        envelope_utf8=None,
        bodystructure_utf8=None,
        preview="preview",
        subject=subject,
        base_subject=subject.removeprefix("Re: ").lower(),
        from_text="Ada <ada@example.com>",
        to_text="bob@example.org",
        cc_text="",
        bcc_text="",
        message_id=message_id,
        thread_ids=(*references, *own),
        sent_at=None,
        attachment=False,
    )


def small(data: bytes | None = None) -> Content:
    """Content that no other call gave, or that of some bytes."""
    return content.in_rows(b"message %d" % next(_numbers) if data is None else data)


def deliver(
    *accounts: int,
    data: bytes | None = None,
    mailbox: int = 0,
    flags: int = 0,
    keywords: tuple[str, ...] = (),
    prefix: bytes = b"",
    exempt: bool = False,
    one_answer: bool = False,
    grace: int = 0,
    about: Rendered | None = None,
    what: Content | None = None,
    trace_id: int = 0,
) -> Deliver:
    """A delivery to accounts, the same for each."""
    return Deliver(
        content=what or small(data),
        rendered=about or rendered(message_id=f"{next(_numbers)}@example.com"),
        filings=tuple(
            Filing(
                account=account,
                mailbox=mailbox,
                prefix=prefix,
                flags=flags,
                keywords=keywords,
                exempt=exempt,
            )
            for account in accounts
        ),
        received_at=1_790_000_000,
        grace=grace,
        trace_id=trace_id,
        one_answer=one_answer,
    )


def append(
    mailbox: int,
    *,
    actor: int = SYSTEM,
    data: bytes | None = None,
    flags: int = 0,
    keywords: tuple[str, ...] = (),
    deleted: bool = False,
    about: Rendered | None = None,
) -> Append:
    """An APPEND."""
    return Append(
        actor=actor,
        mailbox=mailbox,
        content=small(data),
        rendered=about or rendered(message_id=f"{next(_numbers)}@example.com"),
        received_at=1_790_000_000,
        flags=flags,
        keywords=keywords,
        deleted=deleted,
    )


def inbox(account: int) -> int:
    """An account's INBOX."""
    return account << 32 | 1


class House:
    """An open store and short ways to use it. ``damaged``: no fsck after the test."""

    def __init__(self, store: Store, place: Place, clock: Clock) -> None:
        self.store = store
        self.place = place
        self.clock = clock
        self.damaged = False

    async def do(self, command: AnyCommand, kind: type[T], fd: int | None = None) -> T:
        """Execute a command whose answer must be of a kind."""
        answer: AnyResult = await self.store.submit(command, fd)
        assert isinstance(answer, kind), answer
        return answer

    async def refused(self, command: AnyCommand) -> str:
        """Execute a command that must be refused, and must change nothing; the reason."""
        before = await self.snapshot()
        answer = await self.do(command, Refused)
        assert await self.snapshot() == before, "a refused command changed something"
        return answer.reason

    async def snapshot(self) -> dict[str, list[Row]]:
        """What a refused command must leave alone."""
        tables = {
            "account_head": "account, modseq, next_email, next_mailbox, next_thread, uidvalidity,"
            " used_bytes, used_emails",
            "mailbox": "id, parent, name, modseq, message_modseq, messages, uidnext, subscribed",
            "email": "id, modseq, flags, keywords, mailboxes",
            "membership": "mailbox, uid, email, deleted",
            "keyword": "account, name",
            "subscription": "account, name, mailbox, given",
            "account": "id, address, status, credential_version, internal, forward",
            "address": "address, kind",
            "address_target": "address, account, remote",
            "domain": "id, name, alias_of, relay, forwarding",
            "organisation": "id, forwarding",
            "forward": "account, address",
            "mail_group": "address, name, senders, archive",
            "group_member": "mail_group, account, address, member, owner",
            "credential": "account, id, hash",
            "role_grant": "account, role",
            "mailbox_right": "mailbox, grantee, letters",
            "share_notification": "account, n, gone",
            "recoverable": "email, until",
            "reader_seen": "email, reader, seen",
            "upload": "account, id",
            "gone_mailbox": "id, path, role",
            "annotation": "account, mailbox, reader, name, value",
            "contact_head": "account, books, cards, number, octets, next",
            "address_book": "id, modseq, contents, shared, preferred, path, name",
            "address_book_right": "book, grantee, letters",
            "card": "id, modseq, uid",
            "card_place": "book, card, modseq, gone, path",
            "job": "id, kind, key",
            "queue_message": "id, held",
            "queue_recipient": "message, n, address, route, state, due_at, attempts",
            "queue_route": "route, due_at, closed_until, failures",
        }
        return {
            table: sorted(await self.rows(f"SELECT {columns} FROM {table}"), key=repr)
            for table, columns in tables.items()
        }

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """Rows of a statement."""
        return await self.store.reader.rows(sql, *parameters)

    async def value(self, sql: str, *parameters: Any) -> Any:
        """The one value of a statement."""
        row = await self.store.reader.row(sql, *parameters)
        assert row is not None, sql
        return row[0]

    # Filling --------------------------------------------------------------------------------------

    async def domain(self, name: str) -> int:
        """A domain's id, newly made."""
        return (await self.do(CreateDomain(name=name), Created)).id

    async def account(self, name: str = "", *, quota: int = 0, role: str = "") -> int:
        """An account's id, newly made."""
        address = f"{name or f'user{next(_numbers)}'}@example.org"
        command = CreateAccount(
            address=address, name="", password_hash="$hash", quota_bytes=quota, role=role
        )
        return (await self.do(command, Created)).id

    async def mailbox(self, account: int, *path: str, parent: int = 0) -> int:
        """A mailbox's id, newly made."""
        command = CreateMailbox(actor=account, account=account, parent=parent, path=path)
        return (await self.do(command, Created)).id

    async def standard(self, account: int, role: str) -> int:
        """The mailbox an account was made with."""
        return int(
            await self.value(
                "SELECT id FROM mailbox WHERE account = $1 AND role = $2", account, role
            )
        )

    async def deliver(self, account: int, **how: Any) -> Filed:
        """Deliver one message to one account."""
        (filed,) = (await self.do(deliver(account, **how), Delivered)).filed
        assert not filed.refused, filed
        return filed

    async def fill(self, account: int, count: int, mailbox: int = 0) -> list[Filed]:
        """Deliver some messages."""
        return [await self.deliver(account, mailbox=mailbox) for _ in range(count)]

    async def append(self, mailbox: int, **how: Any) -> Appended:
        """Append one message."""
        return await self.do(append(mailbox, **how), Appended)

    async def flag(
        self, mailbox: int, uids: Ranges = ALL, mode: str = "+", *, actor: int = SYSTEM, **how: Any
    ) -> Stored:
        """Change flags."""
        command = StoreFlags(actor=actor, mailbox=mailbox, uids=uids, mode=mode, **how)
        return await self.do(command, Stored)

    async def expunge(
        self, mailbox: int, uids: Ranges = ALL, *, marked: bool = False, until: int | None = None
    ) -> Expunged:
        """Expunge; recoverable for two weeks unless told otherwise."""
        if until is None:
            until = int(self.clock.time()) + 14 * 86_400
        command = Expunge(
            actor=SYSTEM, mailbox=mailbox, uids=uids, marked=marked, recoverable_until=until
        )
        return await self.do(command, Expunged)

    async def copy(
        self,
        source: int,
        target: int,
        uids: Ranges = ALL,
        *,
        move: bool = False,
        actor: int = SYSTEM,
    ) -> Copied:
        """Copy or move."""
        command = Copy(actor=actor, mailbox=source, uids=uids, target=target, move=move)
        return await self.do(command, Copied)

    async def grant(self, mailbox: int, grantee: int, letters: str) -> None:
        """Give rights on a mailbox."""
        command = SetRights(actor=SYSTEM, mailbox=mailbox, grantee=grantee, letters=letters)
        await self.do(command, Done)

    # Asking ---------------------------------------------------------------------------------------

    async def info(self, mailbox: int) -> mailboxes.Mailbox:
        """A mailbox's row."""
        found = await mailboxes.mailbox(self.store.reader, mailbox)
        assert found is not None
        return found

    async def uids(self, mailbox: int) -> list[int]:
        """UIDs of a mailbox."""
        rows = await self.rows(
            "SELECT uid FROM membership WHERE mailbox = $1 ORDER BY uid", mailbox
        )
        return [row[0] for row in rows]

    async def email(self, mailbox: int, uid: int) -> dict[str, Any]:
        """Narrow columns of the email at a UID."""
        names = "id, modseq, flags, keywords, thread, blob, size, mailboxes, received_at"
        row = await self.store.reader.row(
            f"SELECT {names}, deleted FROM membership JOIN email ON id = email"
            " WHERE mailbox = $1 AND uid = $2",
            mailbox,
            uid,
        )
        assert row is not None, f"no UID {uid} in mailbox {mailbox & LOW}"
        return dict(zip([*names.split(", "), "deleted"], row, strict=True))

    async def bytes_of(self, email: int) -> bytes:
        """An email's octets."""
        stored = await emails.stored_by_id(self.store.reader, email)
        assert stored is not None
        pieces = emails.read(self.store.reader, self.store.blobs, stored, 0, stored.size)
        return b"".join([piece async for piece in pieces])

    async def tombstones(self, account: int, kind: str) -> list[tuple[int, int, int, int]]:
        """(container, modseq, first, last) in order."""
        rows = await self.rows(
            "SELECT container, modseq, first, last FROM tombstone WHERE account = $1 AND kind = $2"
            " ORDER BY container, modseq, first",
            account,
            kind,
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def fsck(self, *, deep: bool = True) -> list[Finding]:
        """What fsck finds."""
        return [finding async for finding in check(self.store.reader, self.store.blobs, deep=deep)]

    async def attempt(self, sql: str) -> None:
        """Run a statement past all commands, with the database's own guards awake."""
        if self.place.dsn:
            connection = await asyncpg.connect(self.place.dsn)
            try:
                await connection.execute(sql)
            finally:
                await connection.close()
        else:
            async with self.place.raw() as tx:
                await tx.run(sql)

    async def reset_sequence(self, name: str) -> None:
        """Have PostgreSQL give out numbers again."""
        self.damaged = True
        await self.attempt(f"ALTER SEQUENCE seq_{name} RESTART")

    def trial(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction to do damage in, given up at the end."""
        return self.place.raw(keep=False)

    async def damage(self, sql: str | Sql, *parameters: Any) -> None:
        """Change rows past all commands."""
        self.damaged = True
        async with self.place.raw() as tx:
            await tx.run(sql, *parameters)
