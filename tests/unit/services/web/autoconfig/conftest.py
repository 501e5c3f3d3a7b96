"""The settings files, served over a house on each database in turn."""

from collections.abc import AsyncIterator

import pytest

from malleposte.directory.book import Book
from malleposte.services.web.autoconfig import AutoconfigSite, Offer, Offers
from support.store import House
from unit.services.web.harness import SETTINGS, Served, serve

OFFERS = Offers(
    "imap.example.net",
    (
        Offer("imap", 143, implicit=False),
        Offer("imap", 993, implicit=True),
        Offer("pop3", 1995, implicit=True),
        Offer("smtp", 587, implicit=False),
    ),
)


def site(house: House, offers: Offers = OFFERS, *, ready: bool = True) -> AutoconfigSite:
    def sign(profile: bytes) -> bytes:
        return b"signed:" + profile

    return AutoconfigSite(Book(house.store), offers, SETTINGS.url, sign, lambda: ready)


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    """Settings for example.org, to clients on other machines."""
    async with serve(book=Book(house.store), sites=[site(house)], remote=False) as served:
        yield served
