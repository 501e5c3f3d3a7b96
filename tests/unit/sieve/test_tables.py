"""Scripts and what comes of them, by the tables; what a table may say, tests/support/sieve_tables.py."""

from collections import Counter

import pytest

from support.sieve_tables import Case, cases

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_script_does_what_the_table_says(case: Case) -> None:
    assert case.wrong() == []


def test_every_case_is_there_once() -> None:
    """A line that stands twice says nothing the second time."""
    twice = [
        case
        for case, count in Counter((c.title, c.script, c.message, c.sender) for c in CASES).items()
        if count > 1
    ]
    assert twice == []
    assert len(CASES) > 150
