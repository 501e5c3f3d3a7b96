"""Numbers of traces: no two messages share one, whichever worker took them."""

import multiprocessing

from malleposte.delivery.trace_header import parse_id, shown_id, trace_id


def _numbers(count: int) -> list[int]:
    return [trace_id() for _ in range(count)]


def test_workers_are_forks_and_number_apart() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.map(_numbers, [2_000] * 8, chunksize=1)
    found.append(_numbers(2_000))
    numbers = [number for part in found for number in part]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 1 << 63


def test_an_id_is_read_as_it_is_shown() -> None:
    number = trace_id()
    assert parse_id(shown_id(number)) == number
