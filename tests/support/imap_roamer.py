"""A client that works on shared mailboxes, is thrown out at any moment and comes back by QRESYNC.

It keeps a ``Mirror`` of each mailbox, also while it is away, and notes in the account's ``Ledger`` what it
asks for and what was answered. ``hold`` stops it between two commands, so that it can be compared.
"""

import asyncio
import contextlib
import random
import re
from dataclasses import dataclass, field

from support.imap_answers import Fetched, fetched
from support.imap_client import ImapClient, Literal, Lost, Refused
from support.imap_ledger import Ledger, Place
from support.imap_load import numbers
from support.imap_mirror import Known, Mirror

FLAGS = (rb"\Seen", rb"\Flagged", rb"\Answered", b"$Forwarded", b"Later")
MOST = 40
"""Messages from which on mailboxes are rather emptied."""
ANSWER = 90.0
"""Seconds an answer may take: sessions wait up to 60 s for the store."""


class Unsure(Exception):
    """NO [UNAVAILABLE]: nobody knows whether it was done."""


@dataclass(slots=True)
class Roamer:
    """One client."""

    port: int
    address: str
    password: str
    name: str
    mailboxes: tuple[str, ...]
    ledger: Ledger
    chance: random.Random
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    lost: int = 0
    resumed: int = 0
    """How often a mailbox was opened again by QRESYNC."""
    stopped: bool = False
    hold: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    _client: ImapClient | None = None
    _here: Mirror | None = None
    _made: int = 0

    @property
    def keyword(self) -> bytes:
        """What nobody else sets or clears."""
        return b"Of-" + self.name.encode()

    async def run(self) -> None:
        """Work until ``stopped``."""
        while not self.stopped:
            if self.hold:
                self.held.set()
                await self.go_on.wait()
                continue
            try:
                await self._step(await self._connected())
            except Unsure:
                pass
            except (Lost, TimeoutError):
                self.lost += 1
                await self._dropped()
                await asyncio.sleep(0.02)
        await self._dropped()

    async def agree(self, truth: dict[str, dict[int, Known]]) -> None:
        """While held: be brought up to date in every mailbox and be compared with what is there.

        Where the client still has a mailbox open, NOOP must do; the others are opened by QRESYNC. What was
        changed and changed back between two looks is not told to who had the mailbox open: then the
        client's MODSEQ lags behind. After QRESYNC it must not, for all that changed since.
        """
        first = None if self._here is None else self._here.name
        for name in sorted(self.mailboxes, key=lambda name: name != first):
            try:
                since = await self._look(name)
            except (Lost, TimeoutError, Unsure):
                await self._dropped()
                since = await self._look(name)
            mirror = self.mirrors[name]
            # Message by message, for a failure that can be read.
            for uid in sorted(truth[name].keys() | mirror.messages.keys()):
                ours, theirs = mirror.messages.get(uid), truth[name].get(uid)
                if (
                    ours
                    and theirs
                    and ours[1] < theirs[1]
                    and (since is None or theirs[1] <= since)
                ):
                    ours = ours[0], theirs[1]
                assert ours == theirs, f"{self.name}, {name}, UID {uid}: {ours}, there: {theirs}"
            assert mirror.exists == len(truth[name]), (self.name, name)

    async def _look(self, name: str) -> int | None:
        """Hear the news of a mailbox; the modseq that was said at SELECT, None if it was open."""
        client = await self._connected()
        since = None
        if self._here is not None and self._here.name == name:
            await self._ask(client, b"NOOP")
        else:
            since = self.mirrors[name].modseq if name in self.mirrors else 0
            await self._select(client, name)
        await self._learn(client)
        return since

    # Connections and mailboxes --------------------------------------------------------------------

    async def _connected(self) -> ImapClient:
        if self._client is None:
            self._client = await ImapClient.connect(self.port)
            try:
                await self._client.login(self.address, self.password)
                await self._client.command(b"ENABLE QRESYNC")
            except Refused as refusal:
                if b"UNAVAILABLE" not in refusal.line:
                    raise
                raise Lost(refusal.line.decode()) from refusal
        return self._client

    async def _dropped(self) -> None:
        for mirror in self.mirrors.values():
            mirror.lost()
        client, self._client, self._here = self._client, None, None
        if client is not None:
            await client.__aexit__()

    async def _select(self, client: ImapClient, name: str) -> Mirror:
        mirror = self.mirrors.setdefault(name, Mirror(name))
        command = b"SELECT " + name.encode()
        if mirror.modseq:
            known = matching = ""
            if mirror.order and self.chance.random() < 0.4:
                known = f"1:{mirror.order[-1]}"
            if mirror.whole and self.chance.random() < 0.4:
                # RFC 7162 §3.2.5.2: some pairs of number and UID, ascending.
                size = len(mirror.order)
                some = sorted(self.chance.sample(range(size), self.chance.randint(1, size)))
                seqs = ",".join(str(at + 1) for at in some)
                matching = f"({seqs} {','.join(str(mirror.order[at]) for at in some)})"
            command += mirror.qresync(known, matching)
            self.resumed += 1
        self._here = None
        mirror.select()
        try:
            await self._ask(client, command, of=mirror)
        except Unsure:
            mirror.lost()
            raise
        self._here = mirror
        await self._learn(client)
        return mirror

    async def _learn(self, client: ImapClient) -> None:
        """Ask for messages that EXISTS announced, as every client must."""
        mirror = self._here
        assert mirror is not None
        for _ in range(5):
            if not mirror.unknown:
                break  # else others went on appending meanwhile
            await self._ask(client, b"UID FETCH %d:* (FLAGS MODSEQ)" % (mirror.sure + 1))

    async def _ask(
        self, client: ImapClient, *parts: bytes | Literal, of: Mirror | None = None
    ) -> tuple[bytes, list[Fetched]]:
        """Send a command: its tagged line without the tag, and codes in untagged OKs before it; what
        was fetched. Raises ``Unsure``, ``Lost``, ``TimeoutError``."""
        tag = client.send(*parts)
        mirror = of or self._here
        codes, found = b"", []
        async with asyncio.timeout(ANSWER):
            while True:
                response = await client.response()
                if response.startswith(tag + b" "):
                    break
                if response.startswith(b"* BYE"):
                    raise Lost(response.decode())
                if response.startswith(b"* OK ["):
                    codes += response
                if b" FETCH " in response[:24]:
                    found.append(fetched(response))
                if mirror is not None:
                    mirror.take(response)
        line = response[len(tag) + 1 :]
        away = line.startswith(b"NO [UNAVAILABLE]")
        if mirror is not None and not (away and of is not None):
            mirror.answered(line)  # but for a SELECT that selected nothing
        if away:
            raise Unsure(line.decode())
        assert line.startswith((b"OK", b"NO [EXPUNGEISSUED]")), (repr(parts[0])[:80], line)
        return line + codes, found

    # Work -----------------------------------------------------------------------------------------

    async def _step(self, client: ImapClient) -> None:
        mirror = self._here
        if mirror is None or self.chance.random() < 0.04:
            await self._select(client, self.chance.choice(self.mailboxes))
            return
        await self._learn(client)
        if len(mirror.order) < 5 or (len(mirror.order) < MOST and self.chance.random() < 0.2):
            await self._append(client)
            return
        work = self.chance.choices(
            (
                self._flag,
                self._own,
                self._fetch,
                self._changes,
                self._remove,
                self._expunge,
                self._copy,
                self._idle,
                self._leave,
            ),
            (6, 4, 4, 2, 3, 1, 2, 2, 1),
        )[0]
        await work(client, mirror)

    def _some(self, mirror: Mirror, most: int) -> list[int]:
        size = min(len(mirror.order), self.chance.randint(1, most))
        return sorted(self.chance.sample(mirror.order, size))

    def _named(self, mirror: Mirror, uids: list[int]) -> tuple[bytes, bytes]:
        """`UID ` and the UIDs, or nothing and their sequence numbers."""
        if mirror.unknown or self.chance.random() < 0.5:
            return b"UID ", ",".join(map(str, uids)).encode()
        places = [mirror.order.index(uid) + 1 for uid in uids]
        return b"", ",".join(map(str, places)).encode()

    async def _append(self, client: ImapClient) -> None:
        self._made += 1
        name = self.chance.choice(self.mailboxes)
        identity = f"<{self.name}.{self._made}@load>".encode()
        self.ledger.sent.add(identity)
        text = b"Message-ID: %b\r\nSubject: %d\r\n\r\nx\r\n" % (identity, self._made)
        text += b"y" * 70 * self.chance.randint(0, 40)
        flags = self.chance.choice(FLAGS)
        command = b"APPEND %b (%b) " % (name.encode(), flags)
        line, _ = await self._ask(client, command, Literal(text))
        code = re.search(rb"\[APPENDUID \d+ (\d+)\]", line)
        assert code is not None, line
        self.ledger.put((name, int(code[1])), identity)
        self.ledger.acknowledged["APPEND"] += 1

    async def _flag(self, client: ImapClient, mirror: Mirror) -> None:
        uids = self._some(mirror, 8)
        prefix, named = self._named(mirror, uids)
        sign, silent = self.chance.choice((b"+", b"-")), self.chance.choice((b"", b".SILENT"))
        flags = b" ".join(self.chance.sample(FLAGS, self.chance.randint(1, 2)))
        line, found = await self._ask(
            client, b"%bSTORE %b %bFLAGS%b (%b)" % (prefix, named, sign, silent, flags)
        )
        if line.startswith(b"OK") and silent:
            # Whoever asks for silence knows what he did, and changes his own copy himself.
            changed = frozenset(flags.split())
            told = {one.items.get(b"UID") for one in found if b"FLAGS" in one.items}
            for uid in uids:
                if uid in mirror.messages and uid not in told:
                    have, modseq = mirror.messages[uid]
                    now = have | changed if sign == b"+" else have - changed
                    mirror.messages[uid] = now, modseq
                    mirror.pieced.add(uid)
        self.ledger.acknowledged["STORE"] += 1

    async def _own(self, client: ImapClient, mirror: Mirror) -> None:
        """The client's own keyword, on some messages; now and then only where nobody changed them."""
        uids = self._some(mirror, 5)
        places = [(mirror.name, uid) for uid in uids]
        before = {place: self.ledger.keywords.get((place, self.keyword)) for place in places}
        wanted = self.chance.random() < 0.7
        for place in places:
            self.ledger.keywords[place, self.keyword] = None
        condition = b""
        if self.chance.random() < 0.3:
            condition = b"(UNCHANGEDSINCE %d) " % max(mirror.modseq, 1)
        sign = b"+" if wanted else b"-"
        named = ",".join(map(str, uids)).encode()
        line, _ = await self._ask(
            client, b"UID STORE %b %b%bFLAGS (%b)" % (named, condition, sign, self.keyword)
        )
        modified = re.search(rb"\[MODIFIED ([\d:,]+)\]", line)
        spared = set(numbers(modified[1])) if modified else set()
        for place in places:
            was_set = before[place] if place[1] in spared else wanted
            self.ledger.keywords[place, self.keyword] = was_set
        self.ledger.acknowledged["STORE"] += 1

    async def _fetch(self, client: ImapClient, mirror: Mirror) -> None:
        """Flags by number: an answer in which no VANISHED may come."""
        await self._ask(client, b"FETCH 1:%d (UID FLAGS MODSEQ)" % len(mirror.order))

    async def _changes(self, client: ImapClient, mirror: Mirror) -> None:
        if mirror.modseq:
            await self._ask(
                client, b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d VANISHED)" % mirror.modseq
            )

    async def _remove(self, client: ImapClient, mirror: Mirror) -> None:
        uids = self._some(mirror, 3)
        places = {(mirror.name, uid) for uid in uids}
        self.ledger.doomed |= places
        named = ",".join(map(str, uids)).encode()
        await self._ask(client, b"UID STORE %b +FLAGS (\\Deleted)" % named)
        if self.chance.random() < 0.7:
            await self._ask(client, b"UID EXPUNGE " + named)
            self.ledger.gone |= places
            self.ledger.acknowledged["EXPUNGE"] += 1

    async def _expunge(self, client: ImapClient, mirror: Mirror) -> None:
        await self._ask(client, b"EXPUNGE")

    async def _copy(self, client: ImapClient, mirror: Mirror) -> None:
        uids = self._some(mirror, 3)
        move = self.chance.random() < 0.4
        target = self.chance.choice([name for name in self.mailboxes if name != mirror.name])
        for uid in uids:
            self.ledger.copied.add((mirror.name, uid))
            if move:
                self.ledger.doomed.add((mirror.name, uid))
        prefix, named = self._named(mirror, uids)
        verb = b"MOVE" if move else b"COPY"
        line, _ = await self._ask(client, b"%b%b %b %b" % (prefix, verb, named, target.encode()))
        code = re.search(rb"\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]", line)
        if code is None:
            return  # all of them were gone
        for old, new in zip(numbers(code[1]), numbers(code[2]), strict=True):
            source: Place = (mirror.name, old)
            made: Place = (target, new)
            self.ledger.put(made, None)
            # Its keywords are those of the other copy.
            self.ledger.copied.add(made)
            if move:
                self.ledger.gone.add(source)
        self.ledger.acknowledged["MOVE" if move else "COPY"] += 1

    async def _idle(self, client: ImapClient, mirror: Mirror) -> None:
        tag = client.send(b"IDLE")
        asked = False
        until = asyncio.get_running_loop().time() + self.chance.uniform(0.05, 0.4)
        async with asyncio.timeout(ANSWER):
            while True:
                try:
                    async with asyncio.timeout_at(None if asked else until):
                        response = await client.response()
                except TimeoutError:
                    client.raw(b"DONE\r\n")
                    asked = True
                    continue
                if response.startswith(tag + b" "):
                    break
                if response.startswith(b"* BYE"):
                    raise Lost(response.decode())
                if not response.startswith(b"+"):
                    mirror.take(response)
        mirror.answered(response)
        if b" NO [UNAVAILABLE]" in response:
            raise Unsure(response.decode())
        assert response.startswith(tag + b" OK"), response

    async def _leave(self, client: ImapClient, mirror: Mirror) -> None:
        """Away, politely or not; whoever closes a mailbox takes what is marked with him."""
        how = self.chance.choice((b"UNSELECT", b"CLOSE", b"LOGOUT", b""))
        if how in (b"UNSELECT", b"CLOSE"):
            await self._ask(client, how)
            self._here = None
            return
        if how:
            with contextlib.suppress(Lost):
                await self._ask(client, how)
        await self._dropped()
