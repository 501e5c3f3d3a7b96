"""Second steps, app passwords and sessions of others, by an operator."""

from typing import Any

import pytest

from malleposte.operations.accounts import (
    AccountAdded,
    AddAccount,
    ChangePassword,
    OneAccount,
    PasswordChanged,
    ShowAccount,
)
from malleposte.operations.credentials import (
    AppPasswordMade,
    AppPasswords,
    ListAppPasswords,
    ListSessions,
    MakeAppPassword,
    RemoveAppPassword,
    Removed,
    ResetSecondFactor,
    RevokeSessions,
    SecondFactorReset,
    Sessions,
)
from malleposte.operations.errors import OperationError
from malleposte.store.commands import ConfirmTotp, OpenWebSession, StartTotp
from malleposte.store.results import Done
from support.store import House
from unit.operations.desk import Desk

ADA = "ada@example.org"


@pytest.fixture
async def account(house: House, desk: Desk) -> int:
    return (await desk.call("account.add", AddAccount(address=ADA), AccountAdded)).id


async def audited(desk: Desk) -> list[tuple[str, str, dict[str, Any]]]:
    return [(line[1], line[3], line[4]) for line in await desk.audit()][1:]


async def test_a_second_step_is_reset_with_all_that_belongs_to_it(
    house: House, desk: Desk, account: int
) -> None:
    await house.do(StartTotp(account=account, sealed=b"seed", key_id="k"), Done)
    await house.do(ConfirmTotp(account=account, step=1, codes=(b"c",)), Done)
    for was_on in (True, False):
        done = await desk.call(
            "account.reset-second-factor", ResetSecondFactor(address=ADA), SecondFactorReset
        )
        assert done.was_on is was_on
    assert await house.rows("SELECT 1 FROM recovery_code") == []
    assert await audited(desk) == [("account.reset-second-factor", "done", {})] * 2


async def test_app_passwords_are_made_listed_and_taken_back(desk: Desk, account: int) -> None:
    request = MakeAppPassword(address=ADA, label="Scanner", protocols=("smtp", "imap"))
    made = await desk.call("account.add-app-password", request, AppPasswordMade)
    listed = await desk.call("account.app-passwords", ListAppPasswords(address=ADA), AppPasswords)
    (one,) = listed.app_passwords
    assert (one.id, one.label, one.protocols) == (made.id, "Scanner", ("imap", "smtp"))
    assert made.password.startswith(f"app{made.id}-")
    for count in (1, 0):
        removed = await desk.call(
            "account.remove-app-password", RemoveAppPassword(address=ADA, id=made.id), Removed
        )
        assert removed.count == count
    lines = await audited(desk)
    assert lines[0] == (
        "account.add-app-password",
        "done",
        {"label": "Scanner", "protocols": "smtp imap"},
    )
    assert made.password.partition("-")[2] not in str(lines)


@pytest.mark.parametrize(
    "wrong", [{"label": " "}, {"label": "x" * 61}, {"label": "a\x07b"}, {"protocols": ("ftp",)}]
)
async def test_an_app_password_says_what_it_is_for(
    desk: Desk, account: int, wrong: dict[str, object]
) -> None:
    request = MakeAppPassword(**({"address": ADA, "label": "Phone"} | wrong))  # type: ignore[arg-type]
    with pytest.raises(OperationError):
        await desk.call("account.add-app-password", request, AppPasswordMade)


async def test_a_new_password_leaves_others_and_says_so(
    house: House, desk: Desk, account: int
) -> None:
    shown = (await desk.call("account.show", ShowAccount(address=ADA), OneAccount)).account
    assert (shown.password, shown.second_step, shown.app_passwords) == (False, False, 0)
    request = MakeAppPassword(address=ADA, label="Phone")
    await desk.call("account.add-app-password", request, AppPasswordMade)
    shown = (await desk.call("account.show", ShowAccount(address=ADA), OneAccount)).account
    assert (shown.password, shown.app_passwords) == (False, 1)
    change = ChangePassword(address=ADA, password="several good words")
    assert (await desk.call("account.passwd", change, PasswordChanged)).others == 1
    await house.do(StartTotp(account=account, sealed=b"seed", key_id="k"), Done)
    await house.do(ConfirmTotp(account=account, step=1, codes=()), Done)
    shown = (await desk.call("account.show", ShowAccount(address=ADA), OneAccount)).account
    assert (shown.password, shown.second_step, shown.passkeys) == (True, True, 0)


async def test_sessions_are_listed_and_ended(house: House, desk: Desk, account: int) -> None:
    for token in (b"aaaaaaaa", b"bbbbbbbb", b"cccccccc"):
        opened = OpenWebSession(
            token=token,
            account=account,
            version=1,
            idle=1000,
            lasts=1000,
            way="password",
            agent="Firefox",
            address="192.0.2.1",
        )
        await house.do(opened, Done)
    listed = await desk.call("account.sessions", ListSessions(address=ADA), Sessions)
    assert [(one.agent, one.address) for one in listed.sessions] == [("Firefox", "192.0.2.1")] * 3
    first = RevokeSessions(address=ADA, ids=(listed.sessions[0].id,))
    assert (await desk.call("account.revoke-sessions", first, Removed)).count == 1
    everything = RevokeSessions(address=ADA)
    assert (await desk.call("account.revoke-sessions", everything, Removed)).count == 2
    assert (await desk.call("account.revoke-sessions", everything, Removed)).count == 0
