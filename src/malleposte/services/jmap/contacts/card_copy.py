"""ContactCard/copy (RFC 9610 §3.6): between one's own contacts, shared ones and the directory."""

from typing import Any, Final

from malleposte.services.jmap import setting
from malleposte.services.jmap.arguments import Copy, Set
from malleposte.services.jmap.contacts import cards
from malleposte.services.jmap.contacts.access import Access, access, changeable
from malleposte.services.jmap.contacts.card_set import Setter, set_
from malleposte.services.jmap.contacts.names import CONTACTS, person_number
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.store.ids import CARD_LETTER, id_number
from malleposte.store.read import contacts
from malleposte.store.read.contacts import State

_OF_SOURCE: Final = ("id", "addressBookIds")


async def copy(context: Context, arguments: Copy) -> Answer:
    """See the module."""
    if arguments.from_account_id == arguments.account_id:
        raise MethodError("invalidArguments", "Cards are copied from one account to another")
    setting.check_count(len(arguments.create), context.settings)
    try:
        source = await access(context, arguments.from_account_id)
    except MethodError as error:
        raise MethodError("fromAccountNotFound") from error
    target = await access(context, arguments.account_id)
    changeable(target)
    setting.check_state(arguments.if_from_in_state, _state(source))
    setting.check_state(arguments.if_in_state, str(target.state.cards))
    outcome = Outcome()
    originals = await _originals(context, source, arguments)
    setter = Setter(context, target, outcome, source)
    wanted, copied = [], {}
    for key, properties in arguments.create.items():
        try:
            id_ = properties.get("id")
            if not isinstance(id_, str):
                raise invalid("The id of the card that is copied is missing", "id")
            original = originals.get(context.id_of(id_))
            if original is None:
                raise SetError("notFound")
            rest = {name: value for name, value in original.items() if name not in _OF_SOURCE}
            given = {name: value for name, value in properties.items() if name != "id"}
            wanted.append(await setter.creation(key, rest | given))
            copied[key] = str(original["id"])
        except (SetError, *filing.FAILURES) as error:
            outcome.not_created[key] = filing.failure(error)
    await setter.submit(wanted)
    now = await contacts.state(context.store.reader, target.actor, target.account) or State()
    answer: dict[str, Any] = {
        "fromAccountId": arguments.from_account_id,
        "accountId": arguments.account_id,
        "oldState": str(target.state.cards),
        "newState": str(now.cards),
        "created": outcome.created or None,
        "notCreated": setting.shown(outcome.not_created),
    }
    gone = [copied[key] for key in outcome.created]
    if not arguments.on_success_destroy_original or not gone:
        return answer
    return [("ContactCard/copy", answer, ""), await _destroyed(context, arguments, gone)]


async def _destroyed(
    context: Context, arguments: Copy, gone: list[str]
) -> tuple[str, dict[str, Any], str]:
    destroy = Set(
        account_id=arguments.from_account_id,
        destroy=gone,
        if_in_state=arguments.destroy_from_if_in_state,
    )
    try:
        answer = await set_(context, destroy)
    except MethodError as error:
        return ("error", error.arguments(), "")
    assert isinstance(answer, dict)
    return ("ContactCard/set", answer, "")


async def _originals(context: Context, source: Access, arguments: Copy) -> dict[str, Any]:
    """The cards that are copied, by id."""
    asked = [
        context.created.get(id_[1:], "") if id_.startswith("#") else id_
        for id_ in (properties.get("id") for properties in arguments.create.values())
        if isinstance(id_, str)
    ]
    if source.people is not None:
        entries = {id_: source.people.entries.get(person_number(id_)) for id_ in asked}
        return {
            id_: cards.entry(one, source.people.organisation)
            for id_, one in entries.items()
            if one is not None
        }
    numbers = list(dict.fromkeys(id_number(CARD_LETTER, id_) for id_ in asked))
    found = await cards.read(context.store.reader, source, [n for n in numbers if n])
    return {str(one["id"]): one for one in found.values()}


def _state(found: Access) -> str:
    return found.people.state if found.people is not None else str(found.state.cards)


METHODS: Final = {"ContactCard/copy": Method(CONTACTS, Copy, copy)}
