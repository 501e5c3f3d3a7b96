"""What can go wrong in a measurement, in two kinds.

`BenchTrouble` ends what was asked for (the run, or one piece of work) with words for the operator;
`Unavailable` leaves one subject out of the run and lets the others go on.
"""


class BenchTrouble(Exception):
    """The measurement cannot be made; the text says why and what to do."""


class Unavailable(BenchTrouble):
    """A subject cannot take part here: its packages are missing, or of another version."""
