"""Whether the store may be read: said once by the writer, over memory that the workers share with it.

A database put back from a copy has UIDs that named other messages until the writer has compared it with
its mark and renewed them. Nobody reads before that. Where the writer cannot write it compares them all
the same. Once open the gate stays so: a writer that is replaced finds the database it left.
"""

import mmap


class Gate:
    """Made before the processes are forked."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    @property
    def is_open(self) -> bool:
        """Whether a writer of this life of the server saw that the store can be read."""
        return self._memory[0] != 0

    def open(self) -> None:
        """The store is what it is said to be."""
        self._memory[0] = 1
