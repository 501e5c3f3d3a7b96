"""What people are told when others give them rights or take them away (RFC 9670 §3)."""

from typing import Final

from malleposte.store.commands.sharing import MAX_NOTIFICATIONS, DropNotification
from malleposte.store.ids import account_of
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ADD: Final = (
    "INSERT INTO share_notification (account, n, modseq, gone, created_at, changed_by, owner, kind,"
    " object, name, had, has) VALUES ($1, $2, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_OVER: Final = (
    "DELETE FROM share_notification WHERE account = $1 AND n <= (SELECT n FROM share_notification"
    " WHERE account = $1 ORDER BY n DESC LIMIT 1 OFFSET $2)"
)


async def notify(
    work: Work,
    grantee: int,
    actor: int,
    object_: int,
    *,
    name: str,
    had: str,
    has: str,
    kind: str = "Mailbox",
) -> None:
    """Tell a grantee that somebody else changed his rights on a mailbox, or an address book. His own
    changes he knows of."""
    head = await work.head(grantee)
    if head is None or actor == grantee:
        return
    owner = account_of(object_)
    n = head.bump()
    await work.tx.run(_ADD, grantee, n, work.now, actor, owner, kind, object_, name, had, has)
    await work.tx.run(_OVER, grantee, MAX_NOTIFICATIONS)


async def drop_notification(work: Work, command: DropNotification) -> Done | Refused:
    """Execute ``DropNotification``."""
    account, n = command.account, command.n
    row = await work.tx.row(
        "SELECT 1 FROM share_notification WHERE account = $1 AND n = $2 AND gone = 0", account, n
    )
    head = await work.head(account)
    if row is None or head is None:
        return Refused(reason="no-such-notification", text="there is no such notification")
    modseq = head.bump()
    await work.tx.run(
        "UPDATE share_notification SET modseq = $1, gone = 1 WHERE account = $2 AND n = $3",
        modseq,
        account,
        n,
    )
    return Done(modseq=modseq)
