"""Lists of emails: after every kind of change they hold what a look at the whole account gives."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from malleposte.mime import casemap
from malleposte.store import matching as m
from malleposte.store import queries as lists
from malleposte.store.commands import Recover
from malleposte.store.dialect import TALLY
from malleposte.store.flags import ANSWERED, FLAGGED, SEEN
from malleposte.store.ids import LOW
from malleposte.store.ordered import Ordered
from malleposte.store.queries import By, Known, Queries, Query, Search
from support.store import House, append, deliver, inbox, rendered


@dataclass(frozen=True)
class Email:
    """An email as the brute force sees it."""

    number: int
    thread: int
    received: int
    size: int
    flags: int
    words: frozenset[str]
    attachment: bool
    sender: str
    subject: str
    boxes: frozenset[int]


async def account_of(house: House, account: int, reader: int = 0) -> list[Email]:
    """All that can be seen of an account."""
    rows = await house.rows(
        "SELECT e.id, e.thread, e.received_at, e.size, e.flags, e.keywords, e.attachment, w.from_text,"
        " w.base_subject, s.seen FROM email e JOIN email_wide w ON w.id = e.id"
        " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $1 WHERE e.account = $2",
        reader,
        account,
    )
    boxes: dict[int, set[int]] = {}
    for email, mailbox in await house.rows(
        "SELECT m.email, m.mailbox FROM membership m JOIN mailbox b ON b.id = m.mailbox WHERE m.deleted = 0"
    ):
        boxes.setdefault(email, set()).add(mailbox)
    return [
        Email(
            row[0] & LOW,
            row[1],
            row[2],
            row[3],
            row[4] if row[9] is None else row[4] & ~SEEN | row[9],
            frozenset((row[5] or "").split()),
            bool(row[6]),
            row[7],
            row[8],
            frozenset(boxes[row[0]]),
        )
        for row in rows
        if row[0] in boxes
    ]


def matches(condition: m.Condition, email: Email, everyone: list[Email]) -> bool:
    def leaf(one: m.Leaf) -> bool:
        match one:
            case m.InMailbox(mailbox):
                return mailbox in email.boxes
            case m.NotOnlyIn(mailboxes):
                return bool(email.boxes - set(mailboxes))
            case m.Received(at, before):
                return email.received < at if before else email.received >= at
            case m.Sized(octets, less):
                return email.size < octets if less else email.size >= octets
            case m.Attachment():
                return email.attachment
            case m.Numbers(emails):
                return email.number in emails
            case m.Text(text=text):
                return text in email.subject
            case m.Keyword(bit, word, of):
                if of == "email":
                    thread = [email]
                else:
                    thread = [other for other in everyone if other.thread == email.thread]
                has = [bool(one.flags & bit) or word in one.words for one in thread]
                return any(has) if of == "some" else all(has)

    return m.holds(condition, leaf)


def expected(query: Query, everyone: list[Email], *, collapsed: bool) -> list[int]:
    found = [one for one in everyone if matches(query.condition, one, everyone)]

    def value(by: By, one: Email) -> int | str:
        match by.value:
            case "received" | "sent":
                return one.received
            case "size":
                return one.size
            case "from" | "to":
                return casemap(one.sender)
            case "subject":
                return casemap(one.subject)
            case keyword:
                return int(matches(keyword, one, everyone))

    first = query.sort[0]
    single = (
        len(query.sort) == 1
        and isinstance(first.value, str)
        and first.value in ("received", "size")
    )
    found.sort(key=lambda one: one.number, reverse=not (single and first.ascending))
    for by in reversed(query.sort):
        keys: Callable[[Email], int | str] = lambda one, by=by: value(by, one)  # type: ignore[misc] # noqa: E731
        # Equals keep their order also when it is reversed.
        found.sort(key=keys, reverse=not by.ascending)
    if not collapsed:
        return [one.number for one in found]
    threads: dict[int, int] = {}
    for one in found:
        threads.setdefault(one.thread, one.number)
    return list(threads.values())


def shown(ordered: Ordered, *, collapsed: bool) -> list[int]:
    return list(ordered.numbers(collapsed=collapsed))


class Walk:
    """An account to which things happen by chance, the same each time."""

    def __init__(self, house: House, account: int, boxes: list[int], seed: int) -> None:
        self.house = house
        self.account = account
        self.boxes = boxes
        self.chance = random.Random(seed)
        self.made = 0

    async def step(self) -> None:
        chance, house = self.chance, self.house
        box = chance.choice(self.boxes)
        uids = await house.uids(box)
        some = ((chance.choice(uids),) * 2,) if uids else ()
        match chance.choice("ddddaffffffcmxxr"):
            case "d" | "a" as way:
                self.made += 1
                subject = chance.choice(("alpha", "Beta", "gamma", "Éclair"))
                parent = f"{chance.randint(1, 6)}@x"
                about = rendered(
                    subject=subject, message_id=f"n{self.made}@x", references=(parent,)
                )
                about = msgspec.structs.replace(about, attachment=chance.random() < 0.3)
                at = 1_790_000_000 + chance.randint(-50, 50)
                if way == "d":
                    command = deliver(
                        self.account, mailbox=box, about=about, data=b"x" * chance.randint(1, 9)
                    )
                    await house.store.submit(msgspec.structs.replace(command, received_at=at))
                else:
                    await house.store.submit(
                        msgspec.structs.replace(append(box, about=about), received_at=at)
                    )
            case "f" if some:
                how = chance.choice("+-")
                what: dict[str, Any] = chance.choice(
                    (
                        {"flags": SEEN},
                        {"flags": FLAGGED},
                        {"flags": ANSWERED},
                        {"keywords": ("work",)},
                    )
                )
                if chance.random() < 0.15:
                    what = {"deleted": True}
                await house.flag(box, some, how, **what)
            case "c" if some:
                await house.copy(box, chance.choice(self.boxes), some)
            case "m" if some:
                target = chance.choice([one for one in self.boxes if one != box])
                await house.copy(box, target, some, move=True)
            case "x" if some:
                await house.expunge(box, some)
            case "r":
                rows = await house.rows(
                    "SELECT email FROM recoverable WHERE account = $1 ORDER BY email LIMIT 1",
                    self.account,
                )
                if rows:
                    await house.store.submit(Recover(actor=0, target=box, emails=(rows[0][0],)))


def queries(account: int, boxes: list[int]) -> list[Query]:
    seen, flagged = m.Keyword(SEEN), m.Keyword(FLAGGED)
    received = By("received")
    return [
        Query(account, m.InMailbox(boxes[0])),
        Query(account),
        Query(account, m.And((m.InMailbox(boxes[0]), m.Not((seen,))))),
        Query(account, m.NotOnlyIn(tuple(boxes[1:]))),
        Query(account, m.Or((flagged, m.Keyword(0, "work"))), (By("received", ascending=True),)),
        Query(account, m.Keyword(FLAGGED, of="some")),
        Query(account, m.And((m.InMailbox(boxes[0]), m.Keyword(SEEN, of="all")))),
        Query(account, m.Not((m.Attachment(), m.Sized(5, less=True)))),
        Query(account, m.Received(1_790_000_000, before=True), (By("size"),)),
        Query(account, sort=(By("subject", ascending=True), received)),
        Query(account, sort=(By("from"), By("subject"), By("received", ascending=True))),
        Query(account, sort=(By(m.Keyword(FLAGGED, of="some")), received)),
        Query(account, sort=(By(seen, ascending=True), By("size", ascending=True))),
        Query(account, m.And((m.Text("subject", "eta"), m.Not((seen,))))),
        Query(account, m.Or((m.Text("subject", "alpha"), flagged))),
        Query(account, m.Not((m.Text("subject", "a"),))),
        Query(account, m.Or()),
    ]


async def subjects(house: House, account: int) -> dict[int, str]:
    rows = await house.rows("SELECT id, base_subject FROM email_wide")
    return {row[0] & LOW: row[1] for row in rows if row[0] >> 32 == account}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("small", [2, lists.SLICE])
async def test_lists_follow_all_that_happens(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int, small: int
) -> None:
    account = await house.account()
    boxes = [inbox(account), *[await house.mailbox(account, name) for name in ("One", "Two")]]
    walk = Walk(house, account, boxes, seed)
    if small == 2:
        monkeypatch.setattr(lists, "SLICE", 2)
        monkeypatch.setattr(lists, "CHANGES", 6)
    kept = Queries(house.store.reader, house.store.clock)

    def finder() -> Search:
        async def search(condition: m.Condition, known: Known) -> set[int]:
            said = await subjects(house, account)
            for number, leaves in known.items():
                leaves |= {text: text.text in said[number] for text in m.texts(condition)}
                assert m.truth(condition, leaves) is m.holds(condition, leaves)
            return {number for number in known if m.holds(condition, known[number])}

        return search

    for step in range(90):
        for _ in range(walk.chance.choice((1, 1, 1, 2, 12))):
            await walk.step()
        everyone = await account_of(house, account)
        for query in queries(account, boxes):
            if step % 3 and query.sort != (By("received"),):
                continue
            made = await kept.open(query, finder)
            for collapsed in (False, True):
                assert shown(made.ordered, collapsed=collapsed) == expected(
                    query, everyone, collapsed=collapsed
                ), (step, query, collapsed)


async def test_a_reader_sees_what_is_shared_and_has_a_seen_of_its_own(house: House) -> None:
    owner, reader = await house.account(), await house.account()
    shared, hidden = await house.mailbox(owner, "Shared"), inbox(owner)
    await house.grant(shared, reader, "lrs")
    await house.fill(owner, 2, shared)
    await house.fill(owner, 1, hidden)
    kept = Queries(house.store.reader, house.store.clock)
    unread = m.Not((m.Keyword(SEEN),))
    theirs = Query(owner, unread, reader=reader, mailboxes=(shared,))
    mine = Query(owner, unread)
    assert len((await kept.open(theirs)).ordered) == 2
    assert len((await kept.open(mine)).ordered) == 3
    await house.flag(shared, ((1, 1),), actor=reader, flags=SEEN)
    assert len((await kept.open(theirs)).ordered) == 1
    assert len((await kept.open(mine)).ordered) == 3
    await house.flag(shared, ((2, 2),), flags=SEEN)
    assert len((await kept.open(mine)).ordered) == 2


async def test_a_list_older_than_the_tombstones_is_built_anew(house: House) -> None:
    account = await house.account()
    await house.fill(account, 3)
    kept = Queries(house.store.reader, house.store.clock)
    query = Query(account)
    assert len((await kept.open(query)).ordered) == 3
    await house.expunge(inbox(account), ((1, 1),))
    await house.damage("DELETE FROM tombstone")
    await house.damage("UPDATE account_head SET tombstone_floor = modseq")
    await house.deliver(account)
    assert len((await kept.open(query)).ordered) == 3


async def test_lists_are_bounded_and_the_newest_stays(house: House) -> None:
    account = await house.account()
    await house.fill(account, 3)
    kept = Queries(house.store.reader, house.store.clock, kept=120)
    first = await kept.open(Query(account, m.Keyword(SEEN)))
    for bit in (FLAGGED, ANSWERED, SEEN << 5):
        await kept.open(Query(account, m.Keyword(bit)))
    assert await kept.open(Query(account, m.Keyword(SEEN))) is not first


async def test_there_is_nothing_of_an_account_that_is_not_there(house: House) -> None:
    kept = Queries(house.store.reader, house.store.clock)
    assert len((await kept.open(Query(4711))).ordered) == 0


async def test_the_statements_of_a_window_do_not_grow(house: House) -> None:
    account = await house.account()
    await house.fill(account, 40)
    kept = Queries(house.store.reader, house.store.clock)
    query = Query(account, m.InMailbox(inbox(account)))
    await kept.open(query)
    await house.deliver(account)
    before = TALLY.statements
    made = await kept.open(query)
    assert len(made.ordered) == 41
    assert TALLY.statements - before <= 4
    before = TALLY.statements
    await kept.open(query)
    assert TALLY.statements - before <= 1
