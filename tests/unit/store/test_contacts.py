"""Address books and cards in the store: bounded, apart by account, shared by rights, told of in changes."""

import pytest

from malleposte.store.commands import (
    CardChange,
    ChangeCards,
    CreateAccount,
    DeleteAccount,
    DropBook,
    Media,
    PurgeAccount,
    PutBook,
    SeedBooks,
    SweepTombstones,
)
from malleposte.store.execute import address_books as executing_books
from malleposte.store.execute import cards as executing_cards
from malleposte.store.fsck import repairs
from malleposte.store.fsck.finding import Kind
from malleposte.store.read import contacts
from malleposte.store.read.change_log import Changes, Point
from malleposte.store.results import CardsChanged, Created, Done, Refused
from support.store import House


async def book(house: House, account: int, name: str = "Friends", **more: object) -> int:
    command = PutBook(account=account, actor=account, name=name, **more)  # type: ignore[arg-type]
    return (await house.do(command, Created)).id


def made(*books: int, uid: str = "u", path: str = "", **more: object) -> CardChange:
    fields: dict[str, object] = {"uid": uid, "content": b"{}", "found": f"n{uid}"} | more
    return CardChange(places=tuple((one, path) for one in books), **fields)  # type: ignore[arg-type]


async def change(
    house: House, account: int, *changes: CardChange, actor: int | None = None, **more: int
) -> CardsChanged:
    command = ChangeCards(
        account=account, actor=account if actor is None else actor, changes=changes, **more
    )
    return await house.do(command, CardsChanged)


async def card(house: House, account: int, *books: int, **more: object) -> int:
    result = await change(house, account, made(*books, **more))  # type: ignore[arg-type]
    assert not result.refused, result
    return result.cards[0]


async def reasons(
    house: House, account: int, *changes: CardChange, actor: int | None = None
) -> list[str]:
    result = await change(house, account, *changes, actor=actor)
    return [reason for _, reason, _ in result.refused]


async def test_everybody_begins_with_one_book_and_may_remove_it(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    assert await contacts.state(reader, account, account) is None
    seed = SeedBooks(account=account, name="Contacts")
    assert (await house.do(seed, Done)).count == 1
    assert (await house.do(seed, Done)).count == 0
    (first,) = await contacts.books(reader, account, account)
    assert (first.name, first.preferred, first.letters, first.shown) == (
        "Contacts",
        1,
        "rwsd",
        True,
    )
    second = await book(house, account)
    await house.do(DropBook(account=account, actor=account, book=first.id), Done)
    (left,) = await contacts.books(reader, account, account)
    assert (left.id, left.preferred) == (second, 1), "one of them is the default"
    await house.do(DropBook(account=account, actor=account, book=second), Done)
    await house.do(seed, Done)
    assert await contacts.books(reader, account, account) == []


async def test_books_are_bounded_and_have_names(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.account()
    monkeypatch.setattr(executing_books, "MAX_BOOKS", 1)
    first = await book(house, account, path="mine")
    another = PutBook(account=account, actor=account, name="More")
    assert await house.refused(another) == "limit"
    monkeypatch.setattr(executing_books, "MAX_BOOKS", 9)
    same = PutBook(account=account, actor=account, name="More", path="mine")
    assert await house.refused(same) == "exists"
    for name in ("", "x" * 256):
        bad = PutBook(account=account, actor=account, book=first, name=name)
        assert await house.refused(bad) == "bad-name"
    long = PutBook(account=account, actor=account, book=first, state=b"x" * 70_000)
    assert await house.refused(long) == "too-long"
    late = PutBook(account=account, actor=account, book=first, name="Late", if_state=1)
    assert await house.refused(late) == "changed"


async def test_a_card_comes_changes_and_goes_and_each_is_told(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    friends, work = await book(house, account), await book(house, account, "Work")

    async def since(state: contacts.State | None) -> Changes:
        assert state is not None
        found = await contacts.card_changes(reader, account, account, Point(state.cards), 100)
        assert found is not None
        return found

    before = await contacts.state(reader, account, account)
    ada = await card(house, account, friends, uid="ada")
    told = await since(before)
    assert (told.created, told.updated, told.destroyed) == ([ada], [], [])
    between = await contacts.state(reader, account, account)
    await change(house, account, CardChange(card=ada, enter=((work, ""),)))
    assert (await since(between)).updated == [ada]
    assert set((await contacts.places(reader, [ada]))[ada]) == {friends, work}
    await change(house, account, CardChange(card=ada, drop=True))
    told = await since(between)
    assert (told.created, told.updated, told.destroyed) == ([], [], [ada])
    assert await contacts.cards(reader, account, [ada]) == {}
    now = await contacts.state(reader, account, account)
    assert now is not None
    assert (now.number, now.octets) == (0, 0)
    assert (await since(now)).destroyed == []


async def test_what_went_from_a_book_keeps_its_name_for_who_syncs(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    friends, work = await book(house, account), await book(house, account, "Work")
    ada = await card(house, account, friends, path="ada.vcf", uid="ada")
    since = (await contacts.by_path(reader, friends, ["ada.vcf"]))["ada.vcf"].modseq
    await change(house, account, CardChange(card=ada, places=((work, "a.vcf"),)))
    (moved,) = await contacts.moved(reader, friends, since, ada, 10)
    assert (moved.path, moved.gone) == ("ada.vcf", 1)
    assert await contacts.placed(reader, friends, 0, 10) == []
    bob = await card(house, account, friends, path="ada.vcf", uid="bob")
    assert (await contacts.by_path(reader, friends, ["ada.vcf"]))["ada.vcf"].card == bob
    await change(house, account, CardChange(card=ada, leave=(work,)))
    assert await contacts.cards(reader, account, [ada]) == {}, "in no book it is gone"


async def test_uids_and_names_are_one_cards(house: House) -> None:
    account = await house.account()
    friends = await book(house, account)
    ada = await card(house, account, friends, uid="ada", path="ada.vcf")
    result = await change(
        house,
        account,
        made(friends, uid="ada"),
        made(friends, uid="other", path="ada.vcf"),
        made(friends, uid="new"),
        made(friends, uid="new"),
        made(uid="nowhere"),
        made(friends + 1000, uid="elsewhere"),
        CardChange(card=ada + 1000, drop=True),
        CardChange(card=ada, enter=((friends, ""),), expected=1),
    )
    assert [(at, reason) for at, reason, _ in result.refused] == [
        (0, "exists"),
        (1, "taken"),
        (3, "exists"),
        (4, "nowhere"),
        (5, "no-such-book"),
        (6, "no-such-card"),
        (7, "changed"),
    ]
    assert result.refused[0][2] == str(ada)
    assert result.cards[2]
    other = await house.account()
    theirs = await book(house, other)
    await card(house, other, theirs, uid="ada")


async def test_cards_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.account()
    friends = await book(house, account)
    ada = await card(house, account, friends, uid="ada")
    long = made(friends, uid="long", content=b"x" * (256 * 1024 + 1))
    photo = Media(n=1, kind="image/jpeg", octets=b"x" * (2 * 1024 * 1024 + 1))
    assert await reasons(house, account, long) == ["too-long"]
    assert await reasons(house, account, made(friends, uid="p", media=(photo,))) == ["too-long"]
    assert await reasons(house, account, made(friends, uid="u" * 2_001)) == ["too-long"]
    await card(house, account, friends, uid="\u00e9" * 1_000)
    monkeypatch.setattr(executing_cards, "MAX_CARDS", 2)
    assert await reasons(house, account, made(friends, uid="more")) == ["limit"]
    monkeypatch.setattr(executing_cards, "MAX_OCTETS", 10)
    big = made(friends, uid="ada", content=b"x" * 20)
    replaced = CardChange(card=ada, uid="ada", content=big.content)
    assert await reasons(house, account, replaced) == ["over-quota"]
    monkeypatch.setattr(executing_cards, "MAX_CHANGES", 1)
    many = ChangeCards(account=account, actor=account, changes=(big, big))
    assert await house.refused(many) == "too-many"


async def test_photos_stay_while_they_are_kept_and_count(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    friends = await book(house, account)
    first = Media(n=7, kind="image/png", octets=b"12345")
    ada = await card(house, account, friends, uid="ada", media=(first,))
    assert await contacts.medium(reader, ada, 7) == ("image/png", b"12345")
    state = await contacts.state(reader, account, account)
    assert state is not None
    assert state.octets == len(b"{}") + 5
    second = Media(n=8, kind="image/png", octets=b"1")
    kept = CardChange(card=ada, uid="ada", content=b"[]", kept=(7,), media=(second,))
    assert await reasons(house, account, kept) == []
    assert set((await contacts.media(reader, [ada]))[ada]) == {7, 8}
    assert await reasons(house, account, CardChange(card=ada, uid="ada", content=b"[]")) == []
    assert await contacts.media(reader, [ada]) == {}
    missing = CardChange(card=ada, uid="ada", content=b"[]", kept=(7,))
    assert await reasons(house, account, missing) == ["no-such-media"]


async def shared(house: House, letters: str) -> tuple[int, int, int, int]:
    """(owner, reader, a book that is shared, one that is not)."""
    owner, actor = await house.account(), await house.account()
    friends = await book(house, owner)
    secret = await book(house, owner, "Secret")
    give = PutBook(account=owner, actor=owner, book=friends, rights=((actor, letters),))
    await house.do(give, Created)
    return owner, actor, friends, secret


async def test_a_shared_book_is_seen_and_no_other(house: House) -> None:
    owner, actor, friends, secret = await shared(house, "r")
    reader = house.store.reader
    (seen,) = await contacts.books(reader, actor, owner)
    assert (seen.id, seen.letters, seen.shown) == (friends, "r", False)
    assert [one.account for one in await contacts.sharers(reader, actor)] == [owner]
    assert [one.id for one in await contacts.shared_books(reader, actor)] == [friends]
    ada = await card(house, owner, friends, uid="ada")
    bob = await card(house, owner, secret, uid="bob")
    assert [one.id for one in await contacts.listed(reader, owner, 0, 9, [friends])] == [ada]
    assert await reasons(house, owner, CardChange(card=bob, drop=True), actor=actor) == [
        "no-such-card"
    ]
    assert await reasons(house, owner, CardChange(card=ada, drop=True), actor=actor) == [
        "no-rights"
    ]
    assert await reasons(house, owner, made(secret, uid="x"), actor=actor) == ["no-such-book"]
    for command in (
        PutBook(account=owner, actor=actor, book=friends, name="Mine"),
        PutBook(account=owner, actor=actor, book=friends, rights=()),
        PutBook(account=owner, actor=actor, name="New"),
        DropBook(account=owner, actor=actor, book=friends, contents=True),
    ):
        assert await house.refused(command) == "no-rights"
    assert await house.refused(DropBook(account=owner, actor=actor, book=secret)) == "no-such-book"
    wish = PutBook(account=owner, actor=actor, book=friends, subscribed=True)
    await house.do(wish, Created)
    assert (await contacts.books(reader, actor, owner))[0].shown
    stranger = await house.account()
    assert await contacts.books(reader, stranger, owner) == []


async def test_who_may_write_does_so_in_that_book_alone(house: House) -> None:
    owner, actor, friends, secret = await shared(house, "rw")
    ada = (await change(house, owner, made(friends, uid="ada"), actor=actor)).cards[0]
    assert ada
    both = await card(house, owner, friends, secret, uid="both")
    drop, leave = CardChange(card=both, drop=True), CardChange(card=both, leave=(friends,))
    assert await reasons(house, owner, drop, actor=actor) == ["no-such-book"]
    assert await reasons(house, owner, leave, actor=actor) == []
    assert set((await contacts.places(house.store.reader, [both]))[both]) == {secret}


async def test_who_sees_what_changes_is_asked_anew(house: House) -> None:
    owner, actor, friends, secret = await shared(house, "r")
    reader = house.store.reader
    ada = await card(house, owner, friends, uid="ada")
    state = await contacts.state(reader, actor, owner)
    assert state is not None
    point = Point(state.cards)
    await change(house, owner, CardChange(card=ada, places=((secret, ""),)))
    told = await contacts.card_changes(reader, actor, owner, point, 9, [friends])
    assert told is not None
    assert told.destroyed == [ada], "it went where he does not see it"
    wider = PutBook(account=owner, actor=owner, book=secret, rights=((actor, "r"),))
    await house.do(wider, Created)
    both = [friends, secret]
    assert await contacts.card_changes(reader, actor, owner, told.point, 9, both) is None
    mine = await contacts.card_changes(reader, owner, owner, told.point, 9)
    assert mine is not None


async def test_strangers_are_not_shared_with(house: House) -> None:
    owner = await house.account()
    friends = await book(house, owner)
    give = PutBook(account=owner, actor=owner, book=friends, rights=((owner, "r"),))
    assert await house.refused(give) == "no-such-account", "with oneself neither"
    give = PutBook(account=owner, actor=owner, book=friends, rights=((999_999, "r"),))
    assert await house.refused(give) == "no-such-account"


async def test_a_book_goes_with_what_is_in_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, reader = await house.account(), house.store.reader
    friends, work = await book(house, account), await book(house, account, "Work")
    alone = [await card(house, account, friends, uid=f"a{n}") for n in range(3)]
    both = await card(house, account, friends, work, uid="both")
    state = await contacts.state(reader, account, account)
    assert state is not None
    drop = DropBook(account=account, actor=account, book=friends)
    assert await house.refused(drop) == "not-empty"
    monkeypatch.setattr(executing_books, "SLICE", 2)
    drop = DropBook(account=account, actor=account, book=friends, contents=True)
    assert (await house.do(drop, Done)).more
    assert not (await house.do(drop, Done)).more
    told = await contacts.card_changes(reader, account, account, Point(state.cards), 99)
    assert told is not None
    assert (sorted(told.destroyed), told.updated) == (alone, [both])
    books = await contacts.book_changes(reader, account, account, Point(state.books), 99)
    assert books is not None
    assert books.destroyed == [friends]
    assert list((await contacts.places(reader, [both]))[both]) == [work]


async def test_a_deleted_account_leaves_nothing(house: House) -> None:
    owner, actor, friends, _ = await shared(house, "rw")
    photo = Media(n=7, kind="image/png", octets=b"12345")
    await card(house, owner, friends, uid="ada", media=(photo,))
    boss = CreateAccount(address="boss@example.org", name="", password_hash="$", role="owner")
    await house.do(boss, Created)
    await house.do(DeleteAccount(account=owner), Done)
    assert await contacts.books(house.store.reader, actor, owner) == []
    while (await house.do(PurgeAccount(account=owner), Done)).more:
        pass
    for table in ("contact_head", "address_book", "address_book_right", "address_book_reader"):
        assert await house.value(f"SELECT count(*) FROM {table}") == 0, table
    for table in ("card", "card_content", "card_media", "card_place"):
        assert await house.value(f"SELECT count(*) FROM {table}") == 0, table


async def test_names_of_what_went_are_swept_with_the_tombstones(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    friends = await book(house, account)
    before = await contacts.state(reader, account, account)
    ada = await card(house, account, friends, uid="ada")
    await change(house, account, CardChange(card=ada, drop=True))
    now = await contacts.state(reader, account, account)
    assert before is not None
    assert now is not None
    await house.do(SweepTombstones(account=account, upto=now.cards, limit=100), Done)
    assert await house.value("SELECT count(*) FROM card_place") == 0
    point = Point(before.cards)
    assert await contacts.card_changes(reader, account, account, point, 9) is None
    same = await contacts.card_changes(reader, account, account, Point(now.cards), 9)
    assert same is not None, "who has seen everything goes on"


async def test_nothing_is_done_in_another_state(house: House) -> None:
    account = await house.account()
    friends = await book(house, account)
    await card(house, account, friends, uid="ada")
    late = ChangeCards(
        account=account, actor=account, changes=(made(friends, uid="b"),), if_state=1
    )
    assert (await house.do(late, Refused)).reason == "changed"


DAMAGES = (
    ("UPDATE contact_head SET number = 7", Kind.CONTACT_COUNTERS),
    ("UPDATE contact_head SET next = 1", Kind.CONTACT_COUNTERS),
    ("DELETE FROM contact_head", Kind.CONTACT_COUNTERS),
    ("UPDATE account_head SET modseq = 1", Kind.CONTACT_COUNTERS),
    ("DELETE FROM card_place", Kind.CARD_NOWHERE),
    ("UPDATE card_place SET book = book + 5", Kind.CARD_STRAY),
    ("UPDATE card_media SET card = card + 5", Kind.CARD_STRAY),
    ("UPDATE card_content SET id = id + 5", Kind.CARD_STRAY),
)


async def test_what_is_derived_is_found_and_put_right(house: House) -> None:
    account = await house.account()
    friends = await book(house, account)
    photo = Media(n=7, kind="image/png", octets=b"12345")
    await card(house, account, friends, uid="ada", media=(photo,))
    for damage, kind in DAMAGES:
        async with house.place.raw() as tx:
            await tx.run(damage)
        found = await house.fsck()
        assert kind in {one.kind for one in found}, damage
        for command in repairs(found):
            await house.do(command, Done)
        left = {one.kind for one in await house.fsck()}
        # What was in a card that has no content any more nobody knows.
        lost = {Kind.CARD_CONTENT} if damage.startswith("UPDATE card_content") else set()
        assert left == lost, damage
    house.damaged = True
