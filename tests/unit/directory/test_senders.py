"""Who may send as whom, how much, and from where devices send: seen as soon as it changes."""

import time

import pytest

from malleposte.directory.book import Account, Book
from malleposte.directory.senders import Senders, Way
from malleposte.policy.sending import SendLimit, SendLimits
from malleposte.store import Store
from malleposte.store.commands import (
    ACCOUNT,
    DOMAIN,
    CreateAccount,
    CreateDomain,
    SetAccount,
    SetAlias,
    SetNetworks,
    SetSendLimit,
    SetSendRight,
)

USUAL = SendLimits(SendLimit(10, 100), SendLimit(50, 500))


@pytest.fixture
async def senders(store: Store) -> Senders:
    """ada (1), bob (2), the devices scanner (3) and printer (4), the alias sales of ada."""
    await store.submit(CreateDomain(name="here.example"))
    for name in ("ada", "bob", "scanner", "printer"):
        kind = "device" if name in ("scanner", "printer") else "person"
        address = f"{name}@here.example"
        await store.submit(CreateAccount(address=address, name="", password_hash="", kind=kind))
    await store.submit(SetAlias(address="sales@here.example", accounts_=(1,)))
    return Senders(store, Book(store))


async def test_an_address_is_ones_own_or_there_is_a_right_on_it(
    store: Store, senders: Senders
) -> None:
    assert await senders.way(1, "ada@here.example") is Way.OWN
    assert await senders.way(1, "Sales+x@Here.Example") is Way.OWN
    assert await senders.way(2, "sales@here.example") is Way.NOT
    await store.submit(SetSendRight(address="sales@here.example", account=2, way="as"))
    await store.submit(SetSendRight(address="ada@here.example", account=2, way="behalf"))
    assert await senders.way(2, "sales+campaign@HERE.example") is Way.AS
    assert await senders.way(2, "ada@here.example") is Way.BEHALF
    assert await senders.way(3, "sales@here.example") is Way.NOT
    await store.submit(SetSendRight(address="sales@here.example", account=2, way=""))
    assert await senders.way(2, "sales@here.example") is Way.NOT


@pytest.mark.parametrize("address", ["", "ada", "x@there.example", "postmaster@here.example", "@"])
async def test_what_is_nobodys_here_may_not_be_sent_from(senders: Senders, address: str) -> None:
    assert await senders.way(2, address) is Way.NOT


async def test_limits_are_ones_own_or_the_usual_ones(store: Store, senders: Senders) -> None:
    async def numbers(now: float = 0) -> list[tuple[int, int, str, int, int]]:
        account = await senders._book.account(1)
        assert isinstance(account, Account)
        return [
            (one.kind, one.id, one.name, one.messages, one.recipients)
            for one in await senders.allowances(account, USUAL, now or time.time())
        ]

    assert await numbers() == [
        (ACCOUNT, 1, "ada@here.example", 10, 100),
        (DOMAIN, 1, "here.example", 50, 500),
    ]
    await store.submit(SetSendLimit(kind=ACCOUNT, id=1, messages=0, until=2_000))
    await store.submit(SetSendLimit(kind=DOMAIN, id=1, recipients=9))
    account, domain = await numbers(1_000)
    assert account[3:] == (0, 100)
    assert domain[3:] == (50, 9)
    # A limit for some time ends by itself, though nothing in the directory moves.
    assert (await numbers(2_000))[0][3:] == (10, 100)


async def test_devices_are_known_by_their_networks(store: Store, senders: Senders) -> None:
    assert await senders.devices("192.0.2.7") == ()
    await store.submit(SetNetworks(account=3, networks=("192.0.2.0/28", "2001:db8::/64")))
    await store.submit(SetNetworks(account=4, networks=("192.0.2.7/32",)))
    # Seen with the next question about an address: a connection asks for the sender anyhow.
    await senders.way(1, "ada@here.example")
    assert await senders.devices("192.0.2.7") == (3, 4)
    assert await senders.devices("192.0.2.8") == (3,)
    assert await senders.devices("::ffff:192.0.2.8") == (3,)
    assert await senders.devices("192.0.2.16") == ()
    assert await senders.devices("2001:db8::5%eth0") == (3,)
    for odd in ("", "local", "/run/x.sock"):
        assert await senders.devices(odd) == ()
    await store.submit(SetAccount(account=3, status="suspended"))
    await senders.way(1, "ada@here.example")
    assert await senders.devices("192.0.2.8") == ()
