"""Many accounts in one go: what a list of thousands needs.

The price of an account is its password's hash; accounts without one (for an import to come) are made as
fast as the store commits. Each account made is a line of the audit.
"""

import asyncio
from typing import Literal

import msgspec

from malleposte.directory.addresses import BadAddressError, new_address
from malleposte.operations.accounts import AddAccount, command_for
from malleposte.operations.audit import line_of
from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError, invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.password_rules import check_password
from malleposte.operations.registry import Request, Response, operation
from malleposte.policy.audit import AuditEvent, Outcome
from malleposte.policy.permissions import Operation, Target
from malleposte.runtime.passwords import UnfitPasswordError
from malleposte.runtime.passwords_generate import readable_password
from malleposte.store.commands import Audited
from malleposte.store.results import Created, Refused

MAX_AT_ONCE = 1_000
"""Accounts in one request: a line of the admin socket holds them."""
UNDER_WAY = 256
"""Accounts submitted at a time, so that they share commits."""
HASHING = 2
"""Passwords hashed at a time: more would only wait, and keep sign-ins waiting."""


class AddAccounts(Request, frozen=True, kw_only=True):
    """Accounts to make, as for ``account.add``."""

    accounts: tuple[AddAccount, ...]


class AccountOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``there``: the address is in use, nothing was changed; ``refused``: ``text`` says why."""

    address: str
    outcome: Literal["made", "there", "refused"]
    text: str = ""
    password: str = ""


class AccountsAdded(Response, frozen=True, kw_only=True):
    """In the order of the request."""

    accounts: tuple[AccountOutcome, ...]


@operation("account.add-many", AddAccounts, AccountsAdded, audit="own")
async def add_many(context: Context, request: AddAccounts, progress: Progress) -> AccountsAdded:
    """Make accounts. Again: those that are there stay as they are, so a list can be taken up anew."""
    if len(request.accounts) > MAX_AT_ONCE:
        raise invalid(f"at most {MAX_AT_ONCE} accounts in one request")
    room, hashing = asyncio.Semaphore(UNDER_WAY), asyncio.Semaphore(HASHING)
    done = 0

    async def one(account: AddAccount) -> AccountOutcome:
        nonlocal done
        async with room:
            outcome = await _add(context, account, hashing)
        done += 1
        progress.report(done, len(request.accounts))
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(account)) for account in request.accounts]
    return AccountsAdded(accounts=tuple(task.result() for task in tasks))


async def _add(context: Context, account: AddAccount, hashing: asyncio.Semaphore) -> AccountOutcome:
    try:
        address = new_address(account.address)
        password = readable_password() if account.generate else account.password
        if password and not account.generate:
            check_password(password, address)
        command = command_for(context, address, account, "")
        if password:
            async with hashing:
                hashed = await context.passwords.hash(password)
            command = msgspec.structs.replace(command, password_hash=hashed)
    except (BadAddressError, UnfitPasswordError, OperationError) as error:
        return AccountOutcome(address=account.address, outcome="refused", text=str(error))
    details = {k: v for k, v in account.details().items() if v is not None}
    event = AuditEvent(
        context.actor, Operation("account.add"), Target(address), Outcome.DONE, details
    )
    result = await context.store.submit(Audited(act=command, line=line_of(event)))
    if isinstance(result, Created):
        shown = password if account.generate else ""
        return AccountOutcome(address=address, outcome="made", password=shown)
    if isinstance(result, Refused) and result.reason == "exists":
        return AccountOutcome(address=address, outcome="there", text=result.text)
    text = result.text or result.reason if isinstance(result, Refused) else "no answer"
    return AccountOutcome(address=address, outcome="refused", text=text)
