"""`kill -9` while scripts run with all that comes: what a script decided is done whole or not at all."""

from collections import Counter
from pathlib import Path

import pytest

from faults.test_kill import ACCOUNTS, storm
from malleposte.store.commands import PutScript
from malleposte.store.fsck import check
from malleposte.store.results import Done
from support.server import Server

SCRIPT = b"""require ["fileinto", "copy", "duplicate", "imap4flags", "editheader"];
if duplicate { discard; stop; }
fileinto :copy :flags "twice" "Archive";
addheader "X-Seen-By" "the script";
"""


@pytest.mark.timeout(240)
async def test_kills_leave_no_half_of_a_delivery(tmp_path: Path) -> None:
    """Each message is in both mailboxes and remembered, or in none and not."""
    server = Server(tmp_path)
    await server.prepare(ACCOUNTS)
    async with server.open_store() as store:
        for account in range(1, ACCOUNTS + 1):
            command = PutScript(owner=account, name="main", content=SCRIPT, active=True)
            assert isinstance(await store.submit(command), Done)
    server.start()
    try:
        senders = await storm(server, kills=10, seed=3)
        server.stop()
    finally:
        server.end()
    async with server.open_store() as store:
        rows = await store.reader.rows(
            "SELECT e.account, w.message_id, b.role FROM membership m JOIN email e ON e.id = m.email"
            " JOIN email_wide w ON w.id = e.id JOIN mailbox b ON b.id = m.mailbox"
        )
        remembered: dict[int, int] = dict(
            await store.reader.rows("SELECT account, count(*) FROM sieve_memory GROUP BY account")
        )
        wrong = [finding async for finding in check(store.reader, store.blobs, deep=True)]
    assert not wrong, wrong[:5]
    filed = Counter(rows)
    assert set(filed.values()) == {1}
    inbox, archive = (
        {(account, identity) for account, identity, role in filed if role == wanted}
        for wanted in ("inbox", "archive")
    )
    assert inbox == archive
    assert remembered == Counter(account for account, _ in inbox)
    acknowledged = {identity for sender in senders for identity in sender.acknowledged}
    assert acknowledged <= {identity for _, identity in inbox}
    assert len(acknowledged) > 10, "the load hardly ran: this shows nothing"
