"""MIX: many clients do all sorts of things in the same mailboxes, as imaptest's default mix does.

Each client takes an account by chance, signs in, perhaps asks LIST and STATUS, selects the mailbox,
fetches lists and single messages, stores flags, marks some as deleted, expunges, appends, leaves, and
begins anew; what needs no earlier answer goes in one write. Chances are imaptest's, everything comes
from a seed: client *n* asks every server for the same, as far as what it finds there is the same.
With `--imaptest` the real one makes the load, and checks what it is answered.
"""

import asyncio
import itertools
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from malleposte.bench.clock import Clock, Clocked
from malleposte.bench.imap_client import AnswerFrame, ImapClient
from malleposte.bench.imaptest import LARGEST, Mix, kinds, program_below
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import append_command, empty_mailbox, fill, need_literal_plus

WORK = "MIX"
MAILBOX = b"mix"
KEPT = 30
"""Messages that a mailbox is kept at, about."""
# Whoever waits longer for an answer has given up.
_ANSWER_LIMIT = 60.0
_SEED = 6_203
# More appends than that in a second are not to be feared.
_APPENDS = 1_000
_FLAGS = (rb"\Seen", rb"\Answered", rb"\Flagged", rb"\Draft")
_ITEMS = (b"UID", b"FLAGS", b"ENVELOPE", b"INTERNALDATE", b"BODY", b"BODYSTRUCTURE", b"RFC822.SIZE")
_FIELDS = (b"From", b"To", b"Cc", b"Subject", b"References", b"In-Reply-To", b"Message-ID")
_COUNTS = re.compile(rb"^\* (\d+) (EXISTS|EXPUNGE)\r$", re.MULTILINE)
_BODIES = (
    *(b"BODY.PEEK[HEADER]", b"RFC822.HEADER"),
    *(b"BODY.PEEK[]", b"BODY.PEEK[1]", b"BODY.PEEK[TEXT]"),
)


@dataclass(slots=True)
class Player:
    """What one client asks for; no I/O. Percentages are imaptest's."""

    chance: random.Random
    messages: Iterator[bytes]

    def first(self) -> list[bytes]:
        """After signing in, up to SELECT."""
        asked = [b'LIST "" ""']
        if self._happens(50):
            asked.append(b'LIST "" *')
        if self._happens(50):
            asked.append(b"STATUS %b (MESSAGES UNSEEN)" % MAILBOX)
        return [*asked, b"SELECT " + MAILBOX]

    def then(self, exists: int) -> list[bytes]:
        """In a mailbox of so many messages: nothing here waits for what the one before tells."""
        asked: list[bytes] = []
        if exists:
            asked.append(self._fetch(exists))
            asked.append(self._fetch_one(exists))
            while self._happens(30):
                asked.append(self._fetch_one(exists))
            if self._happens(50):
                asked.append(self._store(exists))
            asked.append(self._delete(exists))
            asked.append(b"EXPUNGE")
        if exists - exists // 8 < KEPT:
            asked.append(self._append())
            while self._happens(5):
                asked.append(self._append())
        return [one for one in asked if one]

    def _happens(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    def _some(self, exists: int, count: int) -> bytes:
        # As imaptest: by chance, so that some are met twice and fewer come out.
        found = sorted({self.chance.randrange(exists) + 1 for _ in range(count)})
        return b",".join(b"%d" % number for number in found)

    def _fetch(self, exists: int) -> bytes:
        items = []
        for _ in range(self.chance.randint(1, 4)):
            if self._happens(75):
                items.append(self.chance.choice(_ITEMS))
            else:
                fields = [self.chance.choice(_FIELDS) for _ in range(self.chance.randint(1, 4))]
                items.append(b"BODY.PEEK[HEADER.FIELDS (%b)]" % b" ".join(fields))
        named = self._some(exists, min(exists, 100))
        return b"FETCH %b (%b)" % (named, b" ".join(items))

    def _fetch_one(self, exists: int) -> bytes:
        number = self.chance.randrange(exists) + 1
        return b"FETCH %d (UID %b)" % (number, self.chance.choice(_BODIES))

    def _store(self, exists: int) -> bytes:
        count = self.chance.randrange(exists if exists < 10 else min(exists // 5, 50))
        if not count:
            return b""
        flags = self.chance.sample(_FLAGS, self.chance.randint(1, len(_FLAGS)))
        how = self.chance.choice((b"+", b"-", b"")) + b"FLAGS" + self._silent()
        return b"STORE %b %b (%b)" % (self._some(exists, count), how, b" ".join(flags))

    def _delete(self, exists: int) -> bytes:
        """About as many as are appended, more where too many are there."""
        count = self.chance.randrange(2 + max(0, exists - KEPT if exists > KEPT + 5 else 0))
        if not count:
            return b""
        named = self._some(exists, min(count, 1_000))
        return b"STORE %b +FLAGS%b (\\Deleted)" % (named, self._silent())

    def _silent(self) -> bytes:
        return b".SILENT" if self._happens(50) else b""

    def _append(self) -> bytes:
        flags = b" (%b)" % self.chance.choice(_FLAGS) if self._happens(50) else b""
        date = b' "01-Jan-2026 12:00:00 +0000"' if self._happens(50) else b""
        return append_command(MAILBOX + flags + date, next(self.messages))


class Link(asyncio.Protocol):
    """One connection of the mix: commands in one write, all bytes up to the last tagged line."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._frame: AnswerFrame | None = AnswerFrame(b"* OK")
        self._waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._sent = 0
        self._greeting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._sent == 0:
            self._greeting += data
            if self._greeting.endswith(b"\r\n") and not self._waiting.done():
                self._waiting.set_result(self._greeting)
            return
        if self._frame is not None and self._frame.feed(data):
            whole = self._frame.settle()
            if whole is not None and not self._waiting.done():
                # What the server says between commands is of no use to anybody here.
                self._frame = None
                self._waiting.set_result(whole[0])

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        if not self._waiting.done():
            self._waiting.set_exception(BenchTrouble("the connection was closed"))

    async def greeting(self) -> None:
        """Wait for the server's first words."""
        if not (await self._waiting).startswith(b"* OK"):
            raise BenchTrouble("no greeting")

    async def ask(self, commands: Sequence[bytes]) -> bytes:
        """Send and wait for the last tagged line; the answers."""
        if self._transport is None or self._transport.is_closing():
            raise BenchTrouble("the connection was closed")
        tags = [self._tag() for _ in commands]
        self._frame = AnswerFrame(tags[-1])
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(
            b"".join(b"%b %b\r\n" % pair for pair in zip(tags, commands, strict=True))
        )
        async with asyncio.timeout(_ANSWER_LIMIT):
            return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    @property
    def sent(self) -> int:
        """The number of the last command."""
        return self._sent

    def _tag(self) -> bytes:
        self._sent += 1
        return b"mix%d" % self._sent


def wrong(answer: bytes, commands: Sequence[bytes], last: int) -> Iterator[str]:
    """What went wrong with commands of which the last has that number: the kind, as words.

    That a message is gone which another client expunged is no error.
    """
    text = b"\r\n" + answer
    first = last - len(commands) + 1
    for number, command in enumerate(commands, start=first):
        tag = b"\r\nmix%d " % number
        at = text.find(tag)
        line = text[at + len(tag) : text.find(b"\r\n", at + 2)] if at >= 0 else b"nothing"
        if not line.startswith((b"OK", b"NO [EXPUNGEISSUED]")):
            what = " ".join(command[:40].decode(errors="replace").split()[:1])
            yield f"{what}: {line[:80].decode(errors='replace')}"


def held(answer: bytes) -> int:
    """How many messages a mailbox has by an answer to SELECT: others may expunge meanwhile."""
    count = -1
    for number, what in _COUNTS.findall(answer):
        count = int(number) if what == b"EXISTS" else count - 1
    if count < 0:
        raise BenchTrouble("SELECT without EXISTS")
    return count


@dataclass(slots=True)
class Play:
    """All clients together."""

    endpoint: Endpoint
    accounts: Sequence[Account]
    messages: Iterator[bytes]
    clients: int
    seconds: float
    commands: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    async def run(self) -> None:
        """For so many seconds; every client ends with what it has begun."""
        until = asyncio.get_running_loop().time() + self.seconds
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self._client(number, until))

    async def _client(self, number: int, until: float) -> None:
        loop = asyncio.get_running_loop()
        player = Player(random.Random(_SEED + number), self.messages)
        while loop.time() < until:
            account = player.chance.choice(self.accounts)
            try:
                await self._round(player, account)
            except (BenchTrouble, OSError, TimeoutError) as error:
                self.errors[f"{type(error).__name__}: {error}"] += 1
                # A server that is away is not asked all the time.
                await asyncio.sleep(0.05)

    async def _round(self, player: Player, account: Account) -> None:
        where = self.endpoint
        _, link = await asyncio.get_running_loop().create_connection(Link, where.host, where.port)
        try:
            await link.greeting()
            login = b'LOGIN "%b" "%b"' % (account.address.encode(), account.password.encode())
            await self._ask(link, [login])
            answer = await self._ask(link, player.first())
            if asked := player.then(held(answer)):
                await self._ask(link, asked)
            await self._ask(link, [b"LOGOUT"])
            self.rounds += 1
        finally:
            link.close()

    async def _ask(self, link: Link, commands: Sequence[bytes]) -> bytes:
        answer = await link.ask(commands)
        self.commands += len(commands)
        for kind in wrong(answer, commands, link.sent):
            self.errors[kind] += 1
        return answer


def mixed(bench: Bench) -> None:
    """Do MIX."""
    subject = bench.subject
    endpoint, accounts = subject.endpoint("imap"), subject.accounts.receiving
    if endpoint is None:
        raise BenchTrouble(f"{subject.name} offers no IMAP here")
    for account in accounts:
        with ImapClient(endpoint) as client:
            client.login(account)
            need_literal_plus(client)
            empty_mailbox(client, MAILBOX)
            fill(bench, client, MAILBOX, KEPT)
    if bench.imaptest is not None:
        _by_imaptest(bench, bench.imaptest, endpoint, accounts)
        return
    counts = bench.counts
    messages = _shuffled(bench, counts.seconds * _APPENDS)
    play = Play(endpoint, accounts, messages, counts.clients, counts.seconds)

    def run() -> Clocked:
        clock = Clock()
        asyncio.run(play.run())
        return clock.read()

    cost = bench.cost(run)
    _record(bench, "own client", play.commands, cost, play.errors)


def _shuffled(bench: Bench, count: int) -> Iterator[bytes]:
    """Fresh messages in an order by chance: the corpus begins with its largest."""
    corpus, start = bench.corpus, bench.fresh(count)
    indexes = [at for at, one in enumerate(corpus.originals) if len(one) <= LARGEST]
    random.Random(_SEED).shuffle(indexes)
    for round_ in itertools.count():
        for index in indexes:
            yield corpus.message(start + round_ * len(corpus) + index)


def _by_imaptest(
    bench: Bench, folder: Path, endpoint: Endpoint, accounts: Sequence[Account]
) -> None:
    corpus, counts = bench.corpus, bench.counts
    with tempfile.TemporaryDirectory(prefix="imaptest-") as files:
        mix = Mix(
            program_below(folder), Path(files), MAILBOX.decode(), counts.clients, counts.seconds
        )
        before = bench.cpu()
        messages = corpus.messages(len(corpus), bench.fresh(len(corpus)))
        stress, client_cpu = mix.run(endpoint, accounts, messages)
        after = bench.cpu()
    cpu = None if before is None or after is None else after - before
    cost = Cost(stress.seconds, cpu, client_cpu)
    _record(bench, "imaptest", sum(stress.totals.values()), cost, kinds(stress.errors))


def _record(bench: Bench, client: str, commands: int, cost: Cost, errors: Counter[str]) -> None:
    what = f"{bench.counts.clients} clients, {client}"
    if not commands:
        raise BenchTrouble(f"no command was answered: {_words(errors)}")
    bench.record_rate(WORK, what, commands, cost)
    bench.record(WORK, f"{what}: errors", "errors", "neither", errors.total(), _words(errors))


def _words(errors: Counter[str]) -> str:
    return "; ".join(f"{count} × {kind}" for kind, count in errors.most_common(5))
