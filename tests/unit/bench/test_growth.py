"""Counters are read from the server's metrics as they stand there."""

from malleposte.bench.work.growth import sum_counter

TEXT = """# HELP s_total Statements.
# TYPE s_total counter
s_total{process="1"} 3.0
s_total{process="2"} 4.0
s_total_created 1.7e9
other_total 5.0
"""


def test_labels_are_added_and_like_names_are_not() -> None:
    assert sum_counter(TEXT, "s_total") == 7.0
    assert sum_counter(TEXT, "other_total") == 5.0


def test_a_server_that_does_not_count_gives_none() -> None:
    assert sum_counter(TEXT, "missing_total") is None
