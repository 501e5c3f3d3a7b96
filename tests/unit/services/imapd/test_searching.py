"""Search programs: composed keys give what logic says of their parts; text is found as it reads."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malleposte.services import output
from malleposte.services.imapd import ImapSettings, search_columns, session
from support.imap_client import ImapClient, Literal, Refused
from support.store import Place
from unit.services.imapd.harness import Served, served_with
from unit.services.imapd.messages import MESSAGES

LEAVES = (
    b"ALL SEEN FLAGGED DELETED KEYWORD%20one 1:3 2,5 UID%202:4 LARGER%20200 SMALLER%20200"
    b" FROM%20ada SUBJECT%20apple TO%20bob TEXT%20the BODY%20x HEADER%20X-Odd%20first"
    b" SINCE%2021-Sep-2026 SENTON%2011-Nov-2026 MODSEQ%205 UNANSWERED NEW $"
).split()
WORDS = tuple(leaf.replace(b"%20", b" ") for leaf in LEAVES)


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what it means: ``kind`` is leaf, not, and, or."""

    kind: str
    leaf: bytes = b""
    parts: tuple[Program, ...] = ()

    def written(self) -> bytes:
        if self.kind == "leaf":
            return self.leaf
        if self.kind == "not":
            return b"NOT " + self.parts[0].written()
        if self.kind == "or":
            return b"OR %b %b" % (self.parts[0].written(), self.parts[1].written())
        return b"(%b)" % b" ".join(part.written() for part in self.parts)

    def meant(self, truth: dict[bytes, frozenset[int]], all_: frozenset[int]) -> frozenset[int]:
        if self.kind == "leaf":
            return truth[self.leaf]
        sets = [part.meant(truth, all_) for part in self.parts]
        if self.kind == "not":
            return all_ - sets[0]
        return frozenset.union(*sets) if self.kind == "or" else frozenset.intersection(*sets)


PROGRAMS = st.recursive(
    st.sampled_from(WORDS).map(lambda word: Program("leaf", word)),
    lambda inner: st.one_of(
        inner.map(lambda p: Program("not", parts=(p,))),
        st.tuples(inner, inner).map(lambda ps: Program("or", parts=ps)),
        st.lists(inner, min_size=1, max_size=4).map(lambda ps: Program("and", parts=tuple(ps))),
    ),
    max_leaves=12,
)


async def _filled(served: Served) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    for name in ("plain", "reply", "short", "alternative", "digest", "eight"):
        await client.command(b"APPEND INBOX ", Literal(MESSAGES[name]))
    await client.command(b"SELECT INBOX")
    await client.command(b"STORE 1,2 +FLAGS (\\Seen one)")
    await client.command(b"STORE 2,3 +FLAGS (\\Flagged)")
    await client.command(b"STORE 4 +FLAGS (\\Deleted \\Answered)")
    await client.command(b"SEARCH RETURN (SAVE) 3:5")
    return client


async def _search(client: ImapClient, program: bytes) -> frozenset[int]:
    answer = await client.command(b"SEARCH " + program)
    # The first MODSEQ is answered with HIGHESTMODSEQ besides.
    (line,) = [one for one in answer.untagged if not one.startswith(b"* OK ")]
    numbers = line.removeprefix(b"* SEARCH").partition(b"(")[0].split()
    assert numbers == sorted(numbers, key=int)
    return frozenset(map(int, numbers))


EVERYTHING = frozenset(range(1, 7))


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """A session, and which messages each key matches alone."""

    client: ImapClient
    truth: dict[bytes, frozenset[int]]


@pytest.fixture
async def known(served: Served) -> Known:
    client = await _filled(served)
    return Known(client, {word: await _search(client, word) for word in WORDS})


async def test_each_key_tells_something(known: Known) -> None:
    assert known.truth[b"ALL"] == EVERYTHING
    dull = [word for word, found in known.truth.items() if not found or found == EVERYTHING]
    assert len(dull) < 6, dull


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=PROGRAMS)
async def test_composed_keys_follow_logic(known: Known, program: Program) -> None:
    written = program.written()
    assert await _search(known.client, written) == program.meant(known.truth, EVERYTHING), written


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (b'SUBJECT "100%"', {1}),
        (b'SUBJECT "100!"', {3}),
        (b'SUBJECT "a_b"', {2}),
        (b'SUBJECT "back\\\\slash"', {4}),
        (b'SUBJECT "QUOTE\\""', {5}),
        (b"SUBJECT axb", set()),
        (b"SUBJECT nowhere", set()),
        (b"FROM [", set()),
    ],
)
async def test_signs_that_mean_something_to_databases(
    served: Served, key: bytes, found: set[int]
) -> None:
    _, address = await served.account()
    client = await served.signed_in(address)
    for subject in (b"100% wool", b"a_b", b"100! axb", b"back\\slash", b'quote"'):
        await client.command(b"APPEND INBOX ", Literal(b"Subject: %b\r\n\r\n" % subject))
    await client.command(b"SELECT INBOX")
    expected = found | ({3} if key == b"SUBJECT axb" else set())
    assert await _search(client, key) == expected


async def test_a_subject_longer_than_its_column_is_found_to_its_end(served: Served) -> None:
    _, address = await served.account()
    client = await served.signed_in(address)
    long = b" ".join(b"word%d" % n for n in range(400))
    await client.command(b"APPEND INBOX ", Literal(b"Subject: %b\r\n\r\n" % long))
    await client.command(b"SELECT INBOX")
    assert await _search(client, b"SUBJECT word399") == {1}
    assert await _search(client, b"SUBJECT word400") == set()


async def test_only_the_ends_are_saved_where_only_they_were_asked_for(served: Served) -> None:
    client = await _filled(served)
    answer = await client.command(b"SEARCH RETURN (SAVE MIN) ALL")
    assert answer.untagged[0].endswith(b" MIN 1\r\n")
    answer = await client.command(b"FETCH $ UID")
    assert answer.untagged == [b"* 1 FETCH (UID 1)\r\n"]
    answer = await client.command(b"SEARCH RETURN (SAVE MIN COUNT) ALL")
    answer = await client.command(b"FETCH $ UID")
    assert len(answer.untagged) == 6


async def test_a_charset_that_is_not_known_is_refused(served: Served) -> None:
    client = await _filled(served)
    with pytest.raises(Refused, match="BADCHARSET"):
        await client.command(b"SEARCH CHARSET X SUBJECT a")


async def test_a_search_has_its_price(served: Served) -> None:
    client = await _filled(served)
    many = b"OR TEXT a " * 120 + b"TEXT b"
    with pytest.raises(Refused, match=r"nests at most|LIMIT"):
        await client.command(b"SEARCH " + many)
    with pytest.raises(Refused, match=r"\[LIMIT\]"):
        await client.command(b"SEARCH " + b" ".join([b"TEXT a"] * 120))
    assert await _search(client, b" ".join([b"TEXT a"] * 50))


async def test_older_and_younger_meet_at_the_second(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 5032 §2: exact to the second, both ends counted in."""
    _, address = await served.account()
    client = await served.signed_in(address)
    for second in (0, 1, 2):
        await client.command(
            b'APPEND INBOX "01-Jan-2026 00:00:%02d +0000" ' % second, Literal(b"Subject: s\r\n\r\n")
        )
    await client.command(b"SELECT INBOX")
    monkeypatch.setattr(search_columns, "now", lambda: 1_767_225_601 + 1_000)
    assert await _search(client, b"OLDER 1000") == {1, 2}
    assert await _search(client, b"YOUNGER 1000") == {2, 3}
    assert await _search(client, b"OLDER 1000 YOUNGER 1000") == {2}


async def test_a_copy_was_saved_when_it_was_made(served: Served, place: Place) -> None:
    """RFC 8514 §4.2: the saved date is the mailbox's, not the message's."""
    _, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"APPEND INBOX ", Literal(b"Subject: s\r\n\r\n"))
    await client.command(b"APPEND INBOX ", Literal(b"Subject: t\r\n\r\n"))
    async with place.raw() as tx:
        await tx.run("UPDATE membership SET saved_at = $1", 1_600_000_000)  # 13 September 2020
    await client.command(b"SELECT INBOX")
    assert await _search(client, b"SAVEDON 13-Sep-2020") == {1, 2}
    assert await _search(client, b"SAVEDBEFORE 13-Sep-2020") == set()
    assert await _search(client, b"SAVEDSINCE 13-Sep-2020") == {1, 2}
    await client.command(b"COPY 1 Archive")
    await client.command(b"SELECT Archive")
    assert await _search(client, b"SAVEDSINCE 14-Sep-2020") == {1}
    assert await _search(client, b"SAVEDON 13-Sep-2020") == set()


async def test_a_long_search_says_how_far_it_has_come(place: Place) -> None:
    # A notice is due whenever it may be given.
    settings = ImapSettings(starttls=False, waiting_notice=0.0)
    async with served_with(place, settings) as served:
        client = await _filled(served)
        tag = client.send(b"SEARCH TEXT nowhere")
        notices: list[bytes] = []
        while not (response := await client.response()).startswith(tag):
            notices.append(response)
        result = notices.pop()
        # On PostgreSQL each read is waited for, which is told as well.
        notices = [notice for notice in notices if b"Still waiting" not in notice]
        told = [re.fullmatch(rb"\* OK \[INPROGRESS \((.*)\)\] .+\r\n", n) for n in notices]
        words = [match[1].split() for match in told if match]
        assert len(words) == len(notices) > 2
        assert {word[0] for word in words} == {b'"%b"' % tag}
        counts = [int(word[1]) for word in words if word[1] != b"NIL"]
        assert counts == sorted(counts)
        assert {word[2] for word in words if word[2] != b"NIL"} == {b"6"}
        assert max(counts) <= 6
        assert result == b"* SEARCH\r\n"


async def test_a_search_among_many_lets_others_go_first(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten sessions that search hold a NOOP up for one slice, not for ten."""
    monkeypatch.setattr(output, "HOLD_AT_MOST", 0.0)
    clients = []
    for _ in range(10):
        clients.append(await _filled(served))
    ran: list[bytes] = []
    breathe = session.Session.breathe

    async def breathed(self: session.Session) -> None:
        await breathe(self)
        ran.append(b"slice")

    monkeypatch.setattr(session.Session, "breathe", breathed)
    rounds: list[int] = []

    async def count() -> None:
        while True:
            before = len(ran)
            await asyncio.sleep(0)
            rounds.append(len(ran) - before)

    counter = asyncio.create_task(count())
    await asyncio.gather(*(client.command(b"SEARCH TEXT nowhere") for client in clients))
    counter.cancel()
    assert len(ran) >= 60
    assert max(rounds) <= 1
