"""What all commands are, and what bounds them."""

from typing import ClassVar, Final

import msgspec

MAX_ROWS = 5_000
"""Messages one command may touch, so that other commands pass between (measured: 5,000 flags, 7 ms)."""

SYSTEM = 0
"""The actor of deliveries and upkeep: all rights, no person."""

Ranges = tuple[tuple[int, int], ...]

LATEST: Final = 253_370_764_799
"""The end of the year 9998: later moments cannot be written in every zone with a year of four digits."""


def kept_date(seconds: int) -> int:
    """When a message came, as it is kept: Unix seconds from 1970 to ``LATEST``, whatever was claimed."""
    return min(max(0, seconds), LATEST)


class Command(msgspec.Struct, frozen=True, array_like=True, tag=True, kw_only=True):
    """Base of all commands."""

    leases: ClassVar[bool] = False
    """Gives or ends leases: by the database's clock, for those of machines differ."""
    unnoticed: ClassVar[bool] = False
    """Changes nothing that others wait to hear of."""

    def accounts(self) -> tuple[int, ...]:
        """Accounts whose heads the command needs locked."""
        return ()
