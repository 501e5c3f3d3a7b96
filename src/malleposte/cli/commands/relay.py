"""``malleposte relay …``."""

from pathlib import Path
from typing import Literal

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import DAMAGE, OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.cli.passwords import typed
from malleposte.operations.relays import (
    ListRelays,
    RelayRemoved,
    Relays,
    RelayShown,
    RelayTested,
    RemoveRelay,
    SetRelay,
    TestRelay,
)

relay = App(
    name="relay",
    help="Servers that mail goes by, for some recipients or senders (docs/sending.md).",
)


@relay.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List relays in the order in which they count."""
    found = ask(common.configuration(), "relay.list", ListRelays(), Relays)
    if common.json:
        as_json(found)
        return OK
    if found.relays:
        _table(found)
    else:
        say("There are no relays: mail goes to the servers of the recipients' domains.")
    if not found.sends:
        say("This server does not send (sending.enabled): what is queued rests.")
    return OK


def _table(found: Relays) -> None:
    table(
        ("mail", "goes by", "TLS", "signed in as"),
        [(_whose(one), _server(one), _tls(one), _user(one)) for one in found.relays],
    )


def _whose(one: RelayShown) -> str:
    if not one.kind:
        return "all the rest"
    return f"{one.kind} {one.name}"


def _server(one: RelayShown) -> str:
    if not one.host:
        return "the recipients' servers"
    host = f"[{one.host}]" if ":" in one.host else one.host
    return f"{host}:{one.port}"


def _tls(one: RelayShown) -> str:
    if not one.host or one.tls == "none":
        return "none" if one.host else ""
    return one.tls if one.verify else f"{one.tls}, not checked"


def _user(one: RelayShown) -> str:
    return f"{one.user}{'' if one.password else ' (no password)'}" if one.user else ""


@relay.command(name="set")
def set_(
    host: str,
    /,
    *,
    to: str = "",
    sender: str = "",
    port: int = 0,
    tls: Literal["starttls", "implicit", "none"] = "starttls",
    unchecked: bool = False,
    user: str = "",
    password_stdin: bool = False,
    password_file: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Have mail go by a server: to a domain, or of a sender. The recipient's domain counts before the
    sender's address, and that before his domain; sending.smart_host has all the rest.

    Parameters
    ----------
    host
        Its name or address; `-` for none: the servers that the recipients' domains name.
    to
        For mail to this domain.
    sender
        For mail from this address or domain.
    port
        Its port; 0 for the usual one (587, implicit 465, none 25).
    tls
        How it is encrypted; `none`: nobody signs in there beyond this machine.
    unchecked
        Do not look at its certificate: for a server of your own.
    user
        Name to sign in with there; its password is asked for.
    password_stdin
        Read the password from standard input.
    password_file
        Read the password from the first line of a file.
    """
    configuration = common.configuration()
    password = None
    if user:
        password = typed(f"password of {user}", stdin=password_stdin, file=password_file)
    request = SetRelay(
        to=to,
        sender=sender,
        host="" if host == "-" else host,
        port=port,
        tls=tls,
        verify=not unchecked,
        user=user,
        password=password,
    )
    done = ask(configuration, "relay.set", request, Relays)
    if common.json:
        as_json(done)
        return OK
    _table(done)
    if host != "-":
        say(f"Try it: malleposte relay test {'--to ' + to if to else '--sender ' + sender}")
    return OK


@relay.command
def remove(*, to: str = "", sender: str = "", common: Common = DEFAULT) -> int:
    """Remove a relay; what is queued for it goes another way.

    Parameters
    ----------
    to
        That for mail to this domain.
    sender
        That for mail from this address or domain.
    """
    request = RemoveRelay(to=to, sender=sender)
    done = ask(common.configuration(), "relay.remove", request, RelayRemoved)
    if common.json:
        as_json(done)
    else:
        say(f"The relay {'to' if to else 'from'} {done.name} was removed.")
    return OK


@relay.command(name="test")
def try_(*, to: str = "", sender: str = "", common: Common = DEFAULT) -> int:
    """Connect to a relay and sign in, as if a message were to leave; nothing is sent. Without either
    option: to the smart host.

    Parameters
    ----------
    to
        That for mail to this domain.
    sender
        That for mail from this address or domain.
    """
    # The process that answers may not be able to read the program's files any more.
    import malleposte.delivery.outbound.relays
    import malleposte.operations.zone.asking  # noqa: F401

    request = TestRelay(to=to, sender=sender)
    done = ask(common.configuration(), "relay.test", request, RelayTested)
    if common.json:
        as_json(done)
    elif done.works:
        say(f"It works: {done.words}")
    else:
        say(f"It does not work: {done.words}")
    return OK if done.works else DAMAGE
