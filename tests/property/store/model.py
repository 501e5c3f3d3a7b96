"""The store as a few dictionaries: what every command must answer and leave behind, to the number.

Nothing is shared with the store but the commands and answers. The model knows no SQL, no batches and no
views; it does one thing after the other. Threads, quota (but what counts in it) and rights are not in it.
"""

from dataclasses import dataclass, field, replace

from malleposte.store.commands import EmailChange, Ranges
from malleposte.store.results import (
    AnyResult,
    Appended,
    AppendedAll,
    Claimed,
    Copied,
    Created,
    Delivered,
    Done,
    EmailsChanged,
    Expunged,
    Filed,
    Refused,
    Stored,
)

SEEN = 1
ALL_FLAGS = (1 << 31) - 1

Brought = tuple[int, int, int, frozenset[str], bool]
"""A message to be put somewhere: identity, size, flags, keywords, deleted."""


@dataclass
class Email:
    """``identity``: which message it is, the same for copies."""

    identity: int
    size: int
    content: int
    """Octets without the prefix."""
    flags: int
    words: frozenset[str]
    modseq: int
    exempt: bool = False
    """It takes no room."""


@dataclass
class Message:
    """A UID: an email in a mailbox."""

    email: int
    deleted: bool = False


@dataclass
class Box:
    """A mailbox."""

    id: int
    parent: int
    name: str
    uidvalidity: int
    subscribed: bool
    highest: int
    uidnext: int = 1
    recent_from: int = 1
    messages: dict[int, Message] = field(default_factory=dict)


@dataclass
class Account:
    """An account, its head and all that hangs on it."""

    id: int
    modseq: int
    next_email: int
    next_mailbox: int
    uidvalidity: int
    boxes: dict[int, Box] = field(default_factory=dict)
    emails: dict[int, Email] = field(default_factory=dict)
    """By id; also those that are only recoverable."""
    words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    """Subscribed, without a mailbox."""
    gone: dict[int, str] = field(default_factory=dict)
    """Names of deleted mailboxes that held something once."""
    unswept: dict[int, list[int]] = field(default_factory=dict)
    """What deleted mailboxes still hold: emails in the order of their UIDs."""

    @property
    def inbox(self) -> int:
        return self.id << 32 | 1

    def bump(self) -> int:
        self.modseq += 1
        return self.modseq

    def path(self, box: Box) -> str:
        above = self.boxes.get(box.parent)
        return f"{self.path(above)}/{box.name}" if above else box.name

    def child(self, parent: int, name: str) -> Box | None:
        found = [b for b in self.boxes.values() if (b.parent, b.name) == (parent, name)]
        return found[0] if found else None

    def holders(self, email: int) -> list[Box]:
        return [
            box
            for box in self.boxes.values()
            if any(message.email == email for message in box.messages.values())
        ]

    @property
    def held(self) -> set[int]:
        """Emails in mailboxes, or in what is left of deleted ones."""
        held = {m.email for box in self.boxes.values() for m in box.messages.values()}
        return held.union(*self.unswept.values())

    @property
    def recoverable(self) -> list[int]:
        return sorted(self.emails.keys() - self.held)

    def unseen(self, box: Box) -> int:
        return sum(not self.emails[m.email].flags & SEEN for m in box.messages.values())

    @property
    def used(self) -> tuple[int, int]:
        """Octets that take room, and emails."""
        emails = [self.emails[email] for email in self.held]
        return sum(email.size for email in emails if not email.exempt), len(emails)

    def size(self, box: Box) -> int:
        return sum(self.emails[m.email].size for m in box.messages.values())

    # Parts of commands ------------------------------------------------------------------------

    def admit(self, words: frozenset[str]) -> None:
        """New keywords are a change of their own."""
        if words - self.words:
            self.bump()
            self.words |= words

    def new_email(self, email: Email) -> int:
        number = self.id << 32 | self.next_email
        self.next_email += 1
        self.emails[number] = email
        return number

    def enter(self, box: Box, email: int, modseq: int, *, deleted: bool = False) -> int:
        uid = box.uidnext
        box.uidnext += 1
        box.messages[uid] = Message(email, deleted)
        box.highest = modseq
        return uid

    def touch(self, emails: set[int], modseq: int) -> None:
        """Emails changed: every mailbox that holds one shows it."""
        for email in emails:
            self.emails[email].modseq = modseq
            for box in self.holders(email):
                box.highest = modseq


def chosen(box: Box, uids: Ranges) -> list[int]:
    """UIDs of a mailbox in some ranges."""
    return [
        uid for uid in sorted(box.messages) if any(first <= uid <= last for first, last in uids)
    ]


@dataclass
class Model:
    """All accounts, and the time, which stands still between commands."""

    now: int
    at_once: int
    """Messages that go with their mailbox; more go after it."""
    accounts: dict[int, Account] = field(default_factory=dict)

    def box(self, mailbox: int) -> tuple[Account, Box]:
        account = self.accounts[mailbox >> 32]
        return account, account.boxes[mailbox]

    # Commands ---------------------------------------------------------------------------------

    def deliver(
        self,
        targets: list[tuple[int, int]],
        identity: int,
        sizes: tuple[int, int],
        flags: int,
        words: frozenset[str],
        exempt: bool,
    ) -> AnyResult:
        """``targets``: (account, mailbox); one that is gone means INBOX. ``sizes``: whole, content."""
        filed = []
        for number, mailbox in targets:
            account = self.accounts[number]
            box = account.boxes.get(mailbox) or account.boxes[account.inbox]
            uid, email, modseq = self._file(account, box, identity, sizes, flags, words)
            account.emails[email].exempt = exempt
            filed.append(Filed(account=number, mailbox=box.id, uid=uid, email=email, modseq=modseq))
        return Delivered(filed=tuple(filed))

    def append(
        self,
        mailbox: int,
        identity: int,
        size: int,
        flags: int,
        words: frozenset[str],
        deleted: bool,
        also: tuple[int, ...] = (),
    ) -> AnyResult:
        account, box = self.box(mailbox)
        sizes = size, size
        uid, email, modseq = self._file(account, box, identity, sizes, flags, words, deleted)
        for one in also:
            account.enter(account.boxes[one], email, modseq, deleted=deleted)
        return Appended(email=email, uid=uid, uidvalidity=box.uidvalidity, modseq=modseq)

    def append_all(self, mailbox: int, messages: list[Brought]) -> AnyResult:
        account, box = self.box(mailbox)
        put = [
            self._file(account, box, identity, (size, size), flags, words, deleted)
            for identity, size, flags, words, deleted in messages
        ]
        return AppendedAll(
            emails=tuple(email for _, email, _ in put),
            uids=tuple(uid for uid, _, _ in put),
            uidvalidity=box.uidvalidity,
            modseq=put[-1][2],
        )

    def replace(self, source: int, uid: int, mailbox: int, message: Brought) -> AnyResult:
        account, box = self.box(source)
        if uid not in box.messages:
            return Refused(reason="no-such-email")
        result = self.append(mailbox, *message)
        self._remove(account, box, [uid], account.bump())
        return result

    def _file(
        self,
        account: Account,
        box: Box,
        identity: int,
        sizes: tuple[int, int],
        flags: int,
        words: frozenset[str],
        deleted: bool = False,
    ) -> tuple[int, int, int]:
        account.admit(words)
        modseq = account.bump()
        email = account.new_email(Email(identity, *sizes, flags, words, modseq))
        return account.enter(box, email, modseq, deleted=deleted), email, modseq

    def store_flags(
        self,
        mailbox: int,
        uids: Ranges,
        mode: str,
        flags: int,
        words: frozenset[str],
        deleted: bool,
        since: int | None,
    ) -> AnyResult:
        account, box = self.box(mailbox)
        before = account.modseq
        found = chosen(box, uids)
        modified = tuple(
            uid
            for uid in found
            if since is not None and account.emails[box.messages[uid].email].modseq > since
        )
        if mode != "-" and (words or mode == "="):
            account.admit(words)
        modseq = account.modseq + 1
        changed = set()
        for uid in found:
            if uid in modified:
                continue
            message = box.messages[uid]
            email = account.emails[message.email]
            new_flags, new_words = {
                "+": (email.flags | flags, email.words | words),
                "-": (email.flags & ~flags, email.words - words),
                "=": (flags, words),
            }[mode]
            if (new_flags, new_words) != (email.flags, email.words):
                email.flags, email.words = new_flags, new_words
                changed.add(message.email)
            mark = deleted and mode != "-"
            if (deleted or mode == "=") and message.deleted != mark:
                message.deleted = mark
                changed.add(message.email)
        if changed:
            account.modseq = modseq
            account.touch(changed, modseq)
        return Stored(modseq=account.modseq if account.modseq > before else 0, modified=modified)

    def expunge(self, mailbox: int, uids: Ranges, marked: bool) -> AnyResult:
        account, box = self.box(mailbox)
        found = [uid for uid in chosen(box, uids) if box.messages[uid].deleted or not marked]
        if not found:
            return Expunged(uids=(), modseq=0)
        modseq = account.bump()
        self._remove(account, box, found, modseq)
        return Expunged(uids=tuple(found), modseq=modseq)

    def _remove(self, account: Account, box: Box, uids: list[int], modseq: int) -> None:
        gone = {box.messages.pop(uid).email for uid in uids}
        account.touch(gone, modseq)
        box.highest = modseq

    def copy(self, source: int, target: int, uids: Ranges, move: bool) -> AnyResult:
        account, box = self.box(source)
        into, other = self.box(target)
        found = chosen(box, uids)
        if not found:
            return Copied(uidvalidity=other.uidvalidity, uids=(), modseq=0)
        if into is not account:
            words = {
                word for uid in found for word in account.emails[box.messages[uid].email].words
            }
            into.admit(frozenset(words))
        modseq = into.bump()
        if box is other and move:
            emails = [box.messages.pop(uid).email for uid in found]
            pairs = [
                (uid, into.enter(box, email, modseq))
                for uid, email in zip(found, emails, strict=True)
            ]
            into.touch(set(emails), modseq)
            return Copied(uidvalidity=box.uidvalidity, uids=tuple(pairs), modseq=modseq)
        there = {message.email for message in other.messages.values()}
        pairs, joined = [], set()
        for uid in found:
            email = box.messages[uid].email
            if into is not account or box is other or email in there:
                old = account.emails[email]
                email = into.new_email(replace(old, modseq=modseq, exempt=False))
            else:
                joined.add(email)
            pairs.append((uid, into.enter(other, email, modseq)))
        account.touch(joined, modseq)
        if move:
            self._remove(account, box, found, modseq)
        return Copied(uidvalidity=other.uidvalidity, uids=tuple(pairs), modseq=modseq)

    def change(self, number: int, change: EmailChange) -> AnyResult:
        """As the owner does it; what is destroyed can be brought back, but where no time is given."""
        account, before = self.accounts[number], self.accounts[number].modseq
        refused: list[tuple[int, str, str]] = []
        wanted: dict[int, tuple[int, frozenset[str], list[int], list[int]]] = {}
        for email in change.emails:
            marks = {
                box.id: message.deleted
                for box in account.boxes.values()
                for message in box.messages.values()
                if message.email == email
            }
            seen = [mailbox for mailbox, deleted in marks.items() if not deleted]
            if not seen:
                refused.append((email, "no-such-email", ""))
                continue
            there = account.emails[email]
            flags, words = there.flags, there.words
            enters: list[int] = []
            leaves = list(marks)
            if not change.destroy:
                flags = 0 if change.only_flags else flags & ~change.clear_flags
                flags |= change.set_flags
                words = frozenset() if change.only_flags else words - set(change.clear_words)
                words |= set(change.set_words)
                enters = [one for one in dict.fromkeys(change.enter) if one not in seen]
                leaves = [
                    one
                    for one in seen
                    if one not in change.enter and (change.only_mailboxes or one in change.leave)
                ]
                if len(leaves) == len(seen) and not enters:
                    refused.append((email, "nowhere", ""))
                    continue
            if enters or leaves or (flags, words) != (there.flags, there.words):
                wanted[email] = flags, words, enters, leaves
        if wanted:
            new = {word for _, words, _, _ in wanted.values() for word in words}
            account.admit(frozenset(new.intersection(change.set_words)))
            modseq = account.bump()
            for email, one in wanted.items():
                self._change_one(account, email, one, modseq)
                if change.destroy:
                    for emails in account.unswept.values():
                        emails[:] = [left for left in emails if left != email]
                    if not change.recoverable_until:
                        del account.emails[email]
        modseq = account.modseq if account.modseq > before else 0
        return EmailsChanged(modseq=modseq, refused=tuple(refused))

    def _change_one(
        self,
        account: Account,
        email: int,
        wanted: tuple[int, frozenset[str], list[int], list[int]],
        modseq: int,
    ) -> None:
        flags, words, enters, leaves = wanted
        account.touch({email}, modseq)
        account.emails[email].flags, account.emails[email].words = flags, words
        for box in account.holders(email):
            (uid,) = [uid for uid, one in box.messages.items() if one.email == email]
            if box.id in leaves:
                del box.messages[uid]
            elif box.id in enters:
                box.messages[uid].deleted = False
        for mailbox in enters:
            if account.boxes[mailbox] not in account.holders(email):
                account.enter(account.boxes[mailbox], email, modseq)

    def recover(self, target: int, emails: list[int]) -> AnyResult:
        account, box = self.box(target)
        found = [email for email in account.recoverable if email in emails]
        if not found:
            return Copied(uidvalidity=box.uidvalidity, uids=(), modseq=0)
        modseq = account.bump()
        pairs = tuple((0, account.enter(box, email, modseq)) for email in found)
        account.touch(set(found), modseq)
        return Copied(uidvalidity=box.uidvalidity, uids=pairs, modseq=modseq)

    def claim(self, mailbox: int, upto: int) -> AnyResult:
        _, box = self.box(mailbox)
        first = box.recent_from
        box.recent_from = max(first, min(upto + 1, box.uidnext))
        return Claimed(first=first, last=box.recent_from - 1)

    def render(self, email: int, lost: bool) -> AnyResult:
        """``lost``: the row that holds the prefix was."""
        account = self.accounts[email >> 32]
        there = account.emails[email]
        if lost:
            there.size = there.content
        if not lost or email not in account.held:
            return Done(count=int(lost))
        modseq = account.bump()
        account.touch({email}, modseq)
        return Done(modseq=modseq, count=1)

    def create(self, number: int, parent: int, path: tuple[str, ...], subscribe: bool) -> AnyResult:
        account = self.accounts[number]
        missing = list(path)
        while missing and (child := account.child(parent, missing[0])):
            parent = child.id
            missing.pop(0)
        if not missing:
            return Refused(reason="exists")
        modseq = account.bump()
        for left, name in zip(range(len(missing) - 1, -1, -1), missing, strict=True):
            account.uidvalidity = max(account.uidvalidity + 1, self.now)
            new = number << 32 | account.next_mailbox
            account.next_mailbox += 1
            wanted = subscribe and not left
            box = Box(new, parent, name, account.uidvalidity, wanted, modseq)
            account.boxes[new] = box
            self._take_subscription(account, box)
            parent = new
        return Created(id=parent, modseq=modseq)

    def _take_subscription(self, account: Account, box: Box) -> None:
        if account.path(box) in account.names:
            account.names.discard(account.path(box))
            box.subscribed = True

    def rename(self, mailbox: int, parent: int, name: str) -> AnyResult:
        account, box = self.box(mailbox)
        if mailbox == account.inbox:
            return Refused(reason="reserved")
        above = account.boxes.get(parent)
        while above is not None:
            if above is box:
                return Refused(reason="loop")
            above = account.boxes.get(above.parent)
        taken = account.child(parent, name)
        if taken is not None:
            return Done() if taken is box else Refused(reason="exists")
        # Old names stay subscribed, those of mailboxes below too.
        path = account.path(box)
        for one in account.boxes.values():
            if one.subscribed and (one is box or account.path(one).startswith(f"{path}/")):
                account.names.add(account.path(one))
        below = [one for one in account.boxes.values() if account.path(one).startswith(f"{path}/")]
        box.parent, box.name = parent, name
        for one in (box, *below):
            self._take_subscription(account, one)
        return Done(modseq=account.bump())

    def set(self, mailbox: int, parent: int, name: str, on: bool) -> AnyResult:
        account, box = self.box(mailbox)
        modseq = 0
        if (parent, name) != (box.parent, box.name):
            answer = self.rename(mailbox, parent, name)
            if not isinstance(answer, Done):
                return answer
            modseq = answer.modseq
        if box.subscribed != on:
            box.subscribed = on
            if not on:
                account.names.discard(account.path(box))
            modseq = modseq or account.bump()
        return Done(modseq=modseq)

    def delete(self, mailbox: int) -> AnyResult:
        account, box = self.box(mailbox)
        if mailbox == account.inbox:
            return Refused(reason="reserved")
        if any(other.parent == mailbox for other in account.boxes.values()):
            return Refused(reason="has-children")
        modseq = account.bump()
        if len(box.messages) <= self.at_once:
            self._remove(account, box, list(box.messages), modseq)
        else:
            account.unswept[mailbox] = [m.email for _, m in sorted(box.messages.items())]
        if box.subscribed:
            account.names.add(account.path(box))
        if box.uidnext > 1:
            account.gone[mailbox] = account.path(box)
        del account.boxes[mailbox]
        return Done(modseq=modseq)

    def sweep(self, mailbox: int, limit: int) -> AnyResult:
        account = self.accounts[mailbox >> 32]
        emails = account.unswept.pop(mailbox, [])
        if not emails:
            return Done()
        if emails[limit:]:
            account.unswept[mailbox] = emails[limit:]
        modseq, ended = account.bump(), set(emails[:limit])
        account.touch(ended, modseq)
        return Done(modseq=modseq, count=len(ended), more=len(ended) == limit)

    def subscribe(self, number: int, mailbox: int, name: str, on: bool) -> AnyResult:
        account = self.accounts[number]
        if mailbox:
            account.boxes[mailbox].subscribed = on
            if not on:
                account.names.discard(account.path(account.boxes[mailbox]))
        elif on:
            account.names.add(name)
        else:
            account.names.discard(name)
        return Done(modseq=account.bump())
