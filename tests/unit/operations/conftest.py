"""An operator's desk over an open store with the domain example.org, on each database in turn."""

import pytest

from support.store import House
from unit.operations.desk import Desk


@pytest.fixture
def desk(house: House) -> Desk:
    """The machine's root at work."""
    return Desk(house.store)
