"""Render: what is kept of an email besides its bytes is written anew, beside everything else that runs.

Clients hold ENVELOPE, BODYSTRUCTURE, preview and the like to be immutable (RFC 9051 §2.3, RFC 8621
§4.1) and would not ask again, so a new rendering is no change in the account's order of changes. An
email that can be read again, or has another size, is one.
"""

from malleposte.store import dialect
from malleposte.store.commands import Render
from malleposte.store.execute.filing import RENDERED_COLUMNS, WIDE_COLUMNS, rendered_row
from malleposte.store.ids import account_of
from malleposte.store.quota import level_kept
from malleposte.store.results import Done, Refused
from malleposte.store.work import Head, Work

_EMAIL = (
    "SELECT e.modseq, e.size, e.mailboxes, e.exempt, b.size, length(w.prefix) FROM email e"
    " JOIN blob b ON b.id = e.blob LEFT JOIN email_wide w ON w.id = e.id"
    " WHERE e.id = $1 AND e.blob = $2"
)
_HOLDERS = (
    "SELECT mailbox, count(*) FROM membership WHERE email = $1 GROUP BY mailbox ORDER BY mailbox"
)
_WRITE_WIDE = dialect.insert(
    "email_wide",
    WIDE_COLUMNS,
    on_conflict="ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in RENDERED_COLUMNS),
)
"""The prefix is no rendering: a row that is there keeps it."""
_WRITE_EMAIL = dialect.update(
    "email",
    "id",
    dict.fromkeys(("modseq", "size", "sent_at", "attachment"), "bigint"),
)


async def render(work: Work, command: Render) -> Done | Refused:
    """Execute ``Render``."""
    email, rendered = command.email, command.rendered
    head = await work.head(account_of(email))
    if head is None:
        return Refused(reason="no-such-account")
    row = await work.tx.row(_EMAIL, email, command.blob)
    if row is None:
        return Refused(reason="no-such-email")
    modseq, old_size, mailboxes, exempt, content_size, prefix = row
    size = content_size + (prefix or 0)
    changed = 0
    if mailboxes and (prefix is None or size != old_size):
        changed = modseq = head.bump()
        await _resize(work, head, email, size - old_size, modseq)
        if not exempt:
            _use(head, size - old_size)
    elif not mailboxes and size != old_size:
        head.count_recoverable(size - old_size)
    work.add(_WRITE_WIDE, (email, b"", *rendered_row(rendered)))
    work.add(_WRITE_EMAIL, (modseq, size, rendered.sent_at, int(rendered.attachment), email))
    return Done(modseq=changed, count=int(prefix is None))


async def _resize(work: Work, head: Head, email: int, octets: int, modseq: int) -> None:
    """The email is ``octets`` longer in every mailbox that holds it."""
    holders = await work.tx.rows(_HOLDERS, email)
    await work.mailboxes(row[0] for row in holders)
    for mailbox, times in holders:
        row = await work.mailbox(mailbox)
        if row is not None:
            row.size += times * octets
            row.changed(modseq)


def _use(head: Head, octets: int) -> None:
    head.used_bytes += octets
    head.quota_level = level_kept(head.used_bytes, head.quota_bytes, head.quota_level)
    if head.used_bytes <= head.quota_bytes:
        head.over_quota_since = 0
