"""SORT's keys and runs: octets compare as what they were made of, and come in order wherever they wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.mime import casemap
from malleposte.services.imapd import sort_runs
from malleposte.services.imapd.sort_runs import Runs
from malleposte.store.ordered import octets

TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("aAbBß_éE\u0301"), max_size=8
)
ROWS = st.lists(st.tuples(TEXTS, st.integers(-5, 5), TEXTS), max_size=30)
DIRECTIONS = st.tuples(st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, reverse=DIRECTIONS)
def test_keys_are_in_the_order_of_what_they_stand_for(
    rows: list[tuple[str, int, str]], reverse: tuple[bool, bool, bool]
) -> None:
    a, b, c = reverse
    made = [octets(x, a) + octets(n, b) + octets(y, c) for x, n, y in rows]
    order = sorted(range(len(rows)), key=lambda n: (made[n], n))
    # One criterion after the other, the least important first: sorting is stable, also in reverse.
    expected = list(range(len(rows)))
    expected.sort(key=lambda n: casemap(rows[n][2]), reverse=c)
    expected.sort(key=lambda n: rows[n][1], reverse=b)
    expected.sort(key=lambda n: casemap(rows[n][0]), reverse=a)
    assert order == expected


@settings(max_examples=30, deadline=None)
@given(
    keys=st.lists(st.binary(max_size=40), max_size=60, unique=True),
    step=st.integers(1, 9),
    held=st.sampled_from([0, 200, 10_000]),
    block=st.sampled_from([5, 64, 16 * 1024]),
)
def test_runs_give_all_keys_in_order_in_memory_and_in_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    keys: list[bytes],
    step: int,
    held: int,
    block: int,
) -> None:
    folder: Path = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort_runs, "RUN", 10)
        patch.setattr(sort_runs, "IN_MEMORY", held)
        patch.setattr(sort_runs, "BLOCK", block)
        runs = Runs(folder)
        for start in range(0, len(keys), step):
            runs.add(keys[start : start + step])
        assert list(runs.merged()) == sorted(keys)
        runs.close()
    assert not list(folder.glob("tmp*"))
