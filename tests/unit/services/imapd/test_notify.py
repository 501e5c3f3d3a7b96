"""NOTIFY: a session that only waits hears what others do, at a bounded cost (RFC 5465)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from collections.abc import AsyncIterator

import pytest

from malleposte.runtime.push import PushHub
from malleposte.services.imapd import ImapSettings, watching
from malleposte.services.imapd.session import Session
from malleposte.store import TemporaryFailure
from malleposte.store.commands import AppendAll, Enclosed, RenewUidValidity
from malleposte.store.read import changes
from malleposte.store.read.changes import Snapshot
from malleposte.store.results import AppendedAll
from support.imap_client import ImapClient, Literal, Lost, Refused
from support.store import Place, deliver, inbox, rendered, small
from unit.services.imapd.harness import Served, served_with
from unit.services.imapd.mirror import Mirror, truth

MESSAGE = Literal(b"Subject: x\r\n\r\ny\r\n")
ALL_OF_ALL = (
    b"NOTIFY SET (selected (MessageNew (UID) MessageExpunge FlagChange))"
    b" (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"
)


@pytest.fixture
async def live(place: Place) -> AsyncIterator[Served]:
    """A service with the push hub of a worker."""
    async with served_with(place) as served:
        hub = PushHub(served.store)
        served.service.push = hub
        running = asyncio.create_task(hub.run())
        try:
            yield served
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def _pair(served: Served) -> tuple[int, ImapClient, ImapClient]:
    """An account, one who acts, and one who watches INBOX and everything else."""
    number, address = await served.account()
    actor, watcher = await served.signed_in(address), await served.signed_in(address)
    await watcher.command(b"ENABLE IMAP4rev2")
    await watcher.command(b"SELECT INBOX")
    await watcher.command(ALL_OF_ALL)
    return number, actor, watcher


async def _heard(watcher: ImapClient, *expected: bytes) -> None:
    """What comes next, by its beginning."""
    async with asyncio.timeout(10):
        for words in expected:
            response = await watcher.response()
            assert response.startswith(b"* " + words), (response, words)


async def test_who_only_waits_hears_everything(live: Served) -> None:
    """The promise of NOTIFY, end to end, on both databases: no command is given by the watcher."""
    number, actor, watcher = await _pair(live)
    await live.store.submit(deliver(number))
    await _heard(watcher, b"1 EXISTS", b"1 FETCH (UID 1)")
    await actor.command(b"SELECT INBOX")
    await actor.command(b"STORE 1 +FLAGS.SILENT (\\Deleted Work)")
    await _heard(
        watcher, b"FLAGS (", b"OK [PERMANENTFLAGS ", b"1 FETCH (UID 1 FLAGS (\\Deleted Work)"
    )
    await actor.command(b"EXPUNGE")
    await _heard(watcher, b"1 EXPUNGE")
    await actor.command(b"CREATE box")
    await _heard(watcher, b'LIST (\\HasNoChildren) "/" "box"')
    await actor.command(b"APPEND box ", MESSAGE)
    await _heard(watcher, b'STATUS "box" (MESSAGES 1 UIDNEXT 2 ')
    await actor.command(b"RENAME box case")
    await _heard(watcher, b'LIST (\\HasNoChildren) "/" "case" ("OLDNAME" ("box"))')
    await actor.command(b"SUBSCRIBE case")
    await _heard(watcher, b'LIST (\\Subscribed \\HasNoChildren) "/" "case"')
    await actor.command(b"UNSUBSCRIBE case")
    await _heard(watcher, b'LIST (\\HasNoChildren) "/" "case"')
    await actor.command(b"DELETE case")
    await _heard(watcher, b'LIST (\\NonExistent) "/" "case"')


async def test_what_happened_before_it_listened_is_not_lost(live: Served) -> None:
    """A mailbox that is selected while NOTIFY is on: from then on its news come too."""
    number, address = await live.account()
    watcher = await live.signed_in(address)
    await watcher.command(b"NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
    assert live.service.push._waiting == {}  # type: ignore[attr-defined]
    await watcher.command(b"ENABLE IMAP4rev2")
    await watcher.command(b"SELECT INBOX")
    await live.store.submit(deliver(number))
    await _heard(watcher, b"1 EXISTS")
    await watcher.command(b"UNSELECT")
    await watcher.command(b"NOOP")
    assert live.service.push._waiting == {}  # type: ignore[attr-defined]


async def test_a_session_that_does_not_watch_costs_nothing(served: Served) -> None:
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    (session,) = served.service.sessions[number]
    assert session.watch is None
    assert number not in served.hub.callbacks
    await client.command(ALL_OF_ALL)
    assert len(served.hub.callbacks[number]) == 1
    await client.command(b"NOTIFY NONE")
    assert served.hub.callbacks[number] == []
    gc.collect()
    assert not served.service.watched


async def test_a_watcher_that_hangs_up_leaves_nothing_behind(served: Served) -> None:
    number, _, watcher = await _pair(served)
    watcher.close()
    async with asyncio.timeout(5):
        while served.hub.callbacks[number]:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        while len(served.listener.connections) > 1:
            await asyncio.sleep(0.01)
    gc.collect()
    assert not served.service.watched


async def test_many_watchers_share_one_look(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 20 sessions of an account two look at most, and nobody opens a view of what he does not read."""
    number, address = await served.account()
    actor = await served.signed_in(address)
    watchers = [await served.signed_in(address) for _ in range(20)]
    for watcher in watchers:
        await watcher.command(b"NOTIFY SET (personal (MessageNew MessageExpunge))")
    await actor.command(b"APPEND Junk ", MESSAGE)
    looks = 0
    look = changes.look

    async def counting(*args: object) -> Snapshot:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.02)  # as a database on the network may take
        return await look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(changes, "look", counting)
    served.hub.hint(number)
    for watcher in watchers:
        await _heard(watcher, b'STATUS "Junk" (MESSAGES 1 ')
    assert 1 <= looks <= 2
    assert served.store.views._views == {}


async def test_a_burst_is_told_in_bounded_steps(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6,000 messages at once: one EXISTS, a FETCH each, never more than a step of them in memory."""
    number, _, watcher = await _pair(served)
    most = 0
    send = Session.send

    def watched(self: Session, octets: bytes) -> None:
        nonlocal most
        send(self, octets)
        most = max(most, self._out_size)

    monkeypatch.setattr(Session, "send", watched)
    for _ in range(6):
        messages = tuple(
            Enclosed(content=small(), rendered=rendered(), received_at=0) for _ in range(1_000)
        )
        result = await served.store.submit(
            AppendAll(actor=number, mailbox=inbox(number), messages=messages)
        )
        assert isinstance(result, AppendedAll), result
    served.hub.hint(number)
    await _heard(watcher, b"6000 EXISTS")
    for uid in range(1, 6_001):
        assert await watcher.response() == b"* %d FETCH (UID %d)\r\n" % (uid, uid)
    assert 0 < most < 100_000


async def test_too_much_switches_it_off_and_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "TOLD_AT_ONCE", 3)
    number, actor, watcher = await _pair(served)
    # Four at once: whenever it looks, it finds all of them.
    await actor.command(b"CREATE one/two/three/four")
    served.hub.hint(number)
    await _heard(watcher, b"OK [NOTIFICATIONOVERFLOW] ")
    assert served.hub.callbacks[number] == []
    await served.store.submit(deliver(number))
    assert (await watcher.command(b"NOOP")).untagged == []
    answer = await watcher.command(ALL_OF_ALL)
    assert answer.untagged == [b"* 1 EXISTS\r\n"]


@pytest.mark.parametrize(
    "command",
    [
        b"NOTIFY SET (mailboxes (%b) NONE)" % b" ".join(b"m%d" % n for n in range(1_001)),
        b"NOTIFY SET %b" % b" ".join([b"(personal NONE)"] * 33),
        b"NOTIFY SET (personal (%b))" % b" ".join([b"MailboxName"] * 33),
    ],
)
async def test_more_than_can_be_watched_is_refused(served: Served, command: bytes) -> None:
    """What was asked for before stands."""
    number, actor, watcher = await _pair(served)
    with pytest.raises(Refused, match=r"NO \[NOTIFICATIONOVERFLOW\]"):
        await watcher.command(command)
    await actor.command(b"CREATE box")
    served.hub.hint(number)
    await _heard(watcher, b'LIST (\\HasNoChildren) "/" "box"')


async def test_a_hint_while_it_looks_is_not_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _, watcher = await _pair(served)
    look = changes.look
    late = [deliver(number, mailbox=0)]

    async def slow(*args: object) -> Snapshot:
        found = await look(*args)  # type: ignore[arg-type]
        if late:
            await served.store.submit(late.pop())
            served.hub.hint(number)
        return found

    monkeypatch.setattr(changes, "look", slow)
    served.hub.hint(number)
    await _heard(watcher, b"1 EXISTS")


async def test_a_store_that_was_away_is_asked_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without another hint: the hub gives one for each change only."""
    monkeypatch.setattr(watching, "LOOK_AGAIN", 0.05)
    number, actor, watcher = await _pair(served)
    look = changes.look
    away = 2

    async def failing(*args: object) -> Snapshot:
        nonlocal away
        if away:
            away -= 1
            raise TemporaryFailure("away")
        return await look(*args)  # type: ignore[arg-type]

    await actor.command(b"CREATE box")
    monkeypatch.setattr(changes, "look", failing)
    served.hub.hint(number)
    await _heard(watcher, b'LIST (\\HasNoChildren) "/" "box"')


async def test_hints_do_not_keep_a_silent_client(place: Place) -> None:
    """Who says nothing for too long is dismissed, however much happens around him."""
    settings = ImapSettings(starttls=False, idle_timeout=1.0)
    async with served_with(place, settings) as served:
        number, address = await served.account()
        watcher = await served.signed_in(address)
        await watcher.command(b"NOTIFY SET (personal (MailboxName))")

        async def hinting() -> None:
            while True:
                served.hub.hint(number)
                await asyncio.sleep(0.05)

        hints = asyncio.create_task(hinting())
        try:
            async with asyncio.timeout(20):
                assert (await watcher.response()).startswith(b"* BYE Nothing was heard")
        finally:
            hints.cancel()


async def test_who_listens_hears_that_the_server_lives(place: Place) -> None:
    """As in IDLE: NAT forgets connections that are silent; who does not listen is told nothing."""
    settings = ImapSettings(starttls=False, idle_notice=0.1)
    async with served_with(place, settings) as served:
        _, address = await served.account()
        watcher = await served.signed_in(address)
        await watcher.command(b"NOTIFY SET (personal (MailboxName))")
        await _heard(watcher, b"OK Still here", b"OK Still here")
        await watcher.command(b"NOTIFY NONE")
        await asyncio.sleep(0.3)
        assert (await watcher.command(b"NOOP")).untagged == []


async def test_nothing_is_told_amid_a_command(served: Served) -> None:
    """EXPUNGE between commands, never where one has begun to come (RFC 9051 §7.5.1)."""
    number, actor, watcher = await _pair(served)
    await served.store.submit(deliver(number))
    served.hub.hint(number)
    await _heard(watcher, b"1 EXISTS", b"1 FETCH")
    watcher.raw(b"x FETCH 1 (U")
    await actor.command(b"SELECT INBOX")
    await actor.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    await actor.command(b"EXPUNGE")
    await asyncio.sleep(0.05)
    served.hub.hint(number)
    await asyncio.sleep(0.05)
    watcher.raw(b"ID)\r\n")
    await _heard(watcher, b"1 FETCH (UID 1)")
    assert (await watcher.response()).startswith(b"x ")
    await _heard(watcher, b"1 EXPUNGE")


async def test_qresync_hears_vanished(served: Served) -> None:
    number, actor, watcher = await _pair(served)
    await watcher.command(b"ENABLE QRESYNC")
    await served.store.submit(deliver(number))
    served.hub.hint(number)
    await _heard(watcher, b"1 EXISTS", b"1 FETCH (UID 1 MODSEQ (")
    await actor.command(b"SELECT INBOX")
    await actor.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    await actor.command(b"EXPUNGE")
    served.hub.hint(number)
    await _heard(watcher, b"VANISHED 1\r\n")


async def test_a_qresync_client_is_not_led_past_what_waits(served: Served) -> None:
    """SELECTED-DELAYED keeps VANISHED back; a FETCH meanwhile has a higher MODSEQ (RFC 7162 §6)."""
    number, actor, watcher = await _pair(served)
    for _ in range(2):
        await served.store.submit(deliver(number))
    await watcher.command(b"ENABLE QRESYNC")
    await watcher.command(
        b"NOTIFY SET (selected-delayed (MessageNew (UID) MessageExpunge FlagChange))"
    )
    await actor.command(b"SELECT INBOX")
    await actor.command(b"UID STORE 1 +FLAGS.SILENT (\\Deleted)")
    await actor.command(b"EXPUNGE")
    await actor.command(b"UID STORE 2 +FLAGS.SILENT (\\Seen)")
    served.hub.hint(number)
    await _heard(watcher, b"2 FETCH (UID 2 FLAGS ", b"OK [HIGHESTMODSEQ ")
    answer = await watcher.command(b"NOOP")
    assert answer.untagged == [b"* VANISHED 1\r\n"]


async def test_the_selected_mailbox_goes_away(served: Served) -> None:
    number, address = await served.account()
    actor, watcher = await served.signed_in(address), await served.signed_in(address)
    await actor.command(b"CREATE box")
    await watcher.command(b"SELECT box")
    await watcher.command(b"NOTIFY SET (selected (MessageNew MessageExpunge))")
    await actor.command(b"DELETE box")
    served.hub.hint(number)
    async with asyncio.timeout(10):
        assert (await watcher.response()).startswith(b"* BYE The selected mailbox is gone")
        with pytest.raises(Lost):
            await watcher.response()


async def test_a_new_uidvalidity_is_told(served: Served) -> None:
    """RFC 5465 §5.1: whoever watches messages must hear that their UIDs are others'."""
    number, address = await served.account()
    watcher = await served.signed_in(address)
    await watcher.command(b"NOTIFY SET (mailboxes INBOX (MessageNew MessageExpunge))")
    before = (await watcher.command(b"STATUS INBOX (UIDVALIDITY)")).untagged[0]
    await served.store.submit(RenewUidValidity(account=number))
    served.hub.hint(number)
    async with asyncio.timeout(10):
        told = await watcher.response()
    after = (await watcher.command(b"STATUS INBOX (UIDVALIDITY)")).untagged[0]
    assert before != after
    assert after.split(b"(")[1].strip(b")\r\n") in told


_LISTENERS = {
    b"selected": False,
    b"selected-delayed": False,
    b"selected-delayed ": True,
    b"selected ": True,
}
"""How each listens; whether under QRESYNC."""


@pytest.mark.parametrize("seed", range(4))
async def test_who_listens_knows_the_mailbox(served: Served, seed: int) -> None:
    """Random changes, hints that come or do not: a client that applies what it hears, in the order in which
    it comes, and asks for nothing, ends up with what is there. Without EXPUNGE where it may not come."""
    chance = random.Random(seed)
    number, address = await served.account()
    actor = await Mirror.open(served, address)
    listeners = []
    for how, qresync in _LISTENERS.items():
        listener = await Mirror.open(served, address, qresync=qresync)
        listeners.append(listener)
        events = b"(MessageNew (UID FLAGS) MessageExpunge FlagChange)"
        await listener.run(b"NOTIFY SET (%b %b)" % (how.strip(), events))
    for _ in range(40):
        act = chance.randrange(6)
        uids = [entry.uid for entry in actor.entries]
        some = b",".join(b"%d" % uid for uid in chance.sample(uids, min(len(uids), 3)))
        if act <= 1 or not uids:
            await actor.run(b"APPEND INBOX (\\Draft) ", MESSAGE)
        elif act == 2:
            await actor.run(b"UID COPY %b INBOX" % some)
        elif act == 3:
            await actor.run(b"UID MOVE %b Trash" % some)
        elif act == 4:
            await actor.run(b"UID STORE %b +FLAGS (\\Deleted Work%d)" % (some, chance.randrange(3)))
        else:
            await actor.run(b"EXPUNGE")
        await actor.run(b"NOOP")
        await actor.ask()
        if chance.random() < 0.6:
            served.hub.hint(number)
        if chance.random() < 0.3:
            # In this nothing may be expunged, also of what came before it (`Mirror.run`).
            await chance.choice(listeners[1:3]).run(b"SEARCH ALL")
        if chance.random() < 0.3:
            listener = chance.choice(listeners)
            known = [entry.uid for entry in listener.entries if entry.uid]
            if known:
                await listener.run(b"UID STORE %d -FLAGS (\\Draft)" % chance.choice(known))
    served.hub.hint(number)
    for listener in listeners:
        await listener.run(b"NOOP")
        assert {entry.uid: entry.flags for entry in listener.entries} == await truth(
            served, address
        )
