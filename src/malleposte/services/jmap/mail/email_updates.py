"""Updates and destructions of emails, gathered so that many are few commands of the store.

Emails to which the same happens share a change: a thousand that are archived are one command.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import structs

from malleposte.services.jmap.access import Access
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import email_get, filing, keywords, plans
from malleposte.services.jmap.patching import paths
from malleposte.services.jmap.setting import Outcome
from malleposte.store import StoreError, content
from malleposte.store.commands import MAX_ROWS, ChangeEmails, EmailChange
from malleposte.store.flags import DRAFT
from malleposte.store.ids import EMAIL_LETTER, LOW, account_of, email_text, id_number
from malleposte.store.read import emails, mailboxes, memberships
from malleposte.store.results import EmailsChanged, Refused

FIXED = plans.KNOWN - {"keywords", "mailboxIds"}
"""Properties that never change; to give them as they are is no error (RFC 8620 §5.3)."""


class Changes:
    """Those of one call. ``if_modseq``: nothing is to be done at another modseq of the account."""

    def __init__(
        self, context: Context, access: Access, outcome: Outcome, if_modseq: int | None = None
    ) -> None:
        self._context = context
        self._if_modseq = if_modseq
        self._access = access
        self._account = access.account
        self._outcome = outcome
        self._gathered: dict[EmailChange, list[int]] = {}
        self._given: dict[int, str] = {}
        """Ids as the client wrote them."""

    async def update(self, update: Mapping[str, dict[str, Any]], destroy: Iterable[str]) -> None:
        """Gather updates."""
        going = {self._id(id_) for id_ in destroy}
        same: dict[int, dict[str, Any]] = {}
        wanted: dict[int, EmailChange] = {}
        for id_, patch in update.items():
            number = self._id(id_)
            if number in going and number:
                self._outcome.not_updated[id_] = SetError("willDestroy")
                continue
            if not number:
                self._outcome.not_updated[id_] = SetError("notFound")
                continue
            if number in wanted:
                self._outcome.not_updated[id_] = invalid("This email is updated twice")
                continue
            try:
                change, fixed = self._change(patch)
            except SetError as error:
                self._outcome.not_updated[id_] = error
                continue
            self._given[number] = id_
            wanted[number] = change
            if fixed:
                same[number] = fixed
        differ = await self._differ(same)
        for number, change in wanted.items():
            if number in differ:
                self._outcome.not_updated[self._given[number]] = differ[number]
            else:
                self._gathered.setdefault(change, []).append(number)

    async def destroy(self, destroy: Sequence[str], *, saved: bool) -> None:
        """Gather destructions. ``saved``: a draft was made in the same call, and the one it takes the place
        of is no mail that somebody deleted."""
        found: list[int] = []
        for id_ in dict.fromkeys(destroy):
            number = self._id(id_)
            if not number or number in found:
                self._outcome.not_destroyed[id_] = SetError("notFound")
                continue
            self._given[number] = id_
            found.append(number)
        replaced = await self._replaced(found) if saved and found else frozenset[int]()
        until = int(time.time()) + self._context.settings.recoverable
        for number in found:
            kept = 0 if number in replaced else until
            change = EmailChange(emails=(), destroy=True, recoverable_until=kept)
            self._gathered.setdefault(change, []).append(number)

    def _id(self, id_: str) -> int:
        """The email of an id; 0: there is none."""
        try:
            number = id_number(EMAIL_LETTER, self._context.id_of(id_))
        except SetError:
            return 0
        return number if account_of(number) == self._account else 0

    # What an update says --------------------------------------------------------------------------

    def _change(self, patch: Mapping[str, Any]) -> tuple[EmailChange, dict[str, Any]]:
        """The change of a patch, and what else it says that must be so already. Raises ``SetError``."""
        found: dict[str, Any] = {}
        fixed: dict[str, Any] = {}
        clear: list[str] = []
        put: list[str] = []
        enter: list[int] = []
        leave: list[int] = []
        for path, value in paths(patch).items():
            match path:
                case ("keywords",):
                    flags, words = filing.keywords_of(value)
                    found |= {"only_flags": True, "set_flags": flags, "set_words": words}
                case ("mailboxIds",):
                    box = filing.mailboxes_of(self._context, self._account, value)
                    found |= {"only_mailboxes": True, "enter": box}
                case ("keywords", name):
                    (put if _is_set(value, "keywords") else clear).append(name)
                case ("mailboxIds", name):
                    number = filing.mailbox_of(self._context, self._account, name)
                    (enter if _is_set(value, "mailboxIds") else leave).append(number)
                case (name,) if name in FIXED or name.startswith("header:"):
                    fixed[name] = value
                case ("keywords" | "mailboxIds", *_):
                    raise SetError("invalidPatch", f"There is nothing at {'/'.join(path)!r}")
                case _:
                    raise invalid("This cannot be changed", path[0])
        if put or clear:
            found |= _flags(put, clear)
        if enter or leave:
            found |= {"enter": tuple(sorted(enter)), "leave": tuple(sorted(leave))}
        return EmailChange(emails=(), **found), fixed

    async def _differ(self, same: Mapping[int, dict[str, Any]]) -> dict[int, SetError]:
        """Emails of which something is to be as it is not."""
        if not same:
            return {}
        names = list(dict.fromkeys(name for fixed in same.values() for name in fixed))
        asked = email_get.EmailGet(account_id="", ids=list(map(email_text, same)), properties=names)
        try:
            answer = await email_get.shown(self._context, self._access, asked)
        except MethodError as error:
            return dict.fromkeys(same, invalid(error.description, *names))
        objects = {id_number(EMAIL_LETTER, one["id"]): one for one in answer.values()}
        found: dict[int, SetError] = {}
        for number, fixed in same.items():
            one = objects.get(number)
            wrong = [name for name in fixed if one is not None and one[name] != fixed[name]]
            if wrong:
                found[number] = invalid("This cannot be changed", *wrong)
        return found

    async def _replaced(self, numbers: Sequence[int]) -> frozenset[int]:
        """Those that are drafts, and in Drafts only."""
        reader = self._context.store.reader
        held = await memberships.of(reader, numbers)
        rows = await emails.columns_of(
            reader, self._account, sorted(number & LOW for number in numbers), ("e.flags",)
        )
        drafts = {
            box.id
            for box in await mailboxes.mailboxes(reader, self._account)
            if box.role == "drafts"
        }
        return frozenset(
            email
            for number, flags in rows
            if flags & DRAFT
            and drafts.issuperset(held.get(email := self._account << 32 | number, [0]))
        )

    # Carrying out ---------------------------------------------------------------------------------

    async def carry_out(self) -> None:
        """Have the store do what was gathered, and say what became of it."""
        part: list[EmailChange] = []
        rows = 0
        for change, numbers in self._gathered.items():
            weight = max(1, len(change.enter))
            step = max(1, MAX_ROWS // weight)
            for start in range(0, len(numbers), step):
                some = numbers[start : start + step]
                if part and rows + len(some) * weight > MAX_ROWS:
                    await self._submit(part)
                    part, rows = [], 0
                part.append(structs.replace(change, emails=tuple(some)))
                rows += len(some) * weight
        if part:
            await self._submit(part)

    async def _submit(self, changes: list[EmailChange]) -> None:
        command = ChangeEmails(
            actor=self._context.actor,
            account=self._account,
            changes=tuple(changes),
            if_modseq=self._if_modseq,
        )
        try:
            result = await self._context.submit(command)
        except StoreError as failed:
            # What was done before is told all the same.
            self._refuse_all(changes, filing.failure(failed))
            return
        if isinstance(result, Refused) and result.reason == "changed":
            raise MethodError("stateMismatch")
        if isinstance(result, Refused):
            halves = _halves(changes) if result.reason == "limit" else []
            if not halves:
                error = filing.refusal(result)
                if result.reason == "limit":
                    error = SetError("tooManyKeywords", error.description)
                self._refuse_all(changes, error)
            for half in halves:
                await self._submit(half)
            return
        assert isinstance(result, EmailsChanged)
        self._if_modseq = None  # what follows comes upon this
        if result.files:
            folder = self._context.store.blobs
            await asyncio.to_thread(content.unlink, folder, result.files)
        refused = {email: filing.refused(reason, text) for email, reason, text in result.refused}
        for change in changes:
            for number in change.emails:
                if number in refused:
                    self._refuse(change, number, refused[number])
                elif change.destroy:
                    self._outcome.destroyed.append(email_text(number))
                else:
                    self._outcome.updated[email_text(number)] = None

    def _refuse_all(self, changes: list[EmailChange], error: SetError) -> None:
        for change in changes:
            for number in change.emails:
                self._refuse(change, number, error)

    def _refuse(self, change: EmailChange, number: int, error: SetError) -> None:
        of = self._outcome.not_destroyed if change.destroy else self._outcome.not_updated
        of[self._given[number]] = error


def _halves(changes: list[EmailChange]) -> list[list[EmailChange]]:
    """A command's changes in two; none where it is about one email."""
    if len(changes) > 1:
        middle = len(changes) // 2
        return [changes[:middle], changes[middle:]]
    (change,) = changes
    middle = len(change.emails) // 2
    if not middle:
        return []
    parts = (change.emails[:middle], change.emails[middle:])
    return [[structs.replace(change, emails=part)] for part in parts]


def _is_set(value: Any, name: str) -> bool:
    if value is not None and value is not True:
        raise invalid("A value is true or null here", name)
    return value is True


def _flags(put: Sequence[str], clear: Sequence[str]) -> dict[str, Any]:
    try:
        (set_flags, set_words), (clear_flags, clear_words) = (
            keywords.split(put),
            keywords.split(clear),
        )
    except ValueError as error:
        raise invalid(str(error), "keywords") from None
    return {
        "set_flags": set_flags,
        "set_words": set_words,
        "clear_flags": clear_flags & ~set_flags,
        "clear_words": tuple(word for word in clear_words if word not in set_words),
    }
