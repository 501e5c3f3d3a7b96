"""StoreFlags: what changes, what it costs in modseqs, whom it shows for."""

from typing import Any

import pytest

from malleposte.store.commands import StoreFlags
from malleposte.store.flags import ANSWERED, FLAGGED, SEEN
from malleposte.store.results import Stored
from support.store import ALL, House, inbox


async def flags(house: House, mailbox: int) -> list[tuple[int, str | None, int]]:
    rows = await house.rows(
        "SELECT e.flags, e.keywords, m.deleted FROM membership m JOIN email e ON e.id = m.email"
        " WHERE m.mailbox = $1 ORDER BY m.uid",
        mailbox,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def modseqs(house: House, mailbox: int) -> list[int]:
    rows = await house.rows(
        "SELECT e.modseq FROM membership m JOIN email e ON e.id = m.email"
        " WHERE m.mailbox = $1 ORDER BY m.uid",
        mailbox,
    )
    return [row[0] for row in rows]


async def counts(house: House, mailbox: int) -> tuple[int, int]:
    info = await house.info(mailbox)
    return info.unseen, info.deleted


async def test_bits_are_set_cleared_and_replaced(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 3)
    await house.flag(box, ((1, 2),), "+", flags=SEEN | FLAGGED)
    assert await flags(house, box) == [(5, None, 0), (5, None, 0), (0, None, 0)]
    assert await counts(house, box) == (1, 0)
    await house.flag(box, ((2, 3),), "-", flags=SEEN)
    assert await flags(house, box) == [(5, None, 0), (4, None, 0), (0, None, 0)]
    assert await counts(house, box) == (2, 0)
    await house.flag(box, ((1, 3),), "=", flags=ANSWERED)
    assert await flags(house, box) == [(ANSWERED, None, 0)] * 3
    assert await counts(house, box) == (3, 0)


async def test_only_what_differs_is_changed(house: House) -> None:
    """A repeated STORE costs no modseq, and only changed messages get the new one."""
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 3)
    first = await house.flag(box, ((1, 1),), flags=SEEN)
    before = await modseqs(house, box)
    second = await house.flag(box, ALL, flags=SEEN)
    assert second.modseq > first.modseq
    assert await modseqs(house, box) == [before[0], second.modseq, second.modseq]
    for how in ({"flags": SEEN}, {"flags": SEEN, "mode": "="}):
        assert (await house.flag(box, ALL, **how)).modseq == 0
    assert (await house.info(box)).message_modseq == second.modseq


@pytest.mark.parametrize(
    ("mode", "words", "expected"),
    [
        ("+", ("New", "a"), "a b new"),
        ("-", ("A", "zzz"), "b"),
        ("-", ("a", "b"), None),
        ("=", ("c",), "c"),
        ("=", (), None),
    ],
)
async def test_keywords(house: House, mode: str, words: Any, expected: str | None) -> None:
    account = await house.account()
    await house.deliver(account, keywords=("a", "b"))
    answer = await house.flag(inbox(account), mode=mode, keywords=words)
    assert answer.modseq
    assert await flags(house, inbox(account)) == [(0, expected, 0)]


async def test_keywords_and_bits_change_together(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    answer = await house.flag(inbox(account), ((2, 2),), keywords=("k",), flags=SEEN, deleted=True)
    assert await flags(house, inbox(account)) == [(0, None, 0), (SEEN, "k", 1)]
    assert await counts(house, inbox(account)) == (1, 1)
    assert (await modseqs(house, inbox(account)))[1] == answer.modseq


async def test_keywords_without_a_place_are_refused_and_nothing_changes(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.deliver(account)
    await house.flag(box, keywords=tuple(f"k{n}" for n in range(60)))

    def add(*words: str, mode: str = "+") -> StoreFlags:
        return StoreFlags(actor=0, mailbox=box, uids=ALL, mode=mode, flags=SEEN, keywords=words)

    more = tuple(f"m{n}" for n in range(41))
    assert await house.refused(add(*more)) == "limit"
    assert await house.refused(add("x" * 256)) == "limit"
    assert await house.refused(add("two words", mode="=")) == "limit"
    await house.do(add(*more[:40], "x" * 255, mode="="), Stored)
    await house.do(add("x" * 300, "never there", mode="-"), Stored)
    ((_, words, _),) = await flags(house, box)
    assert words is not None
    assert len(words.split()) == 41


async def test_deleted_belongs_to_the_membership(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 2)
    await house.copy(box, archive)
    answer = await house.flag(box, ((1, 1),), deleted=True)
    assert [row[2] for row in await flags(house, box)] == [1, 0]
    assert [row[2] for row in await flags(house, archive)] == [0, 0]
    assert (await counts(house, box))[1] == 1
    assert (await counts(house, archive))[1] == 0
    # The email's MODSEQ is one; HIGHESTMODSEQ of both mailboxes must cover it (RFC 7162 §3.1.2.1).
    assert (await house.info(archive)).message_modseq == answer.modseq
    await house.flag(box, ALL, "-", deleted=True)
    assert [row[2] for row in await flags(house, box)] == [0, 0]


async def test_replacing_flags_clears_deleted(house: House) -> None:
    account = await house.account()
    await house.append(inbox(account), deleted=True, flags=SEEN)
    await house.flag(inbox(account), mode="=", flags=FLAGGED)
    assert await flags(house, inbox(account)) == [(FLAGGED, None, 0)]
    assert await counts(house, inbox(account)) == (1, 0)


@pytest.mark.parametrize("how", [{"flags": SEEN}, {"keywords": ("k",)}])
async def test_a_flag_shows_in_every_mailbox(house: House, how: dict[str, Any]) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 2)
    await house.copy(box, archive, ((2, 2),))
    answer = await house.flag(archive, ALL, **how)
    assert (await modseqs(house, box))[1] == (await modseqs(house, archive))[0] == answer.modseq
    assert (await house.info(box)).message_modseq == answer.modseq
    assert (await house.info(archive)).message_modseq == answer.modseq
    if "flags" in how:
        assert (await counts(house, box))[0] == 1
        assert (await counts(house, archive))[0] == 0


async def test_messages_changed_since_are_left_alone(house: House) -> None:
    """RFC 7162 §3.1.3: UNCHANGEDSINCE."""
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 4)
    since = (await modseqs(house, box))[-1]
    await house.flag(box, ((2, 2),), flags=FLAGGED)
    answer = await house.flag(
        box, ALL, flags=SEEN, keywords=("k",), deleted=True, unchanged_since=since
    )
    assert answer.modified == (2,)
    assert await flags(house, box) == [(1, "k", 1), (4, None, 0), (1, "k", 1), (1, "k", 1)]
    nothing = await house.flag(box, ALL, flags=SEEN, unchanged_since=0)
    assert nothing.modified == (1, 2, 3, 4)
    assert nothing.modseq == 0


async def test_overlapping_sets_meet_a_message_once(house: House) -> None:
    """A client may write 1:3,2,2:4."""
    account = await house.account()
    await house.fill(account, 4)
    await house.flag(inbox(account), ((1, 3), (2, 2), (2, 4)), flags=SEEN, keywords=("k",))
    assert await counts(house, inbox(account)) == (0, 0)
    await house.flag(inbox(account), ((2, 4), (1, 3)), "-", flags=SEEN)
    assert await counts(house, inbox(account)) == (4, 0)
    await house.flag(inbox(account), ((2, 4), (1, 3)), deleted=True)
    assert await counts(house, inbox(account)) == (4, 4)


async def test_uids_that_are_not_there_are_nothing(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    assert (await house.flag(inbox(account), ((3, 900), (7, 5)), flags=SEEN)).modseq == 0
    assert (await house.flag(inbox(account), (), flags=SEEN)).modseq == 0


async def test_too_many_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement counts to one past the bound and no further."""
    account = await house.account()
    await house.fill(account, 3)
    monkeypatch.setattr("malleposte.store.execute.flagging.MAX_ROWS", 2)
    command = StoreFlags(actor=0, mailbox=inbox(account), uids=ALL, mode="+", flags=SEEN)
    assert await house.refused(command) == "limit"
    await house.flag(inbox(account), ((1, 2),), flags=SEEN)


# Other people -------------------------------------------------------------------------------------


async def shared(house: House, letters: str) -> tuple[int, int]:
    """An INBOX with two messages and who else may use it."""
    owner, other = await house.account(), await house.account()
    await house.fill(owner, 2)
    await house.grant(inbox(owner), other, letters)
    return inbox(owner), other


async def test_without_rights_nothing_changes(house: House) -> None:
    box, other = await shared(house, "lri")
    command = StoreFlags(actor=other, mailbox=box, uids=ALL, mode="+", flags=SEEN)
    assert await house.refused(command) == "no-rights"
    gone = StoreFlags(actor=0, mailbox=box + 90, uids=ALL, mode="+", flags=SEEN)
    assert await house.refused(gone) == "no-such-mailbox"
    await house.grant(box, other, "rswt")
    assert await house.refused(command) == "no-such-mailbox", "without l it is not there"


@pytest.mark.parametrize(
    ("letters", "expected", "personal"),
    [
        ("lrs", (0, None, 0), [1, 1]),
        ("lrw", (FLAGGED, "k", 0), []),
        ("lrt", (0, None, 1), []),
        ("lrswipkxtea", (FLAGGED, "k", 1), [1, 1]),
    ],
)
async def test_each_right_sets_its_own(
    house: House, letters: str, expected: tuple[int, str | None, int], personal: list[int]
) -> None:
    r"""RFC 4314 §4: s for \Seen, t for \Deleted, w for the others; \Seen is each reader's own."""
    box, other = await shared(house, letters)
    await house.flag(box, actor=other, flags=SEEN | FLAGGED, keywords=("k",), deleted=True)
    assert await flags(house, box) == [expected] * 2
    seen = await house.rows("SELECT seen FROM reader_seen WHERE reader = $1", other)
    assert [row[0] for row in seen] == personal
    assert (await counts(house, box))[0] == 2, "the owner has read nothing"


@pytest.mark.parametrize(
    ("letters", "how", "reason"),
    [
        ("lrs", {"flags": FLAGGED}, "no-rights"),
        ("lrs", {"keywords": ("k",)}, "no-rights"),
        ("lrw", {"flags": SEEN}, "no-rights"),
        ("lrw", {"deleted": True}, "no-rights"),
        ("lrs", {"flags": FLAGGED | SEEN}, ""),
        ("lrt", {"keywords": ("k",), "deleted": True}, ""),
        ("lrs", {}, ""),
        ("lr", {}, "no-rights"),
    ],
)
@pytest.mark.parametrize("mode", ["+", "-", "="])
async def test_one_of_the_flags_must_be_allowed(
    house: House, letters: str, how: dict[str, Any], reason: str, mode: str
) -> None:
    """RFC 4314 §4 (STORE): refused only where no flag that is named may be changed."""
    box, other = await shared(house, letters)
    command = StoreFlags(actor=other, mailbox=box, uids=ALL, mode=mode, **how)
    if reason:
        assert await house.refused(command) == reason
    else:
        await house.do(command, Stored)


async def test_a_readers_seen_has_a_modseq_of_the_owners_counter(house: House) -> None:
    box, other = await shared(house, "lrs")
    before = (await house.info(box)).message_modseq
    answer = await house.flag(box, ((1, 1),), actor=other, flags=SEEN)
    assert await house.rows("SELECT reader, seen, modseq FROM reader_seen") == [
        (other, 1, answer.modseq)
    ]
    assert answer.modseq > before
    assert (await house.info(box)).message_modseq == answer.modseq, "views look"
    assert (await house.email(box, 1))["modseq"] == before - 1, "others see no change"
    assert (await house.flag(box, ((1, 1),), actor=other, flags=SEEN)).modseq == 0


async def test_a_readers_seen_stays_when_it_agrees_again(house: House) -> None:
    box, other = await shared(house, "lrs")
    await house.flag(box, ((1, 1),), actor=other, flags=SEEN)
    back = await house.flag(box, ((1, 1),), "-", actor=other, flags=SEEN)
    assert await house.rows("SELECT seen, modseq FROM reader_seen") == [(0, back.modseq)]


async def test_a_readers_seen_is_laid_over_the_owners(house: House) -> None:
    box, other = await shared(house, "lrs")
    await house.flag(box, ((1, 1),), flags=SEEN)
    assert (await house.flag(box, ((1, 1),), actor=other, flags=SEEN)).modseq == 0
    await house.flag(box, ((1, 1),), "-", actor=other, flags=SEEN)
    assert await house.rows("SELECT seen FROM reader_seen") == [(0,)]
    assert (await flags(house, box))[0] == (SEEN, None, 0)


async def test_a_readers_own_change_counts_for_unchanged_since(house: House) -> None:
    box, other = await shared(house, "lrsw")
    since = (await house.info(box)).message_modseq
    await house.flag(box, ((1, 1),), actor=other, flags=SEEN)
    mine = await house.flag(box, ALL, "-", actor=other, flags=SEEN, unchanged_since=since)
    assert mine.modified == (1,)
    owners = await house.flag(box, ALL, flags=FLAGGED, unchanged_since=since)
    assert owners.modified == ()
