"""ContactCard/set (RFC 9610 §3.5)."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from malleposte.groupware.cards import image_type, opened, prepared
from malleposte.groupware.jscontact import problem
from malleposte.groupware.vcard import Kept
from malleposte.groupware.vcard.whole import Instead
from malleposte.services.jmap import patching, setting
from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.contacts import cards
from malleposte.services.jmap.contacts.access import Access, access, changeable
from malleposte.services.jmap.contacts.names import CONTACTS
from malleposte.services.jmap.contacts.photos import brought
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.times import utc_date
from malleposte.store.commands import CardChange, ChangeCards
from malleposte.store.commands.contacts import MAX_CHANGED, MAX_CHANGES
from malleposte.store.ids import BOOK_LETTER, CARD_LETTER, card_text, id_number
from malleposte.store.read import contacts
from malleposte.store.read.contacts import State
from malleposte.store.results import CardsChanged, Refused

ROUNDS: Final = 4
"""How often a card is changed anew that somebody else changed meanwhile."""
_KINDS: Final = {
    "no-such-card": "notFound",
    "no-rights": "forbidden",
    "limit": "overQuota",
    "over-quota": "overQuota",
    "too-long": "tooLarge",
}


@dataclass(slots=True)
class _Wanted:
    """A change that is to be made: ``key`` is the client's name for what it is done to."""

    act: str
    key: str
    change: CardChange
    told: Mapping[str, Any] = field(default_factory=dict)
    """Of its card what the client does not know."""

    @property
    def octets(self) -> int:
        """As it weighs in a command."""
        media = sum(len(one.octets) for one in self.change.media)
        return len(self.change.content or b"") + media + 1_000


async def set_(context: Context, arguments: Set) -> Answer:
    """See the module."""
    found = await access(context, arguments.account_id)
    changeable(found)
    setting.check(arguments, context.settings)
    setting.check_state(arguments.if_in_state, str(found.state.cards))
    outcome = Outcome()
    setter = Setter(context, found, outcome)
    if arguments.if_in_state is not None and found.own:
        # What is shared moves with what others see of it, and its state is no modseq of cards.
        setter.only = found.state.cards
    wanted: list[_Wanted] = []
    for key, properties in (arguments.create or {}).items():
        try:
            wanted.append(await setter.creation(key, properties))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_created[key] = filing.failure(error)
    await setter.submit(wanted)
    left = dict(arguments.update or {})
    for _ in range(ROUNDS):
        left = await setter.update(left)
        if not left:
            break
    for key in left:
        words = "Others go on changing this card; try again"
        outcome.not_updated[key] = SetError("serverUnavailable", words)
    wanted = []
    for key in arguments.destroy or ():
        number = id_number(CARD_LETTER, context.id_of(key)) if _known(context, key) else 0
        if not number:
            outcome.not_destroyed[key] = SetError("notFound")
        else:
            wanted.append(_Wanted("destroy", key, CardChange(card=number, drop=True)))
    await setter.submit(wanted)
    now = await contacts.state(context.store.reader, found.actor, found.account) or State()
    return outcome.answer(arguments.account_id, str(found.state.cards), str(now.cards))


def _known(context: Context, key: str) -> bool:
    return not key.startswith("#") or key[1:] in context.created


class Setter:
    """Makes cards, for ``set`` and ``copy``."""

    def __init__(
        self, context: Context, found: Access, outcome: Outcome, source: Access | None = None
    ) -> None:
        self._context = context
        self._found = found
        self._outcome = outcome
        self._sources = (found,) if source is None else (found, source)
        self.only: int | None = None
        """The modseq that cards must be at when something is done first."""

    async def creation(self, key: str, properties: Mapping[str, Any]) -> _Wanted:
        """A card to be made. Raises ``SetError`` and what ``filing`` has."""
        await asyncio.sleep(0)  # each takes part of a millisecond, and there may be a thousand
        card = {name: deepcopy(value) for name, value in properties.items() if value is not None}
        if "id" in card:
            raise invalid("The server gives ids", "id")
        places = self._places(card.pop("addressBookIds", None))
        now = utc_date(int(time.time()))
        card = {"@type": "Card", "version": "1.0"} | card
        card.setdefault("uid", f"urn:uuid:{uuid.uuid4()}")
        card.setdefault("created", now)
        card.setdefault("updated", now)
        change = await self._prepared(card, 0, ())
        books = tuple((book, "") for book in places)
        told = {
            name: card[name]
            for name in ("@type", "version", "uid", "created", "updated")
            if properties.get(name) != card[name]
        }
        return _Wanted("create", key, change(places=books), told)

    async def update(self, patches: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Change cards as they are now; the patches of those that somebody else changed meanwhile."""
        numbers: dict[str, int] = {}
        for key in patches:
            known = _known(self._context, key)
            numbers[key] = id_number(CARD_LETTER, self._context.id_of(key)) if known else 0
        wanted: list[_Wanted] = []
        keys = list(patches)
        reader = self._context.store.reader
        for start in range(0, len(keys), cards.AT_ONCE):
            some = keys[start : start + cards.AT_ONCE]
            ids = [numbers[key] for key in some if numbers[key]]
            shown = await cards.read(reader, self._found, ids)
            kept = await contacts.cards(reader, self._found.account, list(shown))
            for key in some:
                await asyncio.sleep(0)
                try:
                    if numbers[key] not in kept:
                        raise SetError("notFound")
                    one = kept[numbers[key]]
                    change = await self._patched(
                        patches[key],
                        shown[one.id],
                        one.id,
                        opened(one.content).instead,
                        one.modseq,
                    )
                    wanted.append(_Wanted("update", key, *change))
                except (SetError, *filing.FAILURES) as error:
                    self._outcome.not_updated[key] = filing.failure(error)
        again = await self.submit(wanted)
        return {key: patches[key] for key in again}

    async def _patched(
        self,
        patch: dict[str, Any],
        before: dict[str, Any],
        id_: int,
        instead: tuple[Instead, ...],
        modseq: int,
    ) -> tuple[CardChange, dict[str, Any]]:
        after = patching.applied(patch, before)
        if after.pop("id", None) != before["id"]:
            raise invalid("An id stays", "id")
        books = after.pop("addressBookIds", None)
        enter: tuple[tuple[int, str], ...] = ()
        leave: tuple[int, ...] = ()
        if books != before["addressBookIds"]:
            places = self._places(books)
            had = set(self._places(before["addressBookIds"]))
            enter = tuple((book, "") for book in places if book not in had)
            leave = tuple(sorted(had - set(places)))
        rest = {
            name: value for name, value in before.items() if name not in ("id", "addressBookIds")
        }
        if after == rest:
            change = CardChange(card=id_, enter=enter, leave=leave, expected=modseq)
            return change, {}
        if after.get("uid") != before.get("uid"):
            raise invalid("The uid of a card stays", "uid")
        told: dict[str, Any] = {}
        if after.get("updated") == before.get("updated"):
            after["updated"] = told["updated"] = utc_date(int(time.time()))
        given = await self._prepared(after, id_, instead)
        change = given(card=id_, enter=enter, leave=leave, expected=modseq)
        return change, told

    def _places(self, given: Any) -> list[int]:
        """Books by number. Raises ``SetError``."""
        if (
            not isinstance(given, dict)
            or not given
            or not all(one is True for one in given.values())
        ):
            raise invalid("A card is in an address book", "addressBookIds")
        found = []
        for text in given:
            known = _known(self._context, text)
            book = id_number(BOOK_LETTER, self._context.id_of(text)) if known else 0
            if book not in self._found.books:
                raise invalid(f"There is no address book {text[:100]!r}", "addressBookIds")
            found.append(book)
        return found

    async def _prepared(self, card: dict[str, Any], id_: int, instead: tuple[Instead, ...]) -> Any:
        """What makes the command of a card. Raises ``SetError``."""
        name, words = problem(card)
        if words:
            raise invalid(words, *((name,) if name else ()))
        for one in _media(card):
            blob = one.pop("blobId", None)
            if blob is None:
                continue
            had = cards.media_of(blob) if isinstance(blob, str) else None
            if had is not None and had[0] == id_:
                one["blobId"] = str(had[1])
                one.pop("uri", None)
                continue
            kind, uri = await brought(self._context, self._sources, str(blob))
            one["uri"] = uri
            one.setdefault("mediaType", kind)
        ready = prepared(Kept(card, instead))
        for medium in ready.media:
            if not image_type(medium.octets) and _is_photo(ready.kept.card, medium.n):
                # RFC 9610 §3.5.
                raise invalid("A photo is a picture: JPEG, PNG, GIF, WebP", "media")

        def change(**more: Any) -> CardChange:
            return ready.change(int(time.time()), **more)

        return change

    # Carrying out ---------------------------------------------------------------------------------

    async def submit(self, wanted: list[_Wanted]) -> list[str]:
        """Carry out changes; the keys of those that somebody else changed meanwhile. Raises
        ``MethodError`` where cards are not any more at the modseq ``only``."""
        again: list[str] = []
        for some in _parcels(wanted):
            try:
                result = await self._context.submit(
                    ChangeCards(
                        account=self._found.account,
                        actor=self._found.actor,
                        changes=tuple(one.change for one in some),
                        if_state=self.only,
                    )
                )
            except filing.FAILURES as error:
                for one in some:
                    self._refuse(one, filing.failure(error))
                continue
            self.only = None
            if isinstance(result, Refused):
                if result.reason == "changed":
                    raise MethodError("stateMismatch")
                raise MethodError("serverFail", result.text)
            assert isinstance(result, CardsChanged)
            again += self._done(some, result)
        return again

    def _done(self, some: list[_Wanted], result: CardsChanged) -> list[str]:
        refused = {at: (reason, text) for at, reason, text in result.refused}
        again = []
        for at, one in enumerate(some):
            if at in refused:
                reason, text = refused[at]
                if reason == "changed":
                    again.append(one.key)
                else:
                    self._refuse(one, _failed(reason, text, told=self._found.own))
                continue
            id_ = card_text(result.cards[at])
            match one.act:
                case "create":
                    self._context.created[one.key] = id_
                    self._outcome.created[one.key] = {"id": id_, **one.told}
                case "update":
                    self._outcome.updated[one.key] = dict(one.told) or None
                case _:
                    self._outcome.destroyed.append(one.key)
        return again

    def _refuse(self, one: _Wanted, error: SetError) -> None:
        match one.act:
            case "create":
                self._outcome.not_created[one.key] = error
            case "update":
                self._outcome.not_updated[one.key] = error
            case _:
                self._outcome.not_destroyed[one.key] = error


def _failed(reason: str, text: str, *, told: bool) -> SetError:
    """``told``: whether he sees all cards there are, also the one that is in the way."""
    if reason == "exists":
        there = {"existingId": card_text(int(text))} if told else {}
        words = "There is a card of this uid already"
        return SetError("alreadyExists", words, properties=["uid"], **there)
    if reason in ("no-such-book", "nowhere"):
        return invalid("A card is in address books that there are", "addressBookIds")
    return SetError(_KINDS.get(reason, "invalidProperties"), f"{text[:1].upper()}{text[1:]}")


def _parcels(wanted: list[_Wanted]) -> Iterator[list[_Wanted]]:
    """Changes in commands that the writer takes."""
    some: list[_Wanted] = []
    octets = 0
    for one in wanted:
        if some and (len(some) == MAX_CHANGES or octets + one.octets > MAX_CHANGED):
            yield some
            some, octets = [], 0
        some.append(one)
        octets += one.octets
    if some:
        yield some


def _media(card: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (one for one in (card.get("media") or {}).values() if isinstance(one, dict))


def _is_photo(card: dict[str, Any], n: int) -> bool:
    return any(one.get("blobId") == str(n) and one.get("kind") == "photo" for one in _media(card))


METHODS: Final = {"ContactCard/set": Method(CONTACTS, Set, set_)}
