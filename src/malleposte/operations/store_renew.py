"""New UIDVALIDITY for every mailbox, after a database was put back from a copy.

On SQLite the store sees by itself that it was put back; on PostgreSQL only whoever did it knows.
"""

from malleposte.operations.context import Context
from malleposte.operations.errors import accepted
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import RenewUidValidity, RepairNumbers
from malleposte.store.results import Done

NUMBERS_LEAP = 1 << 20
"""Accounts, domains, blobs and jobs that may have been made since the copy."""


class RenewUids(Request, frozen=True, kw_only=True):
    """``address``: one account; '': all of them, and the numbers of the server."""

    address: str = ""

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account", self.address) if self.address else Subject("server", "the store")


class UidsRenewed(Response, frozen=True, kw_only=True):
    """How many accounts and mailboxes were given new ones."""

    accounts: int
    mailboxes: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"accounts": self.accounts, "mailboxes": self.mailboxes}


@operation("store.renew-uids", RenewUids, UidsRenewed)
async def run(context: Context, request: RenewUids, progress: Progress) -> UidsRenewed:
    """Have no UID given before a restore name another message after it.

    Again: renewed again; clients read their mailboxes once more, nothing is lost.
    """
    reader = context.store.reader
    if request.address:
        accounts = [await account_id(reader, request.address)]
    else:
        accounts = [r[0] for r in await reader.rows("SELECT account FROM account_head ORDER BY 1")]
    await context.begin()
    if not request.address:
        accepted(await context.store.submit(RepairNumbers(leap=NUMBERS_LEAP)))
    mailboxes = 0
    for count, account in enumerate(accounts, 1):
        done = accepted(await context.store.submit(RenewUidValidity(account=account)))
        mailboxes += done.count if isinstance(done, Done) else 0
        progress.report(count, len(accounts))
    return UidsRenewed(accounts=len(accounts), mailboxes=mailboxes)
