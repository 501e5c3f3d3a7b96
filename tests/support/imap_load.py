r"""Writers over IMAP that keep account of what was answered, through whatever happens to the server.

Each writer has two mailboxes of its own and a model of what must be in them. A command that was answered
OK took effect, one answered NO did not; one that was never answered did or did not, *whole*: the messages
it named are left alone from then on, and at the end they must all be as before it or all as after it
(``Doubt``). A message is told by its Message-ID, ``<name.n@load>``.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from support.imap_client import Answer, ImapClient, Literal, Lost, Refused, signed_in

FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "Marked")
MOST = 40
"""Messages a writer keeps; past that it rather removes some."""

State = frozenset[tuple[str, frozenset[str]]]
"""Where a message is, each with its flags there (\\Deleted belongs to the place)."""
NOWHERE: State = frozenset()

_IDENTITY = re.compile(rb"<([\w.]+)@load>")


@dataclass(slots=True)
class Message:
    """What is known of a message: its UID in each mailbox that holds it, and its flags."""

    places: dict[str, int]
    flags: frozenset[str]
    deleted: frozenset[str] = frozenset()

    def copy(self) -> "Message":
        """Another to change."""
        return Message(dict(self.places), self.flags, self.deleted)

    def state(self) -> State:
        """As it must look."""
        return frozenset(
            (place, self.flags | ({"\\Deleted"} if place in self.deleted else set()))
            for place in self.places
        )


@dataclass(frozen=True, slots=True)
class Doubt:
    """A command without an answer: states of its messages before and after it."""

    what: str
    before: Mapping[str, State]
    after: Mapping[str, State]

    def settled_by(self, found: Mapping[str, State]) -> bool:
        """Whether it was done or not done as a whole."""
        for states in (self.before, self.after):
            if all(found.get(name, NOWHERE) == state for name, state in states.items()):
                return True
        return False


@dataclass(slots=True)
class Writer:
    """One writer. ``acknowledged`` counts commands answered OK."""

    port: int
    address: str
    password: str
    name: str
    chance: random.Random
    messages: dict[str, Message] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: list[bytes] = field(default_factory=list)
    uids: dict[tuple[str, int], str] = field(default_factory=dict)
    """(mailbox, UID) to what it named, for ever."""
    made: int = 0
    stopped: bool = False
    _selected: str = ""

    @property
    def mailboxes(self) -> tuple[str, str]:
        """Its own two."""
        return f"{self.name}-one", f"{self.name}-two"

    async def prepare(self) -> None:
        """Make the mailboxes, before anything is killed."""
        async with signed_in(self.port, self.address, self.password) as client:
            for name in self.mailboxes:
                await client.command(b"CREATE " + name.encode())

    async def run(self) -> None:
        """Write until ``stopped``, over new connections when one breaks."""
        while not self.stopped:
            with contextlib.suppress(Lost, TimeoutError, Refused):
                async with signed_in(self.port, self.address, self.password) as client:
                    self._selected = ""
                    while not self.stopped:
                        await self._step(client)
            if not self.stopped:
                await asyncio.sleep(0.02)

    async def _step(self, client: ImapClient) -> None:
        place = self.chance.choice(self.mailboxes)
        here = [name for name, message in self.messages.items() if place in message.places]
        if len(here) < 3 or (len(self.messages) < MOST and self.chance.random() < 0.4):
            await self._append(client, place)
            return
        if self._selected != place:
            self._selected = ""
            await client.command(b"SELECT " + place.encode())
            self._selected = place
        some = self.chance.sample(here, self.chance.randint(1, min(5, len(here))))
        await self.chance.choice((self._flag, self._copy, self._move, self._expunge))(
            client, place, some
        )

    # Commands -------------------------------------------------------------------------------------

    async def _append(self, client: ImapClient, place: str) -> None:
        self.made += 1
        name = f"{self.name}.{self.made}"
        flags = frozenset(self.chance.sample(FLAGS, self.chance.randint(0, 2)))
        # Now and then one that goes through a file.
        body = b"x" * 70 + b"\r\n"
        body *= 6_000 if self.chance.random() < 0.1 else self.chance.randint(1, 30)
        text = f"Message-ID: <{name}@load>\r\nSubject: {self.made}\r\n\r\n".encode() + body
        after = {name: Message({place: 0}, flags)}
        head = f"APPEND {place} ({' '.join(sorted(flags))}) ".encode()
        answer = await self._ask(client, "APPEND", after, head, Literal(text))
        if answer is not None:
            after[name].places[place] = int(answer.code(b"APPENDUID")[1])
            self._settle(after)

    async def _flag(self, client: ImapClient, place: str, some: list[str]) -> None:
        flags = frozenset(self.chance.sample(FLAGS, self.chance.randint(1, 3)))
        mode = self.chance.choice(("+", "-", ""))
        after = {}
        for name in some:
            message = self.messages[name].copy()
            if mode == "+":
                message.flags |= flags
            elif mode == "-":
                message.flags -= flags
            else:
                message.flags = flags
                message.deleted -= {place}
            after[name] = message
        words = f"UID STORE {self._set(place, some)} {mode}FLAGS ({' '.join(sorted(flags))})"
        if await self._ask(client, "STORE", after, words.encode()):
            self._settle(after)

    async def _copy(self, client: ImapClient, place: str, some: list[str]) -> None:
        # Into a mailbox that holds the Email, COPY makes another: that is not what is tested here.
        some = [name for name in some if len(self.messages[name].places) == 1]
        if not some:
            return
        target = self._other(place)
        after = {name: self.messages[name].copy() for name in some}
        for message in after.values():
            message.places[target] = 0
        words = f"UID COPY {self._set(place, some)} {target}".encode()
        answer = await self._ask(client, "COPY", after, words)
        if answer is not None:
            self._arrived(answer, place, target, after)
            self._settle(after)

    async def _move(self, client: ImapClient, place: str, some: list[str]) -> None:
        some = [name for name in some if len(self.messages[name].places) == 1]
        if not some:
            return
        target = self._other(place)
        after = {name: self.messages[name].copy() for name in some}
        for message in after.values():
            message.places[target] = 0
        words = f"UID MOVE {self._set(place, some)} {target}".encode()
        moved = {name: message.copy() for name, message in after.items()}
        for message in moved.values():
            del message.places[place]
            message.deleted -= {place}
        answer = await self._ask(client, "MOVE", moved, words)
        if answer is not None:
            self._arrived(answer, place, target, after)
            for name, message in moved.items():
                message.places[target] = after[name].places[target]
            self._settle(moved)

    async def _expunge(self, client: ImapClient, place: str, some: list[str]) -> None:
        uids = self._set(place, some)
        marked = {name: self.messages[name].copy() for name in some}
        for message in marked.values():
            message.deleted |= {place}
        words = f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)".encode()
        if not await self._ask(client, "STORE", marked, words):
            return
        self._settle(marked)
        if self.chance.random() < 0.2:
            return
        gone = {name: message.copy() for name, message in marked.items()}
        for message in gone.values():
            del message.places[place]
            message.deleted -= {place}
        if await self._ask(client, "EXPUNGE", gone, f"UID EXPUNGE {uids}".encode()):
            self._settle(gone)

    # Keeping account ------------------------------------------------------------------------------

    def _other(self, place: str) -> str:
        one, two = self.mailboxes
        return two if place == one else one

    def _set(self, place: str, some: list[str]) -> str:
        return ",".join(str(self.messages[name].places[place]) for name in some)

    def _arrived(self, answer: Answer, place: str, target: str, after: dict[str, Message]) -> None:
        _, sources, targets = answer.code(b"COPYUID")
        by_source = dict(zip(numbers(sources), numbers(targets), strict=True))
        for message in after.values():
            message.places[target] = by_source[message.places[place]]

    def _settle(self, after: dict[str, Message]) -> None:
        for name, message in after.items():
            for place, uid in message.places.items():
                assert self.uids.setdefault((place, uid), name) == name, "a UID names two messages"
            if message.places:
                self.messages[name] = message
            else:
                self.messages.pop(name, None)
                self.doubts.append(Doubt("EXPUNGE", {name: NOWHERE}, {name: NOWHERE}))

    async def _ask(
        self, client: ImapClient, what: str, after: dict[str, Message], *parts: bytes | Literal
    ) -> Answer | None:
        """Send a command; None where it was refused. Raises ``Lost`` where nobody knows."""
        try:
            answer = await client.command(*parts)
        except Refused as refusal:
            if b"UNAVAILABLE" not in refusal.line:
                raise AssertionError(f"{what} was refused: {refusal.line!r}") from refusal
            self.refused.append(refusal.line)
            self._doubt(what, after)
            return None
        except (Lost, TimeoutError):
            self._doubt(what, after)
            raise
        self.acknowledged[what] = self.acknowledged.get(what, 0) + 1
        return answer

    def _doubt(self, what: str, after: dict[str, Message]) -> None:
        before = {
            name: self.messages[name].state() if name in self.messages else NOWHERE
            for name in after
        }
        self.doubts.append(
            Doubt(what, before, {name: message.state() for name, message in after.items()})
        )
        for name in after:
            self.messages.pop(name, None)

    async def found(self) -> dict[str, State]:
        """What is there at the end; every message once in a mailbox, under the UID it was given."""
        states: dict[str, set[tuple[str, frozenset[str]]]] = {}
        async with signed_in(self.port, self.address, self.password) as client:
            for place in self.mailboxes:
                await client.command(b"EXAMINE " + place.encode())
                answer = await client.command(b"UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])")
                for one in answer.fetched():
                    octets = one.octets(b"BODY[]")
                    assert len(octets) == one.number(b"RFC822.SIZE")
                    identity = _IDENTITY.search(octets)
                    assert identity is not None, octets[:200]
                    name = identity[1].decode()
                    known = self.uids.setdefault((place, one.number(b"UID")), name)
                    assert known == name, "a UID names another message now"
                    # \Recent is the server's, and any session's that hears of the message first.
                    flags = frozenset(flag.decode() for flag in one.flags if flag != b"\\Recent")
                    places = states.setdefault(name, set())
                    assert place not in {p for p, _ in places}, f"{name} twice in {place}"
                    places.add((place, flags))
        return {name: frozenset(places) for name, places in states.items()}

    async def check(self) -> None:
        """What was answered is there; what was not, is whole; and nothing else is there."""
        found = await self.found()
        for name, message in self.messages.items():
            assert found.get(name, NOWHERE) == message.state(), (
                f"{name}: {found.get(name)} is there, {message.state()} was acknowledged"
            )
        in_doubt: set[str] = set()
        for doubt in self.doubts:
            assert doubt.settled_by(found), (
                f"{doubt.what} was half done: {doubt.before} to {doubt.after}, found"
                f" { {name: found.get(name) for name in doubt.before} }"
            )
            in_doubt.update(doubt.before)
        strange = found.keys() - self.messages.keys() - in_doubt
        assert not strange, f"messages that nobody sent: {strange}"


def numbers(text: bytes) -> list[int]:
    """A UID set in its order."""
    found: list[int] = []
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        found += range(int(first), int(last or first) + 1)
    return found


@dataclass(slots=True)
class Watcher:
    """Idles on a mailbox and keeps its own count, as a client must; a wrong one is an assertion."""

    port: int
    address: str
    password: str
    mailbox: str
    rounds: int = 0
    uids: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """(UIDVALIDITY, UID) to Message-ID: never to change."""
    stopped: bool = False

    async def run(self) -> None:
        """Watch until ``stopped``."""
        while not self.stopped:
            with contextlib.suppress(Lost, TimeoutError, Refused):
                async with signed_in(self.port, self.address, self.password) as client:
                    await self._watch(client)
            if not self.stopped:
                await asyncio.sleep(0.05)

    async def _watch(self, client: ImapClient) -> None:
        answer = await client.command(b"SELECT " + self.mailbox.encode())
        validity = int(answer.code(b"UIDVALIDITY")[0])
        count = 0
        for line in answer.untagged:
            count = self._counted(line, count, selecting=True)
        while not self.stopped:
            tag = client.send(b"IDLE")
            async with asyncio.timeout(70):
                while not (response := await client.response()).startswith(b"+"):
                    if response.startswith(tag):
                        raise Refused(response)
                    count = self._counted(response, count)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.4):
                    while True:
                        count = self._counted(await client.response(), count)
            client.raw(b"DONE\r\n")
            async with asyncio.timeout(70):
                while not (response := await client.response()).startswith(tag):
                    count = self._counted(response, count)
            if not response.startswith(tag + b" OK"):
                raise Refused(response)
            self.rounds += 1
            if count:
                items = b"(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
                # By number, so that a wrong count shows.
                answer = await client.command(b"FETCH 1:%d %b" % (count, items))
                for line in answer.untagged:
                    count = self._counted(line, count)
                for one in answer.fetched():
                    if b"UID" not in one.items or len(one.items) < 2:
                        continue
                    identity = _IDENTITY.search(one.octets(b"BODY[HEADER.FIELDS (MESSAGE-ID)]"))
                    assert identity is not None
                    known = self.uids.setdefault((validity, one.number(b"UID")), identity[1])
                    assert known == identity[1], "a UID names another message now"

    @staticmethod
    def _counted(response: bytes, count: int, *, selecting: bool = False) -> int:
        if response.startswith(b"* BYE"):
            raise Lost(response.decode())
        found = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)", response)
        if found is None:
            return count
        number = int(found[1])
        if found[2] == b"EXISTS":
            # RFC 9051 §7.4.1: only EXPUNGE makes it less.
            assert selecting or number >= count, (number, count)
            return number
        assert 1 <= number <= count, (response[:60], count)
        return count - 1 if found[2] == b"EXPUNGE" else count
