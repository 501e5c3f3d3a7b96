"""A client that believes every word: it keeps the mailbox as the responses tell it, and complains.

It applies EXISTS, EXPUNGE, VANISHED and FETCH in the order they come, as a real client does, and fails
where one contradicts what it knows or comes when it may not (RFC 9051 §7.5.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from support.imap_answers import fetched
from support.imap_client import ImapClient, Literal, Refused
from unit.services.imapd.harness import Served

_COUNT = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT)\r\n")
_RECENT = b"\\Recent"
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([\d:,]+)\r\n")
_NO_EXPUNGE = re.compile(rb"(FETCH|STORE|SEARCH) ")


def numbers(text: bytes) -> list[int]:
    """The members of a set."""
    found: list[int] = []
    for piece in text.split(b","):
        first, _, last = piece.partition(b":")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@dataclass(slots=True)
class Entry:
    """A message as far as the client knows it."""

    uid: int = 0
    flags: frozenset[bytes] | None = None
    """Without \\Recent."""
    recent: bool | None = None


class Mirror:
    """One session of the client."""

    def __init__(self, client: ImapClient, *, qresync: bool) -> None:
        self.client = client
        self.qresync = qresync
        self.entries: list[Entry] = []
        self.recent = 0
        """The number of the last RECENT."""
        self.had_recent: list[int] = []
        """UIDs that were ever recent in a session of this client."""

    @classmethod
    async def open(cls, served: Served, address: str, *, qresync: bool = False) -> Mirror:
        mirror = cls(await served.signed_in(address), qresync=qresync)
        if qresync:
            await mirror.client.command(b"ENABLE QRESYNC")
        await mirror.select()
        return mirror

    async def select(self) -> None:
        self.entries = []
        await self.run(b"SELECT INBOX")
        await self.ask()

    async def ask(self) -> None:
        """Learn the UIDs and flags of what is not known."""
        unknown = [n for n, e in enumerate(self.entries, 1) if not e.uid or e.flags is None]
        if unknown:
            await self.run(b"FETCH %d:%d (UID FLAGS)" % (unknown[0], unknown[-1]))

    async def run(self, *parts: bytes | Literal) -> bytes:
        """Have a command done; its tagged line. NO is an answer as well."""
        tag = self.client.send(*parts)
        first = parts[0]
        assert isinstance(first, bytes)
        quiet = _NO_EXPUNGE.match(first) is not None
        grown = False
        while True:
            response = await self.client.response()
            if response.startswith(tag + b" "):
                break
            grown |= self.hear(response, quiet=quiet)
        if grown and self.qresync:
            await self.ask()  # VANISHED names UIDs: such a client must know them all
        return response[len(tag) + 1 : -2]

    def hear(self, response: bytes, *, quiet: bool = False) -> bool:
        """Take a response for true; whether the mailbox grew."""
        if found := _COUNT.fullmatch(response):
            number = int(found[1])
            if found[2] == b"EXISTS":
                assert number >= len(self.entries), f"EXISTS {number} of {len(self.entries)}"
                grown = number > len(self.entries)
                self.entries += [Entry() for _ in range(number - len(self.entries))]
                return grown
            if found[2] == b"RECENT":
                assert number <= len(self.entries), f"RECENT {number} of {len(self.entries)}"
                self.recent = number
                return False
            assert not quiet, "EXPUNGE where numbers must not change"
            assert not self.qresync, "EXPUNGE after ENABLE QRESYNC"
            assert 1 <= number <= len(self.entries), f"EXPUNGE {number} of {len(self.entries)}"
            del self.entries[number - 1]
        elif found := _VANISHED.fullmatch(response):
            assert self.qresync, "VANISHED without QRESYNC"
            gone = set(numbers(found[2]))
            if found[1]:
                assert not any(e.uid in gone for e in self.entries), "EARLIER, and still counted"
                return False
            assert not quiet, "VANISHED where numbers must not change"
            before = len(self.entries)
            self.entries = [e for e in self.entries if e.uid not in gone]
            assert len(self.entries) == before - len(gone), f"VANISHED {gone}: not all known"
        elif re.match(rb"\* \d+ FETCH ", response):
            self._fetched(response)
        return False

    def _fetched(self, response: bytes) -> None:
        row = fetched(response)
        assert row.seq <= len(self.entries), f"FETCH {row.seq} of {len(self.entries)}"
        entry = self.entries[row.seq - 1]
        uid = row.items.get(b"UID")
        if isinstance(uid, int):
            assert entry.uid in (0, uid), f"message {row.seq} was {entry.uid} and is {uid}"
            entry.uid = uid
        flags = row.items.get(b"FLAGS")
        if isinstance(flags, tuple):
            entry.flags = frozenset(flags) - {_RECENT}
            recent = _RECENT in flags
            assert entry.recent in (None, recent), f"UID {entry.uid} is recent now and then"
            if recent and entry.recent is None and entry.uid:
                self.had_recent.append(entry.uid)
            if entry.uid:
                entry.recent = recent

    async def store(self, sets: bytes, mode: bytes, flags: tuple[bytes, ...], *, uid: bool) -> None:
        """A silent STORE: the client knows itself what comes of it."""
        line = await self.run(
            b"%bSTORE %b %bFLAGS.SILENT (%b)"
            % (b"UID " if uid else b"", sets, mode, b" ".join(flags))
        )
        assert line.startswith((b"OK", b"NO [EXPUNGEISSUED]")), line

    def foresee(self, at: int, mode: bytes, flags: tuple[bytes, ...]) -> None:
        """What a silent STORE makes of message ``at`` (from 0), before it is sent."""
        entry = self.entries[at]
        if entry.flags is None:
            return
        if mode == b"+":
            entry.flags |= set(flags)
        elif mode == b"-":
            entry.flags -= set(flags)
        else:
            entry.flags = frozenset(flags)

    async def idle(self) -> None:
        """IDLE, and DONE at once: what was pending is told."""
        tag = self.client.send(b"IDLE")
        grown = False
        while not (response := await self.client.response()).startswith(b"+"):
            grown |= self.hear(response)
        self.client.raw(b"DONE\r\n")
        while not (response := await self.client.response()).startswith(tag + b" OK"):
            grown |= self.hear(response)
        if grown and self.qresync:
            await self.ask()


async def truth(served: Served, address: str) -> dict[int, frozenset[bytes]]:
    """INBOX as a fresh session sees it: flags by UID."""
    client = await served.signed_in(address)
    await client.command(b"EXAMINE INBOX")
    answer = await client.command(b"UID FETCH 1:* (FLAGS)")
    found: dict[int, frozenset[bytes]] = {}
    for row in answer.fetched():
        uid, flags = row.items[b"UID"], row.items[b"FLAGS"]
        assert isinstance(uid, int)
        assert isinstance(flags, tuple)
        found[uid] = frozenset(flags) - {_RECENT}
    client.close()
    return found


__all__ = ["Mirror", "Refused", "numbers", "truth"]
