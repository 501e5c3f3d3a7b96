"""``malleposte forward …``."""

from typing import Annotated

from cyclopts import App, Parameter

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.directory.addresses import shown_address
from malleposte.operations.forwards import (
    ForwardLine,
    ForwardPage,
    ForwardShown,
    ListForwards,
    PutForward,
    RemoveForward,
    words,
)

RESTS = (
    "This server does not send (sending.enabled): nothing leaves it, and accounts keep their mail."
)

forward = App(name="forward", help="Where mail of accounts goes on to.")


@forward.command(name="set")
def set_(address: str, /, *targets: str, copy: bool = True, common: Common = DEFAULT) -> int:
    """Have an account's mail go on to these addresses and no others.

    Parameters
    ----------
    address
        The account.
    targets
        Addresses of accounts or aliases, or at other servers where mail may be forwarded there.
    copy
        Keep a copy in the account; --no-copy: only what cannot go on stays there.
    """
    request = PutForward(address=address, targets=targets, copy=copy)
    return _told(ask(common.configuration(), "forward.set", request, ForwardShown), common)


@forward.command
def delete(address: str, /, *, common: Common = DEFAULT) -> int:
    """Have an account's mail stay with it.

    Parameters
    ----------
    address
        The account.
    """
    request = RemoveForward(address=address)
    return _told(
        ask(common.configuration(), "forward.delete", request, ForwardShown),
        common,
    )


def _told(done: ForwardShown, common: Common) -> int:
    if common.json:
        as_json(done)
    else:
        say(words(done))
        if done.rests:
            say(RESTS)
    return OK


@forward.command(name="list")
def list_(
    *, outside: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> int:
    """List where mail goes on to: forwards of accounts, aliases and groups that lead elsewhere, and what
    scripts and filters of accounts send on.

    Parameters
    ----------
    outside
        Only what leads to other servers.
    """

    rests = False

    async def all_of_them(caller: Caller) -> list[ForwardLine]:
        nonlocal rests
        found: list[ForwardLine] = []
        request = ListForwards()
        while True:
            page = await caller.call("forward.list", request, ForwardPage)
            found += page.forwards
            rests = rests or page.rests
            if page.more and request.scripts:
                request = ListForwards(scripts=True, after=page.after)
            elif page.more:
                request = ListForwards(after=found[-1].address, after_target=found[-1].target)
            elif request.scripts:
                return found
            else:
                request = ListForwards(scripts=True)

    found = run(common.configuration(), all_of_them)
    if outside:
        found = [line for line in found if line.outside]
    if common.json:
        as_json({"forwards": found})
        return OK
    table(
        ("mail of", "kind", "goes on to", "copy", "server", "at rest because"),
        [
            (
                shown_address(line.address),
                line.kind,
                shown_address(line.target),
                "yes" if line.copy else "",
                "another" if line.outside else "this",
                line.why,
            )
            for line in found
        ],
    )
    if rests and any(line.outside for line in found):
        say(RESTS)
    return OK
