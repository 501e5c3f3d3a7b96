"""What hangs on a way to sign in ends with it."""

from dataclasses import replace

import pytest

from malleposte.directory.app_passwords import AppPassword
from malleposte.directory.book import Account, Book
from malleposte.services.web import credential
from malleposte.store.commands import CloseWebSessions, OpenWebSession
from malleposte.store.results import Done
from support.store import House


@pytest.fixture
async def ada(house: House) -> Account:
    found = await Book(house.store).account(await house.account("ada"))
    assert found is not None
    return found


async def test_a_password_until_another_one_is_set(house: House, ada: Account) -> None:
    by = credential.of_account(ada)
    assert await credential.stands(house.store.reader, ada, by, 0)
    newer = replace(ada, credential_version=ada.credential_version + 1)
    assert not await credential.stands(house.store.reader, newer, by, 0)
    # Where a second step is asked for, it opens nothing any more.
    assert not await credential.stands(house.store.reader, replace(ada, second_step=True), by, 0)


async def test_an_app_password_until_it_is_removed(house: House, ada: Account) -> None:
    app = AppPassword(1, "$hash", "phone", frozenset())
    by = credential.of_account(replace(ada, app=app))
    assert await credential.stands(house.store.reader, replace(ada, apps=(app,)), by, 0)
    assert not await credential.stands(house.store.reader, ada, by, 0)
    # Another one of the same number.
    other = replace(ada, apps=(replace(app, hash="$other"),))
    assert not await credential.stands(house.store.reader, other, by, 0)


async def test_a_session_until_it_ends(house: House, ada: Account) -> None:
    token = b"t" * 32
    command = OpenWebSession(
        token=token, account=ada.id, version=1, idle=60, lasts=60, way="password"
    )
    await house.do(command, Done)
    by, now = credential.of_session(int.from_bytes(token[:6])), house.clock.time()
    assert await credential.stands(house.store.reader, ada, by, now)
    assert not await credential.stands(house.store.reader, ada, credential.of_session(1), now)
    assert not await credential.stands(house.store.reader, ada, by, now + 61)
    await house.do(CloseWebSessions(account=ada.id), Done)
    assert not await credential.stands(house.store.reader, ada, by, now)
