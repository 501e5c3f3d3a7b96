"""A served house, on each database in turn; and no command that reads may parse a message."""

from collections.abc import AsyncIterator, Iterator

import pytest

from support.store import Place
from unit.services.imapd.harness import Served, served_with
from unit.services.imapd.parsing import watch


@pytest.fixture(autouse=True)
def parsing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails whatever test of this folder, transcripts among them, in which a message is parsed for
    anything but APPEND and REPLACE: structures and columns are stored when mail comes."""
    seen = watch(monkeypatch)
    yield seen
    assert not seen, seen[0]


@pytest.fixture
async def served(place: Place) -> AsyncIterator[Served]:
    """An IMAP service over an empty store with the domain example.org."""
    async with served_with(place) as served:
        yield served
