"""A served house, on each database in turn."""

from collections.abc import AsyncIterator

import pytest

from malleposte.store.commands import CreateDomain
from support.store import Place
from unit.services.sieved.harness import Served, serve


@pytest.fixture
async def served(place: Place) -> AsyncIterator[Served]:
    """A ManageSieve service over an empty store with the domain example.org."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store) as service:
            yield service
