"""Roles of accounts: who may administer."""

from malleposte.operations.accounts import ROLES, OfAccount, OneAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id, account_shown
from malleposte.operations.registry import operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import GrantRole


class OfRole(OfAccount, frozen=True, kw_only=True):
    """An account and a role."""

    role: str

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"role": self.role}


class Grant(OfRole, frozen=True, kw_only=True):
    """Give a role."""


class Revoke(OfRole, frozen=True, kw_only=True):
    """Take a role away."""


@operation("role.grant", Grant, OneAccount)
async def grant(context: Context, request: Grant, progress: Progress) -> OneAccount:
    """Give an account a role. Again: it has it, nothing changes."""
    return await _change(context, request, granted=True)


@operation("role.revoke", Revoke, OneAccount)
async def revoke(context: Context, request: Revoke, progress: Progress) -> OneAccount:
    """Take a role from an account. Again: it does not have it, nothing changes."""
    return await _change(context, request, granted=False)


async def _change(context: Context, request: OfRole, *, granted: bool) -> OneAccount:
    if not request.role or request.role not in ROLES:
        raise invalid(f"there is no role {request.role!r}; roles are {', '.join(ROLES[1:])}")
    reader = context.store.reader
    found = await account_id(reader, request.address)
    accepted(
        await context.carry_out(
            GrantRole(account=found, role=request.role, granted=granted, by=context.actor.name)
        )
    )
    return OneAccount(account=await account_shown(reader, found))
