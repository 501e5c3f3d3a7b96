"""Printers, scanners, programs: accounts that send, by password or from their own network."""

import ipaddress

import msgspec

from malleposte.directory.addresses import new_address
from malleposte.directory.senders import DEVICE
from malleposte.operations.accounts import AccountAdded, AddAccount, OfAccount, command_for
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.password_rules import check_password
from malleposte.operations.registry import Request, Response, operation
from malleposte.policy.audit import Detail
from malleposte.runtime.passwords_generate import readable_password
from malleposte.store.commands import SetNetworks
from malleposte.store.dialect import Reader
from malleposte.store.results import Created

WIDEST = {4: 16, 6: 48}
"""Shortest prefixes of a network: past them it is no office any more, but everybody."""
MAX_PAGE = 1_000


class AddDevice(OfAccount, frozen=True, kw_only=True):
    """``address``: its own, also the name to sign in with. ``password`` empty: it has none and sends by
    its network alone; ``generate``: make one. ``networks``: as in ``SetDeviceNetworks``."""

    name: str = ""
    password: str = ""
    generate: bool = False
    networks: tuple[str, ...] = ()

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"name": self.name, "networks": " ".join(self.networks) or None}


@operation("device.add", AddDevice, AccountAdded)
async def add(context: Context, request: AddDevice, progress: Progress) -> AccountAdded:
    """Make a device. Again: refused, the address is in use; nothing changes."""
    address = new_address(request.address)
    networks = tuple(map(parse_network, request.networks))
    if request.generate and request.password:
        raise invalid("give a password or have one generated, not both")
    password = readable_password() if request.generate else request.password
    if password and not request.generate:
        check_password(password, address)
    hashed = await context.passwords.hash(password) if password else ""
    plain = AddAccount(address=request.address, name=request.name)
    command = msgspec.structs.replace(
        command_for(context, address, plain, hashed), kind=DEVICE, networks=networks
    )
    created = accepted(await context.carry_out(command))
    assert isinstance(created, Created)
    shown = password if request.generate else ""
    return AccountAdded(id=created.id, address=address, password=shown)


class SetDeviceNetworks(OfAccount, frozen=True, kw_only=True):
    """``networks``: addresses and networks it sends from without a password, in place of those before."""

    networks: tuple[str, ...]

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"networks": " ".join(self.networks)}


class DeviceShown(Response, frozen=True, kw_only=True):
    """``senders``: addresses it may send from beside its own, with * where on behalf."""

    address: str
    name: str
    status: str
    password: bool
    networks: tuple[str, ...]
    senders: tuple[str, ...]


@operation("device.networks", SetDeviceNetworks, DeviceShown)
async def networks(context: Context, request: SetDeviceNetworks, progress: Progress) -> DeviceShown:
    """Set the networks of a device. Again: the same ones."""
    reader = context.store.reader
    wanted = tuple(map(parse_network, request.networks))
    device = await account_id(reader, request.address)
    accepted(await context.carry_out(SetNetworks(account=device, networks=wanted)))
    return await _shown(reader, device)


def parse_network(text: str) -> str:
    """An address or a network as the store keeps it. Raises ``OperationError``."""
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise invalid(
            f"{text!r} is no address or network such as 192.0.2.7 or 192.0.2.0/28: {error}"
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        raise invalid(f"{text}: write it as IPv4")
    if network.prefixlen < WIDEST[network.version]:
        raise refusal(
            "limit",
            f"{network} is too wide: whoever is in it could send in this server's name; name the device's "
            "own address",
        )
    if network.is_loopback or network.is_unspecified or network.is_multicast:
        raise refusal(
            "reserved",
            f"{network}: from there come this machine's own programs, and whatever a proxy or a container "
            "lets through; give the program a password",
        )
    return str(network)


class ListDevices(Request, frozen=True, kw_only=True):
    """All devices."""

    limit: int = MAX_PAGE


class Devices(Response, frozen=True, kw_only=True):
    """``more``: there are more than asked for."""

    devices: tuple[DeviceShown, ...]
    more: bool


@operation("device.list", ListDevices, Devices, audit="refused")
async def list_(context: Context, request: ListDevices, progress: Progress) -> Devices:
    """Devices in the order of their addresses."""
    reader = context.store.reader
    limit = max(1, min(request.limit, MAX_PAGE))
    rows = await reader.rows(
        "SELECT id FROM account WHERE kind = 'device' AND status <> 'deleted' ORDER BY address LIMIT $1",
        limit + 1,
    )
    found = [await _shown(reader, row[0]) for row in rows[:limit]]
    return Devices(devices=tuple(found), more=len(rows) > limit)


async def _shown(reader: Reader, device: int) -> DeviceShown:
    row = await reader.row(
        "SELECT address, name, status,"
        " EXISTS (SELECT 1 FROM credential c WHERE c.account = account.id AND c.kind = 'password')"
        " FROM account WHERE id = $1",
        device,
    )
    if row is None:
        raise refusal("no-such-account", "the device is gone")
    nets = await reader.rows(
        "SELECT network FROM device_network WHERE account = $1 ORDER BY network", device
    )
    rights = await reader.rows(
        "SELECT address, way FROM send_right WHERE account = $1 ORDER BY address", device
    )
    return DeviceShown(
        address=row[0],
        name=row[1],
        status=row[2],
        password=bool(row[3]),
        networks=tuple(one[0] for one in nets),
        senders=tuple(a if way == "as" else f"{a}*" for a, way in rights),
    )
