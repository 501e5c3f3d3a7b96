"""The store beside a model: any sequence of commands, alone or many in a transaction, on both databases.

After each step every answer is the model's, every mailbox has the model's numbers, every view shows what
the model holds, and a watcher that knows only what it was told shows the same. No (mailbox, UIDVALIDITY,
UID) ever names another message, whatever is renamed, made anew, or put back from a copy of the file. At
the end fsck finds nothing.
"""

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from malleposte.store import Store
from malleposte.store.batch import Submission, decode_result
from malleposte.store.commands import (
    AnyCommand,
    Append,
    AppendAll,
    ChangeEmails,
    ClaimRecent,
    Content,
    Copy,
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    DeleteMailbox,
    Deliver,
    EmailChange,
    Enclosed,
    Expunge,
    Filing,
    PutContent,
    Ranges,
    Recover,
    RenameMailbox,
    Render,
    Replace,
    SetMailbox,
    StoreFlags,
    Subscribe,
    SweepMailbox,
)
from malleposte.store.committer import Committer
from malleposte.store.content import in_rows
from malleposte.store.fsck import check
from malleposte.store.ids import LOW
from malleposte.store.messages import Messages
from malleposte.store.postgres_writer import PostgresWriter
from malleposte.store.read import mailboxes as read
from malleposte.store.results import AnyResult, Created, Done, Refused
from malleposte.store.view import View
from property.store.model import Account, Box, Model
from support.postgres import Server
from support.store import Clock, Place, rendered

KEEP = 1 << 40
"""Until when expunged emails are recoverable: always."""

AT_ONCE = 1
"""Messages that go with their mailbox in these runs."""

pick = st.integers(0, 1 << 20)
"""An index into whatever there is at that time."""
bits = st.sampled_from([0, 0, 0, 0, 1, 1, 5, 8, 1 << 8])
keywords = st.just(frozenset[str]()) | st.frozensets(
    st.sampled_from(["a", "b", "$c", "work"]), max_size=2
)
names = st.sampled_from(["x", "y", "z", "Sent", "INBOX"])
chosen = st.just("all") | st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=3
)
"""All UIDs, or ranges of them counted from UIDNEXT back."""


class Client:
    """What a session knows of a mailbox: what it was told, and the new messages it then read."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.flags = self._read(0)
        self.gone = False
        view.watchers.add(self)

    def _read(self, after: int) -> dict[int, Any]:
        view = self.view
        return {uid: view.flags_at(at) for at, uid in enumerate(view.uids) if uid > after}

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        assert expunged or flagged or grown, "told of nothing"
        last = max(self.flags, default=0)
        for uid, _ in expunged:
            del self.flags[uid]
        for uid in flagged:
            position = self.view.position(uid)
            assert position is not None
            assert uid in self.flags, "told of flags of a message it does not know"
            self.flags[uid] = self.view.flags_at(position)
        new = self._read(last)
        assert bool(new) == grown
        self.flags.update(new)

    def view_gone(self) -> None:
        self.gone = True


class Machine(RuleBasedStateMachine):
    """See the module. ``place`` is made anew for each run."""

    places: Iterator[Place]
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = next(self.places)
        self.clock.stop()
        self.model = Model(now=0, at_once=AT_ONCE)
        self.queue: list[tuple[AnyCommand, AnyResult]] = []
        self.together = 1
        self.seq = 0
        self.identities = 0
        self.history: dict[tuple[str, int, int], int] = {}
        self.validities: dict[int, set[int]] = {}
        self.clients: dict[int, Client] = {}
        self.lazy: dict[int, Client] = {}
        self.copies: list[tuple[Path, Model]] = []
        self._context: AbstractAsyncContextManager[Store] | None = None
        self.store: Store
        self.open()

    # The store --------------------------------------------------------------------------------

    def open(self) -> None:
        self._context = self.place.open()
        self.store = self.runner.run(self._context.__aenter__())
        self.clients = {}
        self.lazy = {}

    def close(self) -> None:
        if self._context is not None:
            self.runner.run(self._context.__aexit__(None, None, None))
            self._context = None

    @initialize()
    def fill(self) -> None:
        async def make() -> list[int]:
            await self.store.submit(CreateDomain(name="example.org"))
            found = []
            for n in range(2):
                command = CreateAccount(address=f"u{n}@example.org", name="", password_hash="")
                made = await self.store.submit(command)
                assert isinstance(made, Created)
                found.append(made.id)
            return found

        for number in self.runner.run(make()):
            self.model.accounts[number] = self.runner.run(self.learn(number))

    async def learn(self, number: int) -> Account:
        """A new account as the store has it: the one thing the model does not foretell."""
        row = await self.store.reader.row(
            "SELECT modseq, next_email, next_mailbox, uidvalidity FROM account_head"
            " WHERE account = $1",
            number,
        )
        assert row is not None
        account = Account(number, *row)
        for box in await read.mailboxes(self.store.reader, number):
            account.boxes[box.id] = Box(
                box.id, box.parent, box.name, box.uidvalidity, box.subscribed, box.message_modseq
            )
        return account

    def do(self, command: AnyCommand, expected: AnyResult) -> None:
        """Queue a command; execute what waits when it is enough."""
        self.queue.append((command, expected))
        if len(self.queue) >= self.together:
            self.execute()

    def execute(self) -> None:
        queue, self.queue = self.queue, []
        if not queue:
            return
        answers = self.runner.run(self.apply([command for command, _ in queue]))
        for (command, expected), answer in zip(queue, answers, strict=True):
            if isinstance(expected, Refused):
                assert isinstance(answer, Refused), command
                assert answer.reason == expected.reason
            elif isinstance(command, PutContent):
                # Whether the content was there already is no business of the model's.
                assert isinstance(answer, Done), command
            else:
                assert answer == expected, command

    async def apply(self, commands: list[AnyCommand]) -> list[AnyResult]:
        """Execute commands in one transaction."""
        submissions = []
        for command in commands:
            self.seq += 1
            submissions.append(Submission(99, self.seq, command))
        writer = self.store.writer
        if isinstance(writer, PostgresWriter):
            loop = asyncio.get_running_loop()
            futures: list[asyncio.Future[AnyResult]] = [loop.create_future() for _ in commands]
            await writer._settle([(s, f, 1e12) for s, f in zip(submissions, futures, strict=True)])
            return [future.result() for future in futures]
        committer: Committer = writer._committer  # type: ignore[attr-defined]
        answers = committer.apply(submissions)
        failed = [answer for answer in answers if not isinstance(answer, bytes)]
        assert failed == []
        return [decode_result(answer) for answer in answers if isinstance(answer, bytes)]

    # Choices ----------------------------------------------------------------------------------

    def account(self, at: int) -> Account:
        accounts = list(self.model.accounts.values())
        return accounts[at % len(accounts)]

    def any_box(self, at: int) -> Box:
        boxes = [b for a in self.model.accounts.values() for b in a.boxes.values()]
        # Mostly the few where something happens.
        boxes.sort(key=lambda b: (-len(b.messages), b.id))
        return boxes[min(at % 7, at % len(boxes))]

    def box_of(self, account: Account, at: int) -> Box:
        return list(account.boxes.values())[at % len(account.boxes)]

    def now(self) -> int:
        self.model.now = int(self.clock.time())
        return self.model.now

    def uids(self, box: Box, which: Any) -> Ranges:
        if which == "all":
            return ((1, LOW),)
        starts = [(max(1, box.uidnext - back), length) for back, length in which]
        return tuple((first, first + length) for first, length in starts)

    def message(self, same: int) -> tuple[int, Any]:
        """(identity, content): few contents, so that many messages share one."""
        self.identities += 1
        return self.identities, in_rows(b"content %d" % (same % 3))

    # Rules ------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 6))
    def batch(self, count: int) -> None:
        """From now on this many commands share a transaction."""
        self.together = count

    @rule(
        count=st.integers(1, 3),
        a=pick,
        b=st.integers(0, 3),
        c=pick,
        flags=bits,
        words=keywords,
        both=st.booleans(),
        exempt=st.booleans(),
    )
    def deliver(
        self,
        count: int,
        a: int,
        b: int,
        c: int,
        flags: int,
        words: frozenset[str],
        both: bool,
        exempt: bool,
    ) -> None:
        for n in range(count):
            self.deliver_one(a, b, c, c + n, flags, words, both, exempt)

    def deliver_one(
        self,
        a: int,
        b: int,
        c: int,
        same: int,
        flags: int,
        words: frozenset[str],
        both: bool,
        exempt: bool,
    ) -> None:
        identity, content = self.message(same)
        prefix = b"Id: %d\r\n" % identity
        one = self.account(a)
        targets = [(one.id, self.box_of(one, b).id)]
        if both:
            other = self.account(a + 1)
            targets.append((other.id, c % 9 if c % 3 else 0))  # 0, or one that is not there
        command = Deliver(
            content=content,
            rendered=rendered(message_id=f"{identity}@example.com"),
            filings=tuple(
                Filing(
                    account=account,
                    mailbox=mailbox,
                    prefix=prefix,
                    flags=flags,
                    keywords=tuple(words),
                    exempt=exempt,
                )
                for account, mailbox in targets
            ),
            received_at=1,
        )
        sizes = content.size + len(prefix), content.size
        self.do(command, self.model.deliver(targets, identity, sizes, flags, words, exempt))

    @rule(
        a=pick,
        same=pick,
        flags=bits,
        words=keywords,
        deleted=st.booleans(),
        others=st.just(set[int]()) | st.sets(st.integers(0, 4), max_size=2),
    )
    def append(
        self,
        a: int,
        same: int,
        flags: int,
        words: frozenset[str],
        deleted: bool,
        others: set[int],
    ) -> None:
        identity, content = self.message(same)
        box = self.any_box(a)
        account = self.model.accounts[box.id >> 32]
        named = {self.box_of(account, one).id for one in others} - {box.id}
        also = tuple(sorted(named))
        command = Append(
            actor=box.id >> 32,
            mailbox=box.id,
            content=content,
            rendered=rendered(message_id=f"{identity}@example.com"),
            received_at=1,
            flags=flags,
            keywords=tuple(words),
            deleted=deleted,
            also=also,
        )
        expected = self.model.append(box.id, identity, content.size, flags, words, deleted, also)
        self.do(command, expected)

    @rule(
        a=pick,
        many=st.lists(
            st.tuples(pick, bits, keywords, st.booleans(), st.booleans()), min_size=2, max_size=4
        ),
    )
    def append_all(self, a: int, many: list[tuple[int, int, frozenset[str], bool, bool]]) -> None:
        """Some of the content is put before, as what does not fit into a command is."""
        box = self.any_box(a)
        expected, enclosed = [], []
        for same, flags, words, deleted, before in many:
            identity, content = self.message(same)
            if before:
                self.do(PutContent(account=box.id >> 32, content=content), Done())
                content = Content(digest=content.digest, size=content.size)
            expected.append((identity, content.size, flags, words, deleted))
            enclosed.append(
                Enclosed(
                    content=content,
                    rendered=rendered(message_id=f"{identity}@example.com"),
                    received_at=1,
                    flags=flags,
                    keywords=tuple(words),
                    deleted=deleted,
                )
            )
        command = AppendAll(actor=box.id >> 32, mailbox=box.id, messages=tuple(enclosed))
        self.do(command, self.model.append_all(box.id, expected))

    @rule(a=pick, b=pick, back=st.integers(0, 4), same=pick, flags=bits, words=keywords)
    def replace(
        self, a: int, b: int, back: int, same: int, flags: int, words: frozenset[str]
    ) -> None:
        source = self.any_box(a)
        account = self.model.accounts[source.id >> 32]
        target = self.box_of(account, b) if b % 4 else self.any_box(b)
        uid = max(1, source.uidnext - back)
        identity, content = self.message(same)
        command = Replace(
            actor=0,
            mailbox=target.id,
            content=content,
            rendered=rendered(message_id=f"{identity}@example.com"),
            received_at=1,
            flags=flags,
            keywords=tuple(words),
            source=source.id,
            uid=uid,
            recoverable_until=KEEP,
        )
        message = identity, content.size, flags, words, False
        self.do(command, self.model.replace(source.id, uid, target.id, message))

    @rule(
        a=pick,
        which=chosen,
        mode=st.sampled_from("++-="),
        flags=bits,
        words=keywords,
        deleted=st.booleans(),
        since=st.none() | st.integers(0, 8),
    )
    def store_flags(
        self,
        a: int,
        which: Any,
        mode: str,
        flags: int,
        words: frozenset[str],
        deleted: bool,
        since: int | None,
    ) -> None:
        box = self.any_box(a)
        uids = self.uids(box, which)
        if since is not None:
            since = self.model.accounts[box.id >> 32].modseq - since
        command = StoreFlags(
            actor=0,
            mailbox=box.id,
            uids=uids,
            mode=mode,
            flags=flags,
            keywords=tuple(words),
            deleted=deleted,
            unchanged_since=since,
        )
        self.do(command, self.model.store_flags(box.id, uids, mode, flags, words, deleted, since))

    @rule(a=pick, which=chosen, marked=st.booleans())
    def expunge(self, a: int, which: Any, marked: bool) -> None:
        box = self.any_box(a)
        uids = self.uids(box, which)
        command = Expunge(actor=0, mailbox=box.id, uids=uids, marked=marked, recoverable_until=KEEP)
        self.do(command, self.model.expunge(box.id, uids, marked))

    @rule(a=pick, b=pick, which=chosen, move=st.booleans())
    def copy(self, a: int, b: int, which: Any, move: bool) -> None:
        source = self.any_box(a)
        account = self.model.accounts[source.id >> 32]
        target = self.box_of(account, b) if b % 4 else self.any_box(b)
        uids = self.uids(source, which)
        move = move and source.id >> 32 == target.id >> 32
        command = Copy(actor=0, mailbox=source.id, uids=uids, target=target.id, move=move)
        self.do(command, self.model.copy(source.id, target.id, uids, move))

    @rule(
        a=pick,
        which=st.lists(st.integers(0, 9), min_size=1, max_size=4),
        what=st.sampled_from(["flags", "flags", "mailboxes", "mailboxes", "destroy", "forget"]),
        flags=st.tuples(bits, bits),
        words=st.tuples(keywords, keywords),
        boxes=st.tuples(st.sets(st.integers(0, 4), max_size=2), st.sets(st.integers(0, 4))),
        only=st.booleans(),
    )
    def change(
        self,
        a: int,
        which: list[int],
        what: str,
        flags: tuple[int, int],
        words: tuple[frozenset[str], frozenset[str]],
        boxes: tuple[set[int], set[int]],
        only: bool,
    ) -> None:
        """By id, as JMAP does; also what is in no mailbox, or was never there."""
        account = self.model.accounts[self.any_box(a).id >> 32]
        there = [*account.emails, account.inbox + 500]
        how: dict[str, Any] = {"destroy": True, "recoverable_until": KEEP}
        if what == "forget":
            how["recoverable_until"] = 0
        elif what != "destroy":
            how = {
                "set_flags": flags[0],
                "clear_flags": flags[1] & ~flags[0],
                "set_words": tuple(sorted(words[0])),
                "clear_words": tuple(sorted(words[1] - words[0])),
                "only_flags": only,
            }
        if what == "mailboxes":
            enter, leave = [{self.box_of(account, n).id for n in some} for some in boxes]
            how |= {
                "enter": tuple(sorted(enter)),
                "leave": tuple(sorted(leave)),
                "only_mailboxes": only and bool(enter),
            }
        emails = tuple(dict.fromkeys(there[n % len(there)] for n in which))
        change = EmailChange(emails=emails, **how)
        command = ChangeEmails(actor=account.id, account=account.id, changes=(change,))
        self.do(command, self.model.change(account.id, change))

    @rule(a=pick, back=st.integers(-2, 3))
    def claim(self, a: int, back: int) -> None:
        """What is recent: up to some UID, perhaps one that is not there yet."""
        box = self.any_box(a)
        upto = max(1, box.uidnext - 1 - back)
        command = ClaimRecent(actor=box.id >> 32, mailbox=box.id, upto=upto)
        self.do(command, self.model.claim(box.id, upto))

    @rule(a=pick, b=pick, which=st.sets(st.integers(0, 5)))
    def recover(self, a: int, b: int, which: set[int]) -> None:
        accounts = [account for account in self.model.accounts.values() if account.recoverable]
        account = accounts[a % len(accounts)] if accounts else self.account(a)
        target = self.box_of(account, b)
        gone = account.recoverable
        emails = [gone[n % len(gone)] for n in which] if gone else [account.inbox + 500]
        command = Recover(actor=0, target=target.id, emails=tuple(emails))
        self.do(command, self.model.recover(target.id, emails))

    @rule(a=pick, b=pick, lost=st.booleans())
    def render(self, a: int, b: int, lost: bool) -> None:
        """Anew, or again after its row was lost."""
        account = self.account(a)
        if not account.emails:
            return
        self.execute()
        email = list(account.emails)[b % len(account.emails)]
        blob = self.runner.run(self.lose(email, lost))
        command = Render(email=email, blob=blob, rendered=rendered(subject="Rendered anew"))
        self.do(command, self.model.render(email, lost))

    async def lose(self, email: int, lost: bool) -> int:
        if lost:
            async with self.place.raw() as tx:
                await tx.run("DELETE FROM email_wide WHERE id = $1", email)
        row = await self.store.reader.row("SELECT blob FROM email WHERE id = $1", email)
        assert row is not None
        return int(row[0])

    @rule(
        what=st.sampled_from(["create", "create", "rename", "set", "delete", "sweep", "subscribe"]),
        a=pick,
        b=pick,
        path=st.lists(names, min_size=1, max_size=2),
        on=st.booleans(),
    )
    def mailboxes(self, what: str, a: int, b: int, path: list[str], on: bool) -> None:
        """Once in a while something with the mailboxes themselves."""
        if what == "create":
            self.create(a, b, path, on)
        elif what == "rename":
            self.rename(a, b, path[0])
        elif what == "set":
            self.set(a, b, path[0], on)
        elif what == "delete":
            self.delete(a)
        elif what == "sweep":
            self.sweep(a, 1 + b % 3)
        else:
            self.subscribe(a, b, path[0], on)

    def create(self, a: int, b: int, path: list[str], on: bool) -> None:
        account = self.account(a)
        parent = self.box_of(account, b).id if b % 2 else 0
        command = CreateMailbox(
            actor=0, account=account.id, parent=parent, path=tuple(path), subscribe=on
        )
        self.now()
        self.do(command, self.model.create(account.id, parent, tuple(path), on))

    def rename(self, a: int, b: int, name: str) -> None:
        box = self.any_box(a)
        account = self.model.accounts[box.id >> 32]
        parent = self.box_of(account, b).id if b % 2 else 0
        if not parent and name == "INBOX" and box.id != account.inbox:
            return
        command = RenameMailbox(actor=0, mailbox=box.id, parent=parent, path=(name,))
        self.do(command, self.model.rename(box.id, parent, name))

    def set(self, a: int, b: int, name: str, on: bool) -> None:
        """Name, place and subscription in one command."""
        box = self.any_box(a)
        account = self.model.accounts[box.id >> 32]
        parent = self.box_of(account, b).id if b % 2 else 0
        if not parent and name == "INBOX" and box.id != account.inbox:
            return
        command = SetMailbox(
            actor=0, account=account.id, mailbox=box.id, parent=parent, name=name, subscribed=on
        )
        self.do(command, self.model.set(box.id, parent, name, on))

    def delete(self, a: int) -> None:
        box = self.any_box(a)
        command = DeleteMailbox(actor=0, mailbox=box.id, recoverable_until=KEEP)
        self.do(command, self.model.delete(box.id))

    def sweep(self, a: int, limit: int) -> None:
        """Of a deleted mailbox; where there is none, of one that is there, which does nothing."""
        deleted = [mailbox for one in self.model.accounts.values() for mailbox in one.unswept]
        mailbox = deleted[a % len(deleted)] if deleted else self.any_box(a).id
        self.do(SweepMailbox(mailbox=mailbox, limit=limit), self.model.sweep(mailbox, limit))

    def subscribe(self, a: int, b: int, name: str, on: bool) -> None:
        account = self.account(a)
        box = self.box_of(account, b) if b % 2 else account.child(0, name)
        mailbox = box.id if box else 0
        command = Subscribe(account=account.id, name=name, mailbox=mailbox, subscribed=on)
        self.do(command, self.model.subscribe(account.id, mailbox, name, on))

    @rule(
        what=st.sampled_from(["look", "look", "look", "turn", "reopen", "copy", "restore"]),
        seconds=st.sampled_from([1, 60, -3600]),
        which=pick,
    )
    def around(self, what: str, seconds: int, which: int) -> None:
        """Once in a while something with the store as a whole."""
        self.execute()
        if what == "look":
            # The sessions that look seldom do now.
            self.compare(self.lazy)
        elif what == "turn":
            self.clock.turn(seconds)
        elif what == "reopen" or self.place.dsn:
            self.close()
            self.open()
        elif what == "copy" or not self.copies:
            self.make_a_copy()
        else:
            self.put_a_copy_back(which)

    def make_a_copy(self) -> None:
        """Of the database file, as a backup does it."""
        committer: Committer = self.store.writer._committer  # type: ignore[attr-defined]
        committer.db.checkpoint(truncate=True)
        path = self.place.folder / f"copy-{len(self.copies)}"
        shutil.copy(self.place.database, path)
        self.copies.append((path, copy.deepcopy(self.model)))

    def put_a_copy_back(self, which: int) -> None:
        self.close()
        path, model = self.copies[which % len(self.copies)]
        shutil.copy(path, self.place.database)
        committer = Committer(self.place.folder)
        restored = committer.restored
        committer.close()
        self.open()
        self.model = copy.deepcopy(model)
        for account in self.model.accounts.values():
            self.runner.run(self.learn_renewed(account, restored=restored))

    async def learn_renewed(self, account: Account, *, restored: bool) -> None:
        """Numbers leapt; nothing else may have changed. Not noticed only where nothing came since."""
        fresh = await self.learn(account.id)
        if restored:
            assert fresh.modseq > account.modseq
            assert fresh.next_email > account.next_email
            account.modseq, account.next_email = fresh.modseq, fresh.next_email
            account.next_mailbox, account.uidvalidity = fresh.next_mailbox, fresh.uidvalidity
            for box in fresh.boxes.values():
                assert box.uidvalidity not in self.validities[account.id]
                account.boxes[box.id].uidvalidity = box.uidvalidity
                account.boxes[box.id].highest = box.highest
        else:
            assert (fresh.modseq, fresh.next_email) == (account.modseq, account.next_email)

    # What must hold ---------------------------------------------------------------------------

    @invariant()
    def agree(self) -> None:
        if not self.model.accounts or self.queue:
            return
        for account in self.model.accounts.values():
            self.runner.run(self.agree_on(account))
        self.compare(self.clients)

    async def agree_on(self, account: Account) -> None:
        reader = self.store.reader
        seen = self.validities.setdefault(account.id, set())
        for box in await read.mailboxes(reader, account.id):
            ours = account.boxes[box.id]
            assert (box.parent, box.name, box.path) == (
                ours.parent,
                ours.name,
                account.path(ours),
            )
            assert (box.uidvalidity, box.uidnext) == (ours.uidvalidity, ours.uidnext)
            assert box.recent_from == ours.recent_from
            assert box.message_modseq == ours.highest
            assert box.subscribed == ours.subscribed
            assert (box.messages, box.unseen, box.deleted, box.size) == (
                len(ours.messages),
                account.unseen(ours),
                sum(m.deleted for m in ours.messages.values()),
                account.size(ours),
            )
            seen.add(box.uidvalidity)
        assert await read.modseq(reader, account.id) == account.modseq
        assert set(await read.subscriptions(reader, account.id)) == account.names
        assert set(await read.keywords(reader, account.id)) == account.words
        gone = await read.gone(reader, account.id)
        assert {mailbox: path for mailbox, (path, _) in gone.items()} == account.gone
        rows = await reader.rows(
            "SELECT email FROM recoverable WHERE account = $1 ORDER BY email", account.id
        )
        assert [row[0] for row in rows] == account.recoverable
        head = "SELECT used_bytes, used_emails FROM account_head WHERE account = $1"
        assert await reader.row(head, account.id) == account.used
        for ours in account.boxes.values():
            path = f"{account.id}/{account.path(ours)}"
            for uid, message in ours.messages.items():
                identity = account.emails[message.email].identity
                key = (path, ours.uidvalidity, uid)
                assert self.history.setdefault(key, identity) == identity, "a UID was reused"

    def compare(self, clients: dict[int, Client]) -> None:
        """Every mailbox's view, and what a session makes of what it is told."""
        boxes = {b.id: (a, b) for a in self.model.accounts.values() for b in a.boxes.values()}
        for mailbox, (account, box) in boxes.items():
            self.runner.run(self._compare(clients, account, box))
            assert mailbox in clients
        for mailbox in [m for m in clients if m not in boxes]:
            client = clients.pop(mailbox)
            self.runner.run(client.view.refresh())
            assert client.gone

    async def _compare(self, clients: dict[int, Client], account: Account, box: Box) -> None:
        client = clients.get(box.id)
        if client is None:
            # Of its own, not shared through ``Views``: each set of clients looks in its own time.
            view = View(Messages(self.store.reader, self.store.clock, box.id))
            await view.refresh()
            client = clients[box.id] = Client(view)
        view = client.view
        before = view.modseq, view.highest
        await view.refresh()
        assert (view.modseq, view.highest) >= before
        expected = [
            (
                uid,
                message.email & LOW,
                (
                    account.emails[message.email].flags,
                    " ".join(sorted(account.emails[message.email].words)) or None,
                    int(message.deleted),
                ),
                account.emails[message.email].modseq,
            )
            for uid, message in sorted(box.messages.items())
        ]
        shown = [
            (view.uids[at], view.emails[at], view.flags_at(at), view.modseqs[at])
            for at in range(len(view))
        ]
        assert shown == expected
        assert client.flags == {uid: flags for uid, _, flags, _ in expected}
        assert (view.uidvalidity, view.uidnext) == (box.uidvalidity, box.uidnext)
        assert (view.highest, view.modseq) == (box.highest, account.modseq)

    def teardown(self) -> None:
        try:
            if self._context is not None:
                self.execute()
                self.compare(self.lazy)
                self.agree()
                assert self.runner.run(self.examine()) == []
        finally:
            self.close()
            self.runner.close()

    async def examine(self) -> list[Any]:
        findings = check(self.store.reader, self.store.blobs, deep=True)
        return [finding async for finding in findings]


@pytest.fixture(autouse=True)
def _deletes_go_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.execute.deleting.AT_ONCE", AT_ONCE)


def run(places: Iterator[Place], clock: Clock, examples: int) -> None:
    machine = type("StoreMachine", (Machine,), {"places": places, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
        ),
    )


MANY = pytest.param(1500, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("examples", [30, MANY])
def test_sqlite_and_the_model_agree(tmp_path: Path, clock: Clock, examples: int) -> None:
    def places() -> Iterator[Place]:
        while True:
            yield Place(Path(tempfile.mkdtemp(dir=tmp_path)))

    run(places(), clock, examples)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "examples", [5, pytest.param(150, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_postgresql_and_the_model_agree(
    tmp_path: Path, postgres_server: Server, clock: Clock, examples: int
) -> None:
    def places() -> Iterator[Place]:
        while True:
            yield Place(tmp_path / "spool", asyncio.run(postgres_server.cleaned()))

    run(places(), clock, examples)
