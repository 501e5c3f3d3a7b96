"""The transcripts of `transcripts/`, each played whole, in lines, in bytes and in random pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.wire.imap.conversation import Case, play_lines, play_pieces, read_cases

_FOLDER = Path(__file__).parent / "transcripts"
_CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in sorted(_FOLDER.glob("*.txt"))
    for case in read_cases(path)
]


@pytest.mark.parametrize("case", _CASES)
def test_line_by_line(case: Case) -> None:
    play_lines(case)


@pytest.mark.parametrize("case", _CASES)
def test_byte_by_byte(case: Case) -> None:
    play_lines(case, size=1)


@pytest.mark.parametrize("case", _CASES)
def test_in_one_piece(case: Case) -> None:
    if "lockstep" in case.start:
        pytest.skip("the client must wait here")
    play_pieces(case, ())


@pytest.mark.parametrize("case", _CASES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, 2000), max_size=12))
def test_in_random_pieces(case: Case, cuts: list[int]) -> None:
    if "lockstep" not in case.start:
        play_pieces(case, cuts)
