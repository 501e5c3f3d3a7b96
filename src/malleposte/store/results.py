"""What commands answer. Plain data like the commands; kept for a while under the idempotency key."""

import msgspec


class Result(msgspec.Struct, frozen=True, array_like=True, tag=True, kw_only=True):
    """Base of all answers."""


class Refused(Result, frozen=True, array_like=True, kw_only=True):
    """The command was valid but not to be carried out; nothing changed.

    ``reason``: ``no-such-mailbox``, ``no-such-account``, ``no-such-domain``, ``no-such-alias``,
    ``exists``, ``no-rights``, ``over-quota``, ``has-children``, ``not-empty``, ``bad-name``, ``limit``,
    ``in-use``, ``loop``, ``reserved``, ``lease-lost``, ``no-such-email``, ``too-long``, ``too-many``,
    ``no-such-script``, ``no-such-organisation``, ``changed``, ``purging``.
    """

    reason: str
    text: str = ""


class Done(Result, frozen=True, array_like=True, kw_only=True):
    """Carried out."""

    modseq: int = 0
    more: bool = False
    count: int = 0


class Filed(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What became of one filing of a delivery."""

    account: int
    mailbox: int = 0
    uid: int = 0
    email: int = 0
    modseq: int = 0
    refused: str = ""


class Delivered(Result, frozen=True, array_like=True, kw_only=True):
    """A delivery, filing by filing in their order. ``before``: it was settled in the queue already,
    and nothing was done."""

    filed: tuple[Filed, ...]
    before: bool = False


class Appended(Result, frozen=True, array_like=True, kw_only=True):
    """A message in its mailbox."""

    email: int
    uid: int
    uidvalidity: int
    modseq: int


class AppendedAll(Result, frozen=True, array_like=True, kw_only=True):
    """Several messages in their mailbox: emails and UIDs in their order."""

    emails: tuple[int, ...]
    uids: tuple[int, ...]
    uidvalidity: int
    modseq: int


class Created(Result, frozen=True, array_like=True, kw_only=True):
    """A mailbox, account or domain."""

    id: int
    modseq: int = 0


class Stored(Result, frozen=True, array_like=True, kw_only=True):
    """Flags changed; ``modified`` are the UIDs left alone by ``unchanged_since``."""

    modseq: int
    modified: tuple[int, ...] = ()


class EmailsChanged(Result, frozen=True, array_like=True, kw_only=True):
    """Emails changed; ``modseq`` is the account's, 0 where nothing did change. ``refused``: (email, reason,
    text) of those left as they were: ``no-such-email``, ``no-such-mailbox``, ``no-rights``, ``too-many``
    keywords, ``nowhere`` (it would be in no mailbox), ``shared`` (with others than where it is).
    ``files``: names in the blob folder to unlink."""

    modseq: int
    refused: tuple[tuple[int, str, str], ...] = ()
    files: tuple[str, ...] = ()


class CardsChanged(Result, frozen=True, array_like=True, kw_only=True):
    """Cards changed. ``cards``: the id of each change's card, 0 where it was refused; ``modseqs``: the
    card's, 0 where it is gone; ``modseq``: of all cards. ``refused``: (place of the change, reason, text):
    ``no-such-card``, ``no-such-book``, ``no-rights``, ``no-such-media``, ``exists`` (the uid; the text is
    the card's id as a number), ``taken`` (the name in CardDAV), ``nowhere``, ``limit``, ``over-quota``,
    ``too-long``, ``changed``."""

    modseq: int
    cards: tuple[int, ...] = ()
    modseqs: tuple[int, ...] = ()
    refused: tuple[tuple[int, str, str], ...] = ()


class EmailsCopied(Result, frozen=True, array_like=True, kw_only=True):
    """Emails copied to another account: the new one of each copy, 0 where it was refused. ``modseq``: 0
    where none was made. ``refused``: (place of the copy, reason, text), as of ``EmailsChanged``."""

    modseq: int
    emails: tuple[int, ...] = ()
    refused: tuple[tuple[int, str, str], ...] = ()


class Expunged(Result, frozen=True, array_like=True, kw_only=True):
    """Messages gone from a mailbox."""

    uids: tuple[int, ...]
    modseq: int


class Copied(Result, frozen=True, array_like=True, kw_only=True):
    """Pairs of source and target UIDs, in order."""

    uidvalidity: int
    uids: tuple[tuple[int, int], ...]
    modseq: int


class Claimed(Result, frozen=True, array_like=True, kw_only=True):
    """UIDs ``first`` to ``last`` are whose who asked; none where ``last`` is less."""

    first: int
    last: int


class LeasedJob(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A job in the hands of the holder who asked."""

    id: int
    kind: str
    key: str
    payload: bytes
    epoch: int
    attempts: int


class Leased(Result, frozen=True, array_like=True, kw_only=True):
    """Jobs taken."""

    jobs: tuple[LeasedJob, ...]


class LeaseTaken(Result, frozen=True, array_like=True, kw_only=True):
    """A named lease; ``epoch`` 0: another holds it."""

    epoch: int
    until: int


class TakenRecipient(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A recipient to try now. ``attempt`` is the number of this try; ``failures``: how many times in a
    row the way to its route has failed until now."""

    n: int
    address: str
    route: str
    notify: str
    original: str
    attempt: int
    warned: bool
    failures: int = 0


class TakenMessage(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A queued message with those of its recipients that are to be tried now."""

    id: int
    trace: int
    account: int
    sender: str
    blob: int
    prefix: bytes
    size: int
    needs: int
    ret: str
    envelope: str
    created_at: int
    expires_at: int
    recipients: tuple[TakenRecipient, ...]


class Taken(Result, frozen=True, array_like=True, kw_only=True):
    """What was taken, oldest first; ``due_at``: when something else will be due, 0 for nothing."""

    messages: tuple[TakenMessage, ...]
    due_at: int


class Swept(Result, frozen=True, array_like=True, kw_only=True):
    """Blobs or emails removed; ``files`` are names in the blob folder to unlink; ``after``: go on from
    there."""

    count: int
    files: tuple[str, ...]
    after: int
    more: bool


AnyResult = (
    Refused
    | Done
    | Delivered
    | Appended
    | AppendedAll
    | Created
    | Stored
    | EmailsChanged
    | EmailsCopied
    | CardsChanged
    | Expunged
    | Copied
    | Claimed
    | Leased
    | LeaseTaken
    | Taken
    | Swept
)
