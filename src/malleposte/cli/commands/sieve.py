"""``malleposte sieve …``."""

import sys
from pathlib import Path

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK, REFUSED, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, printable, say, size, table
from malleposte.operations.sieve import (
    Activated,
    ActivateOne,
    CheckScript,
    DeleteOne,
    ListScripts,
    PutText,
    ScriptChecked,
    ScriptDeleted,
    ScriptPut,
    ScriptShown,
    ScriptsShown,
    ShowScript,
)

sieve = App(name="sieve", help="Sieve scripts: mail filters of accounts, and the administrator's.")
sieve.command(
    "malleposte.cli.commands.sieve_forms:form",
    name="form",
    help="Forms of an account that become Sieve: its reply while away, its filters.",
)
sieve.command(
    "malleposte.cli.commands.sieve_forms:away",
    name="away",
    help="Have an account answer while its user is away.",
)

MOST = 1024 * 1024
"""Octets read of a file; a script has fewer."""


@sieve.command(name="list")
def list_(owner: str, /, *, common: Common = DEFAULT) -> int:
    """List scripts, and which one runs.

    Parameters
    ----------
    owner
        An account's address; a domain, or `everybody`, for what runs with mail to all of them.
    """
    request = ListScripts(owner=owner)
    found = ask(common.configuration(), "sieve.list", request, ScriptsShown)
    if common.json:
        as_json(found)
        return OK
    rows = [
        (printable(one.name), "active" if one.active else "", size(one.size))
        for one in found.scripts
    ]
    if rows:
        table(("script", "", "size"), rows, right=(2,))
    else:
        say("There are none.")
    return OK


@sieve.command
def show(owner: str, name: str = "", /, *, common: Common = DEFAULT) -> int:
    """Print a script.

    Parameters
    ----------
    owner
        An account's address, a domain, or `everybody`.
    name
        The script; left out: the one that runs.
    """
    request = ShowScript(owner=owner, name=name)
    found = ask(common.configuration(), "sieve.show", request, ScriptShown)
    if common.json:
        as_json(found)
    else:
        for line in found.text.splitlines():
            say(printable(line.replace("\t", "    ")))
    return OK


@sieve.command
def put(
    owner: str,
    name: str,
    file: Path | None = None,
    /,
    *,
    activate: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Check a script and keep it, in place of one of that name.

    Parameters
    ----------
    owner
        An account's address, a domain, or `everybody`.
    name
        What it is called.
    file
        Where its text is; left out: standard input.
    activate
        It runs from now on, and none of the owner's others.
    """
    request = PutText(owner=owner, name=name, text=text_of(file), activate=activate)
    done = ask(common.configuration(), "sieve.put", request, ScriptPut)
    if common.json:
        as_json(done)
        return OK
    warn(done.warnings)
    state = "runs" if done.active else f"does not run yet: malleposte sieve activate {owner} {name}"
    say(f"{printable(done.name)} is kept, and {state}")
    return OK


@sieve.command
def activate(owner: str, name: str = "", /, *, common: Common = DEFAULT) -> int:
    """Have a script run, and none of the owner's others.

    Parameters
    ----------
    owner
        An account's address, a domain, or `everybody`.
    name
        The script; left out: none runs from now on.
    """
    request = ActivateOne(owner=owner, name=name)
    done = ask(common.configuration(), "sieve.activate", request, Activated)
    if common.json:
        as_json(done)
    else:
        say(f"{printable(done.name)} runs" if done.name else "no script runs")
    return OK


@sieve.command
def check(owner: str, file: Path | None = None, /, *, common: Common = DEFAULT) -> int:
    """Say what is wrong with a script, and keep nothing.

    Parameters
    ----------
    owner
        Whose it would be: an account's address, a domain, or `everybody`.
    file
        Where its text is; left out: standard input.
    """
    if file is None and "@" not in owner and Path(owner).is_file():
        whose = f"malleposte sieve check ada@example.org {owner}"
        raise Trouble(USAGE, f"{owner} is a file: say whose script it would be, too: `{whose}`")
    request = CheckScript(owner=owner, text=text_of(file))
    done = ask(common.configuration(), "sieve.check", request, ScriptChecked)
    if common.json:
        as_json(done)
        return OK
    warn(done.warnings)
    say("The script is in order.")
    return OK


@sieve.command
def delete(owner: str, name: str, /, *, common: Common = DEFAULT) -> int:
    """Delete a script that does not run.

    Parameters
    ----------
    owner
        An account's address, a domain, or `everybody`.
    name
        The script.
    """
    request = DeleteOne(owner=owner, name=name)
    done = ask(common.configuration(), "sieve.delete", request, ScriptDeleted)
    if common.json:
        as_json(done)
    else:
        say(f"{printable(done.name)} was deleted")
    return OK


def text_of(file: Path | None) -> str:
    """What a file holds, or standard input. Raises ``Trouble``."""
    try:
        if file is None:
            octets = sys.stdin.buffer.read(MOST)
        else:
            with file.open("rb") as opened:
                octets = opened.read(MOST)
    except OSError as error:
        raise Trouble(REFUSED, f"{file} cannot be read: {error.strerror or error}") from error
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Trouble(REFUSED, f"{file or 'what came in'} is no text in UTF-8: {error}") from error


def warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        note(f"warning: {printable(warning)}")
