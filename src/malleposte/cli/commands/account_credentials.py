"""``malleposte account second-factor …``, ``app-passwords …``, ``sessions …``."""

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK, REFUSED, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, moment, say, table
from malleposte.directory.addresses import shown_address
from malleposte.operations.credentials import (
    AppPasswordMade,
    AppPasswords,
    ListAppPasswords,
    ListSessions,
    MakeAppPassword,
    RemoveAppPassword,
    Removed,
    ResetSecondFactor,
    RevokeSessions,
    SecondFactorReset,
    Sessions,
)

second_factor = App(name="second-factor", help="The second step of signing in: reset.")
app_passwords = App(name="app-passwords", help="Passwords for one program each: list, add, remove.")
sessions = App(name="sessions", help="Where an account is signed in on the web: list, revoke.")


@second_factor.command
def reset(address: str, /, *, common: Common = DEFAULT) -> int:
    """Ask for the password alone, for who has lost phone and recovery codes; passkeys go, sessions end.

    Parameters
    ----------
    address
        The account.
    """
    request = ResetSecondFactor(address=address)
    done = ask(common.configuration(), "account.reset-second-factor", request, SecondFactorReset)
    if common.json:
        as_json(done)
    elif done.was_on:
        say(f"{shown_address(done.address)} signs in with the password alone")
    else:
        say(f"{shown_address(done.address)} had no second step; its passkeys and sessions are gone")
    return OK


@app_passwords.command(name="list")
def list_app_passwords(address: str, /, *, common: Common = DEFAULT) -> int:
    """List the app passwords of an account, and when each was last used.

    Parameters
    ----------
    address
        The account.
    """
    request = ListAppPasswords(address=address)
    done = ask(common.configuration(), "account.app-passwords", request, AppPasswords)
    if common.json:
        as_json(done)
        return OK
    table(
        ("number", "label", "for", "made", "last used"),
        [
            (
                str(one.id),
                one.label,
                ", ".join(one.protocols),
                moment(one.created_at),
                moment(one.last_used_at) if one.last_used_at else "never",
            )
            for one in done.app_passwords
        ],
    )
    return OK


@app_passwords.command
def add(
    address: str, label: str, /, *, protocol: tuple[str, ...] = (), common: Common = DEFAULT
) -> int:
    """Make an app password, and show it once.

    Parameters
    ----------
    address
        The account.
    label
        What it is for, such as "Phone".
    protocol
        imap, pop3, smtp, sieve, jmap or dav; may be given several times. Without it: all of them.
    """
    request = MakeAppPassword(address=address, label=label, protocols=protocol)
    made = ask(common.configuration(), "account.add-app-password", request, AppPasswordMade)
    if common.json:
        as_json(made)
        return OK
    say(f"app password {made.id}, shown only now: {made.password}")
    return OK


@app_passwords.command
def remove(address: str, number: int, /, *, common: Common = DEFAULT) -> int:
    """Take an app password back.

    Parameters
    ----------
    address
        The account.
    number
        As `list` shows it.
    """
    request = RemoveAppPassword(address=address, id=number)
    done = ask(common.configuration(), "account.remove-app-password", request, Removed)
    if not done.count:
        raise Trouble(REFUSED, f"{shown_address(address)} has no app password {number}")
    if common.json:
        as_json(done)
    else:
        say(f"app password {number} signs in no more")
    return OK


@sessions.command(name="list")
def list_sessions(address: str, /, *, common: Common = DEFAULT) -> int:
    """List where an account is signed in on the web.

    Parameters
    ----------
    address
        The account.
    """
    request = ListSessions(address=address)
    done = ask(common.configuration(), "account.sessions", request, Sessions)
    if common.json:
        as_json(done)
        return OK
    table(
        ("session", "since", "used", "by", "from", "browser"),
        [
            (
                str(one.id),
                moment(one.created_at),
                moment(one.used_at),
                one.way,
                one.address,
                one.agent,
            )
            for one in done.sessions
        ],
    )
    return OK


@sessions.command
def revoke(address: str, /, *session: int, common: Common = DEFAULT) -> int:
    """End sessions of an account on the web; without numbers all of them.

    Parameters
    ----------
    address
        The account.
    session
        As `list` shows them.
    """
    request = RevokeSessions(address=address, ids=session)
    done = ask(common.configuration(), "account.revoke-sessions", request, Removed)
    if common.json:
        as_json(done)
    else:
        say(f"{done.count} {'session' if done.count == 1 else 'sessions'} ended")
    return OK
