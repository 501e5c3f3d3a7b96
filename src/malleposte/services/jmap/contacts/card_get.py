"""ContactCard/get and ContactCard/changes (RFC 9610 §3.1, §3.2)."""

from typing import Any, Final

from malleposte.services.jmap import changing, getting
from malleposte.services.jmap.arguments import Changes, Get
from malleposte.services.jmap.contacts import cards
from malleposte.services.jmap.contacts.access import Access, access
from malleposte.services.jmap.contacts.book_get import after
from malleposte.services.jmap.contacts.names import CONTACTS, person_number
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.states import point_of
from malleposte.store.ids import CARD_LETTER, card_text, id_number
from malleposte.store.read import contacts


async def get(context: Context, arguments: Get) -> Answer:
    """ContactCard/get."""
    found = await access(context, arguments.account_id)
    cards.check_properties(arguments.properties)
    if found.people is not None:
        return _directory(context, arguments, found)
    reader = context.store.reader
    if arguments.ids is None:
        most = context.settings.max_objects_in_get
        listed = await contacts.listed(reader, found.account, 0, most + 1, found.within)
        if len(listed) > most:
            raise MethodError("requestTooLarge", f"There are more than {most} cards")
        numbers = {card_text(one.id): one.id for one in listed}
    else:
        texts = getting.distinct(arguments.ids, context.settings)
        numbers = {text: id_number(CARD_LETTER, text) for text in texts}
    objects = await cards.read(reader, found, [n for n in numbers.values() if n])
    return _answer(
        arguments,
        str(found.state.cards),
        list(objects.values()),
        [text for text, n in numbers.items() if n not in objects],
    )


def _directory(context: Context, arguments: Get, found: Access) -> Answer:
    assert found.people is not None
    entries = found.people.entries
    if arguments.ids is None and len(entries) > context.settings.max_objects_in_get:
        raise MethodError(
            "requestTooLarge", "The directory has more entries than are given at once"
        )
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: entries.get(person_number(text)),
        entries.values(),
    )
    objects = [cards.entry(one, found.people.organisation) for one in chosen]
    return _answer(arguments, found.people.state, objects, missing)


def _answer(
    arguments: Get, state: str, objects: list[dict[str, Any]], missing: list[str]
) -> dict[str, Any]:
    return {
        "accountId": arguments.account_id,
        "state": state,
        "list": [cards.only(one, arguments.properties) for one in objects],
        "notFound": missing,
    }


async def changes(context: Context, arguments: Changes) -> Answer:
    """ContactCard/changes."""
    found = await access(context, arguments.account_id)
    if found.people is not None:
        return changing.unmoved(arguments, found.people.state)
    since = point_of(arguments.since_state, found.account)
    told = await contacts.card_changes(
        context.store.reader,
        found.actor,
        found.account,
        since,
        changing.most(arguments),
        found.within,
    )
    return changing.told(arguments, told, card_text, after)


METHODS: Final = {
    "ContactCard/get": Method(CONTACTS, Get, get),
    "ContactCard/changes": Method(CONTACTS, Changes, changes),
}
