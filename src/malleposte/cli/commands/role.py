"""``malleposte role …``."""

from cyclopts import App

from malleposte.cli.caller import run
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say
from malleposte.operations.accounts import OneAccount
from malleposte.operations.roles import Grant, Revoke

role = App(
    name="role", help="Who may administer: owner, administrator, helpdesk, auditor, reviewer."
)


@role.command
def grant(address: str, name: str, /, *, common: Common = DEFAULT) -> int:
    """Give an account a role.

    Parameters
    ----------
    address
        The account.
    name
        The role: owner, administrator, helpdesk, auditor or reviewer.
    """
    request = Grant(address=address, role=name)
    done = run(
        common.configuration(), lambda caller: caller.call("role.grant", request, OneAccount)
    )
    return _told(done, common)


@role.command
def revoke(address: str, name: str, /, *, common: Common = DEFAULT) -> int:
    """Take a role from an account.

    Parameters
    ----------
    address
        The account.
    name
        The role.
    """
    request = Revoke(address=address, role=name)
    done = run(
        common.configuration(), lambda caller: caller.call("role.revoke", request, OneAccount)
    )
    return _told(done, common)


def _told(done: OneAccount, common: Common) -> int:
    if common.json:
        as_json(done.account)
    else:
        say(f"{done.account.address} has now: {', '.join(done.account.roles) or 'no role'}")
    return OK
