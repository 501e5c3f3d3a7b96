"""A served house, on each database in turn."""

from collections.abc import AsyncIterator

import pytest

from support.store import Place
from unit.services.imapd.harness import Served, served_with


@pytest.fixture
async def served(place: Place) -> AsyncIterator[Served]:
    """An IMAP service over an empty store with the domain example.org."""
    async with served_with(place) as served:
        yield served
