"""Mailbox/query and Mailbox/queryChanges (RFC 8621 §2.3, §2.4)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from malleposte.mime import casemap
from malleposte.services.jmap import listing
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Query, QueryChanges
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.listing import Filter, Test
from malleposte.services.jmap.mail import mailbox_get
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.mail.subscribed import subscribed
from malleposte.services.jmap.states import UNKNOWN
from malleposte.store.ids import MAILBOX_LETTER, id_number, mailbox_text
from malleposte.store.read import change_log
from malleposte.store.read.mailboxes import Mailbox

KEYS: Final[Mapping[str, Callable[[Mailbox], Any]]] = {
    "sortOrder": lambda box: box.sort_order,
    "name": lambda box: casemap(box.name),
}


class MailboxQuery(Query, frozen=True, kw_only=True):
    """RFC 8621 §2.3."""

    sort_as_tree: bool = False
    filter_as_tree: bool = False


class MailboxQueryChanges(QueryChanges, frozen=True, kw_only=True):
    """RFC 8621 §2.4."""

    sort_as_tree: bool = False
    filter_as_tree: bool = False


def _condition(name: str, value: Any) -> Test[Mailbox]:
    match name, value:
        case "parentId", None:
            return lambda box: not box.parent
        case "parentId", str():
            # An id that is none has no children.
            parent = id_number(MAILBOX_LETTER, value) or -1
            return lambda box: box.parent == parent
        case "name", str():
            text = casemap(value)
            return lambda box: text in casemap(box.name)
        case "role", None | str():
            return lambda box: box.role == value
        case "hasAnyRole", bool():
            return lambda box: (box.role is not None) is value
        case "isSubscribed", bool():
            return lambda box: box.subscribed is value
        case "parentId" | "name" | "role" | "hasAnyRole" | "isSubscribed", _:
            raise MethodError("invalidArguments", f"This is no value of {name}")
    raise listing.unsupported(name)


async def _listed(
    context: Context, access: Access, arguments: MailboxQuery | MailboxQueryChanges
) -> tuple[str, list[Mailbox], list[Mailbox]]:
    """The state, all mailboxes, and those of the list in its order."""
    test = Filter(_condition).test(arguments.filter)
    state, seen = await mailbox_get.seen(context, access)
    # Those that are alike stand in the order they were made, in every worker.
    boxes = sorted(seen.values(), key=lambda box: box.id)
    found = listing.ordered(boxes, arguments.sort, KEYS)
    if arguments.sort_as_tree:
        found = _as_tree(found)
    chosen = [box for box in found if test(box)]
    if arguments.filter_as_tree:
        chosen = _with_all_above(chosen, boxes)
    return state, boxes, chosen


def _as_tree(boxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Each behind the one it stands below; those beside each other as they were."""
    known = {box.id for box in boxes}
    below: dict[int, list[Mailbox]] = {}
    for box in reversed(boxes):
        below.setdefault(box.parent if box.parent in known else 0, []).append(box)
    found: list[Mailbox] = []
    left = below.pop(0, [])
    while left:
        box = left.pop()
        found.append(box)
        left += below.pop(box.id, ())
    return found


def _with_all_above(chosen: Sequence[Mailbox], boxes: Iterable[Mailbox]) -> list[Mailbox]:
    """Those above which all are chosen too."""
    parents = {box.id: box.parent for box in boxes}
    within = {box.id for box in chosen}
    shown: dict[int, bool] = {0: True}
    for box in chosen:
        path: list[int] = []
        at = box.id
        # One that is not there ends the way up.
        while at not in shown and at in within and at not in path:
            path.append(at)
            at = parents.get(at, 0)
        end = shown.get(at, at not in parents)
        shown.update(dict.fromkeys(path, end))
    return [box for box in chosen if shown[box.id]]


async def query(context: Context, arguments: MailboxQuery) -> Answer:
    """Mailbox/query."""
    access = await context.access(arguments.account_id)
    state, _, chosen = await _listed(context, access, arguments)
    return listing.window(arguments, state, [mailbox_text(box.id) for box in chosen])


async def query_changes(context: Context, arguments: MailboxQueryChanges) -> Answer:
    """Mailbox/queryChanges. With trees, those below what changed may stand elsewhere too."""
    access = await context.access(arguments.account_id)
    names = await subscribed(context, access)
    since, mark = access.since(arguments.since_query_state, boxes=True, subscribed=names)
    reader = context.store.reader
    changes = await change_log.mailboxes(reader, access.account, since, listing.CHANGES)
    if changes is None:
        raise MethodError(UNKNOWN)
    if changes.more:
        raise MethodError("tooManyChanges")
    _, boxes, chosen = await _listed(context, access, arguments)
    touched = list(filter(access.lists, (*changes.created, *changes.updated)))
    if access.listed is None:
        # Had one of another's been there to him, the mark would be another.
        touched += changes.destroyed
    if arguments.sort_as_tree or arguments.filter_as_tree:
        touched = _with_those_below(touched, boxes)
    ids = [mailbox_text(box.id) for box in chosen]
    state = access.after(changes, mark, boxes=True, subscribed=names)
    return listing.moved(arguments, state, ids, map(mailbox_text, touched))


def _with_those_below(mailboxes: Sequence[int], boxes: Iterable[Mailbox]) -> list[int]:
    below: dict[int, list[int]] = {}
    for box in boxes:
        below.setdefault(box.parent, []).append(box.id)
    found = list(mailboxes)
    for one in found:  # grows as it goes down
        found += below.pop(one, ())
    return found


METHODS: Final = {
    "Mailbox/query": Method(MAIL, MailboxQuery, query),
    "Mailbox/queryChanges": Method(MAIL, MailboxQueryChanges, query_changes),
}
