"""``malleposte device …``."""

from cyclopts import App

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, NO_CHOICE, Common, NewPassword
from malleposte.cli.output import as_json, note, say, table
from malleposte.cli.passwords import chosen
from malleposte.directory.addresses import shown_address
from malleposte.operations.accounts import AccountAdded
from malleposte.operations.devices import (
    AddDevice,
    Devices,
    DeviceShown,
    ListDevices,
    SetDeviceNetworks,
)

device = App(
    name="device",
    help="Printers, scanners, programs: they send, by password or from their own network.",
)


@device.command
def add(
    address: str,
    /,
    *,
    name: str = "",
    network: tuple[str, ...] = (),
    password: NewPassword = NO_CHOICE,
    common: Common = DEFAULT,
) -> int:
    """Make a device. It sends from its own address, and from those given by `malleposte sendas give`.

    Parameters
    ----------
    address
        Its address, also the name to sign in with; bounces arrive there.
    name
        What it is.
    network
        An address or a network it sends from without a password; may be given several times.
    """
    configuration = common.configuration()
    secret, generate = chosen(password, address)
    request = AddDevice(
        address=address, name=name, password=secret, generate=generate, networks=network
    )
    made = ask(configuration, "device.add", request, AccountAdded)
    if common.json:
        as_json(made)
        return OK
    say(f"{shown_address(made.address)} was added")
    if made.password:
        say(f"its password: {made.password}")
    elif not secret and not network:
        note("it has neither a password nor a network: `malleposte device networks` sets one")
    return OK


@device.command
def networks(address: str, /, *network: str, common: Common = DEFAULT) -> int:
    """Set from where a device sends without a password; none: from nowhere.

    Parameters
    ----------
    address
        The device.
    network
        Addresses and networks, in place of those before.
    """
    request = SetDeviceNetworks(address=address, networks=network)
    done = ask(common.configuration(), "device.networks", request, DeviceShown)
    if common.json:
        as_json(done)
    else:
        where = ", ".join(done.networks) or "nowhere"
        say(f"{shown_address(done.address)} sends without a password from {where}")
    return OK


@device.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List devices: how each is known, and from which addresses it may send."""
    done = ask(common.configuration(), "device.list", ListDevices(), Devices)
    if common.json:
        as_json(done)
        return OK
    table(
        ("device", "name", "status", "password", "networks", "sends also from"),
        [
            (
                shown_address(one.address),
                one.name,
                one.status,
                "set" if one.password else "none",
                ", ".join(one.networks),
                ", ".join(map(shown_address, one.senders)),
            )
            for one in done.devices
        ],
    )
    return OK
