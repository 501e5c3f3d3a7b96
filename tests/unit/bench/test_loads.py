"""E8, LS1000, MIX, J1 and J2: what they ask, how they count, and the whole way on a small scale."""

import itertools
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.bench.measure import Counts
from malleposte.bench.options import Options
from malleposte.bench.runner import run
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work import windows
from malleposte.bench.work.mixed import KEPT, Player, held, wrong
from malleposte.bench.work.notice import Told, delays_of


def test_a_delivery_is_seen_when_as_many_new_messages_were_told() -> None:
    told = Told(5)
    told.note(5, 0.5)
    told.note(6, 1.0)
    # Two at once, and one said again.
    told.note(8, 2.0)
    told.note(8, 3.0)
    assert told.seen(1) == 1.0
    assert told.seen(2) == told.seen(3) == 2.0
    assert told.seen(4) is None
    # The first was told before its 250.
    assert delays_of([1.5, 1.75, 1.875], told) == [0.0, 0.25, 0.125]


def player(seed: int) -> Player:
    return Player(random.Random(seed), itertools.repeat(b"Subject: x\r\n\r\n"))


def test_a_client_asks_the_same_of_every_server() -> None:
    asked = [[player(seed).first(), player(seed).then(40)] for seed in (1, 1, 2)]
    assert asked[0] == asked[1] != asked[2]
    assert all(first[-1] == b"SELECT mix" for first, _ in asked)


@pytest.mark.parametrize("exists", [0, 1, 7, KEPT, 200])
def test_no_message_is_named_that_is_not_there(exists: int) -> None:
    one = player(3)
    for _ in range(200):
        asked = one.then(exists)
        for command in asked:
            named = re.match(rb"(?:FETCH|STORE) ([\d,]+) ", command)
            if named is not None:
                assert all(1 <= int(number) <= exists for number in named[1].split(b","))
        # What was asked by number is answered before EXPUNGE moves the numbers.
        kinds = [command.split()[0] for command in asked]
        if b"EXPUNGE" in kinds:
            assert not {b"FETCH", b"STORE"} & set(kinds[kinds.index(b"EXPUNGE") :])
        assert (b"APPEND" in kinds) is (exists - exists // 8 < KEPT)


def test_mailboxes_stay_about_as_full_as_they_are() -> None:
    one, held, sizes = player(4), KEPT, []
    for _ in range(2_000):
        for command in one.then(held):
            if command.startswith(b"APPEND"):
                held += 1
            elif b"Deleted" in command:
                held -= command.count(b",") + 1
        sizes.append(held)
    assert KEPT * 0.5 < sum(sizes) / len(sizes) < KEPT * 1.5


def test_what_is_expunged_while_a_mailbox_is_opened_is_not_there() -> None:
    answer = (
        b"* FLAGS ()\r\n* 7 EXISTS\r\n* 0 RECENT\r\n* 3 EXPUNGE\r\n* 6 EXPUNGE\r\nmix4 OK x\r\n"
    )
    assert held(answer) == 5
    with pytest.raises(BenchTrouble):
        held(b"mix4 NO x\r\n")


def test_what_went_wrong_is_named_and_what_another_client_expunged_is_not() -> None:
    asked = [b"FETCH 1 (UID)", b"STORE 1 +FLAGS (x)", b"EXPUNGE", b"APPEND mix {1+}\r\nx"]
    answer = (
        b"mix4 OK done\r\n* 1 EXISTS\r\nmix5 NO [EXPUNGEISSUED] gone\r\nmix6 BAD what\r\n"
        b"mix70 OK another\r\n"
    )
    assert list(wrong(answer, asked, 7)) == ["EXPUNGE: BAD what", "APPEND: nothing"]


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, for the sockets in it."""
    with tempfile.TemporaryDirectory(prefix="mb-", dir="/tmp") as folder:
        yield Path(folder)


def test_the_loads_on_a_small_server(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "REPEATS", 2)
    corpus = place / "corpus"
    corpus.mkdir()
    for number in range(12):
        text = f"From: a@x\nMessage-ID: <{number}@x>\nSubject: {number}\n\n{'y' * 99 * number}\n"
        (corpus / f"{number:02}.eml").write_text(text)
    report = run(
        Options(
            subjects=("malleposte-sqlite",),
            work=("E8", "LS1000", "MIX", "J1", "J2"),
            repetitions=1,
            counts=Counts(
                receive=40, messages=60, small=210, huge=240, mailboxes=7, clients=4, seconds=1
            ),
            corpus=corpus,
            folder=place,
        ),
        lambda words: None,
    )
    assert report.failures == []
    found = {(one.work, one.what): one for one in report.measures}
    least, most = (found["E8", f"250 to EXISTS, {what}"] for what in ("median", "longest"))
    assert 0 <= least.spread.median <= most.spread.median
    what = "Email/query + Email/get of 50 in 60"
    assert found["J1", f"{what}, first"].spread.median > 0
    assert found["J1", f"{what}, threads"].spread.median > 0
    assert found["J2", "messages, at three quarters: large / small"].spread.median > 0
    assert found["J2", "threads, at an anchor, in 240"].spread.median > 0
    assert found["LS1000", "LIST-STATUS of 7, first"].spread.median > 0
    assert found["MIX", "4 clients, own client"].spread.median > 0
    errors = found["MIX", "4 clients, own client: errors"]
    assert errors.spread.median == 0, errors.notes
