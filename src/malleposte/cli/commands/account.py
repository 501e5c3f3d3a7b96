"""``malleposte account …``."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from malleposte.cli import account_list
from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.commands.account_credentials import app_passwords, second_factor, sessions
from malleposte.cli.exit_codes import LEFT_OUT, OK, REFUSED, USAGE, Trouble
from malleposte.cli.options import (
    DEFAULT,
    NO_CHOICE,
    NO_OTHER,
    Common,
    NewPassword,
    OtherPassword,
)
from malleposte.cli.output import as_json, moment, note, say, size, table
from malleposte.cli.passwords import chosen
from malleposte.cli.sizes import octets
from malleposte.directory.addresses import shown_address
from malleposte.operations.accounts import (
    AccountAdded,
    AccountPage,
    AccountRemoved,
    AccountStatus,
    AddAccount,
    ChangeAccount,
    ChangePassword,
    DisableAccount,
    EnableAccount,
    ListAccounts,
    OneAccount,
    PasswordChanged,
    RemoveAccount,
    ShowAccount,
)
from malleposte.operations.finding import AccountShown

account = App(name="account", help="Accounts: people, shared mailboxes, resources.")
for _part in (second_factor, app_passwords, sessions):
    account.command(_part)


@account.command
def add(
    address: str | None = None,
    /,
    *,
    name: str = "",
    quota: str | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
    role: str = "",
    kind: Literal["person", "shared", "resource"] = "person",
    from_file: Annotated[Path | None, Parameter(name="--from", allow_leading_hyphen=True)] = None,
    password: NewPassword = NO_CHOICE,
    common: Common = DEFAULT,
) -> int:
    """Make an account, or with --from many.

    Parameters
    ----------
    address
        Its address, also the name to sign in with.
    name
        The person's name.
    quota
        Space, such as "20 GB"; 0 for no limit. Without it: the configuration's.
    locale
        Language of what the server writes to them: en, fr …
    time_zone
        Such as Europe/Paris.
    role
        owner, administrator, helpdesk, auditor or reviewer.
    kind
        person, shared (a mailbox of several people) or resource (a room, a car); the latter two are
        seen below "Shared Folders" by those they are shared with.
    from_file
        A list: one address a line, or CSV with a first line that names its columns (address, name,
        password, quota, locale, time_zone, role). "-" is standard input. Accounts without a password
        get none, or with --generate one each.
    """
    if (address is None) == (from_file is None):
        raise Trouble(USAGE, "give an address, or a list of them with --from")
    if from_file is not None:
        return _add_many(from_file, password, quota, locale, common)
    assert address is not None
    configuration = common.configuration()
    secret, generate = chosen(password, address)
    request = AddAccount(
        address=address,
        name=name,
        password=secret,
        generate=generate,
        quota=None if quota is None else octets(quota),
        locale=locale,
        time_zone=time_zone,
        role=role,
        kind=kind,
    )
    done = ask(configuration, "account.add", request, AccountAdded)
    if common.json:
        as_json(done)
        return OK
    say(f"{shown_address(done.address)} was added")
    if done.password:
        say(f"its password: {done.password}")
    elif not secret:
        note("it has no password: `malleposte account passwd` sets one")
    return OK


def _add_many(
    path: Path, password: NewPassword, quota: str | None, locale: str, common: Common
) -> int:
    if password.password_stdin or password.password_file is not None:
        raise Trouble(USAGE, "with --from passwords come from the list, or from --generate")
    defaults = account_list.Defaults(
        generate=password.generate, quota=None if quota is None else octets(quota), locale=locale
    )
    wanted = account_list.read(path, defaults)
    outcomes = account_list.add(common.configuration(), wanted, quiet=common.json)
    if common.json:
        as_json({"accounts": outcomes})
    else:
        for one in outcomes:
            if one.password:
                say(f"{one.address}\t{one.password}")
            if one.outcome == "refused":
                note(f"line {one.line}: {one.address}: {one.text}")
        counts = {k: sum(o.outcome == k for o in outcomes) for k in ("made", "there", "refused")}
        note(
            f"{counts['made']:,} made, {counts['there']:,} were there, {counts['refused']:,} refused"
        )
    return LEFT_OUT if any(one.outcome == "refused" for one in outcomes) else OK


@account.command(name="list")
def list_(*, domain: str = "", common: Common = DEFAULT) -> int:
    """List accounts.

    Parameters
    ----------
    domain
        Only those in this domain.
    """

    async def all_of_them(caller: Caller) -> list[AccountShown]:
        found: list[AccountShown] = []
        while True:
            request = ListAccounts(after=found[-1].address if found else "", domain=domain)
            page = await caller.call("account.list", request, AccountPage)
            found += page.accounts
            if not page.more:
                return found

    found = run(common.configuration(), all_of_them)
    if common.json:
        as_json({"accounts": found})
        return OK
    table(
        ("address", "name", "status", "messages", "used", "quota", "roles"),
        [
            (
                shown_address(one.address),
                one.name,
                one.status if one.password else f"{one.status}, no password",
                f"{one.emails:,}",
                size(one.used),
                size(one.quota) if one.quota else "no limit",
                ", ".join(one.roles),
            )
            for one in found
        ],
        right=(3, 4, 5),
    )
    return OK


@account.command
def show(address: str, /, *, common: Common = DEFAULT) -> int:
    """Show one account.

    Parameters
    ----------
    address
        Its address.
    """
    request = ShowAccount(address=address)
    done = ask(common.configuration(), "account.show", request, OneAccount)
    return _shown(done.account, common)


def _shown(one: AccountShown, common: Common) -> int:
    if common.json:
        as_json(one)
        return OK
    table(
        ("", shown_address(one.address)),
        [
            ("name", one.name),
            ("kind", one.kind),
            ("status", one.status),
            ("password", "set" if one.password else "none: nobody can sign in"),
            ("second step", "asked for" if one.second_step else "no"),
            ("app passwords", f"{one.app_passwords}"),
            ("passkeys", f"{one.passkeys}"),
            ("roles", ", ".join(one.roles)),
            ("aliases", ", ".join(map(shown_address, one.aliases))),
            ("messages", f"{one.emails:,}"),
            ("used", size(one.used)),
            ("quota", size(one.quota) if one.quota else "no limit"),
            ("language", one.locale),
            ("time zone", one.time_zone),
            ("mail", "inside its organisation only" if one.internal else "from and to everybody"),
            ("forwarded", "yes: `malleposte forward list`" if one.forwards else "no"),
            ("since", moment(one.created_at)),
        ],
    )
    return OK


@account.command(name="set")
def set_(
    address: str,
    /,
    *,
    name: str | None = None,
    quota: str | None = None,
    locale: str | None = None,
    time_zone: str | None = None,
    internal: bool | None = None,
    common: Common = DEFAULT,
) -> int:
    """Change an account's settings; what is not named stays.

    Parameters
    ----------
    address
        The account.
    name
        The person's name.
    quota
        Space, such as "20 GB"; 0 for no limit.
    locale
        Language of what the server writes to them.
    time_zone
        Such as Europe/Paris.
    internal
        Mail from and to its own organisation only; --no-internal ends that.
    """
    if all(one is None for one in (name, quota, locale, time_zone, internal)):
        words = "nothing to change: give --name, --quota, --locale, --time-zone or --internal"
        raise Trouble(USAGE, words)
    request = ChangeAccount(
        address=address,
        name=name,
        quota=None if quota is None else octets(quota),
        locale=locale,
        time_zone=time_zone,
        internal=internal,
    )
    done = ask(common.configuration(), "account.set", request, OneAccount)
    return _shown(done.account, common)


@account.command
def passwd(address: str, /, *, password: OtherPassword = NO_OTHER, common: Common = DEFAULT) -> int:
    """Replace an account's password; the old one signs in no more.

    Parameters
    ----------
    address
        The account.
    """
    configuration = common.configuration()
    secret, generate = chosen(password, address)
    request = ChangePassword(address=address, password=secret, generate=generate)
    done = ask(configuration, "account.passwd", request, PasswordChanged)
    if common.json:
        as_json(done)
        return OK
    say(f"the password of {shown_address(done.address)} was changed")
    if done.password:
        say(f"it is: {done.password}")
    if done.others:
        words = (
            "app password or passkey goes" if done.others == 1 else "app passwords and passkeys go"
        )
        note(
            f"{done.others} {words} on signing in: `malleposte account app-passwords list {address}`,"
        )
        note(f"and `malleposte account second-factor reset {address}` for passkeys")
    return OK


@account.command
def disable(address: str, /, *, common: Common = DEFAULT) -> int:
    """Suspend an account: nobody signs in to it, its mail still arrives, what it has in the queue is held.

    Parameters
    ----------
    address
        The account.
    """
    request = DisableAccount(address=address)
    done = ask(common.configuration(), "account.disable", request, AccountStatus)
    _status_told(done, common)
    if done.held and not common.json:
        say(f"{_held(done)}; after enabling it, `malleposte queue release --sender {address}`")
    return OK


@account.command
def enable(address: str, /, *, common: Common = DEFAULT) -> int:
    """Undo disable.

    Parameters
    ----------
    address
        The account.
    """
    request = EnableAccount(address=address)
    done = ask(common.configuration(), "account.enable", request, AccountStatus)
    _status_told(done, common)
    if done.held and not common.json:
        say(f"{_held(done)}: `malleposte queue release --sender {address}` sends it")
    return OK


def _held(done: AccountStatus) -> str:
    copies = "copy" if done.held == 1 else "copies"
    return f"{done.held:,} {copies} of its mail to others {'is' if done.held == 1 else 'are'} held"


def _status_told(done: OneAccount, common: Common) -> int:
    if common.json:
        as_json(done.account)
    else:
        say(f"{shown_address(done.account.address)} is {done.account.status}")
    return OK


@account.command
def delete(
    address: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Delete an account with its aliases and all its mail.

    Parameters
    ----------
    address
        The account.
    yes
        Do not ask.
    """
    configuration = common.configuration()
    if not yes:
        _confirm(address)
    request = RemoveAccount(address=address)
    done = ask(configuration, "account.delete", request, AccountRemoved)
    if common.json:
        as_json(done)
    else:
        say(
            f"{shown_address(done.address)} was deleted; its {done.emails:,} messages are being removed"
        )
    return OK


def _confirm(address: str) -> None:
    if not sys.stdin.isatty():
        raise Trouble(USAGE, f"to delete {address} and all its mail, add --yes")
    print(
        f"This deletes {address} and all its mail. Type the address to go on: ", end="", flush=True
    )
    if sys.stdin.readline().strip() != address:
        raise Trouble(REFUSED, "nothing was deleted")
