"""What a client knows of a mailbox under QRESYNC, kept from nothing but the server's responses.

UIDs with flags and modseqs, the number of messages, and the modseq to come back with as RFC 7162 §6 has
it. Whatever a server may not say to such a client is an assertion.
"""

import re
from bisect import bisect_left, insort
from dataclasses import dataclass, field

from support.imap_answers import fetched
from support.imap_load import numbers

Known = tuple[frozenset[bytes], int]
"""Flags but ``\\Recent`` (it belongs to a session), and modseq."""

_COUNT = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH) ?")
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([\d:,]+)\r\n")
_CODE = re.compile(rb"\[(HIGHESTMODSEQ|UIDVALIDITY) (\d+)\]")


@dataclass(slots=True)
class Mirror:
    """One client's idea of one mailbox; it outlives connections."""

    name: str
    uidvalidity: int = 0
    modseq: int = 0
    """What the client says in its next SELECT (QRESYNC …); 0: it was never here."""
    exists: int = 0
    messages: dict[int, Known] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """The UIDs of ``messages``, ascending."""
    sure: int = 0
    """All messages up to this UID are known."""
    pieced: set[int] = field(default_factory=set)
    """Messages whose flags and modseq were not told together: a silent STORE's."""
    _opening: bool = False
    _counted_yet: bool = True
    _fetched: int = 0
    _told: int = 0

    @property
    def unknown(self) -> int:
        """How many messages were announced by EXISTS alone."""
        return self.exists - len(self.order)

    @property
    def whole(self) -> bool:
        """Whether no message is unknown below the last that is known."""
        return bool(self.order) and self.order[-1] <= self.sure

    def qresync(self, known: str, matching: str) -> bytes:
        """The parameter of SELECT for a client that comes back; with parts of it left out at will."""
        parts = [str(self.uidvalidity), str(self.modseq)]
        if known:
            parts.append(known)
        if matching:
            parts.append(matching)
        return f" (QRESYNC ({' '.join(parts)}))".encode()

    def select(self) -> None:
        """SELECT is being sent: what is said from now on is about this mailbox, as it is now."""
        self._opening, self._counted_yet = True, False

    def take(self, response: bytes) -> None:
        """An untagged response."""
        count = _COUNT.match(response)
        if count is not None:
            self._counted(int(count[1]), count[2], response)
            return
        vanished = _VANISHED.fullmatch(response)
        if vanished is not None:
            for uid in numbers(vanished[2]):
                self._vanish(uid, earlier=vanished[1] is not None)
            self._settle()
            return
        self.coded(response)

    def coded(self, line: bytes) -> None:
        """Response codes, untagged or not."""
        code = _CODE.search(line)
        if code is None:
            return
        number = int(code[2])
        if code[1] == b"HIGHESTMODSEQ":
            self._told = number
        elif self.uidvalidity != number:
            assert not self.uidvalidity, f"UIDVALIDITY of {self.name} was {self.uidvalidity}"
            self.uidvalidity = number

    def answered(self, line: bytes) -> None:
        """The tagged response: only now may the modseq move (RFC 7162 §6)."""
        self.coded(line)
        # A HIGHESTMODSEQ that was told counts, also where higher modseqs were seen.
        self.modseq = self._told or max(self.modseq, self._fetched)
        self._told = self._fetched = 0
        self._opening = False
        self._settle()

    def lost(self) -> None:
        """The connection is gone: what an unfinished command told of modseqs does not count."""
        self._told = self._fetched = 0
        self._opening, self._counted_yet = False, True

    def _counted(self, number: int, what: bytes, response: bytes) -> None:
        if what == b"EXISTS":
            # RFC 9051 §7.4.1: only what vanishes makes it less.
            assert not self._counted_yet or number >= self.exists, (self.name, number, self.exists)
            self._counted_yet = True
            self.exists = number
            self._settle()
            return
        # RFC 7162 §3.2.10: those who enabled QRESYNC hear VANISHED.
        assert what == b"FETCH", response
        one = fetched(response)
        # RFC 7162 §3.2.4: every FETCH names its UID.
        uid, modseq = one.number(b"UID"), None
        if b"MODSEQ" in one.items:
            modseq = one.number(b"MODSEQ")
            self._fetched = max(self._fetched, modseq)
        rank = bisect_left(self.order, uid) + 1
        assert rank <= one.seq <= rank + self.unknown, (self.name, response[:80], rank, self.exists)
        if b"FLAGS" in one.items:
            assert modseq is not None, response
            self._learn(uid, (one.flags - {rb"\Recent"}, modseq))
            self.pieced.discard(uid)
        elif modseq is not None and uid in self.messages:
            self._learn(uid, (self.messages[uid][0], modseq))
            self.pieced.add(uid)

    def _learn(self, uid: int, known: Known) -> None:
        before = self.messages.get(uid)
        if before is None:
            assert self.unknown, f"{self.name}: UID {uid} is one more than EXISTS said"
            insort(self.order, uid)
        else:
            assert known[1] >= before[1], f"{self.name}: the modseq of UID {uid} went back"
            same = known == before or known[1] > before[1] or uid in self.pieced
            assert same, f"{self.name}: {before} is now {known}"
        self.messages[uid] = known
        self._settle()

    def _vanish(self, uid: int, *, earlier: bool) -> None:
        if uid in self.messages:
            del self.messages[uid]
            self.order.remove(uid)
        elif not earlier:
            assert self.unknown, f"{self.name}: UID {uid} vanished, which was not there"
        if not earlier:
            self.exists -= 1

    def _settle(self) -> None:
        if not self._opening and not self.unknown and self.order:
            self.sure = self.order[-1]
