"""I1–I12 and D1: one large mailbox is opened, listed, searched and changed.

The order is the README's: I1 cold, I3 cold, I3 warm, I1 warm, I2, I4, I12, I7, I8, I9, I10, then
the expunged part is copied back; searches come last, because I5 first starts without the message
cache. What takes only milliseconds is done several times and its median taken, so that one tick of
the scheduler is not the figure. Everything that prepares an operation is off the clock.
"""

import statistics
from collections.abc import Callable

from malleposte.bench.clock import Clocked
from malleposte.bench.imap_client import Answer, ImapClient
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.storage import Disk, disk, drop_page_cache
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import (
    append_command,
    empty_mailbox,
    exists,
    fill,
    need_literal_plus,
    remove,
    top_up,
)

MAILBOX = b"bench"
COPIES = b"bench-copies"
APPENDED = b"bench-appended"
HEADERS = {
    "FROM yahoo": b"FROM yahoo",
    "TO yahoo": b"TO yahoo",
    "SUBJECT linux": b"SUBJECT linux",
    "Message-ID yahoo": b"HEADER Message-ID yahoo",
}
"""What I5 looks for: of each the first time, with what the server had cached forgotten, and again."""
INDEXED = b"bench-indexed"
RARE = b"megapixels"
COMMON = b"information"
# Repeats of short operations inside one repetition.
REPEATS = 5


def reading(bench: Bench, wanted: frozenset[str]) -> None:
    """Do those of I1–I12, I6x and D1 that are wanted."""
    work = _Reading(bench)
    try:
        work.run(wanted)
    finally:
        work.close()


class _Reading:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._account = bench.subject.accounts.reading
        endpoint = bench.subject.endpoint("imap")
        if endpoint is None:
            raise BenchTrouble(f"{bench.subject.name} offers no IMAP here")
        self._endpoint = endpoint
        self._open: ImapClient | None = None
        self._part = min(bench.counts.part, bench.counts.messages // 2)

    def run(self, wanted: frozenset[str]) -> None:
        self._fill(wanted)
        steps: dict[str, Callable[[], None]] = {
            "I1": self._open_cold,
            "I3": self._list,
            "I1 warm": self._open_warm,
            "I2": self._flags,
            "I4": self._bodies,
            "I12": self._noop,
            "I7": self._store,
            "I8": self._copy,
            "I9": self._expunge,
            "I10": self._append,
            "I9 back": self._copy_back,
            "I5": self._search_header,
            "I6": self._search_text,
            "I6x": self._search_indexed,
        }
        for step, do in steps.items():
            if step.partition(" ")[0] in wanted:
                self._bench.say(step)
                do()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    # -- sessions ---------------------------------------------------------------------------

    def _connect(self) -> ImapClient:
        client = ImapClient(self._endpoint)
        client.login(self._account)
        return client

    def _session(self) -> ImapClient:
        """The session with the large mailbox selected; opened when there is none."""
        if self._open is None:
            self._open = self._connect()
            self._open.command(b"SELECT " + MAILBOX)
        return self._open

    def _cool(self, *, message_cache: bool) -> str:
        """Nothing of the mailbox in memory any more; returns what could not be done."""
        self.close()
        subject = self._bench.subject
        notes = [subject.forget_memory()]
        if message_cache:
            notes.append(subject.forget_message_cache(self._account, MAILBOX.decode()))
        if subject.remembers_sign_in:
            with ImapClient(self._endpoint) as client:
                seconds = client.login(self._account).took.seconds
            if not notes[0]:
                self._bench.record("I1", "first sign-in", "ms", "less", seconds * 1000)
        notes.append(drop_page_cache(subject.data_folders()))
        return "; ".join(note for note in notes if note)

    def _median(
        self,
        operation: Callable[[], Clocked],
        repeats: int = REPEATS,
        before: Callable[[], object] = lambda: None,
    ) -> Cost:
        """The median cost; `before` prepares each time and is off the clock."""
        costs: list[Cost] = []
        for _ in range(repeats):
            before()
            costs.append(self._bench.cost(operation))
        cpu = [cost.cpu for cost in costs if cost.cpu is not None]
        return Cost(
            statistics.median(cost.seconds for cost in costs),
            # The mean: ticks of 10 ms say more together than alone.
            statistics.fmean(cpu) if cpu else None,
            statistics.fmean(cost.client_cpu for cost in costs),
        )

    # -- operations -------------------------------------------------------------------------

    def _fill(self, wanted: frozenset[str]) -> None:
        """I11 and D1 when the mailbox is still empty; else only make sure that it is full."""
        bench, count = self._bench, self._bench.counts.messages
        with self._connect() as client:
            if exists(client, MAILBOX) and client.messages(MAILBOX) > 0:
                top_up(bench, client, MAILBOX, count)
                return
            bench.say(f"I11: filling a mailbox with {count:,} messages")
            empty_mailbox(client, MAILBOX)
            before = disk(bench.subject.data_folders())
            octets = bench.corpus.octets(count, bench.unseen)
            how = ""

            def run() -> Clocked:
                nonlocal how
                took, how = fill(bench, client, MAILBOX, count)
                return took

            cost = bench.cost(run)
        if "I11" in wanted:
            bench.record_time("I11", f"fill with {count:,}", cost, how)
        if "D1" in wanted and bench.subject.data_folders():
            self._disk(before, octets)

    def _disk(self, before: Disk, octets: int) -> None:
        after = disk(self._bench.subject.data_folders())
        for what, more in (
            ("apparent", after.apparent - before.apparent),
            ("allocated", after.allocated - before.allocated),
        ):
            self._bench.record("D1", what, "× message bytes", "less", more / octets)

    def _opening(self) -> tuple[Clocked, Clocked]:
        """LOGIN + SELECT, and SELECT alone, on a new connection."""
        with ImapClient(self._endpoint) as client:
            login = client.login(self._account).took
            select = client.command(b"SELECT " + MAILBOX).took
        return Clocked.total((login, select)), select

    def _open_cold(self) -> None:
        note = self._cool(message_cache=False)
        self._record_opening("cold", note, repeats=1)

    def _open_warm(self) -> None:
        self.close()
        self._record_opening("warm", "", repeats=REPEATS)

    def _record_opening(self, state: str, note: str, repeats: int) -> None:
        selects: list[float] = []

        def run() -> Clocked:
            both, select = self._opening()
            selects.append(select.seconds)
            return both

        self._bench.record_time("I1", f"open, {state}", self._median(run, repeats), note)
        alone = statistics.median(selects) * 1000
        self._bench.record("I1", f"SELECT alone, {state}", "ms", "less", alone, note)

    def _list(self) -> None:
        note = self._cool(message_cache=True)
        command = b"FETCH 1:* (UID ENVELOPE BODYSTRUCTURE)"
        session = self._session()
        cold = self._bench.cost(lambda: self._complete(session.command(command)))
        self._bench.record_time("I3", "list, cold", cold, note)
        warm = self._median(lambda: session.command(command).took, 3)
        self._bench.record_time("I3", "list, warm", warm)

    def _flags(self) -> None:
        session = self._session()
        cost = self._median(lambda: self._complete(session.command(b"FETCH 1:* (UID FLAGS)")))
        self._bench.record_time("I2", "flags", cost)

    def _complete(self, answer: Answer) -> Clocked:
        """An answer about the whole mailbox has a line for every message."""
        lines, count = answer.data.count(b" FETCH ("), self._bench.counts.messages
        if lines < count:
            raise BenchTrouble(f"{lines:,} FETCH responses for {count:,} messages")
        return answer.took

    def _bodies(self) -> None:
        """Spread over the mailbox: the corpus starts with its largest messages."""
        session = self._session()
        count = min(self._bench.counts.bodies, self._bench.counts.messages)
        numbers = range(1, self._bench.counts.messages + 1, self._bench.counts.messages // count)
        single = [b"FETCH %d (BODY.PEEK[])" % number for number in numbers[:count]]
        every = b",".join(b"%d" % number for number in numbers[:count])
        cost = self._median(lambda: session.command(b"FETCH %b (BODY.PEEK[])" % every).took)
        self._bench.record_time("I4", f"{count} bodies, one command", cost)
        cost = self._median(lambda: Clocked.total(session.command(text).took for text in single))
        self._bench.record_time("I4", f"{count} bodies, one by one", cost)

    def _noop(self) -> None:
        session, count = self._session(), self._bench.counts.noops
        cost = self._median(
            lambda: Clocked.total(session.command(b"NOOP").took for _ in range(count))
        )
        self._bench.record_time("I12", f"{count} NOOP", cost)

    def _store(self) -> None:
        session = self._session()
        cost = self._median(
            lambda: self._complete(session.command(rb"STORE 1:* +FLAGS (\Flagged)")),
            repeats=3,
            # A flag that is set already would be no change.
            before=lambda: session.command(rb"STORE 1:* -FLAGS.SILENT (\Flagged)"),
        )
        self._bench.record_time("I7", "store on all", cost)

    def _copy(self) -> None:
        cost = self._median(self._copy_part, repeats=3, before=self._empty_copies)
        self._bench.record_time("I8", f"copy {self._part:,}", cost)

    def _empty_copies(self) -> None:
        with self._connect() as other:
            empty_mailbox(other, COPIES)

    def _copy_part(self) -> Clocked:
        return self._session().command(b"COPY 1:%d %b" % (self._part, COPIES)).took

    def _expunge(self) -> None:
        session = self._session()
        with self._connect() as other:
            copied = other.messages(COPIES) if exists(other, COPIES) else 0
        if copied != self._part:
            self._empty_copies()
            self._copy_part()
        session.command(rb"STORE 1:%d +FLAGS.SILENT (\Deleted)" % self._part)
        cost = self._bench.cost(lambda: session.command(b"EXPUNGE").took)
        self._bench.record_time("I9", f"expunge {self._part:,}", cost)

    def _copy_back(self) -> None:
        """The expunged messages return, so that the next repetition finds all of them."""
        session = self._session()
        session.command(b"SELECT " + COPIES)
        session.command(b"COPY 1:* " + MAILBOX)
        self.close()

    def _append(self) -> None:
        bench, count = self._bench, self._part
        with self._connect() as client:
            need_literal_plus(client)
            empty_mailbox(client, APPENDED)
            messages = bench.corpus.messages(count, bench.fresh(count))
            commands = [append_command(APPENDED, message) for message in messages]
            cost = bench.cost(lambda: Clocked.total(client.command(text).took for text in commands))
            remove(client, APPENDED)
        bench.record_time("I10", f"{count:,} APPEND", cost)

    def _search(self, work: str, what: str, criteria: bytes) -> None:
        session = self._session()
        hits = 0

        def run() -> Clocked:
            nonlocal hits
            answer = session.command(b"SEARCH RETURN (COUNT) " + criteria)
            hits = answer.number(rb"COUNT (\d+)")
            return answer.took

        self._bench.record_time(work, what, self._bench.cost(run))
        self._bench.record(work, f"{what}: hits", "hits", "neither", hits)

    def _search_header(self) -> None:
        for what, criteria in HEADERS.items():
            self.close()
            self._bench.subject.forget_message_cache(self._account, MAILBOX.decode())
            self._search("I5", f"{what}, first", criteria)
            self._search("I5", f"{what}, again", criteria)

    def _search_text(self) -> None:
        self._search("I6", "TEXT rare, no index", b"TEXT " + RARE)
        self._search("I6", "TEXT common, no index", b"TEXT " + COMMON)

    def _search_indexed(self) -> None:
        """Once a run: the index remains, so a second indexing would have nothing to do."""
        bench, count = self._bench, self._bench.counts.indexed
        if bench.repetition > 0:
            return
        self.close()
        octets = bench.corpus.octets(count, bench.unseen)
        with self._connect() as client:
            empty_mailbox(client, INDEXED)
            fill(bench, client, INDEXED, count)
        self._search_in_indexed("no index")
        index = bench.subject.build_index(self._account, INDEXED.decode())
        if index is None:
            raise BenchTrouble(f"{bench.subject.name} has no search index here")
        bench.record("I6x", f"indexing {count:,}", "ms", "less", index.seconds * 1000, index.kind)
        bench.record("I6x", "index", "× message bytes", "less", index.octets / octets)
        self._search_in_indexed("index")

    def _search_in_indexed(self, state: str) -> None:
        count = f"{self._bench.counts.indexed:,}"
        self._open = self._connect()
        self._open.command(b"SELECT " + INDEXED)
        self._search("I6x", f"TEXT rare in {count}, {state}", b"TEXT " + RARE)
        self._search("I6x", f"TEXT common in {count}, {state}", b"TEXT " + COMMON)
        self.close()
