"""The mail that tells the owner of an account of a sign-in from a browser that it never used before.

A job of the store, written in the transaction that opened the session, so that no crash loses it.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from malleposte.delivery.notice import file, is_written, number_of
from malleposte.directory.book import Book
from malleposte.i18n.locales import negotiated_locale
from malleposte.i18n.sign_in_texts import new_device_mail
from malleposte.store import Store
from malleposte.store.execute.sessions import NewDevice
from malleposte.store.results import LeasedJob

# The order counts: Edge calls itself Chrome as well, and Chrome Safari.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class NewDeviceNotices:
    """Runs jobs of the kind ``NEW_DEVICE_JOB``."""

    store: Store
    book: Book
    hostname: str

    async def run(self, job: LeasedJob) -> None:
        """Write the mail of a job: payload ``NewDevice``."""
        told = msgspec.msgpack.decode(job.payload, type=NewDevice)
        owner = await self.book.account(told.account)
        if owner is None or owner.status == "deleted":
            return
        number = number_of(f"{job.kind}:{job.key}", told.at, owner)
        identity = f"sign-in.{job.key.replace(':', '.')}@{self.hostname}"
        if await is_written(self.store, number, identity):
            return
        locale = negotiated_locale([owner.locale])
        text = new_device_mail(
            locale,
            owner.address,
            browser_named(told.agent),
            told.address,
            told.at,
            owner.time_zone,
        )
        await file(self.store, owner, text, number=number, identity=identity, about=owner.address)


def browser_named(agent: str) -> str:
    """Browser and system in words of our own: whoever signed in chose the text, and it is read in a letter
    from us."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system)))
