"""The model of a QRESYNC client, on which the tests with kills rest: it believes nothing it should not."""

import pytest

from support.imap_ledger import Ledger
from support.imap_mirror import Mirror

SEEN = rb"(\Seen)"


def fetch(seq: int, uid: int, modseq: int, flags: bytes = b"()") -> bytes:
    return b"* %d FETCH (UID %d FLAGS %b MODSEQ (%d))\r\n" % (seq, uid, flags, modseq)


def opened(exists: int) -> Mirror:
    """A mailbox whose messages have the UIDs 1, 2, …, at modseq 5."""
    mirror = Mirror("one")
    mirror.select()
    mirror.take(b"* %d EXISTS\r\n" % exists)
    mirror.take(b"* OK [UIDVALIDITY 7] x\r\n")
    mirror.take(b"* OK [HIGHESTMODSEQ 5] x\r\n")
    mirror.answered(b"OK [READ-WRITE] x\r\n")
    for uid in range(1, exists + 1):
        mirror.take(fetch(uid, uid, 5))
    mirror.answered(b"OK x\r\n")
    return mirror


def test_the_modseq_moves_with_the_tagged_answer_and_never_past_what_was_told() -> None:
    """RFC 7162 §6."""
    mirror = opened(3)
    mirror.take(fetch(1, 1, 9, SEEN))
    assert mirror.modseq == 5
    mirror.lost()
    assert mirror.modseq == 5
    mirror.take(fetch(2, 2, 9, SEEN))
    mirror.answered(b"OK x\r\n")
    assert mirror.modseq == 9
    mirror.take(fetch(3, 3, 12, SEEN))
    mirror.take(b"* OK [HIGHESTMODSEQ 10] x\r\n")
    mirror.answered(b"OK x\r\n")
    assert mirror.modseq == 10
    assert mirror.qresync("1:3", "") == b" (QRESYNC (7 10 1:3))"


def test_who_comes_back_is_told_what_went_and_asks_for_what_came() -> None:
    mirror = opened(3)
    mirror.select()
    mirror.take(b"* 4 EXISTS\r\n")
    mirror.take(b"* OK [HIGHESTMODSEQ 9] x\r\n")
    # 8 was never known: no matter.
    mirror.take(b"* VANISHED (EARLIER) 2,8\r\n")
    mirror.take(fetch(2, 3, 8, SEEN))
    mirror.answered(b"OK x\r\n")
    assert mirror.unknown == 2
    assert (mirror.sure, mirror.whole) == (3, True)
    mirror.take(fetch(3, 4, 9))
    assert not mirror.whole
    mirror.take(fetch(4, 9, 9))
    assert (mirror.unknown, mirror.sure, mirror.order) == (0, 9, [1, 3, 4, 9])
    mirror.take(b"* VANISHED 1\r\n")
    assert (mirror.exists, mirror.messages[3]) == (3, (frozenset({rb"\Seen"}), 8))


@pytest.mark.parametrize(
    "response",
    [
        b"* 2 EXISTS\r\n",
        b"* 1 EXPUNGE\r\n",
        b"* VANISHED 9\r\n",
        b"* 2 FETCH (FLAGS () MODSEQ (9))\r\n",
        b"* 2 FETCH (UID 2 FLAGS ())\r\n",
        b"* OK [UIDVALIDITY 8] x\r\n",
        # Another number, a message too many, back in time, another message at the same time.
        fetch(1, 2, 9),
        fetch(4, 4, 9),
        fetch(2, 2, 4),
        fetch(2, 2, 5, SEEN),
    ],
)
def test_what_a_server_may_not_say_is_noticed(response: bytes) -> None:
    mirror = opened(3)
    with pytest.raises((AssertionError, KeyError)):
        mirror.take(response)


def test_what_was_acknowledged_must_be_there() -> None:
    ledger = Ledger(sent={b"<a>", b"<b>"})
    ledger.put(("one", 1), b"<a>")
    ledger.put(("one", 2), b"<b>")
    ledger.keywords[("one", 1), b"K"] = True
    there = ("one", 1), (frozenset({b"K"}), b"<a>")
    other = ("one", 2), (frozenset[bytes](), b"<b>")
    ledger.check(dict([there, other]))
    for wrong in (
        [there],
        [there, (("one", 2), (frozenset[bytes](), b"<a>"))],
        [(("one", 1), (frozenset[bytes](), b"<a>")), other],
        [there, other, (("two", 1), (frozenset[bytes](), b"<c>"))],
        [there, other, (("two", 1), (frozenset[bytes](), b"<a>"))],
    ):
        with pytest.raises(AssertionError):
            ledger.check(dict(wrong))
    ledger.doomed.add(("one", 2))
    ledger.check(dict([there]))
    ledger.gone.add(("one", 2))
    with pytest.raises(AssertionError):
        ledger.check(dict([there, other]))
