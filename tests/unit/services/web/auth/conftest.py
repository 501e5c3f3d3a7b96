"""The sites over a store, on each database in turn, with one account."""

from collections.abc import AsyncIterator

import pytest

from support.store import House
from unit.services.web.auth.browser import Browser, Pages


@pytest.fixture
async def pages(house: House) -> AsyncIterator[Pages]:
    """ada@example.org is there."""
    made = Pages(house)
    await made.account()
    yield made
    made.passwords.close()


@pytest.fixture
def browser(pages: Pages) -> Browser:
    """Hers."""
    return Browser(pages)
