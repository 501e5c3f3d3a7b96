"""Push subscriptions in the store, and which kinds of objects changed since a modseq."""

from typing import Any

import pytest

from malleposte.store.commands import (
    SYSTEM,
    AddPush,
    AnyCommand,
    ChangePush,
    CreateMailbox,
    DeleteAccount,
    DropPush,
    NotePush,
    PurgeAccount,
    PutForm,
    PutIdentity,
    StoreFlags,
)
from malleposte.store.commands.push import ASKED, MAX_TEXT, PROVED, TO_PROVE, UNPROVED
from malleposte.store.execute import push as executing
from malleposte.store.flags import SEEN
from malleposte.store.read import push, type_states
from malleposte.store.read.type_states import ALL, TYPES
from malleposte.store.results import Done, Refused, Stored
from support.store import ALL as EVERY
from support.store import House, deliver, inbox

FAR = 1 << 40


def added(account: int, n: int = 7, **other: Any) -> AddPush:
    values: dict[str, Any] = {
        "credential": "session:1",
        "device": "phone",
        "url": "https://push.example.net/x",
        "p256dh": b"p",
        "auth": b"a",
        "code": "code",
        "types": "",
        "expires_at": FAR,
    }
    return AddPush(account=account, n=n, **(values | other))


async def kept(house: House, account: int, credential: str = "session:1") -> list[push.Push]:
    return await push.subscriptions(house.store.reader, account, credential, 0)


async def due(house: House, later: int = 0) -> list[int]:
    now = int(house.clock.time()) + later
    return [one.n for one in await push.due(house.store.reader, now, 100)]


async def test_one_is_proved_with_the_code_that_was_pushed(house: House) -> None:
    account = await house.account()
    await house.do(added(account), Done)
    (one,) = await kept(house, account)
    assert (one.stage, one.url, one.p256dh, one.auth) == (TO_PROVE, added(account).url, b"p", b"a")
    change: dict[str, Any] = {"account": account, "n": 7, "credential": "session:1"}
    assert await house.refused(ChangePush(code="other", **change)) == "wrong-code"
    await house.do(ChangePush(code="code", types='["Email"]', expires_at=99, **change), Done)
    (one,) = await kept(house, account)
    assert (one.stage, one.types, one.expires_at) == (PROVED, '["Email"]', 99)
    await house.do(ChangePush(**change), Done)
    assert await kept(house, account) == [one]


async def test_it_belongs_to_what_made_it(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.do(added(account), Done)
    assert await kept(house, account, "session:2") == []
    assert await kept(house, other) == []
    foreign: list[AnyCommand] = [
        ChangePush(account=account, n=7, credential="session:2", code="code"),
        ChangePush(account=other, n=7, credential="session:1", code="code"),
        DropPush(account=account, n=7, credential="session:2"),
        DropPush(account=other, n=7),
    ]
    for command in foreign:
        assert await house.refused(command) == "no-such-push"
    await house.do(DropPush(account=account, n=7, credential="session:1"), Done)
    assert await kept(house, account) == []


async def test_they_are_bounded_and_those_that_are_over_make_room(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.account()
    monkeypatch.setattr(executing, "MAX_SUBSCRIPTIONS", 2)
    await house.do(added(account, 1, expires_at=1), Done)
    await house.do(added(account, 2), Done)
    await house.do(added(account, 3), Done)
    assert [one.n for one in await kept(house, account)] == [2, 3]
    assert await house.refused(added(account, 4)) == "limit"
    house.clock.turn(UNPROVED + 1)
    await house.do(added(account, 4), Done)
    assert [one.n for one in await kept(house, account)] == [4]
    assert await house.refused(added(account, 5, url="x" * (MAX_TEXT + 1))) == "too-long"
    long = ChangePush(account=account, n=4, credential="session:1", types="x" * (MAX_TEXT + 1))
    assert await house.refused(long) == "too-long"
    assert await house.refused(added(99)) == "no-such-account"


async def test_what_is_due_is_a_code_or_what_was_not_told_or_what_is_over(house: House) -> None:
    account = await house.account()
    await house.do(added(account), Done)
    assert await due(house) == [7]
    note: dict[str, Any] = {"account": account, "n": 7}
    (one,) = await kept(house, account)
    await house.do(NotePush(stage=ASKED, told=one.told, due_at=0, **note), Done)
    assert await due(house) == []
    assert await due(house, UNPROVED + 10) == [7]
    await house.do(ChangePush(code="code", credential="session:1", **note), Done)
    # Proved once, it is not asked again, whatever comes late.
    await house.do(NotePush(stage=ASKED, told=one.told, due_at=0, **note), Done)
    assert await due(house) == []
    await house.deliver(account)
    assert await due(house) == [7]
    (one,) = await kept(house, account)
    later = int(house.clock.time()) + 60
    failed = NotePush(
        stage=PROVED, told=one.told, due_at=later, failures=3, said="x" * 9_999, **note
    )
    await house.do(failed, Done)
    assert await due(house) == []
    assert await due(house, 60) == [7]
    (one,) = await kept(house, account)
    assert (one.failures, len(one.said)) == (3, MAX_TEXT)
    now = await type_states.head(house.store.reader, account)
    await house.do(NotePush(stage=PROVED, told=now, due_at=0, **note), Done)
    assert await due(house) == []
    gone = await house.do(NotePush(account=account, n=8, stage=PROVED, told=1, due_at=0), Done)
    assert gone.count == 0


async def test_one_goes_with_its_account(house: House) -> None:
    account = await house.account()
    await house.do(added(account), Done)
    await house.do(DeleteAccount(account=account), Done)
    while (await house.do(PurgeAccount(account=account), Done)).more:
        pass
    assert await house.rows("SELECT n FROM push_subscription") == []


# Which kinds changed ------------------------------------------------------------------------------


def seen(account: int) -> StoreFlags:
    return StoreFlags(actor=SYSTEM, mailbox=inbox(account), uids=EVERY, mode="+", flags=SEEN)


async def changed(house: House, account: int, since: int) -> set[str]:
    found = await type_states.states(house.store.reader, account, since)
    assert found is not None
    assert found.modseq == await type_states.head(house.store.reader, account)
    return set(found.changed)


async def test_only_what_changed_is_told(house: House) -> None:
    account = await house.account()
    reader = house.store.reader

    async def told_of(command: AnyCommand) -> set[str]:
        since = await type_states.head(reader, account)
        assert await changed(house, account, since) == set()
        assert not isinstance(await house.store.submit(command), Refused)
        return await changed(house, account, since)

    mail = {"Email", "Thread", "Mailbox", "EmailDelivery"}
    assert await told_of(deliver(account)) == mail
    read = await told_of(seen(account))
    assert read == {"Email", "Mailbox"}
    new = CreateMailbox(actor=account, account=account, parent=0, path=("new",))
    assert await told_of(new) == {"Mailbox"}
    identity = PutIdentity(account=account, address="a@x", state=b"{}")
    assert await told_of(identity) == {"Identity"}
    vacation = PutForm(account=account, kind="vacation", state=b"{}", content=b"")
    # Both are kept beside each other, and a script's state moves with either (RFC 9661).
    assert await told_of(vacation) == {"VacationResponse", "SieveScript"}


async def test_a_submission_that_moved_is_told_of(house: House) -> None:
    account = await house.account()
    since = await type_states.head(house.store.reader, account)
    await house.damage(
        "INSERT INTO email_submission (account, n, modseq, gone, identity, email, thread, send_at,"
        " trace, canceled, state) VALUES ($1, $2, $2, 0, 1, 2, 3, 4, 5, 0, $3)",
        account,
        since + 1,
        b"{}",
    )
    await house.damage("UPDATE account_head SET modseq = $1 WHERE account = $2", since + 1, account)
    assert await changed(house, account, since) == {"EmailSubmission"}


async def test_what_went_is_told_of(house: House) -> None:
    account = await house.account()
    await house.deliver(account)
    since = await type_states.head(house.store.reader, account)
    await house.expunge(inbox(account))
    assert await changed(house, account, since) == {"Email", "Thread", "Mailbox"}


async def test_states_are_those_that_get_answers_with(house: House) -> None:
    account = await house.account()
    await house.deliver(account)
    identity = await house.do(PutIdentity(account=account, address="a@x", state=b"{}"), Done)
    found = await type_states.states(house.store.reader, account, 0)
    assert found is not None
    assert found.changed["Email"] == found.changed["Mailbox"] == found.modseq
    assert found.changed["Identity"] == identity.modseq
    # New mail has a state of its own, which nothing but new mail moves (RFC 8621 §1.5).
    assert found.changed["EmailDelivery"] < identity.modseq


@pytest.mark.parametrize("since", [ALL, 1 << 40])
async def test_of_what_nobody_can_know_everything_is_told(house: House, since: int) -> None:
    account = await house.account()
    await house.deliver(account)
    assert await changed(house, account, since) == TYPES


async def test_of_no_account_nothing_is_told(house: House) -> None:
    assert await type_states.states(house.store.reader, 99, 0) is None
    assert await type_states.head(house.store.reader, 99) == 0


async def test_past_so_many_emails_they_are_taken_to_be_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type_states, "LOOKED_AT", 2)
    account = await house.account()
    for _ in range(3):
        await house.deliver(account)
    since = await type_states.head(house.store.reader, account)
    await house.do(seen(account), Stored)
    assert await changed(house, account, since) == {"Email", "Thread", "Mailbox", "EmailDelivery"}
