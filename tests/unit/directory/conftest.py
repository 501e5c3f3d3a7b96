"""An empty store, on each database in turn."""

from collections.abc import AsyncIterator

import pytest

from malleposte.store import Store
from support.store import Place


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    """An open store without a domain."""
    async with place.open() as opened:
        yield opened
