"""The change log as JMAP reads it: who follows it has what the account has, however few are asked for."""

import random

import pytest

from malleposte.store.commands import DeleteMailbox, Recover, RenameMailbox
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import LOW
from malleposte.store.read import change_log
from malleposte.store.read.change_log import Changes, Point
from support.store import House, deliver, inbox, rendered


class Follower:
    """Keeps ids by changes alone."""

    def __init__(self, house: House, account: int, most: int) -> None:
        self.house = house
        self.account = account
        self.most = most
        self.emails: set[int] = set()
        self.threads: set[int] = set()
        self.boxes: set[int] = set()
        self.points: dict[str, Point] = dict.fromkeys(("emails", "threads", "boxes"), Point(0))
        self.updated: set[int] = set()

    async def follow(self) -> None:
        reader = self.house.store.reader
        for kind, ask, kept in (
            ("emails", change_log.emails, self.emails),
            ("threads", change_log.threads, self.threads),
            ("boxes", change_log.mailboxes, self.boxes),
        ):
            for _ in range(500):
                found = await ask(reader, self.account, self.points[kind], self.most)
                assert found is not None
                self._take(found, kept)
                self.points[kind] = found.point
                if not found.more:
                    break
            else:
                raise AssertionError("it does not come to an end")

    def _take(self, found: Changes, kept: set[int]) -> None:
        told = found.created + found.updated + found.destroyed
        assert len(told) == len(set(told))
        assert len(told) <= self.most
        kept |= set(found.created)
        kept -= set(found.destroyed)
        self.updated |= set(found.updated)


async def visible(house: House, account: int) -> set[int]:
    rows = await house.rows(
        "SELECT DISTINCT m.email FROM membership m JOIN mailbox b ON b.id = m.mailbox"
        " WHERE b.account = $1 AND m.deleted = 0",
        account,
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize("most", [1, 3, 1_000])
async def test_who_follows_has_what_is_there(house: House, most: int) -> None:
    account = await house.account()
    boxes = [
        inbox(account),
        await house.mailbox(account, "One"),
        await house.mailbox(account, "Two"),
    ]
    chance = random.Random(most)
    follower = Follower(house, account, most)
    for step in range(120):
        box = chance.choice(boxes)
        uids = await house.uids(box)
        some = ((min(uids), chance.choice(uids)),) if uids else ()
        match chance.choice("dddffcxxrn"):
            case "d":
                about = rendered(message_id=f"{step}@x", references=(f"{chance.randint(1, 5)}@y",))
                await house.store.submit(deliver(account, mailbox=box, about=about))
            case "f" if some:
                await house.flag(
                    box, some, chance.choice("+-"), flags=chance.choice((SEEN, FLAGGED))
                )
                await house.flag(box, some[:1], chance.choice("+-"), deleted=True)
            case "c" if some:
                await house.copy(box, chance.choice(boxes), some, move=chance.random() < 0.5)
            case "x" if some:
                await house.expunge(box, some)
            case "r":
                rows = await house.rows("SELECT email FROM recoverable ORDER BY email LIMIT 2")
                emails = tuple(row[0] for row in rows)
                await house.store.submit(Recover(actor=0, target=box, emails=emails))
            case "n":
                name = f"N{step}"
                made = await house.mailbox(account, name)
                if chance.random() < 0.5:
                    await house.store.submit(DeleteMailbox(actor=account, mailbox=made))
                else:
                    rename = RenameMailbox(
                        actor=account, mailbox=made, parent=0, path=(name + "x",)
                    )
                    await house.store.submit(rename)
        if chance.random() < 0.4:
            await follower.follow()
            assert follower.emails == await visible(house, account), step
            rows = await house.rows("SELECT id FROM mailbox WHERE account = $1", account)
            assert follower.boxes == {row[0] for row in rows}
            rows = await house.rows("SELECT id, thread FROM email")
            threads = {thread for email, thread in rows if email in follower.emails}
            assert follower.threads == threads


async def test_a_change_of_many_is_told_in_parts(house: House) -> None:
    account = await house.account()
    await house.fill(account, 10)
    follower = Follower(house, account, 3)
    await follower.follow()
    await house.flag(inbox(account), flags=SEEN)
    await follower.follow()
    assert {email & LOW for email in follower.updated if email in follower.emails} == set(
        range(1, 11)
    )


async def test_what_is_too_long_ago_or_still_to_come_cannot_be_told(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    reader = house.store.reader
    for ask in (change_log.emails, change_log.threads, change_log.mailboxes):
        assert await ask(reader, account, Point(99), 10) is None
        assert await ask(reader, account + 1, Point(0), 10) is None
    await house.damage("UPDATE account_head SET tombstone_floor = modseq")
    for ask in (change_log.emails, change_log.threads, change_log.mailboxes):
        assert await ask(reader, account, Point(1), 10) is None


async def test_threads_of_emails_that_are_gone_for_good_cannot_be_told(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    reader = house.store.reader
    since = Point(await house.value("SELECT modseq FROM account_head WHERE account = $1", account))
    await house.expunge(inbox(account), ((1, 1),))
    found = await change_log.threads(reader, account, since, 10)
    assert found is not None
    assert len(found.destroyed) == 1
    await house.damage("DELETE FROM email WHERE mailboxes = 0")
    assert await change_log.threads(reader, account, since, 10) is None


async def test_a_reader_is_told_of_marks_of_its_own(house: House) -> None:
    owner, reader = await house.account(), await house.account()
    shared = await house.mailbox(owner, "Shared")
    await house.grant(shared, reader, "lrs")
    await house.fill(owner, 2, shared)
    await house.fill(owner, 1)
    since = Point(await house.value("SELECT modseq FROM account_head WHERE account = $1", owner))

    async def told(actor: int) -> list[int]:
        found = await change_log.emails(
            house.store.reader,
            owner,
            since,
            10,
            actor=actor,
            mailboxes=(shared,) if actor else None,
        )
        assert found is not None
        return [email & LOW for email in found.updated]

    await house.flag(shared, ((2, 2),), actor=reader, flags=SEEN)
    assert await told(reader) == [2]
    everything = await change_log.emails(
        house.store.reader, owner, Point(0), 10, actor=reader, mailboxes=(shared,)
    )
    assert everything is not None
    assert [email & LOW for email in everything.created] == [1, 2]
