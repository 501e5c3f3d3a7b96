r"""ChangeEmails: keywords and mailboxes of emails by id, as JMAP sets them (RFC 8621 §4.6).

Each email is planned as a whole, from rows read once for all, and refused as a whole; then the plans are
written in a few statements, under one modseq. What does not differ is not changed, so that a command that
comes twice costs nothing. Rights are asked for what really changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, SYSTEM, ChangeEmails, EmailChange
from malleposte.store.dialect import Row, any_of, both
from malleposte.store.execute.early import SKEW
from malleposte.store.execute.expunging import REMOVE, bury, leave
from malleposte.store.execute.filing import BREATH, INSERT_MEMBERSHIP
from malleposte.store.execute.flagging import READER_SEEN
from malleposte.store.execute.keywords import admit_all_keywords
from malleposte.store.execute.purging import ON_HOLD, remove_emails
from malleposte.store.execute.rights import OTHERWISE_SHARED, no_rights
from malleposte.store.execute.upkeep import delete_unused
from malleposte.store.flags import MAX_KEYWORDS_EMAIL, SEEN, join
from malleposte.store.ids import account_of
from malleposte.store.read.rights import ALL, letters, same_lists
from malleposte.store.results import EmailsChanged, Refused
from malleposte.store.work import Head, Work

_EMAILS: Final = both(
    "SELECT id, flags, keywords, size, mailboxes, thread, exempt, blob FROM email"
    " WHERE {ids} AND account = $2 AND mailboxes > 0",
    ids=any_of("id", 1),
)
_HELD: Final = both(
    "SELECT email, mailbox, uid, deleted FROM membership WHERE {emails} ORDER BY email, mailbox",
    emails=any_of("email", 1),
)
_OWN_SEEN: Final = both(
    "SELECT email, seen FROM reader_seen WHERE {emails} AND reader = $2",
    emails=any_of("email", 1),
)
_SET: Final = dialect.update(
    "email",
    "id",
    {"flags": "bigint", "keywords": "text", "mailboxes": "bigint", "modseq": "bigint"},
)
_UNMARK: Final = both(
    "UPDATE membership SET deleted = 0 WHERE mailbox = $1 AND {uids}", uids=any_of("uid", 2)
)


class _Not(Exception):
    """An email stays as it is."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.text = text


@dataclass(slots=True)
class _Plan:
    """What becomes of one email; memberships are rows (email, mailbox, uid, deleted)."""

    row: Row
    held: list[Row]
    flags: int
    words: frozenset[str]
    seen: int | None = None
    r"""The reader's own ``\Seen`` from now on."""
    enters: list[int] = field(default_factory=list)
    leaves: list[Row] = field(default_factory=list)
    unmarks: list[Row] = field(default_factory=list)
    until: int = 0
    """Recoverable until then, where it is in no mailbox any more."""

    @property
    def gone(self) -> bool:
        return len(self.leaves) == len(self.held) and not self.enters

    @property
    def shows(self) -> bool:
        """Whether others than the reader see that something changed."""
        flags, words = self.row[1], self.row[2]
        moved = self.enters or self.leaves or self.unmarks
        return bool(moved) or self.flags != flags or join(self.words) != words


async def change_emails(work: Work, command: ChangeEmails) -> EmailsChanged | Refused:
    """Execute ``ChangeEmails``."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    if command.if_modseq not in (None, head.modseq):
        return Refused(reason="changed")
    emails = [email for change in command.changes for email in change.emails]
    if len(emails) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    if len(set(emails)) < len(emails):
        raise ValueError("an email stands in two changes")
    changing = _Changing(work, head, command.actor)
    await changing.read(emails, command.changes)
    refused: list[tuple[int, str, str]] = []
    for change in command.changes:
        await changing.plan(change, refused)
    plans = changing.plans
    if sum(len(plan.enters) + len(plan.leaves) for plan in plans) > MAX_ROWS and len(emails) > 1:
        return Refused(reason="limit", text="these are in too many mailboxes for one command")
    before = head.modseq
    # What keywords are new is known only now that none is refused any more.
    if not await changing.admit():
        return Refused(reason="limit", text="these are too many keywords for one account")
    await changing.write()
    return EmailsChanged(
        modseq=head.modseq if head.modseq > before else 0,
        refused=tuple(refused),
        files=tuple(changing.files),
    )


class _Changing:
    """One command."""

    def __init__(self, work: Work, head: Head, actor: int) -> None:
        self.work = work
        self.head = head
        self.actor = actor
        self.personal = actor not in (SYSTEM, head.account)
        self.plans: list[_Plan] = []
        self.files: list[str] = []
        """Of content that is gone."""
        self._emails: dict[int, Row] = {}
        self._held: dict[int, list[Row]] = {}
        self._own_seen: dict[int, int] = {}
        self._letters: dict[int, str] = {}
        self._alike: dict[tuple[int, int], bool] = {}
        self._new_words: dict[str, str] = {}

    async def read(self, emails: list[int], changes: Iterable[EmailChange]) -> None:
        """All that plans are made of."""
        tx = self.work.tx
        self._emails = {row[0]: row for row in await tx.rows(_EMAILS, emails, self.head.account)}
        for row in await tx.rows(_HELD, list(self._emails)):
            self._held.setdefault(row[0], []).append(row)
        if self.personal:
            self._own_seen = dict(await tx.rows(_OWN_SEEN, list(self._emails), self.actor))
        named = {mailbox for change in changes for mailbox in change.enter}
        held = {row[1] for rows in self._held.values() for row in rows}
        account = self.head.account
        await self.work.mailboxes(m for m in named | held if account_of(m) == account)

    async def plan(self, change: EmailChange, refused: list[tuple[int, str, str]]) -> None:
        """Plans for the emails of a change; those that cannot be are ``refused``."""
        for at, email in enumerate(change.emails, 1):
            if at % BREATH == 0:
                await self.work.breathe()
            try:
                plan = await self._planned(change, email)
            except _Not as reason:
                refused.append((email, reason.reason, reason.text))
                continue
            if plan.shows or plan.seen is not None:
                self.plans.append(plan)
                low = {word.lower(): word for word in change.set_words}
                self._new_words |= {one: low[one] for one in plan.words if one in low}

    async def _may(self, mailbox: int) -> str:
        if not self.personal:
            return ALL
        if mailbox not in self._letters:
            self._letters[mailbox] = await letters(self.work.tx, self.actor, mailbox)
        return self._letters[mailbox]

    async def _need(self, mailbox: int, wanted: str) -> None:
        held = await self._may(mailbox)
        for letter in wanted:
            if letter not in held:
                refusal = no_rights(letter)
                raise _Not(refusal.reason, refusal.text)

    async def _sees(self, mailbox: int) -> bool:
        # What a mailbox that was deleted still holds is nowhere to be seen.
        there = await self.work.mailbox(mailbox) is not None
        return there and {"l", "r"} <= set(await self._may(mailbox))

    async def _planned(self, change: EmailChange, email: int) -> _Plan:
        row = self._emails.get(email)
        held = self._held.get(email, [])
        visible = [one for one in held if not one[3] and await self._sees(one[1])]
        if row is None or not visible:
            raise _Not("no-such-email")
        plan = _Plan(row, held, row[1], frozenset(row[2].split(" ")) if row[2] else frozenset())
        plan.until = change.recoverable_until
        if change.destroy:
            for one in visible:
                await self._need(one[1], "te")
            # With the last mailbox that shows it, those that do not go too.
            hidden = [one for one in held if one not in visible]
            unseen = [one for one in hidden if one[3] or await self.work.mailbox(one[1]) is None]
            plan.leaves = held if len(unseen) == len(hidden) else visible
            return plan
        await self._flags(change, plan, visible)
        await self._mailboxes(change, plan, visible)
        return plan

    async def _flags(self, change: EmailChange, plan: _Plan, visible: list[Row]) -> None:
        keep = 0 if change.only_flags else ~change.clear_flags
        flags = plan.flags & keep | change.set_flags
        words = frozenset() if change.only_flags else plan.words
        words -= {word.lower() for word in change.clear_words}
        words |= {word.lower() for word in change.set_words}
        if self.personal:
            # \Seen of a reader who is not the owner is that reader's alone.
            seen = self._own_seen.get(plan.row[0], plan.flags & SEEN)
            wanted = seen & keep | change.set_flags & SEEN
            flags = flags & ~SEEN | plan.flags & SEEN
            if wanted != seen:
                plan.seen = wanted
        # RFC 8621 §2, maySetSeen, maySetKeywords: in all mailboxes that it is in. Whoever reads it in
        # some of them has his own \Seen, whatever others it is in.
        if (flags ^ plan.flags) & SEEN or plan.seen is not None:
            for one in visible:
                await self._need(one[1], "s")
        if (flags ^ plan.flags) & ~SEEN or words != plan.words:
            for one in plan.held:
                await self._need(one[1], "w")
        if len(words) > MAX_KEYWORDS_EMAIL and not words <= plan.words:
            raise _Not("too-many", f"a message has at most {MAX_KEYWORDS_EMAIL} keywords")
        plan.flags, plan.words = flags, words

    async def _mailboxes(self, change: EmailChange, plan: _Plan, visible: list[Row]) -> None:
        held = {one[1]: one for one in plan.held}
        seen_in = {one[1] for one in visible}
        leaves = seen_in - set(change.enter) if change.only_mailboxes else set(change.leave)
        for mailbox in dict.fromkeys(change.enter):
            if mailbox in seen_in:
                continue
            there = account_of(mailbox) == self.head.account
            if not there or await self.work.mailbox(mailbox) is None:
                raise _Not("no-such-mailbox")
            if "l" not in await self._may(mailbox):
                raise _Not("no-such-mailbox")
            await self._need(mailbox, "i")
            if mailbox in held:
                plan.unmarks.append(held[mailbox])
            else:
                plan.enters.append(mailbox)
        for one in visible:
            if one[1] in leaves and one[1] not in change.enter:
                await self._need(one[1], "te")
                plan.leaves.append(one)
        if len(plan.leaves) == len(visible) and not plan.enters and not plan.unmarks:
            raise _Not("nowhere")
        stays = [one[1] for one in plan.held if one not in plan.leaves]
        for mailbox in (*stays, *plan.enters)[1:] if plan.enters else ():
            if not await self._shared_alike((*stays, *plan.enters)[0], mailbox):
                raise _Not("shared", OTHERWISE_SHARED)

    async def _shared_alike(self, one: int, other: int) -> bool:
        """An email in two mailboxes has one set of flags: who may change them in one would in both."""
        if (one, other) not in self._alike:
            self._alike[one, other] = await same_lists(self.work.tx, one, other)
        return self._alike[one, other]

    async def admit(self) -> bool:
        """Have the account know the keywords that are set. False: it has too many, and nothing is done."""
        if not self._new_words:
            return True
        words = self._new_words.values()
        return await admit_all_keywords(self.work, self.head, words) is not None

    # Writing --------------------------------------------------------------------------------------

    async def write(self) -> None:
        """Carry out the plans."""
        if not self.plans:
            return
        work, modseq = self.work, self.head.bump()
        marks = [
            (plan.row[0], self.actor, plan.seen, modseq)
            for plan in self.plans
            if plan.seen is not None
        ]
        if marks:
            await work.tx.many(READER_SEEN, marks)
        leaving: dict[int, list[int]] = {}
        unmarking: dict[int, list[int]] = {}
        gone: dict[tuple[int, int], list[Row]] = {}
        changed: list[Row] = []
        for at, plan in enumerate(self.plans, 1):
            if at % BREATH == 0:
                await work.breathe()
            email, _, _, size, mailboxes, thread, exempt, _ = plan.row
            await self._count(plan, modseq)
            for _, mailbox, uid, _ in plan.leaves:
                leaving.setdefault(mailbox, []).append(uid)
            for _, mailbox, uid, _ in plan.unmarks:
                unmarking.setdefault(mailbox, []).append(uid)
            if plan.gone:
                of = (plan.leaves[0][1], plan.until)
                row = (0, email, 0, plan.row[1], size, 1, thread, exempt)
                gone.setdefault(of, []).append(row)
            elif plan.shows:
                mailboxes += len(plan.enters) - len(plan.leaves)
                changed.append((plan.flags, join(plan.words), mailboxes, modseq, email))
        if changed:
            await work.tx.many(_SET, changed)
        for mailbox, uids in unmarking.items():
            await work.tx.run(_UNMARK, mailbox, uids)
        for mailbox, uids in leaving.items():
            await work.tx.run(REMOVE, mailbox, uids)
            if await work.mailbox(mailbox) is None:
                continue
            bury(work, self.head.account, "uid", mailbox, modseq, sorted(uids))
        for (mailbox, until), rows in gone.items():
            await leave(work, self.head, mailbox, rows, modseq, until=until)
            if until <= work.now:
                await self._forget([row[1] for row in rows])

    async def _forget(self, emails: list[int]) -> None:
        """Remove what nobody is to bring back, with content that nothing else uses: a draft that is saved
        every second would fill the disk with what rests for the sweep. A hold keeps it."""
        work = self.work
        await work.flush()
        if await work.tx.row(ON_HOLD, self.head.account) is not None:
            return
        await remove_emails(work, emails)
        rows = [self._emails[email] for email in emails]
        self.head.count_recoverable(-sum(row[3] for row in rows))
        blobs = sorted({row[7] for row in rows})
        _, files = await delete_unused(work, blobs, work.now + SKEW)
        self.files += files

    async def _count(self, plan: _Plan, modseq: int) -> None:
        """The counters of the mailboxes it is in, was in and will be in."""
        email, before, _, size, *_ = plan.row
        leaves = {one[1] for one in plan.leaves}
        unmarks = {one[1] for one in plan.unmarks}
        for _, mailbox, _, marked in plan.held:
            box = await self.work.mailbox(mailbox)
            if box is None:
                continue  # what is left of a deleted mailbox
            box.changed(modseq)
            if mailbox in leaves:
                box.messages -= 1
                box.size -= size
                box.deleted -= marked
                box.unseen -= not before & SEEN
            else:
                box.deleted -= marked if mailbox in unmarks else 0
                box.unseen += (before & SEEN) - (plan.flags & SEEN)
        for mailbox in plan.enters:
            box = await self.work.mailbox(mailbox)
            assert box is not None
            self.work.add(INSERT_MEMBERSHIP, (mailbox, box.uidnext, email, 0, self.work.now))
            box.uidnext += 1
            box.messages += 1
            box.size += size
            box.unseen += not plan.flags & SEEN
            box.changed(modseq)
