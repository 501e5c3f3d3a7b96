"""Where mail is to go on to, by what an operator types."""

from dataclasses import dataclass

from malleposte.directory.addresses import normalise
from malleposte.directory.routes import domain_of
from malleposte.operations.errors import refusal
from malleposte.store.dialect import Reader


@dataclass(frozen=True, slots=True)
class Destination:
    """``kind`` as in the directory (primary, alias, group, relayed …), '' at another server; ``account``
    of a primary address, else 0. ``address`` by the name of the domain that has it."""

    address: str
    kind: str = ""
    account: int = 0

    @property
    def outside(self) -> bool:
        """Whether it is at another server."""
        return not self.kind


async def destination(reader: Reader, typed: str) -> Destination:
    """What an address means. Raises ``OperationError`` for one of ours that is not in use, and
    ``BadAddressError``."""
    whole = normalise(typed)
    local, _, name = whole.rpartition("@")
    domain = await domain_of(reader, name)
    if domain is None:
        return Destination(whole)
    address = f"{local}@{domain.name}"
    row = await reader.row(
        "SELECT p.kind, a.id FROM address p LEFT JOIN account a ON a.address = p.address"
        " WHERE p.address = $1",
        address,
    )
    if row is None or row[0] == "catch-all":
        raise refusal("no-such-account", f"there is no address {whole} here")
    return Destination(address, row[0], row[1] or 0)


async def shown_of(reader: Reader, account: int) -> str:
    """The address of an account, '' for 0."""
    row = await reader.row("SELECT address FROM account WHERE id = $1", account)
    return str(row[0]) if row is not None else ""
