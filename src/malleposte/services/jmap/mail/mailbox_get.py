"""Mailbox/get (RFC 8621 §2.1), with who shares it (RFC 9670 §4).

In another's account stands what one may look up. A mailbox below one that is not there to the reader
stands below the nearest that is, under the names of both, as IMAP shows it: two that have the same name
in places that are hidden would else be one beside the other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.mail import mailbox_rights
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.mail.subscribed import subscribed
from malleposte.services.jmap.sharing.names import PRINCIPALS, principal_text
from malleposte.store.execute.mailboxes import MAX_DEPTH, SEPARATOR
from malleposte.store.ids import MAILBOX_LETTER, account_of, id_number, mailbox_text
from malleposte.store.mailbox_counts import Counts
from malleposte.store.read import mailboxes, rights
from malleposte.store.read.mailboxes import Mailbox

NONE: Final = Counts()


@dataclass(frozen=True, slots=True)
class Shown:
    """A mailbox as somebody sees it."""

    box: Mailbox
    letters: str
    counts: Counts = NONE
    share: bool = False
    """Whether who asks knows of sharing."""
    given: Mapping[int, str] = field(default_factory=dict)
    """Letters by grantee."""

    @property
    def share_with(self) -> dict[str, Any] | None:
        """To whom it is shared; for those alone who may change that."""
        found = {
            principal_text(who): mailbox_rights.shown(text, share=True)
            for who, text in self.given.items()
            if text
        }
        return found if found and "a" in self.letters else None


PROPERTIES: Final[dict[str, Callable[[Shown], Any]]] = {
    "id": lambda one: mailbox_text(one.box.id),
    "name": lambda one: one.box.name,
    "parentId": lambda one: mailbox_text(one.box.parent) if one.box.parent else None,
    "role": lambda one: one.box.role,
    "sortOrder": lambda one: one.box.sort_order,
    "totalEmails": lambda one: one.counts.emails,
    "unreadEmails": lambda one: one.counts.unread,
    "totalThreads": lambda one: one.counts.threads,
    "unreadThreads": lambda one: one.counts.unread_threads,
    "myRights": lambda one: mailbox_rights.shown(one.letters, share=one.share),
    "isSubscribed": lambda one: one.box.subscribed,
}
SHARED: Final[dict[str, Callable[[Shown], Any]]] = {
    **PROPERTIES,
    "shareWith": lambda one: one.share_with,
}
"""To who uses the capability of sharing."""
COUNTED: Final = frozenset(("totalEmails", "unreadEmails", "totalThreads", "unreadThreads"))


async def get(context: Context, arguments: Get) -> Answer:
    """See the module."""
    access = await context.access(arguments.account_id)
    known = SHARED if PRINCIPALS in context.using else PROPERTIES
    names = getting.properties(arguments.properties, known)
    state, boxes = await seen(context, access)
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: boxes.get(id_number(MAILBOX_LETTER, text)),
        boxes.values(),
    )
    objects = await shown(context, chosen, names, access)
    return getting.answer(arguments, state, names, objects, missing)


async def shown(
    context: Context,
    boxes: Sequence[Mailbox],
    names: Collection[str] = tuple(PROPERTIES),
    access: Access | None = None,
) -> list[dict[str, Any]]:
    """Mailboxes with some of their properties; ``access``: in whose account, for somebody else."""
    counts: dict[int, Counts] = {}
    if not COUNTED.isdisjoint(names):
        counts = await _counts(context, access, boxes)
    given: Mapping[int, Mapping[int, str]] = {}
    if "shareWith" in names and boxes:
        given = await rights.given(context.store.reader, account_of(boxes[0].id))
    share = PRINCIPALS in context.using
    found = []
    for box in boxes:
        letters = rights.ALL if access is None else access.letters(box.id)
        one = Shown(box, letters, counts.get(box.id, NONE), share, given.get(box.id, {}))
        found.append({name: SHARED[name](one) for name in names})
    return found


async def seen(context: Context, access: Access) -> tuple[str, dict[int, Mailbox]]:
    """The state, and the mailboxes of an account by id, as who asks sees them."""
    reader = context.store.reader
    modseq = await mailboxes.modseq(reader, access.account)
    boxes = {box.id: box for box in await mailboxes.mailboxes(reader, access.account)}
    if access.listed is None:
        return access.state(modseq), boxes
    names = await subscribed(context, access)
    found = {
        box.id: _placed(replace(box, subscribed=box.id in names), access, boxes)
        for box in boxes.values()
        if access.lists(box.id)
    }
    return access.state(modseq, boxes=True, subscribed=names), found


def _placed(box: Mailbox, access: Access, boxes: Mapping[int, Mailbox]) -> Mailbox:
    """Below the nearest mailbox that is there to the reader."""
    name, parent = box.name, box.parent
    for _ in range(MAX_DEPTH):
        if not parent or access.lists(parent):
            break
        above = boxes.get(parent)
        if above is None:
            parent = 0
            break
        name, parent = f"{above.name}{SEPARATOR}{name}", above.parent
    return replace(box, name=name, parent=parent)


async def _counts(
    context: Context, access: Access | None, boxes: Sequence[Mailbox]
) -> dict[int, Counts]:
    counts = context.store.counts
    if access is None or access.held is None:
        return await counts.of(boxes)
    readable = [box for box in boxes if "r" in access.letters(box.id)]
    return await counts.for_reader(readable, access.actor, access.mailboxes)


METHODS: Final = {"Mailbox/get": Method(MAIL, Get, get)}
