"""From where an envelope may come: of who signed in, and of devices that are known by their network."""

from malleposte.delivery.verdict import Verdict
from malleposte.directory.book import Account, Book
from malleposte.directory.senders import DEVICE, Senders, Way


async def refusal(senders: Senders, account: Account, path: str) -> Verdict | None:
    """Why an account may not send from an address ('' the null one), None where it may."""
    if not path or await senders.way(account.id, path) is not Way.NOT:
        return None
    return Verdict(553, "5.7.1", f"{account.address} may not send as <{path}>")


async def device_for(
    book: Book, senders: Senders, devices: tuple[int, ...], path: str
) -> Account | None:
    """The first of a network's devices that may send from an address."""
    for number in devices if path else ():
        account = await book.account(number)
        if account is None or account.kind != DEVICE or account.status != "active":
            continue
        if await senders.way(number, path) is not Way.NOT:
            return account
    return None


def no_device(path: str) -> Verdict:
    """Nobody signed in, and no device of the network may use the address."""
    words = f"No device of your network may send as <{path}>; sign in, or ask your administrator"
    return Verdict(550, "5.7.1", words)
