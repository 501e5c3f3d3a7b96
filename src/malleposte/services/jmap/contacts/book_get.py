"""AddressBook/get and AddressBook/changes (RFC 9610 §2.1, §2.2)."""

from typing import Any, Final

import msgspec

from malleposte.groupware.books import DIRECTORY_NAME
from malleposte.services.jmap import changing, getting
from malleposte.services.jmap.arguments import Changes, Get
from malleposte.services.jmap.contacts.access import Access, access
from malleposte.services.jmap.contacts.names import CONTACTS, READ_ONLY, directory_text, rights
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.sharing.names import principal_text
from malleposte.services.jmap.states import point_of, state_of
from malleposte.store.ids import BOOK_LETTER, book_text, id_number
from malleposte.store.read import contacts
from malleposte.store.read.change_log import Changes as Found
from malleposte.store.read.contacts import Book

PROPERTIES: Final = (
    "id",
    "name",
    "description",
    "sortOrder",
    "isDefault",
    "isSubscribed",
    "shareWith",
    "myRights",
)


def kept(book: Book) -> dict[str, Any]:
    """What is kept of a book besides its name."""
    found: dict[str, Any] = msgspec.json.decode(book.state)
    return found


def shown(book: Book, grants: dict[int, str]) -> dict[str, Any]:
    """A book as it is given."""
    state = kept(book)
    return {
        "id": book_text(book.id),
        "name": book.name,
        "description": state.get("description"),
        "sortOrder": state.get("sortOrder", 0),
        # Of somebody else's account it would be his default.
        "isDefault": bool(book.preferred),
        "isSubscribed": book.shown,
        "shareWith": {principal_text(who): rights(letters) for who, letters in grants.items()}
        or None,
        "myRights": rights(book.letters),
    }


async def get(context: Context, arguments: Get) -> Answer:
    """AddressBook/get."""
    found = await access(context, arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    if found.people is not None:
        return _directory(arguments, found, context, names)
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: found.books.get(id_number(BOOK_LETTER, text)),
        found.books.values(),
    )
    grants: dict[int, dict[int, str]] = {}
    if "shareWith" in names:
        # Who may not share does not learn with whom it is shared.
        may = [book.id for book in chosen if "s" in book.letters]
        grants = await contacts.grants(context.store.reader, may)
    objects = [shown(book, grants.get(book.id, {})) for book in chosen]
    return getting.answer(arguments, str(found.state.books), names, objects, missing)


def _directory(arguments: Get, found: Access, context: Context, names: list[str]) -> Answer:
    assert found.people is not None
    one = {
        "id": directory_text(found.people.organisation),
        "name": DIRECTORY_NAME,
        "description": None,
        "sortOrder": 0,
        "isDefault": True,
        "isSubscribed": True,
        "shareWith": None,
        "myRights": READ_ONLY,
    }
    chosen, missing = getting.chosen(
        arguments.ids, context.settings, lambda text: one if text == one["id"] else None, [one]
    )
    return getting.answer(arguments, found.people.state, names, chosen, missing)


async def changes(context: Context, arguments: Changes) -> Answer:
    """AddressBook/changes."""
    found = await access(context, arguments.account_id)
    if found.people is not None:
        return changing.unmoved(arguments, found.people.state)
    since = point_of(arguments.since_state, found.account)
    told = await contacts.book_changes(
        context.store.reader, found.actor, found.account, since, changing.most(arguments)
    )
    return changing.told(arguments, told, book_text, after)


def after(found: Found) -> str:
    """The state after changes."""
    return state_of(found.point)


METHODS: Final = {
    "AddressBook/get": Method(CONTACTS, Get, get),
    "AddressBook/changes": Method(CONTACTS, Changes, changes),
}
