"""The command line gives a checked value; slips are refused before anything starts."""

from pathlib import Path

import pytest

from malleposte.bench.options import DEFAULT_WORK, Options, check, parse
from malleposte.bench.trouble import BenchTrouble


def test_defaults_are_the_work_list() -> None:
    options = parse([])
    assert options == Options()
    assert {"R1", "R8", "R32", "L1", "L8", "M1", "D1", "F"} <= set(DEFAULT_WORK)
    assert {f"I{number}" for number in range(1, 13)} <= set(DEFAULT_WORK)
    assert options.counts.messages == 20_000
    assert options.repetitions == 3


def test_words_become_values() -> None:
    options = parse(
        [
            *("--subjects", "sdbox,maildir", "--work", "R8 I2", "--repetitions", "5"),
            *("--messages", "200", "--receive", "30", "--out", "o", "--keep"),
            *("--clients", "5", "--seconds", "2", "--imaptest", "i"),
        ]
    )
    assert options.subjects == ("sdbox", "maildir")
    assert options.work == ("R8", "I2")
    assert (options.repetitions, options.counts.messages, options.counts.receive) == (5, 200, 30)
    assert options.out == Path("o")
    assert options.keep
    assert (options.counts.clients, options.counts.seconds) == (5, 2)
    assert options.imaptest == Path("i")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--subjects", "exim"], "unknown subject «exim»"),
        (["--work", "R8,R9"], "unknown work «R9»"),
        (["--work", ""], "no work"),
        (["--subjects", "sdbox,sdbox"], "twice"),
        (["--subjects", "external"], "--connect"),
        (["--repetitions", "0"], "--repetitions"),
        (["--messages", "2000000"], "1,000,000"),
        (["--small", "500000"], "--small"),
        (["--idle", "100000"], "--idle"),
        (["--seconds", "0"], "--seconds"),
    ],
)
def test_slips_are_refused_in_words(words: list[str], said: str) -> None:
    with pytest.raises(BenchTrouble, match=said):
        parse(words)


def test_values_made_in_code_are_checked_too() -> None:
    with pytest.raises(BenchTrouble):
        check(Options(subjects=()))
