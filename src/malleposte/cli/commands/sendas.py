"""``malleposte sendas …``."""

from typing import Literal

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, moment, say, table
from malleposte.directory.addresses import shown_address
from malleposte.operations.sending import (
    GiveSendRight,
    ListSendRights,
    SendRightChanged,
    SendRights,
    TakeSendRight,
)

sendas = App(name="sendas", help="Who may send from an address that is not their own.")

_WAYS = {"as": "in its name", "behalf": "on its behalf"}


@sendas.command
def give(address: str, who: str, /, *, on_behalf: bool = False, common: Common = DEFAULT) -> int:
    """Let an account send from an address.

    Parameters
    ----------
    address
        The address that stands in From: of an account or an alias.
    who
        The account that may.
    on_behalf
        Its own address stands in Sender ("Ada on behalf of the boss"), and each message in the audit.
        Without it: in the name of the address, and nothing shows who wrote it.
    """
    way: Literal["as", "behalf"] = "behalf" if on_behalf else "as"
    request = GiveSendRight(address=address, who=who, way=way)
    done = ask(common.configuration(), "sendas.give", request, SendRightChanged)
    if common.json:
        as_json(done)
    else:
        say(f"{shown_address(done.who)} may send from {shown_address(done.address)}, {_WAYS[way]}")
    return OK


@sendas.command
def take(address: str, who: str, /, *, common: Common = DEFAULT) -> int:
    """Take the right away.

    Parameters
    ----------
    address
        The address.
    who
        The account that may not any more.
    """
    request = TakeSendRight(address=address, who=who)
    done = ask(common.configuration(), "sendas.take", request, SendRightChanged)
    if common.json:
        as_json(done)
    else:
        words = "sends no more from" if done.changed else "had no right to send from"
        say(f"{shown_address(done.who)} {words} {shown_address(done.address)}")
    return OK


@sendas.command(name="list")
def list_(*, address: str = "", who: str = "", common: Common = DEFAULT) -> int:
    """List rights.

    Parameters
    ----------
    address
        Only those on this address.
    who
        Only those of this account.
    """
    request = ListSendRights(address=address, who=who)
    done = ask(common.configuration(), "sendas.list", request, SendRights)
    if common.json:
        as_json(done)
        return OK
    table(
        ("address", "who may", "how", "since", "given by"),
        [
            (
                shown_address(one.address),
                shown_address(one.who),
                _WAYS.get(one.way, one.way),
                moment(one.at),
                one.by,
            )
            for one in done.rights
        ],
    )
    if done.more:
        say("There are more; name an address or an account.")
    return OK
