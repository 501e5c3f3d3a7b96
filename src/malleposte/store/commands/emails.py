"""Commands about emails by id, whatever mailboxes they are in: what JMAP does; and uploads."""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command
from malleposte.store.commands.content import PutContent

UPLOAD_KEPT: Final = 86_400
"""Seconds an upload stays."""
UPLOAD_SAFE: Final = 3_600
"""Seconds in which it does not make room for others (RFC 8620 §6)."""


class EmailChange(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The same for some emails. What is not named stays.

    ``only_flags``: keywords are those set, and no others; ``only_mailboxes``: mailboxes are those entered.
    ``destroy``: they leave all mailboxes, and are recoverable until ``recoverable_until``: where that is no
    time to come, they are gone for good, unless a hold keeps them.
    """

    emails: tuple[int, ...]
    set_flags: int = 0
    set_words: tuple[str, ...] = ()
    clear_flags: int = 0
    clear_words: tuple[str, ...] = ()
    only_flags: bool = False
    enter: tuple[int, ...] = ()
    leave: tuple[int, ...] = ()
    only_mailboxes: bool = False
    destroy: bool = False
    recoverable_until: int = 0


class ChangeEmails(Command, frozen=True, array_like=True, kw_only=True):
    """Change keywords and mailboxes of an account's emails, each as a whole or not at all. Answer:
    ``EmailsChanged``, which names those refused; an email stands in one change only.

    Marks of ``\\Deleted`` hide an email in a mailbox: it is not in it, and to enter takes the mark away.
    ``if_modseq``: nothing is done (``changed``) where the account is at another modseq.
    """

    actor: int
    account: int
    changes: tuple[EmailChange, ...]
    if_modseq: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class EmailCopy(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An email to be copied into mailboxes of another account. What is None is as of the original, as the
    actor sees it."""

    email: int
    mailboxes: tuple[int, ...]
    flags: int | None = None
    words: tuple[str, ...] = ()
    received_at: int | None = None


class CopyEmails(Command, frozen=True, array_like=True, kw_only=True):
    """Copy emails of one account into another, each as a whole or not at all. Answer: ``EmailsCopied``,
    which names those refused. ``if_modseq``, ``if_source_modseq``: nothing is done (``changed``,
    ``source-changed``) where the account copied to, or from, is at another modseq."""

    actor: int
    source: int
    account: int
    copies: tuple[EmailCopy, ...]
    if_modseq: int | None = None
    if_source_modseq: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple({self.source, self.account})


class PutUpload(PutContent, frozen=True, array_like=True, kw_only=True):
    """Keep content under a number of the account for a day. Answer: ``Swept``, of uploads that made room;
    ``limit`` where the account has ``most``, or ``most_octets`` of them, and none is an hour old."""

    number: int
    most: int
    most_octets: int
