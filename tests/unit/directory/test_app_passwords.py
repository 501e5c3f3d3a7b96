"""App passwords at the door: for what they are, one hash each, and the main one where it is not enough."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from malleposte.directory.app_passwords import SCOPES, WEB, AppUses, read, written
from malleposte.directory.book import Book
from malleposte.directory.signin import Door, Refusal, SignIn
from malleposte.policy.throttle import Throttle, ThrottleSettings
from malleposte.runtime.passwords import Passwords, PasswordSettings, TooBusyError
from malleposte.runtime.passwords_generate import readable_password
from malleposte.runtime.passwords_memory import VerifiedMemory
from malleposte.services.still_signed_in import CHANGED, REMOVED, SUSPENDED, why_not
from malleposte.store.commands import (
    AddAppPassword,
    AddPasskey,
    DropAppPassword,
    RequireSecondStep,
    SetAccount,
    SetPassword,
)
from malleposte.store.commands.credentials import APP_NOTED_EVERY
from malleposte.store.results import Created, Done
from support.store import House

MAIN = "correct horse battery"
NAME = "ada@example.org"


class Counting:
    """The real computations, counted."""

    def __init__(self) -> None:
        self.inner = Passwords(PasswordSettings(memory_kib=64, iterations=1))
        self.count = 0

    async def verify(self, stored: str | None, password: str) -> bool:
        self.count += 1
        return await self.inner.verify(stored, password)


@dataclass
class Entry:
    """The door of a store with one account."""

    house: House
    account: int
    passwords: Counting
    book: Book
    door: Door

    async def app(self, scope: str = "", label: str = "Phone") -> str:
        """A new one's text."""
        secret = readable_password()
        hashed = await self.passwords.inner.hash(secret)
        command = AddAppPassword(
            account=self.account, password_hash=hashed, label=label, scope=scope
        )
        return written((await self.house.do(command, Created)).id, secret)

    async def sign_in(self, password: str, protocol: str = "imap") -> SignIn:
        return await self.door.sign_in(NAME, password, "192.0.2.1", protocol=protocol)

    async def refusal(self, password: str, protocol: str = "imap") -> Refusal | None:
        return (await self.sign_in(password, protocol)).refusal

    async def second_step(self) -> None:
        key = AddPasskey(
            account=self.account,
            credential=b"key",
            public_key=b"public",
            sign_count=0,
            label="",
            challenge=b"c",
            until=1 << 40,
        )
        await self.house.do(key, Created)
        await self.house.do(RequireSecondStep(account=self.account, codes=()), Done)


@pytest.fixture
async def entry(house: House) -> AsyncIterator[Entry]:
    counting = Counting()
    book = Book(house.store)
    throttle = Throttle(ThrottleSettings(pair_free=30, pair_refused=50, first_delay=0.0))
    door = Door(
        book,
        throttle,
        counting,
        VerifiedMemory(600),
        busy=TooBusyError,
        uses=AppUses(house.store),
    )
    account = await house.account("ada")
    hashed = await counting.inner.hash(MAIN)
    await house.do(SetPassword(account=account, password_hash=hashed), Done)
    yield Entry(house, account, counting, book, door)
    counting.inner.close()


async def test_an_app_password_signs_in_where_it_is_for_and_nowhere_else(entry: Entry) -> None:
    everywhere, mail = await entry.app(), await entry.app("imap smtp")
    for protocol in SCOPES:
        assert (await entry.sign_in(everywhere, protocol)).account is not None
        wanted = None if protocol in ("imap", "smtp") else Refusal.SCOPE
        assert await entry.refusal(mail, protocol) is wanted
    for text in (everywhere, mail):
        assert await entry.refusal(text, WEB) is Refusal.WRONG


async def test_with_a_second_step_the_main_password_is_for_the_web_alone(entry: Entry) -> None:
    app = await entry.app()
    assert await entry.refusal(MAIN) is None
    await entry.second_step()
    for protocol in SCOPES:
        refused = await entry.sign_in(MAIN, protocol)
        assert refused.refusal is Refusal.SECOND_STEP
        assert "app password" in refused.text
        # Nothing of it is told to who does not know the password.
        assert await entry.refusal("nonsense", protocol) is Refusal.WRONG
        assert (await entry.sign_in(app, protocol)).account is not None
    assert (await entry.sign_in(MAIN, WEB)).account is not None


async def test_one_hash_is_computed_whatever_is_typed(entry: Entry) -> None:
    texts = [await entry.app() for _ in range(5)]
    number = read(texts[0])
    assert number is not None
    for text in (
        texts[4],
        written(number[0], readable_password()),
        written(999, readable_password()),
        "app1-",
        "nonsense",
    ):
        before = entry.passwords.count
        await entry.sign_in(text)
        assert entry.passwords.count == before + 1, text
    before = entry.passwords.count
    await entry.door.sign_in("nobody@example.org", texts[0], "192.0.2.1", protocol="imap")
    assert entry.passwords.count == before + 1


async def test_a_removed_one_is_not_remembered_nor_is_its_number(entry: Entry) -> None:
    text = await entry.app()
    number = read(text)
    assert number is not None
    assert await entry.refusal(text) is None
    await entry.house.do(DropAppPassword(account=entry.account, id=number[0]), Done)
    assert await entry.refusal(text) is Refusal.WRONG
    again = read(await entry.app())
    assert again is not None
    assert again[0] == number[0]
    assert await entry.refusal(text) is Refusal.WRONG


async def test_it_is_read_as_phones_and_people_write_it(entry: Entry) -> None:
    text = await entry.app()
    for spelling in (text.capitalize(), f" {text} ", text.upper()):
        assert await entry.refusal(spelling) is None
    for other in (text + "x", text.replace("-", ""), text[:-6], "app0" + text[4:]):
        assert await entry.refusal(other) is Refusal.WRONG


async def test_a_main_password_of_that_form_goes_on_signing_in(entry: Entry) -> None:
    await entry.app()
    odd = "app77-dovak-rifus-molan-bidag-tupov"
    hashed = await entry.passwords.inner.hash(odd)
    await entry.house.do(SetPassword(account=entry.account, password_hash=hashed), Done)
    assert await entry.refusal(odd) is None


async def test_a_suspended_account_has_no_way_in(entry: Entry) -> None:
    text = await entry.app()
    await entry.house.do(SetAccount(account=entry.account, status="suspended"), Done)
    assert await entry.refusal(text) is Refusal.SUSPENDED


async def test_its_use_is_noted_beside_the_sign_in_and_rarely(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await entry.app()
    commands = []
    submit = entry.house.store.writer.submit

    async def counted(command: object, fd: int | None = None) -> object:
        commands.append(command)
        return await submit(command, fd)  # type: ignore[arg-type]

    monkeypatch.setattr(entry.house.store.writer, "submit", counted, raising=False)
    for _ in range(3):
        await entry.sign_in(text)
    for _ in range(100):
        used = await entry.house.value("SELECT last_used_at FROM credential WHERE kind = 'app'")
        if used:
            break
        await asyncio.sleep(0.02)
    assert used
    assert len(commands) == 1
    assert APP_NOTED_EVERY > 60


async def test_who_is_signed_in_by_one_stays_until_it_goes(entry: Entry) -> None:
    by_app = (await entry.sign_in(await entry.app())).account
    by_main = (await entry.sign_in(MAIN)).account
    assert by_app is not None
    assert by_app.app is not None
    other = await entry.app()

    async def now() -> tuple[str, str]:
        account = await entry.book.account(entry.account)
        return why_not(by_main, account), why_not(by_app, account)

    assert await now() == ("", "")
    await entry.second_step()
    assert await now() == (CHANGED, "")
    number = read(other)
    assert number is not None
    await entry.house.do(DropAppPassword(account=entry.account, id=number[0]), Done)
    assert await now() == (CHANGED, "")
    await entry.house.do(DropAppPassword(account=entry.account, id=by_app.app.id), Done)
    assert await now() == (CHANGED, REMOVED)
    await entry.house.do(SetAccount(account=entry.account, status="suspended"), Done)
    assert await now() == (SUSPENDED, SUSPENDED)
