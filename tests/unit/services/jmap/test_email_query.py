"""Email/query and queryChanges: windows, filters, sorts, and what changed since."""

from typing import Any

import pytest

from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import email_text, mailbox_text
from support.store import House, inbox, rendered
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


async def ids(client: Client, **arguments: Any) -> list[str]:
    found: list[str] = (await client.call("Email/query", **arguments))["ids"]
    return found


async def filled(client: Client, count: int) -> list[str]:
    """Ids of new emails in INBOX, the newest first."""
    filed = await client.house.fill(client.account, count)
    return [email_text(one.email) for one in reversed(filed)]


async def test_a_window_begins_at_a_position_or_an_anchor(client: Client) -> None:
    all_ = await filled(client, 6)
    assert await ids(client) == all_
    assert await ids(client, position=2, limit=2) == all_[2:4]
    assert await ids(client, position=-2) == all_[-2:]
    assert await ids(client, position=-50, limit=1) == all_[:1]
    assert await ids(client, anchor=all_[3], limit=2) == all_[3:5]
    assert await ids(client, anchor=all_[3], anchorOffset=-2, limit=2) == all_[1:3]
    assert await ids(client, anchor=all_[1], anchorOffset=-5, limit=2) == all_[:2]
    assert await ids(client, position=50) == []
    assert await client.error("Email/query", anchor="E1") == "anchorNotFound"
    answer = await client.call("Email/query", limit=0, calculateTotal=True)
    assert (answer["ids"], answer["total"], answer["canCalculateChanges"]) == ([], 6, True)
    answer = await client.call("Email/query", anchor=all_[3], anchorOffset=1)
    assert answer["position"] == 4


async def test_threads_collapse_to_their_first(client: Client) -> None:
    house, account = client.house, client.account
    a = await house.deliver(account, about=rendered(message_id="a@x"))
    b = await house.deliver(account, about=rendered(subject="Other", message_id="b@x"))
    re = rendered(subject="Re: Hello", message_id="c@x", references=("a@x",))
    c = await house.deliver(account, about=re)
    first, second = email_text(c.email), email_text(b.email)
    assert await ids(client, collapseThreads=True) == [first, second]
    assert await ids(client) == [first, second, email_text(a.email)]
    answer = await client.call("Email/query", collapseThreads=True, calculateTotal=True)
    assert answer["total"] == 2
    error = await client.error("Email/query", collapseThreads=True, anchor=email_text(a.email))
    assert error == "anchorNotFound"


async def test_filters_are_put_together(client: Client) -> None:
    house, account = client.house, client.account
    box = await house.mailbox(account, "Box")
    plain, starred, other = [
        email_text(one.email)
        for one in (
            await house.deliver(account, flags=SEEN),
            await house.deliver(account, flags=FLAGGED, keywords=("work",)),
            await house.deliver(account, mailbox=box),
        )
    ]
    in_inbox = {"inMailbox": mailbox_text(inbox(account))}
    assert await ids(client, filter=in_inbox) == [starred, plain]
    assert await ids(client, filter={"inMailboxOtherThan": [mailbox_text(box)]}) == [starred, plain]
    assert await ids(client, filter={"hasKeyword": "$flagged"}) == [starred]
    assert await ids(client, filter={"hasKeyword": "WORK"}) == [starred]
    assert await ids(client, filter={"notKeyword": "$seen"}) == [other, starred]
    assert await ids(client, filter=in_inbox | {"notKeyword": "$seen"}) == [starred]
    either = {"operator": "OR", "conditions": [{"hasKeyword": "$seen"}, {"hasKeyword": "work"}]}
    assert await ids(client, filter=either) == [starred, plain]
    neither = {"operator": "NOT", "conditions": either["conditions"]}
    assert await ids(client, filter=neither) == [other]
    assert await ids(client, filter={"inMailbox": "Mffffff"}) == []
    assert await ids(client, filter={"before": "2020-01-01T00:00:00Z"}) == []
    assert await ids(client, filter={"after": "2020-01-01T00:00:00Z"}) == [other, starred, plain]
    assert await ids(client, filter={"minSize": 1, "maxSize": 100_000}) == [other, starred, plain]
    assert await ids(client, filter={"hasAttachment": True}) == []
    assert await ids(client, filter={}) == [other, starred, plain]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"inMailbox": 5}, "invalidArguments"),
        ({"colour": "red"}, "unsupportedFilter"),
        ({"operator": "XOR", "conditions": []}, "invalidArguments"),
        ({"operator": "AND"}, "invalidArguments"),
        ({"operator": "AND", "conditions": [], "hasKeyword": "x"}, "invalidArguments"),
        ({"operator": "AND", "conditions": [5]}, "invalidArguments"),
        ({"hasKeyword": "a b"}, "invalidArguments"),
        ({"hasKeyword": "$Deleted"}, "invalidArguments"),
        ({"before": "yesterday"}, "invalidArguments"),
        ({"minSize": -1}, "invalidArguments"),
        ({"minSize": True}, "invalidArguments"),
        ({"hasAttachment": "yes"}, "invalidArguments"),
        ({"header": []}, "invalidArguments"),
        ({"text": "x" * 5_000}, "invalidArguments"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(
    client: Client, given: dict[str, Any], kind: str
) -> None:
    assert await client.error("Email/query", filter=given) == kind


async def test_a_filter_of_any_depth_or_size_is_bounded(client: Client) -> None:
    deep: dict[str, Any] = {"hasKeyword": "x"}
    for _ in range(100):
        deep = {"operator": "NOT", "conditions": [deep]}
    assert await client.error("Email/query", filter=deep) == "unsupportedFilter"
    wide = {"operator": "OR", "conditions": [{"hasKeyword": f"k{n}"} for n in range(150)]}
    wider = {"operator": "OR", "conditions": [wide, wide]}
    assert await client.error("Email/query", filter=wider) == "unsupportedFilter"
    assert await ids(client, filter=wide) == []


async def test_sorts(client: Client) -> None:
    house, account = client.house, client.account
    one, two, three = [
        email_text(
            (await house.deliver(account, about=rendered(subject=subject), flags=flags)).email
        )
        for subject, flags in (("beta", FLAGGED), ("Alpha", 0), ("gamma", 0))
    ]
    by = [{"property": "subject"}]
    assert await ids(client, sort=by) == [two, one, three]
    assert await ids(client, sort=[{"property": "subject", "isAscending": False}]) == [
        three,
        one,
        two,
    ]
    starred = {"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}
    assert await ids(client, sort=[starred, *by]) == [one, two, three]
    assert await ids(client, sort=[{"property": "receivedAt", "isAscending": True}]) == [
        one,
        two,
        three,
    ]
    assert await client.error("Email/query", sort=[{"property": "mood"}]) == "unsupportedSort"
    error = await client.error("Email/query", sort=[{"property": "size", "collation": "x"}])
    assert error == "unsupportedSort"
    assert (
        await client.error("Email/query", sort=[{"property": "hasKeyword"}]) == "invalidArguments"
    )


async def test_what_changed_since_makes_the_new_list_of_the_old_one(client: Client) -> None:
    house, account = client.house, client.account
    for n in range(8):
        parent = (f"{n % 3}@x",) if n > 2 else ()
        about = rendered(message_id=f"{n}@x", references=parent)
        await house.deliver(account, about=about)
    unread = {"notKeyword": "$seen"}
    for collapsed in (False, True):
        asked: dict[str, Any] = {"filter": unread, "collapseThreads": collapsed}
        before = await client.call("Email/query", **asked)
        await house.flag(inbox(account), ((2, 3),), flags=SEEN)
        await house.flag(inbox(account), ((3, 3),), "-", flags=SEEN)
        await house.expunge(inbox(account), ((5, 5),))
        await house.deliver(
            account, about=rendered(message_id=f"n{collapsed}@x", references=("0@x",))
        )
        after = await client.call("Email/query", **asked)
        changes = await client.call(
            "Email/queryChanges",
            sinceQueryState=before["queryState"],
            calculateTotal=True,
            **asked,
        )
        kept = [one for one in before["ids"] if one not in changes["removed"]]
        for added in changes["added"]:
            kept.insert(added["index"], added["id"])
        assert kept == after["ids"]
        assert changes["newQueryState"] == after["queryState"]
        assert changes["total"] == len(after["ids"])


async def test_changes_that_cannot_be_told(client: Client) -> None:
    await filled(client, 3)
    state = (await client.call("Email/query"))["queryState"]
    for since in ("x", "-1", "99999", ""):
        error = await client.error("Email/queryChanges", sinceQueryState=since)
        assert error == "cannotCalculateChanges"
    await filled(client, 3)
    error = await client.error("Email/queryChanges", sinceQueryState=state, maxChanges=2)
    assert error == "tooManyChanges"
    await client.house.damage("UPDATE account_head SET tombstone_floor = modseq")
    error = await client.error("Email/queryChanges", sinceQueryState=state)
    assert error == "cannotCalculateChanges"


async def test_nothing_is_told_of_another_account(client: Client) -> None:
    other = Client(client.house, await client.house.account())
    assert await client.error("Email/query", accountId=other.id) == "accountNotFound"
