"""The small pure parts: sets without what is there, decoding in pieces, dates, folding."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.mime.body import decode_transfer
from malleposte.mime.transfer import decoder
from malleposte.search.folding import fold
from malleposte.services.imapd.internal_date import internal_date
from malleposte.services.imapd.ranges import slices
from malleposte.services.imapd.resync import without
from malleposte.store.commands import MAX_ROWS
from malleposte.wire.imap.dates import format_timestamp
from malleposte.wire.imap.sets import NumberSet

_SETS = st.sets(st.integers(1, 40), max_size=25)


@given(_SETS, _SETS)
def test_a_set_without_what_is_there(numbers: set[int], there: set[int]) -> None:
    left = without(NumberSet.from_sorted(sorted(numbers)), array("I", sorted(there)))
    assert left == NumberSet.from_sorted(sorted(numbers - there))


@given(_SETS, _SETS)
def test_what_two_sets_share(one: set[int], other: set[int]) -> None:
    from malleposte.services.imapd.resync import _both

    shared = _both(NumberSet.from_sorted(sorted(one)), NumberSet.from_sorted(sorted(other)))
    assert {n for a, b in shared for n in range(a, b + 1)} == one & other


def test_commands_take_no_more_than_the_store_does() -> None:
    uids = array("I", range(1, 2 * MAX_ROWS + 8, 1))
    cut = slices(uids)
    assert [NumberSet(ranges).count() for ranges in cut] == [MAX_ROWS, MAX_ROWS, 7]
    assert [n for ranges in cut for a, b in ranges for n in range(a, b + 1)] == list(uids)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit", "x-unknown"])
@given(
    data=st.binary(max_size=300),
    cuts=st.lists(st.integers(0, 500), max_size=6),
    text=st.booleans(),
)
def test_decoded_in_pieces_as_at_once(
    encoding: str, data: bytes, cuts: list[int], text: bool
) -> None:
    import base64
    import quopri

    encoded = data
    if encoding == "base64":
        encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        encoded = quopri.encodestring(data, quotetabs=text).replace(b"\n", b" \t\r\n")
    undo = decoder(encoding)
    at, got = 0, b""
    for cut in [*sorted(cuts), len(encoded)]:
        if cut > at:
            got += undo.feed(encoded[at:cut])
            at = cut
    got += undo.end()
    assert got == decode_transfer(encoded, encoding)


def test_base64_ends_at_its_padding() -> None:
    undo = decoder("base64")
    assert undo.feed(b"aGVs") + undo.feed(b"bG8=\r\n-- \r\nlist footer") + undo.end() == b"hello"


@given(st.integers(0, 4_102_444_800))
def test_dates_as_the_engine_writes_them(seconds: int) -> None:
    assert internal_date(seconds) == format_timestamp(seconds)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ada", "ADA"), ("Straße", "STRASSE"), ("Ｙahoo", "yahoo"), ("ﬁn", "FIN"), ("é", "E\u0301")],
)
def test_texts_that_people_take_for_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)
