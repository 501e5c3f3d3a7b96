"""ContactCard/query and ContactCard/queryChanges (RFC 9610 §3.3, §3.4).

A list is made by looking through what an account's cards are found by, in slices: some microseconds a card.
A text is found where each of its words is, in one value, without case and accents; words in quotes stand
together.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from malleposte.groupware.cards import FIELDS, MEMBER, OTHER, fold, found_by
from malleposte.services.jmap import listing
from malleposte.services.jmap.arguments import Query, QueryChanges
from malleposte.services.jmap.contacts import cards
from malleposte.services.jmap.contacts.access import Access, access
from malleposte.services.jmap.contacts.names import CONTACTS, directory_text, person_text
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.states import UNKNOWN, modseq_of
from malleposte.services.jmap.times import seconds_of
from malleposte.store.dialect import Reader
from malleposte.store.ids import BOOK_LETTER, card_text, id_number
from malleposte.store.read import contacts
from malleposte.store.read.change_log import Point
from malleposte.store.read.contacts import Listed

SLICE: Final = 1_000
"""Cards that are read at once."""
TEXT: Final = 1_000
"""Characters of one text that is looked for."""
WORDS: Final = 40
"""Of a whole filter."""
WORK: Final = 0.005
"""Seconds of looking before other work of the loop runs."""
_WORDS: Final = re.compile(r'"([^"]*)"|([^\s"]+)')
KEYS: Final[Mapping[str, Callable[[Listed], Any]]] = {
    "created": lambda one: one.created_at,
    "updated": lambda one: one.updated_at,
    "name/given": lambda one: one.given,
    "name/surname": lambda one: one.surname,
    "name/surname2": lambda one: one.surname2,
}
_DATES: Final[Mapping[str, Callable[[Listed, int], bool]]] = {
    "createdBefore": lambda one, at: one.created_at < at,
    "createdAfter": lambda one, at: one.created_at >= at,
    "updatedBefore": lambda one, at: one.updated_at < at,
    "updatedAfter": lambda one, at: one.updated_at >= at,
}
_EVERYWHERE: Final = "".join((*FIELDS.values(), OTHER))


class _Conditions:
    """The tests of one query. ``books``: those asked for, whose cards are to be known."""

    def __init__(self, directory: str = "") -> None:
        self.books: dict[int, set[int]] = {}
        self._directory = directory
        self._words = 0
        self._split: tuple[str, list[str]] = ("", [])

    def __call__(self, name: str, value: Any) -> Test[Listed]:
        if not isinstance(value, str):
            raise MethodError("invalidArguments", f"{name[:100]} is a text")
        if len(value) > TEXT:
            raise MethodError("unsupportedFilter", f"A text has at most {TEXT} characters")
        match name:
            case "uid":
                return lambda one: one.uid == value
            case "kind":
                return lambda one: one.kind == value
            case "hasMember":
                line = f"{MEMBER}{value}"
                return lambda one: line in one.found and line in self._lines(one.found)
            case "inAddressBook" if self._directory:
                return lambda one: value == self._directory
            case "inAddressBook":
                within = self.books.setdefault(id_number(BOOK_LETTER, value), set())
                return lambda one: one.id in within
            case "text":
                return self._found(value, _EVERYWHERE)
        if name in FIELDS:
            return self._found(value, FIELDS[name])
        if name in _DATES:
            try:
                at = seconds_of(value)
            except ValueError as error:
                raise MethodError("invalidArguments", f"{name}: {error}") from None
            compare = _DATES[name]
            return lambda one: compare(one, at)
        raise listing.unsupported(name)

    def _found(self, value: str, letters: str) -> Test[Listed]:
        """Whether all words stand in one value of a kind."""
        every = [fold(" ".join((quoted or word).split())) for quoted, word in _WORDS.findall(value)]
        words = [word for word in every if word]
        self._words += len(words)
        if self._words > WORDS:
            raise MethodError("unsupportedFilter", f"At most {WORDS} words are looked for")
        kinds = frozenset(letters)
        return lambda one: _holds(words, kinds, one.found, self._lines)

    def _lines(self, found: str) -> list[str]:
        """Split once for all tests of a card."""
        if self._split[0] is not found:
            self._split = (found, [line for line in found.split("\n") if line])
        return self._split[1]


def _holds(
    words: Sequence[str], letters: frozenset[str], found: str, lines: Callable[[str], list[str]]
) -> bool:
    if not all(word in found for word in words):
        return False
    there = [line[1:] for line in lines(found) if line[0] in letters]
    # Over several values where all is looked through: a name here, a place there.
    if len(letters) > 1:
        return all(any(word in line for line in there) for word in words)
    return any(all(word in line for word in words) for line in there)


async def _looked(test: Test[Listed], rows: Iterable[Listed]) -> list[Listed]:
    found = []
    since = monotonic()
    for one in rows:
        if test(one):
            found.append(one)
        if monotonic() - since > WORK:
            await asyncio.sleep(0)
            since = monotonic()
    return found


async def _listed(context: Context, found: Access, arguments: Query | QueryChanges) -> list[str]:
    directory = directory_text(found.people.organisation) if found.people is not None else ""
    conditions = _Conditions(directory)
    test = Filter(conditions).test(arguments.filter)
    # What cannot be sorted by is said before anything is looked through.
    listing.ordered((), arguments.sort, KEYS)
    if found.people is not None:
        rows = await _looked(test, await _entries(found))
        return [person_text(one.id) for one in listing.ordered(rows, arguments.sort, KEYS)]
    for book, within in conditions.books.items():
        if book in found.books:
            within |= await contacts.members(context.store.reader, [book])
    rows = []
    async for some in _slices(context.store.reader, found):
        rows += await _looked(test, some)
    return [card_text(one.id) for one in listing.ordered(rows, arguments.sort, KEYS)]


async def _slices(reader: Reader, found: Access) -> AsyncIterator[list[Listed]]:
    last = 0
    while True:
        some = await contacts.listed(reader, found.account, last, SLICE, found.within)
        yield some
        if len(some) < SLICE:
            return
        last = some[-1].id
        await asyncio.sleep(0)


async def _entries(found: Access) -> list[Listed]:
    """The entries of a directory as cards are looked through."""
    assert found.people is not None
    rows = []
    since = monotonic()
    for person in found.people.entries.values():
        card = cards.entry(person, found.people.organisation)
        name = fold(person.name or person.address)
        rows.append(
            Listed(person.id, 0, person.uid, card["kind"], name, name, "", 0, 0, found_by(card))
        )
        if monotonic() - since > WORK:
            await asyncio.sleep(0)
            since = monotonic()
    return rows


async def query(context: Context, arguments: Query) -> Answer:
    """ContactCard/query."""
    found = await access(context, arguments.account_id)
    ids = await _listed(context, found, arguments)
    state = found.people.state if found.people is not None else str(found.state.cards)
    return listing.window(arguments, state, ids)


async def query_changes(context: Context, arguments: QueryChanges) -> Answer:
    """ContactCard/queryChanges."""
    found = await access(context, arguments.account_id)
    if found.people is not None:
        if arguments.since_query_state != found.people.state:
            raise MethodError(UNKNOWN)
        ids = await _listed(context, found, arguments)
        return listing.moved(arguments, found.people.state, ids, ())
    since = Point(modseq_of(arguments.since_query_state))
    told = await contacts.card_changes(
        context.store.reader,
        found.actor,
        found.account,
        since,
        listing.CHANGES,
        found.within,
    )
    if told is None:
        raise MethodError(UNKNOWN)
    if told.more:
        raise MethodError("tooManyChanges")
    touched = map(card_text, (*told.created, *told.updated, *told.destroyed))
    ids = await _listed(context, found, arguments)
    return listing.moved(arguments, str(told.point.modseq), ids, list(touched))


METHODS: Final = {
    "ContactCard/query": Method(CONTACTS, Query, query),
    "ContactCard/queryChanges": Method(CONTACTS, QueryChanges, query_changes),
}
