"""The owner of an account is told of a sign-in from a browser that it never used."""

import msgspec
import pytest

from malleposte.delivery.new_device_notice import NewDeviceNotices, browser_named
from malleposte.directory.book import Book
from malleposte.store.commands import CreateAccount, LeaseJobs, OpenWebSession
from malleposte.store.execute.sessions import NEW_DEVICE_JOB
from malleposte.store.results import Created, Done, Leased
from support.store import House
from unit.delivery.test_held_notice import mail

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def account(house: House, name: str, locale: str) -> int:
    command = CreateAccount(address=f"{name}@example.org", name="", password_hash="", locale=locale)
    return (await house.do(command, Created)).id


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("en", "New sign-in to ada@example.org", ("Browser: Firefox, Linux", "From: 203.0.113.7")),
        ("fr", "Nouvelle connexion", ("Navigateur : Firefox, Linux", "Depuis : 203.0.113.7")),
    ],
)
async def test_the_owner_gets_one_letter_for_each_new_browser(
    house: House, locale: str, subject: str, words: tuple[str, ...]
) -> None:
    ada = await account(house, "ada", locale)
    notices = NewDeviceNotices(house.store, Book(house.store), "mail.example.org")
    for n, device in enumerate((b"first", b"other", b"other")):
        opened = OpenWebSession(
            token=b"%d token" % n,
            account=ada,
            version=1,
            idle=1000,
            lasts=1000,
            way="password",
            agent=FIREFOX,
            address="203.0.113.7",
            device=device,
        )
        await house.do(opened, Done)
    lease = LeaseJobs(kinds=(NEW_DEVICE_JOB,), holder="me", seconds=60, limit=10)
    (job,) = (await house.do(lease, Leased)).jobs
    await notices.run(job)
    await notices.run(msgspec.structs.replace(job, attempts=2))
    (letter,) = await mail(house.store, ada)
    assert letter["Subject"].startswith(subject)
    content = letter.get_content()
    for one in words:
        assert one in content


def test_what_a_browser_says_of_itself_is_not_repeated_to_people() -> None:
    assert browser_named("Call 555-0100 at https://evil.example/ now") == ""
    assert browser_named(FIREFOX) == "Firefox, Linux"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
    assert browser_named(edge) == "Edge, Windows"
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    assert browser_named(safari) == "Safari, iPhone"
