"""Mailbox/set (RFC 8621 §2.5).

Each entry is one command of the store: mailboxes are made, changed, destroyed, in this order. What cannot
be yet is tried again when others went well: a name or a role that another one gives up in the same call.
"""

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from malleposte.services.jmap import setting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing, mailbox_get, share_with, subscribed
from malleposte.services.jmap.mail.mailbox_get import PROPERTIES, SHARED
from malleposte.services.jmap.mail.mailbox_values import Values, fits, in_order
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.sharing.names import PRINCIPALS
from malleposte.store.commands import DeleteMailbox, ExchangeMailboxes, SetMailbox
from malleposte.store.execute.mailboxes import SEPARATOR, TOO_DEEP
from malleposte.store.ids import (
    MAILBOX_LETTER,
    account_of,
    account_text,
    id_number,
    mailbox_text,
)
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.results import Created, Done, Refused

TIMES: Final = 4
"""Rounds in which what could not be is tried."""
SET: Final = ("name", "parentId", "role", "sortOrder", "isSubscribed")


class SetMailboxes(Set, frozen=True, kw_only=True):
    """See the module."""

    on_destroy_remove_emails: bool = False


class Later(SetError):
    """An error that another entry of the same call may do away with."""


class Entry(NamedTuple):
    """One object: where its error goes, under which id, what does it."""

    errors: dict[str, SetError]
    id: str
    act: Callable[[], Awaitable[None]]


async def set_(context: Context, arguments: SetMailboxes) -> Answer:
    """See the module."""
    access = await context.access(arguments.account_id)
    setting.check(arguments, context.settings)
    old, boxes = await mailbox_get.seen(context, access)
    setting.check_state(arguments.if_in_state, old)
    if_modseq = None if arguments.if_in_state is None else int(old.partition(".")[0])
    run = _Run(context, access, boxes, if_modseq)
    await run.all(arguments)
    new = old
    if not access.reader:
        new = str(await mailboxes.modseq(context.store.reader, access.account))
    else:
        # Who gave up his own rights sees nothing any more.
        with contextlib.suppress(MethodError):
            access = await context.access(arguments.account_id)
            new, _ = await mailbox_get.seen(context, access)
    return run.outcome.answer(arguments.account_id, old, new)


class _Run:
    """One call."""

    def __init__(
        self,
        context: Context,
        access: Access,
        boxes: Mapping[int, Mailbox],
        if_modseq: int | None,
    ) -> None:
        self.outcome = Outcome()
        self._context = context
        self._access = access
        self._account = access.account
        self._boxes = boxes
        self._if_modseq = if_modseq
        self._names = tuple(SHARED if PRINCIPALS in context.using else PROPERTIES)
        self._values = Values(context, access.account, self._names)
        self._roles = {box.role: box.id for box in boxes.values() if box.role}
        self._made: set[int] = set()

    async def all(self, arguments: SetMailboxes) -> None:
        """Carry out all entries."""
        depths = {box.id: box.path.count(SEPARATOR) for box in self._boxes.values()}
        outcome, going = self.outcome, list(dict.fromkeys(arguments.destroy or ()))
        entries = [
            Entry(outcome.not_created, id_, partial(self._create, id_, one))
            for id_, one in in_order(arguments.create or {})
        ]
        for id_, patch in (arguments.update or {}).items():
            if id_ in going:
                outcome.not_updated[id_] = SetError("willDestroy")
                continue
            entries.append(Entry(outcome.not_updated, id_, partial(self._update, id_, patch)))
        # Those below go before those above.
        going.sort(key=lambda id_: -depths.get(id_number(MAILBOX_LETTER, id_), 0))
        remove = arguments.on_destroy_remove_emails
        entries += [
            Entry(outcome.not_destroyed, id_, partial(self._destroy, id_, remove=remove))
            for id_ in going
        ]
        for _ in range(TIMES):
            later = [entry for entry in entries if await self._waits(entry)]
            if not later or (len(later) == len(entries) and not await self._exchanged(later)):
                break
            entries = later

    async def _waits(self, entry: Entry) -> bool:
        """Whether it may go well later."""
        try:
            await entry.act()
        except SetError as error:
            entry.errors[entry.id] = error
            return isinstance(error, Later)
        except filing.FAILURES as error:
            entry.errors[entry.id] = filing.failure(error)
            return False
        entry.errors.pop(entry.id, None)
        return False

    async def _exchanged(self, waiting: Sequence[Entry]) -> bool:
        """Whether some of these could be given each other's names, as they want (RFC 8620 §5.3)."""
        wants: dict[int, int] = {}
        for entry in waiting:
            if entry.errors is self.outcome.not_updated:
                holder = str(entry.errors[entry.id].more.get("existingId", ""))
                wants[self._number(entry.id)] = id_number(MAILBOX_LETTER, holder)
        found = False
        for one, other in wants.items():
            if one < other and wants.get(other) == one:
                command = ExchangeMailboxes(actor=self._context.actor, one=one, other=other)
                found |= isinstance(await self._context.submit(command), Done)
        return found

    async def _box(self, number: int) -> Mailbox | None:
        """A mailbox as who asks sees it."""
        known = self._boxes.get(number) or number in self._made
        box = await mailboxes.mailbox(self._context.store.reader, number) if known else None
        if box is None or not self._access.reader or number in self._made:
            return box
        return self._boxes[number]

    async def _create(self, id_: str, properties: Mapping[str, Any]) -> None:
        plain, sharing = self._parted(properties)
        values = self._values.made(plain)
        listed = values.pop("subscribed", None) if self._access.reader else None
        made = await self._do(SetMailbox(**self._who(), **values))
        assert isinstance(made, Created), made
        if sharing:
            await self._share_new(made.id, sharing)
        self._made.add(made.id)
        self._context.created[id_] = text = mailbox_text(made.id)
        self.outcome.created[id_] = {"id": text}
        if values.get("role"):
            self._roles[values["role"]] = made.id
        if listed:
            await subscribed.subscribe(self._context, made.id, on=listed)
        access = self._access
        if access.reader:
            # What the lists above it give him there.
            access = await self._context.access(account_text(self._account))
        box = await self._box(made.id)
        if box is None:
            return
        (whole,) = await mailbox_get.shown(self._context, [box], self._names, access)
        self.outcome.created[id_] = {
            name: value
            for name, value in whole.items()
            if name not in properties or properties[name] != value
        }

    async def _update(self, id_: str, patch: Mapping[str, Any]) -> None:
        box = await self._box(self._number(id_))
        if box is None:
            raise SetError("notFound")
        (before,) = await mailbox_get.shown(self._context, [box], SET, self._access)
        plain, sharing = self._parted(patch)
        values, fixed = self._values.changed(plain, before)
        if fixed:
            names = self._names
            (whole,) = await mailbox_get.shown(self._context, [box], names, self._access)
            fits(fixed, whole)
        changes = await share_with.planned(self._context, box.id, sharing) if sharing else []
        if self._access.reader and "subscribed" in values:
            await subscribed.subscribe(self._context, box.id, on=values.pop("subscribed"))
        if values:
            await self._do(SetMailbox(**self._who(), mailbox=box.id, **values))
        await share_with.give(self._context, box.id, changes)
        self._told(box.id, {})
        after = None if self._access.reader else await self._box(box.id)
        if after is not None:
            (now,) = await mailbox_get.shown(self._context, [after], SET)
            believed = before | {name: value for name, value in patch.items() if name in SET}
            self._told(box.id, {name: now[name] for name in SET if now[name] != believed[name]})
        if values.get("role"):
            other = self._roles.get(values["role"], box.id)
            if other != box.id:
                # Told here, for the new state is after this too.
                self._told(other, {"role": None})
            self._roles[values["role"]] = box.id

    def _parted(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Without what it says of sharing, and that, to who knows of it."""
        return share_with.parted(given) if share_with.NAME in self._names else (dict(given), {})

    async def _share_new(self, mailbox: int, patch: Mapping[str, Any]) -> None:
        """Share what was just made; where that cannot be, it was not made."""
        try:
            changes = await share_with.planned(self._context, mailbox, patch)
            await share_with.give(self._context, mailbox, changes)
        except SetError:
            await self._do(
                DeleteMailbox(actor=self._context.actor, mailbox=mailbox, only_empty=True)
            )
            raise

    def _told(self, mailbox: int, more: dict[str, Any]) -> None:
        text = mailbox_text(mailbox)
        self.outcome.updated[text] = ((self.outcome.updated.get(text) or {}) | more) or None

    async def _destroy(self, id_: str, *, remove: bool) -> None:
        number = self._number(id_)
        if await self._box(number) is None:
            raise SetError("notFound")
        # What is marked to be deleted is not in it for JMAP, so it is in nobody's way.
        command = DeleteMailbox(
            actor=self._context.actor,
            mailbox=number,
            recoverable_until=int(time.time()) + self._context.settings.recoverable,
            only_empty=not remove,
            but_marked=True,
            if_modseq=self._if_modseq,
        )
        await self._do(command, going=True)
        self.outcome.destroyed.append(mailbox_text(number))

    def _who(self) -> dict[str, Any]:
        return {
            "actor": self._context.actor,
            "account": self._account,
            "if_modseq": self._if_modseq,
        }

    def _number(self, id_: str) -> int:
        """The mailbox of an id; 0: there is none."""
        try:
            number = id_number(MAILBOX_LETTER, self._context.id_of(id_))
        except SetError:
            return 0
        return number if account_of(number) == self._account else 0

    async def _do(
        self, command: SetMailbox | DeleteMailbox, *, going: bool = False
    ) -> Created | Done:
        result = await self._context.submit(command)
        if isinstance(result, Created | Done):
            self._if_modseq = None  # what follows comes upon this
            return result
        assert isinstance(result, Refused), result
        if result.reason == "changed":
            raise MethodError("stateMismatch")
        if result.reason == "exists" and isinstance(command, SetMailbox):
            raise await self._exists(command)
        raise refusal(result, going=going)

    async def _exists(self, command: SetMailbox) -> SetError:
        """With the id of who has the name (RFC 8620 §5.4 has it so)."""
        reader = self._context.store.reader
        box = await mailboxes.mailbox(reader, command.mailbox) if command.mailbox else None
        parent = box.parent if box is not None and command.parent is None else command.parent or 0
        name = box.name if box is not None and command.name is None else command.name or ""
        there = await mailboxes.child(reader, self._account, parent, name)
        more = {"existingId": mailbox_text(there)} if self._access.lists(there) and there else {}
        return Later("alreadyExists", "There is a mailbox of this name beside it", **more)


def refusal(refused: Refused, *, going: bool) -> SetError:
    """The error of a mailbox that was not changed, or (``going``) did not go."""
    words = f"{refused.text[:1].upper()}{refused.text[1:]}"
    match refused.reason:
        case "no-such-mailbox":
            return (
                SetError("notFound") if going else invalid("There is no such mailbox", "parentId")
            )
        case "has-children":
            return Later("mailboxHasChild", words)
        case "not-empty":
            return SetError("mailboxHasEmail", words)
        case "bad-name":
            return invalid(words, "name")
        case "loop":
            return invalid(words, "parentId")
        case "in-use":
            return Later("invalidProperties", words, properties=["role"])
        case "limit" if refused == TOO_DEEP:
            return invalid(words, "parentId")
        case "limit":
            return SetError("overQuota", words)
    return SetError("forbidden", words or refused.reason)


METHODS: Final = {"Mailbox/set": Method(MAIL, SetMailboxes, set_)}
