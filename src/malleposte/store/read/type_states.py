"""Which kinds of an account's objects changed since a modseq, for whoever is told so (RFC 8620 §7.1).

One statement, however much changed. A state is what ``get`` of the kind would say: of emails, threads and
mailboxes the account's modseq, of the others the modseq of their own last change. A thread is told of when
an email came, went or was marked as deleted; where such a mark is taken away only the email is.
"""

from dataclasses import dataclass, field
from typing import Final

from malleposte.store.dialect import Reader

ALL: Final = -1
"""Since before everything."""
LOOKED_AT: Final = 5_000
"""Emails looked at for whether they are new; past them they are taken to be."""

EMAIL: Final = "Email"
THREAD: Final = "Thread"
MAILBOX: Final = "Mailbox"
DELIVERY: Final = "EmailDelivery"
"""Changes with new emails alone (RFC 8621 §1.5)."""

_OWN: Final = {
    "Identity": "SELECT max(modseq) FROM identity WHERE account = $1",
    "EmailSubmission": "SELECT max(modseq) FROM email_submission WHERE account = $1",
    "VacationResponse": "SELECT version FROM sieve_form WHERE account = $1 AND kind = 'vacation'",
    "Filters": "SELECT version FROM sieve_form WHERE account = $1 AND kind = 'filters'",
    "Label": "SELECT max(modseq) FROM keyword WHERE account = $1",
    "ShareNotification": "SELECT max(modseq) FROM share_notification WHERE account = $1",
    "SieveScript": "SELECT version FROM sieve_head WHERE owner = $1",
    "AddressBook": "SELECT books FROM contact_head WHERE account = $1",
    "ContactCard": "SELECT cards FROM contact_head WHERE account = $1",
}
"""Where kinds with states of their own keep them."""

OF_MAIL: Final = frozenset((EMAIL, THREAD, MAILBOX, DELIVERY))
"""What others may be told of, who see mailboxes of the account."""
TYPES: Final = frozenset((EMAIL, THREAD, MAILBOX, DELIVERY, *_OWN))
"""All that there is to be told of."""

_HEAD: Final = (
    "SELECT h.modseq, h.tombstone_floor,"
    " (SELECT max(b.modseq) FROM mailbox b WHERE b.account = h.account),"
    + ",".join(f" ({one})" for one in _OWN.values())
    + " FROM account_head h WHERE h.account = $1"
)
_GONE: Final = (
    "EXISTS (SELECT 1 FROM tombstone t WHERE t.account = $1 AND t.kind = '{kind}'"
    " AND t.container = 0 AND t.modseq > $2)"
)
_CHANGED: Final = (
    "SELECT count(*), coalesce(max(e.created), 0), coalesce(max(e.less), 0),"
    f" CASE WHEN {_GONE.format(kind='email')} THEN 1 ELSE 0 END,"
    f" CASE WHEN {_GONE.format(kind='mailbox')} THEN 1 ELSE 0 END"
    " FROM (SELECT x.created_modseq AS created, CASE WHEN x.mailboxes = 0 OR EXISTS"
    " (SELECT 1 FROM membership m WHERE m.email = x.id AND m.deleted = 1) THEN 1 ELSE 0 END AS less"
    " FROM email x WHERE x.account = $1 AND x.modseq > $2 ORDER BY x.modseq DESC LIMIT $3) e"
)


@dataclass(frozen=True, slots=True)
class States:
    """``modseq``: up to which it is told; ``changed``: states by the names of kinds."""

    modseq: int
    changed: dict[str, int] = field(default_factory=dict)


async def head(reader: Reader, account: int) -> int:
    """An account's modseq now; 0 where there is no such account."""
    row = await reader.row("SELECT modseq FROM account_head WHERE account = $1", account)
    return int(row[0]) if row is not None else 0


async def states(reader: Reader, account: int, since: int) -> States | None:
    """What changed since a modseq; everything where that cannot be told. None: there is no such account."""
    row = await reader.row(_HEAD, account)
    if row is None:
        return None
    modseq, floor, mailbox, *own = row
    if since == modseq:
        return States(modseq)
    if not floor <= since < modseq:
        since = ALL
    changed = {
        name: state
        for name, state in zip(_OWN, own, strict=True)
        if (since == ALL) or (state or 0) > since
    }
    # Who never had one has the state 0.
    changed = {name: state or 0 for name, state in changed.items()}
    row = await reader.row(_CHANGED, account, since, LOOKED_AT)
    assert row is not None
    count, created, less, email_gone, mailbox_gone = row
    full = count == LOOKED_AT
    if count or email_gone or since == ALL:
        changed[EMAIL] = modseq
    if full or less or email_gone or created > since or since == ALL:
        changed[THREAD] = modseq
    if created > since or full or since == ALL:
        changed[DELIVERY] = created if created > since else modseq
    if (mailbox or 0) > since or mailbox_gone or since == ALL:
        changed[MAILBOX] = modseq
    return States(modseq, changed)
