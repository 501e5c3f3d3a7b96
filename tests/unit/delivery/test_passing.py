"""What goes on for others counts, apart from what people write, and is held past a limit."""

from typing import Any

import msgspec
import pytest

from malleposte.delivery import passing
from malleposte.policy.sending import SendLimit, SendLimits
from malleposte.store.commands import (
    ACCOUNT,
    ACCOUNT_ONWARD,
    DOMAIN,
    DOMAIN_ONWARD,
    GroupEntry,
    PutGroup,
    SetAlias,
    SetDomain,
    SetForward,
    SetMembers,
    SetRelayed,
    SetSendLimit,
)
from malleposte.store.execute.allowing import HELD_JOB, HeldNotice
from support.store import House
from unit.delivery.post import ADA, BOB, EVE, NAMES, Post, inside, written_by

STAFF = "staff@example.org"
FAR = "far@far.example"
TWO = SendLimits(account=SendLimit(2, 0), domain=SendLimit(0, 0))
OURS = {"sender": "bob@example.org", "body": written_by("bob@example.org")}


@pytest.fixture
async def post(house: House) -> Post:
    """ada forwards, away is an alias, staff a group whose owner is eve: all lead to far.example."""
    house.clock.stop()
    for name in NAMES.values():
        await house.account(name)
    post = Post(house)
    await post.do(
        SetDomain(name="example.org", forwarding="anywhere"),
        SetForward(account=ADA, addresses=(FAR,), keep=False),
        SetAlias(address="away@example.org", remotes=(FAR,)),
        PutGroup(address=STAFF, fresh=True, senders="anyone"),
        SetMembers(
            address=STAFF, entries=tuple(GroupEntry(address=f"{n}@x.example") for n in "abc")
        ),
        SetMembers(address=STAFF, entries=(GroupEntry(account=EVE),), owner=True),
    )
    return post


def limited(post: Post, limits: SendLimits) -> None:
    sending = post.reception._sending
    assert sending is not None
    object.__setattr__(sending, "limits", limits)


async def counts(post: Post) -> list[tuple[int, int, int, int]]:
    rows = await post.house.rows(
        "SELECT kind, id, messages, recipients FROM sent ORDER BY kind, id"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def held(post: Post) -> list[tuple[int, str]]:
    rows = await post.house.rows("SELECT account, held FROM queue_message ORDER BY id")
    return [(row[0], row[1]) for row in rows]


async def notices(post: Post) -> list[HeldNotice]:
    rows = await post.house.rows("SELECT payload FROM job WHERE kind = $1 ORDER BY id", HELD_JOB)
    return [msgspec.msgpack.decode(row[0], type=HeldNotice) for row in rows]


async def test_a_forward_counts_for_its_account_and_an_alias_and_a_group_for_their_domain(
    post: Post,
) -> None:
    await post.send("ada@example.org")
    assert await counts(post) == [(ACCOUNT_ONWARD, ADA, 1, 1), (DOMAIN_ONWARD, 1, 1, 1)]
    await post.send("away@example.org")
    await post.send(STAFF)
    assert await counts(post) == [(ACCOUNT_ONWARD, ADA, 1, 1), (DOMAIN_ONWARD, 1, 3, 5)]
    # So all of it can be found, and released, by whose it is.
    assert [account for account, _ in await held(post)] == [ADA, -1, -1]


async def test_what_strangers_send_takes_nothing_from_what_people_write(post: Post) -> None:
    limited(post, TWO)
    for _ in range(3):
        await post.send("ada@example.org")
    ada = {"sender": "ada@example.org", "body": written_by("ada@example.org")}
    await post.send("x@there.example", origin=inside(ADA), **ada)  # type: ignore[arg-type]
    assert await held(post) == [
        (ADA, ""),
        (ADA, ""),
        (ADA, "sending limit: ada@example.org sends on 2 messages an hour at most"),
        (ADA, ""),
    ]
    assert (ACCOUNT, ADA, 1, 1) in await counts(post)


async def test_what_one_writes_to_a_group_counts_for_the_group(post: Post) -> None:
    await post.send(STAFF, "x@there.example", origin=inside(BOB), **OURS)  # type: ignore[arg-type]
    assert await counts(post) == [(ACCOUNT, BOB, 1, 1), (DOMAIN, 1, 1, 1), (DOMAIN_ONWARD, 1, 1, 3)]


async def test_a_group_past_the_limit_of_its_domain_is_held_and_its_owners_hear_of_it_once(
    post: Post,
) -> None:
    await post.do(SetSendLimit(kind=DOMAIN, id=1, recipients=5))
    for _ in range(3):
        assert await post.send(STAFF) == [250], "nothing is refused or lost"
    words = "sending limit: example.org sends on to 5 recipients a day at most"
    assert await held(post) == [(-1, ""), (-1, words), (-1, words)]
    (notice,) = await notices(post)
    assert (notice.account, notice.by, notice.name) == (-1, STAFF, "example.org")
    assert (notice.owner, notice.administrators) == (True, True)


async def test_a_group_in_another_form_is_counted_too(post: Post) -> None:
    """Where From names the group, its copy has another place in the command."""
    post.strict.add("sender.example")
    await post.do(SetSendLimit(kind=DOMAIN, id=1, messages=1))
    await post.send(STAFF)
    await post.send(STAFF)
    assert [bool(why) for _, why in await held(post)] == [False, True]


async def test_an_accounts_own_limit_counts_for_what_it_forwards(post: Post) -> None:
    await post.do(SetSendLimit(kind=ACCOUNT, id=ADA, messages=1))
    await post.send("ada@example.org")
    await post.send("ada@example.org")
    assert [bool(why) for _, why in await held(post)] == [False, True]
    (notice,) = await notices(post)
    assert (notice.account, notice.by) == (ADA, "ada@example.org")


async def test_a_relayed_domain_is_ours_and_not_counted(post: Post) -> None:
    await post.house.domain("inner.example")
    await post.do(
        SetDomain(name="inner.example", relay="mail.inner.example:25"),
        SetRelayed(domain="inner.example", addresses=("a@inner.example",)),
    )
    await post.send("a@inner.example")
    assert await counts(post) == []


async def test_what_waits_to_go_on_has_a_bound_whoever_sends_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger does not fill the disk by what is held."""
    monkeypatch.setattr(passing, "MOST_WAITING", 3)
    monkeypatch.setattr(passing, "KNOWN_FOR", 0.0)
    limited(post, SendLimits(account=SendLimit(1, 0), domain=SendLimit(1, 0)))
    for _ in range(3):
        assert await post.send("ada@example.org") == [250]
    assert await post.filed() == []
    assert await post.send("ada@example.org") == [250]
    assert await post.filed() == [ADA], "the account keeps it"
    assert len(await held(post)) == 3
    for _ in range(3):
        assert await post.send(STAFF) == [250]
    # These have nowhere to keep it: the sender's server tries again.
    assert await post.send(STAFF) == [452]
    assert await post.send("away@example.org") == [452]
    assert len(await held(post)) == 6


async def test_what_an_account_submits_has_a_bound_that_strangers_do_not_reach(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stolen password does not fill the disk by what its limit holds; and what strangers have forwarded
    does not keep the account from writing."""
    monkeypatch.setattr(passing, "MOST_WAITING", 2)
    monkeypatch.setattr(passing, "KNOWN_FOR", 0.0)
    limited(post, SendLimits(account=SendLimit(1, 0), domain=SendLimit(0, 0)))
    for _ in range(4):
        assert await post.send("ada@example.org") == [250]
    assert await post.filed() == [ADA] * 2, "no more of it goes on"
    mine: Any = {"body": written_by("ada@example.org"), "origin": inside(ADA)}
    for _ in range(2):
        assert await post.send("x@y.example", sender="ada@example.org", **mine) == [250]
    assert len(await held(post)) == 4
    assert await post.send("x@y.example", sender="ada@example.org", **mine) == [452]
    assert await post.send("bob@example.org", sender="ada@example.org", **mine) == [250]
    assert await post.send("x@y.example", **OURS, origin=inside(BOB)) == [250]  # type: ignore[arg-type]
