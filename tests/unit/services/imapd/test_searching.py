"""Search programs: composed keys give what logic says of their parts; text is found as it reads."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.imap_client import ImapClient, Literal, Refused
from unit.services.imapd.harness import Served
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
    with pytest.raises(Refused, match=r"nested too deeply|LIMIT"):
        await client.command(b"SEARCH " + many)
    with pytest.raises(Refused, match=r"\[LIMIT\]"):
        await client.command(b"SEARCH " + b" ".join([b"TEXT a"] * 120))
    assert await _search(client, b" ".join([b"TEXT a"] * 50))
