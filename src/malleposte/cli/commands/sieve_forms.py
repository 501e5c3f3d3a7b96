"""``malleposte sieve form …`` and ``malleposte sieve away``: the forms that become Sieve."""

import datetime
import zoneinfo
from pathlib import Path
from typing import Literal

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.commands.sieve import text_of, warn
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, note, printable, say
from malleposte.operations.sieve_forms import FormPut, FormShown, PutState, SetAway, ShowForm

Kind = Literal["vacation", "filters"]

form = App(name="form", help="The forms of an account: its reply while away, its filters.")


@form.command
def show(address: str, kind: Kind, /, *, script: bool = False, common: Common = DEFAULT) -> int:
    """Print a form as it is kept (JSON); its version goes to standard error.

    Parameters
    ----------
    address
        The account's address.
    kind
        Its reply while away, or its filters.
    script
        Print the Sieve made of it.
    """
    request = ShowForm(address=address, kind=kind)
    found = ask(common.configuration(), "form.show", request, FormShown)
    if common.json:
        as_json(found)
        return OK
    if not found.version:
        note("There is none.")
        return OK
    note(f"version {found.version}")
    for line in (found.script if script else found.state).splitlines():
        say(printable(line))
    return OK


@form.command
def put(
    address: str,
    kind: Kind,
    file: Path | None = None,
    /,
    *,
    version: int | None = None,
    common: Common = DEFAULT,
) -> int:
    """Keep a form. It runs at once; what the server does not know in it is kept as it is.

    Parameters
    ----------
    address
        The account's address.
    kind
        Its reply while away, or its filters.
    file
        Where the form is (JSON, as `show` prints it; nothing in it removes the form); left out: standard
        input.
    version
        That `show` printed: nothing is saved if somebody changed the form since.
    """
    request = PutState(address=address, kind=kind, state=text_of(file), version=version)
    return _done(ask(common.configuration(), "form.put", request, FormPut), common)


def away(
    address: str,
    /,
    *,
    text: Path | None = None,
    title: str | None = None,
    since: str | None = None,
    until: str | None = None,
    time_zone: str = "",
    days: int | None = None,
    also: list[str] | None = None,
    off: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Have an account answer while its user is away. What is not named stays as it was.

    Parameters
    ----------
    address
        The account's address.
    text
        A file with what the reply says.
    title
        The subject of the reply; '' for that of the message it answers.
    since
        From when, as 2026-12-24 or 2026-12-24T17:00; '' for at once.
    until
        Until when, likewise: the first moment without replies; '' for no end.
    time_zone
        Of these times, as Europe/Paris; left out: this machine's.
    days
        Days between two replies to one person.
    also
        Further addresses of the user, mail to which is answered.
    off
        Nobody is answered any more; the form is kept.
    """
    request = SetAway(
        address=address,
        on=not off,
        title=title,
        text=None if text is None else text_of(text),
        since=_moment(since, time_zone),
        until=_moment(until, time_zone),
        days=days,
        addresses=None if also is None else tuple(also),
    )
    return _done(ask(common.configuration(), "form.away", request, FormPut), common)


def _done(done: FormPut, common: Common) -> int:
    if common.json:
        as_json(done)
        return OK
    warn(done.warnings)
    state = "It runs." if done.runs else "Nothing runs of it."
    say(f"The form is kept (version {done.version}). {state}")
    return OK


def _moment(text: str | None, time_zone: str) -> int | None:
    """Unix seconds; None stays None, '' is 0. Raises ``Trouble``."""
    if not text:
        return None if text is None else 0
    try:
        when = datetime.datetime.fromisoformat(text)
        if when.tzinfo is None:
            zone = zoneinfo.ZoneInfo(time_zone) if time_zone else None
            when = when.replace(tzinfo=zone) if zone else when.astimezone()
        return int(when.timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise Trouble(USAGE, f"{text} is no time such as 2026-12-24T17:00: {error}") from error
    except zoneinfo.ZoneInfoNotFoundError as error:
        raise Trouble(USAGE, f"{time_zone} is no time zone such as Europe/Paris") from error
