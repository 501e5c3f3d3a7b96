"""AddressBook/set (RFC 9610 §2.3)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from malleposte.services.jmap import patching, setting
from malleposte.services.jmap.arguments import Reference, Set
from malleposte.services.jmap.contacts import book_giving
from malleposte.services.jmap.contacts.access import Access, access, changeable
from malleposte.services.jmap.contacts.book_get import kept, shown
from malleposte.services.jmap.contacts.names import CONTACTS, letters_of
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.sharing import rationing
from malleposte.services.jmap.sharing.names import principal_number
from malleposte.store.commands import Audited, DropBook, PutBook
from malleposte.store.commands.contacts import MAX_NAME
from malleposte.store.ids import BOOK_LETTER, book_text, id_number
from malleposte.store.read import contacts
from malleposte.store.read.contacts import Book, State
from malleposte.store.results import Created, Done, Refused

MOST_DESCRIPTION: Final = 10_000
"""Characters."""
GIVEN: Final = ("name", "description", "sortOrder", "isSubscribed", "shareWith")
"""What a client may say of a book."""
_KINDS: Final = {
    "no-such-book": "notFound",
    "no-rights": "forbidden",
    "not-empty": "addressBookHasContents",
    "limit": "overQuota",
    "exists": "invalidProperties",
    "too-long": "tooLarge",
}


class BookSet(Set, frozen=True, kw_only=True):
    """RFC 9610 §2.3."""

    on_destroy_remove_contents: bool = False
    on_success_set_is_default: Reference | None = None


async def set_(context: Context, arguments: BookSet) -> Answer:
    """See the module."""
    found = await access(context, arguments.account_id)
    changeable(found)
    setting.check(arguments, context.settings)
    setting.check_state(arguments.if_in_state, str(found.state.books))
    outcome = Outcome()
    act = _Act(context, found, outcome)
    for key, properties in (arguments.create or {}).items():
        await act.create(key, properties)
    for id_, patch in (arguments.update or {}).items():
        await act.update(id_, patch)
    for id_ in arguments.destroy or ():
        await act.destroy(id_, contents=arguments.on_destroy_remove_contents)
    wanted = arguments.on_success_set_is_default
    if wanted and not (outcome.not_created or outcome.not_updated or outcome.not_destroyed):
        await act.prefer(wanted)
    now = await contacts.state(context.store.reader, found.actor, found.account) or State()
    return outcome.answer(arguments.account_id, str(found.state.books), str(now.books))


class _Act:
    """What is done of one call."""

    def __init__(self, context: Context, found: Access, outcome: Outcome) -> None:
        self._context = context
        self._found = found
        self._outcome = outcome

    async def create(self, key: str, properties: dict[str, Any]) -> None:
        try:
            unknown = [name for name in properties if name not in GIVEN]
            if unknown:
                raise invalid("There are no such properties to give", *unknown[:20])
            given = {name: value for name, value in properties.items() if value is not None}
            if "name" not in given:
                raise invalid("An address book has a name", "name")
            id_ = await self._put(0, given, given)
        except (SetError, *filing.FAILURES) as error:
            self._outcome.not_created[key] = filing.failure(error)
            return
        self._context.created[key] = book_text(id_)
        grants = await contacts.grants(self._context.store.reader, [id_])
        made = shown((await self._books())[id_], grants.get(id_, {}))
        self._outcome.created[key] = {
            name: value for name, value in made.items() if properties.get(name, ...) != value
        }

    async def update(self, id_: str, patch: dict[str, Any]) -> None:
        try:
            book = self._book(id_)
            grants = {}
            if "s" in book.letters:
                every = await contacts.grants(self._context.store.reader, [book.id])
                grants = every.get(book.id, {})
            now = shown(book, grants)
            wanted = patching.applied(patch, now | {"shareWith": now["shareWith"] or {}})
            now["shareWith"] = now["shareWith"] or {}
            names = wanted.keys() | now.keys()
            changed = {name for name in names if wanted.get(name) != now.get(name)}
            fixed = [name for name in changed if name not in GIVEN]
            if fixed:
                raise invalid("That cannot be changed", *fixed[:20])
            if "name" in changed and wanted.get("name") is None:
                raise invalid("An address book has a name", "name")
            defaults = {"sortOrder": 0, "isSubscribed": book.letters == "rwsd", "shareWith": {}}
            full = defaults | wanted
            await self._put(book.id, full, changed, kept(book), grants)
        except (SetError, *filing.FAILURES) as error:
            self._outcome.not_updated[id_] = filing.failure(error)
            return
        self._outcome.updated[id_] = None
        self._found.books.update(await self._books())

    async def destroy(self, id_: str, *, contents: bool) -> None:
        try:
            book = self._book(id_)
            more = True
            while more:
                result = await self._context.submit(
                    DropBook(
                        account=self._found.account,
                        actor=self._found.actor,
                        book=book.id,
                        contents=contents,
                    )
                )
                if isinstance(result, Refused):
                    raise _refused(result)
                more = isinstance(result, Done) and result.more
        except (SetError, *filing.FAILURES) as error:
            self._outcome.not_destroyed[id_] = filing.failure(error)
            return
        self._outcome.destroyed.append(id_)
        del self._found.books[book.id]

    async def prefer(self, id_: str) -> None:
        """Others' defaults are theirs to choose."""
        try:
            book = self._book(id_)
        except SetError:
            return
        await self._context.submit(
            PutBook(
                account=self._found.account, actor=self._found.actor, book=book.id, preferred=True
            )
        )

    def _book(self, id_: str) -> Book:
        book = self._found.books.get(id_number(BOOK_LETTER, self._context.id_of(id_)))
        if book is None:
            raise SetError("notFound")
        return book

    async def _books(self) -> dict[int, Book]:
        reader = self._context.store.reader
        found = await contacts.books(reader, self._found.actor, self._found.account)
        self._found.books.update({one.id: one for one in found})
        return self._found.books

    async def _put(
        self,
        book: int,
        given: dict[str, Any],
        changed: Any,
        before: dict[str, Any] | None = None,
        grants: Mapping[int, str] | None = None,
    ) -> int:
        """Keep a book, of what is given that which changed. Raises ``SetError``."""
        name, state = None, None
        if "name" in changed:
            name = given["name"]
            if not isinstance(name, str) or not 0 < len(name.encode()) <= MAX_NAME:
                raise invalid(f"A name is a text of 1 to {MAX_NAME} octets", "name")
        if not {"description", "sortOrder"}.isdisjoint(changed) or not book:
            state = msgspec.json.encode(_state(given, before or {}))
        subscribed = given["isSubscribed"] if "isSubscribed" in changed else None
        if subscribed is not None and not isinstance(subscribed, bool):
            raise invalid("isSubscribed is true or false", "isSubscribed")
        rights, shared = None, []
        if "shareWith" in changed:
            wanted = _rights(given["shareWith"])
            # Those who have nothing any more are told so.
            rights = (*((who, "") for who in grants or ()), *wanted)
            shared = book_giving.changed(grants or {}, dict(wanted))
            rationing.bound(len(shared))
            rationing.count(self._context, len(shared))
        act = PutBook(
            account=self._found.account,
            actor=self._found.actor,
            book=book,
            name=name,
            state=state,
            rights=rights,
            subscribed=subscribed,
        )
        if shared:
            line = await book_giving.line(
                self._context, self._found.account, str(given["name"]), shared
            )
            result = await self._context.submit(Audited(act=act, line=line))
        else:
            result = await self._context.submit(act)
        if isinstance(result, Refused):
            raise _refused(result)
        assert isinstance(result, Created)
        return result.id


def _state(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a book. Raises ``SetError``."""
    description, order = given.get("description"), given.get("sortOrder", 0)
    if description is not None and not (
        isinstance(description, str) and len(description) <= MOST_DESCRIPTION
    ):
        words = f"A description is a text of at most {MOST_DESCRIPTION} characters"
        raise invalid(words, "description")
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order < 1 << 53:
        raise invalid("sortOrder is a whole number", "sortOrder")
    found = {**before, "sortOrder": order}
    found.pop("description", None)
    return found if description is None else {**found, "description": description}


def _rights(given: Any) -> tuple[tuple[int, str], ...]:
    """Letters by account. Raises ``SetError``."""
    if not isinstance(given, dict):
        raise invalid("shareWith is an object", "shareWith")
    found = []
    for principal, wanted in given.items():
        letters = letters_of(wanted)
        if letters is None:
            raise invalid("Rights are mayRead, mayWrite, mayShare and mayDelete", "shareWith")
        who = principal_number(principal)
        if not who:
            words = f"An address book is shared with persons and not with {principal[:100]!r}"
            raise invalid(words, "shareWith")
        found.append((who, letters))
    return tuple(found)


def _refused(result: Refused) -> SetError:
    if result.reason == "no-such-account":
        return invalid("There is nobody of this id to share with", "shareWith")
    if result.reason == "changed":
        raise MethodError("stateMismatch")
    kind = _KINDS.get(result.reason, "invalidProperties")
    return SetError(kind, f"{result.text[:1].upper()}{result.text[1:]}")


METHODS: Final = {"AddressBook/set": Method(CONTACTS, BookSet, set_)}
