"""Limits of sending, rights to send from others' addresses, networks of devices.

Every change moves ``directory_head``. Rights hang on an address and go with it, so that nobody inherits
them with a name that is given anew.
"""

from collections.abc import Sequence
from typing import Final

from malleposte.store.commands import ACCOUNT, SetNetworks, SetSendLimit, SetSendRight
from malleposte.store.execute.directory import changed, exists
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

MAX_RIGHTS: Final = 1_000
"""Accounts that may send from one address, and addresses that one account may send from."""
MAX_NETWORKS: Final = 100
"""Networks of one device."""
TOO_MANY_NETWORKS: Final = f"a device has at most {MAX_NETWORKS} networks"
WAYS: Final = ("as", "behalf", "")

_ADDRESS = (
    "SELECT a.kind, d.organisation FROM address a JOIN domain d ON d.id = a.domain"
    " WHERE a.address = $1"
)
_COUNTS = (
    "SELECT (SELECT count(*) FROM send_right WHERE address = $1),"
    " (SELECT count(*) FROM send_right WHERE account = $2)"
)
_BEFORE = "SELECT way FROM send_right WHERE address = $1 AND account = $2"
_SET = (
    "INSERT INTO send_right (address, account, way, granted_at, granted_by)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (address, account) DO UPDATE SET way = excluded.way,"
    " granted_at = excluded.granted_at, granted_by = excluded.granted_by"
)
_LIMIT = (
    "INSERT INTO send_limit (kind, id, messages, recipients, until) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (kind, id) DO UPDATE SET messages = excluded.messages,"
    " recipients = excluded.recipients, until = excluded.until"
)


async def set_send_limit(work: Work, command: SetSendLimit) -> Done | Refused:
    """Execute ``SetSendLimit``."""
    await changed(work)
    if command.kind == ACCOUNT:
        if not await exists(work, command.id):
            return Refused(reason="no-such-account")
    elif await work.tx.row("SELECT 1 FROM domain WHERE id = $1", command.id) is None:
        return Refused(reason="no-such-domain")
    if command.messages < 0 and command.recipients < 0:
        gone = await work.tx.run(
            "DELETE FROM send_limit WHERE kind = $1 AND id = $2", command.kind, command.id
        )
        return Done(count=gone)
    await work.tx.run(
        _LIMIT, command.kind, command.id, command.messages, command.recipients, command.until
    )
    return Done(count=1)


async def set_send_right(work: Work, command: SetSendRight) -> Done | Refused:
    """Execute ``SetSendRight``."""
    await changed(work)
    address, account = command.address, command.account
    if command.way not in WAYS:
        return Refused(reason="bad-name", text=f"{command.way!r} is not one of as, behalf")
    row = await work.tx.row(_BEFORE, address, account)
    before = row[0] if row is not None else ""
    work.remarks.update(before=before, after=command.way)
    if before == command.way:
        return Done()
    if not command.way:
        await work.tx.run(
            "DELETE FROM send_right WHERE address = $1 AND account = $2", address, account
        )
        return Done(count=1)
    refused = await _unfit(work, address, account)
    if refused is not None:
        return refused
    await work.tx.run(_SET, address, account, command.way, work.now, command.by)
    return Done(count=1)


async def _unfit(work: Work, address: str, account: int) -> Refused | None:
    """Why an account cannot be given a right on an address."""
    known = await work.tx.row(_ADDRESS, address)
    if known is None:
        text = f"there is no address {address}: make it an alias first, or replies would be lost"
        return Refused(reason="no-such-alias", text=text)
    if known[0] == "system":
        return Refused(reason="reserved", text=f"{address} is the administrators' own")
    grantee = await work.tx.row(
        "SELECT organisation FROM account WHERE id = $1 AND status <> 'deleted'", account
    )
    if grantee is None or grantee[0] != known[1]:
        return Refused(reason="no-such-account", text="there is no such account to send from it")
    counts = await work.tx.row(_COUNTS, address, account)
    if counts is not None and max(counts) >= MAX_RIGHTS:
        text = f"an address has at most {MAX_RIGHTS:,} accounts that send from it, and an account as many"
        return Refused(reason="limit", text=text)
    return None


async def set_networks(work: Work, command: SetNetworks) -> Done | Refused:
    """Execute ``SetNetworks``."""
    await changed(work)
    row = await work.tx.row("SELECT kind, status FROM account WHERE id = $1", command.account)
    if row is None or row[1] == "deleted":
        return Refused(reason="no-such-account")
    if row[0] != "device" and command.networks:
        text = "only a device sends by its network: `malleposte device add` makes one"
        return Refused(reason="bad-name", text=text)
    if len(command.networks) > MAX_NETWORKS:
        return Refused(reason="limit", text=TOO_MANY_NETWORKS)
    await work.tx.run("DELETE FROM device_network WHERE account = $1", command.account)
    await put_networks(work, command.account, command.networks)
    return Done(count=len(command.networks))


async def put_networks(work: Work, account: int, networks: Sequence[str]) -> None:
    """Add the networks of a device that has none."""
    for network in sorted(set(networks)):
        await work.tx.run(
            "INSERT INTO device_network (account, network) VALUES ($1, $2)", account, network
        )


async def forget_sender(work: Work, account: int) -> None:
    """An account is gone, and with it addresses that reached only it."""
    await work.tx.run("DELETE FROM send_right WHERE account = $1", account)
    await work.tx.run(
        "DELETE FROM send_right WHERE NOT EXISTS"
        " (SELECT 1 FROM address a WHERE a.address = send_right.address)"
    )
    await work.tx.run("DELETE FROM device_network WHERE account = $1", account)
    await work.tx.run("DELETE FROM send_limit WHERE kind = $1 AND id = $2", ACCOUNT, account)
