"""What signs in beside the main password, as the store keeps it; and sessions of the web."""

from typing import Any

import pytest

from malleposte.store.commands import (
    AddAppPassword,
    AddPasskey,
    CloseWebSessions,
    ConfirmTotp,
    DeleteAccount,
    DropAppPassword,
    DropPasskey,
    DropSecondStep,
    DropTotp,
    OpenWebSession,
    PutRecoveryCodes,
    RequireSecondStep,
    StartTotp,
    SweepRecords,
    TrySecondStep,
    UseAppPassword,
    UsePasskey,
    UseRecoveryCode,
    UseTotp,
)
from malleposte.store.commands.credentials import (
    APP_NOTED_EVERY,
    MAX_WRONG_STEPS,
    WRONG_STEPS_FOR,
)
from malleposte.store.results import Created, Done
from support.store import House

CODES = (b"1" * 32, b"2" * 32)


@pytest.fixture
async def account(house: House) -> int:
    return await house.account("ada")


async def version(house: House, account: int) -> int:
    found: int = await house.value("SELECT credential_version FROM account WHERE id = $1", account)
    return found


async def opened(house: House, account: int, token: bytes, **more: Any) -> Done:
    current = await version(house, account)
    return await house.do(
        OpenWebSession(
            token=token,
            account=account,
            version=current,
            idle=100,
            lasts=200,
            way="password",
            **more,
        ),
        Done,
    )


async def tokens(house: House) -> list[bytes]:
    rows = await house.rows("SELECT token FROM web_session ORDER BY token")
    return [bytes(row[0]) for row in rows]


async def totp(house: House, account: int, step: int = 100) -> Done:
    await house.do(StartTotp(account=account, sealed=b"seed", key_id="k"), Done)
    return await house.do(ConfirmTotp(account=account, step=step, codes=CODES), Done)


def passkey(account: int, credential: bytes = b"key", **more: Any) -> AddPasskey:
    challenge = more.pop("challenge", b"add " + credential)
    return AddPasskey(
        account=account,
        credential=credential,
        public_key=b"public",
        sign_count=0,
        label="Phone",
        challenge=challenge,
        until=1 << 40,
    )


def signed(account: int, count: int, challenge: bytes, credential: bytes = b"key") -> UsePasskey:
    return UsePasskey(
        account=account,
        credential=credential,
        sign_count=count,
        challenge=challenge,
        until=1 << 40,
    )


# Sessions


async def test_of_one_account_sessions_end_by_name_or_all_but_one(
    house: House, account: int
) -> None:
    other = await house.account("bob")
    for token in (b"aaaaaaaa", b"bbbbbbbb", b"cccccccc"):
        await opened(house, account, token)
    await opened(house, other, b"dddddddd")
    named = int.from_bytes(b"aaaaaa")
    assert (await house.do(CloseWebSessions(account=other, ids=(named,)), Done)).count == 0
    assert (await house.do(CloseWebSessions(account=account, ids=(named,)), Done)).count == 1
    assert (await house.do(CloseWebSessions(account=account, but=b"cccccccc"), Done)).count == 1
    assert await tokens(house) == [b"cccccccc", b"dddddddd"]


async def test_no_session_opens_with_credentials_that_were_changed_meanwhile(
    house: House, account: int
) -> None:
    stale = OpenWebSession(
        token=b"t" * 8, account=account, version=99, idle=1, lasts=1, way="password"
    )
    assert await house.refused(stale) == "changed"
    assert await tokens(house) == []


async def test_the_upkeep_removes_sessions_that_have_ended(house: House, account: int) -> None:
    await opened(house, account, b"aaaaaaaa")
    house.clock.turn(60)
    await opened(house, account, b"bbbbbbbb")
    house.clock.turn(60)
    await house.do(SweepRecords(results_before=0, traces_before=0), Done)
    assert await tokens(house) == [b"bbbbbbbb"]


async def test_a_device_is_new_once_and_the_first_of_all_is_not(
    house: House, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.sessions.MAX_DEVICES", 2)
    new = []
    for n, device in enumerate((b"one", b"one", b"two", b"one", b"three", b"two")):
        house.clock.turn(1)
        new.append((await opened(house, account, b"%d token" % n, device=device)).count)
    # "two" was not seen for the longest time, and had to go.
    assert new == [0, 0, 1, 0, 1, 1]


# Second steps


async def test_a_second_step_is_asked_for_from_the_first_code_on(
    house: House, account: int
) -> None:
    await opened(house, account, b"aaaaaaaa")
    before = await version(house, account)
    await house.do(StartTotp(account=account, sealed=b"one", key_id="k"), Done)
    await house.do(StartTotp(account=account, sealed=b"two", key_id="k"), Done)
    assert await house.value("SELECT second_factor FROM account WHERE id = $1", account) == 0
    assert await house.refused(UseTotp(account=account, step=5)) == "changed"
    confirm = ConfirmTotp(account=account, step=100, codes=CODES)
    assert (await house.do(confirm, Done)).count == 1
    assert await house.value("SELECT second_factor FROM account WHERE id = $1", account) > 0
    assert await version(house, account) == before + 1
    assert await tokens(house) == []
    assert await house.refused(confirm) == "changed"
    again = StartTotp(account=account, sealed=b"mine", key_id="k")
    assert await house.refused(again) == "exists"
    assert bytes(await house.value("SELECT sealed FROM secret")) == b"two"


async def test_no_time_step_is_taken_twice(house: House, account: int) -> None:
    """RFC 6238 §5.2."""
    await totp(house, account, 100)
    assert await house.refused(UseTotp(account=account, step=100)) == "changed"
    await house.do(UseTotp(account=account, step=102), Done)
    for step in (101, 102):
        assert await house.refused(UseTotp(account=account, step=step)) == "changed"
    await house.do(UseTotp(account=account, step=103), Done)


async def test_a_recovery_code_serves_once_and_only_its_account(house: House, account: int) -> None:
    await totp(house, account)
    other = await house.account("bob")
    assert await house.refused(UseRecoveryCode(account=other, digest=CODES[0])) == "changed"
    assert (await house.do(UseRecoveryCode(account=account, digest=CODES[0]), Done)).count == 1
    assert await house.refused(UseRecoveryCode(account=account, digest=CODES[0])) == "changed"
    await house.do(PutRecoveryCodes(account=account, codes=(b"3" * 32,)), Done)
    assert await house.refused(UseRecoveryCode(account=account, digest=CODES[1])) == "changed"
    assert await house.refused(PutRecoveryCodes(account=other, codes=CODES)) == "not-empty"


async def test_wrong_steps_are_bounded_by_the_hour_from_wherever_they_come(
    house: House, account: int
) -> None:
    await totp(house, account)
    for _ in range(MAX_WRONG_STEPS):
        await house.do(TrySecondStep(account=account), Done)
    assert await house.refused(TrySecondStep(account=account)) == "too-many"
    house.clock.turn(WRONG_STEPS_FOR)
    await house.do(TrySecondStep(account=account), Done)
    # A right one wipes them out.
    await house.do(UseTotp(account=account, step=200), Done)
    for _ in range(MAX_WRONG_STEPS):
        await house.do(TrySecondStep(account=account), Done)


async def test_the_only_second_step_stays_while_one_is_asked_for(
    house: House, account: int
) -> None:
    assert await house.refused(RequireSecondStep(account=account, codes=CODES)) == "not-empty"
    await totp(house, account)
    assert await house.refused(DropTotp(account=account)) == "in-use"
    key = (await house.do(passkey(account), Created)).id
    assert (await house.do(DropTotp(account=account), Done)).count == 1
    assert await house.refused(DropPasskey(account=account, id=key)) == "in-use"
    assert await house.refused(RequireSecondStep(account=account, codes=CODES)) == "exists"
    assert (await house.do(DropSecondStep(account=account), Done)).count == 1
    assert (await house.do(DropPasskey(account=account, id=key), Done)).count == 1
    assert await house.rows("SELECT 1 FROM recovery_code") == []


async def test_a_reset_forgets_all_of_it(house: House, account: int) -> None:
    await totp(house, account)
    await house.do(passkey(account), Created)
    before = await version(house, account)
    await house.do(DropSecondStep(account=account, passkeys=True), Done)
    assert await version(house, account) == before + 1
    assert await house.value("SELECT second_factor FROM account WHERE id = $1", account) == 0
    for table in ("totp", "recovery_code", "passkey", "secret", "web_session"):
        assert await house.rows(f"SELECT 1 FROM {table}") == [], table
    assert (await house.do(DropSecondStep(account=account), Done)).count == 0


# Passkeys


async def test_a_passkey_that_counts_backwards_may_be_a_copy(house: House, account: int) -> None:
    await house.do(passkey(account), Created)
    await house.do(signed(account, 0, b"c0"), Done)  # counts nothing
    await house.do(signed(account, 7, b"c1"), Done)
    for n, count in enumerate((7, 6, 0)):
        assert await house.refused(signed(account, count, b"d%d" % n)) == "in-use"
    await house.do(signed(account, 8, b"c2"), Done)


async def test_a_challenge_is_answered_once(house: House, account: int) -> None:
    await house.do(passkey(account), Created)
    assert await house.refused(passkey(account, b"other", challenge=b"add key")) == "changed"
    await house.do(signed(account, 0, b"c"), Done)
    assert await house.refused(signed(account, 0, b"c")) == "changed"
    other = await house.account("bob")
    assert await house.refused(signed(other, 0, b"d")) == "changed"
    assert await house.refused(passkey(other, challenge=b"e")) == "exists"


async def test_an_account_has_so_many_passkeys(
    house: House, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.credentials.MAX_PASSKEYS", 1)
    await house.do(passkey(account), Created)
    assert await house.refused(passkey(account, b"other")) == "limit"


# App passwords


async def test_app_passwords_come_and_go_and_their_use_is_noted_rarely(
    house: House, account: int
) -> None:
    add = AddAppPassword(account=account, password_hash="$app", label="Phone", scope="imap smtp")
    one = (await house.do(add, Created)).id
    seen = "SELECT last_used_at FROM credential WHERE id = $1"
    now = house.clock.stop()
    for after, noted in ((0, now), (APP_NOTED_EVERY - 1, now), (1, now + APP_NOTED_EVERY)):
        house.clock.turn(after)
        await house.do(UseAppPassword(account=account, id=one), Done)
        assert await house.value(seen, one) == noted
    before = await house.value("SELECT version FROM directory_head")
    assert (await house.do(DropAppPassword(account=account, id=one), Done)).count == 1
    assert await house.value("SELECT version FROM directory_head") > before
    assert (await house.do(DropAppPassword(account=account, id=one), Done)).count == 0
    # The main password is none of them.
    (main,) = await house.rows("SELECT id FROM credential WHERE account = $1", account)
    assert (await house.do(DropAppPassword(account=account, id=main[0]), Done)).count == 0


async def test_an_account_has_so_many_app_passwords(
    house: House, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.credentials.MAX_APP_PASSWORDS", 1)
    add = AddAppPassword(account=account, password_hash="$app", label="")
    await house.do(add, Created)
    assert await house.refused(add) == "limit"
    assert await house.refused(AddAppPassword(account=99, password_hash="$", label="")) == (
        "no-such-account"
    )


async def test_with_an_account_all_that_signs_in_goes(house: House, account: int) -> None:
    await totp(house, account)
    await house.do(passkey(account), Created)
    await house.do(AddAppPassword(account=account, password_hash="$app", label=""), Created)
    await opened(house, account, b"aaaaaaaa", device=b"here")
    await house.do(TrySecondStep(account=account), Done)
    await house.do(DeleteAccount(account=account), Done)
    for table in (
        "credential",
        "totp",
        "second_step",
        "recovery_code",
        "passkey",
        "secret",
        "web_session",
        "known_device",
    ):
        assert await house.rows(f"SELECT 1 FROM {table}") == [], table
