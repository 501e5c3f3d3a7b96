"""Addresses in the one form the directory keeps them in.

Local parts compare without case and in NFC (RFC 6531 §3.1 leaves it to the receiving side; people do
not tell ``Zoé`` from ``zoé`` apart); domains as lower-case A-labels. What follows a ``+`` is a
subaddress (RFC 5233): it names a folder or nothing, never another person.
"""

from functools import lru_cache

import idna

from malleposte.normal_form import normal

SEPARATOR = "+"
MAX_LOCAL = 64
MAX_ADDRESS = 254
"""RFC 5321 §4.5.3.1, in octets; RFC 3696 erratum 1690 for the whole."""


class BadAddressError(ValueError):
    """Not an address or domain that mail can have; the text says what is wrong with it."""


@lru_cache(maxsize=4096)
def normalise_domain(name: str) -> str:
    """A domain as lower-case A-labels. Raises ``BadAddressError``."""
    name = name.rstrip(".")
    if not name or len(name) > 253:
        raise BadAddressError(f"{name!r} is no domain name")
    try:
        ascii_name = (
            name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
        )
    except (idna.IDNAError, UnicodeError) as error:
        raise BadAddressError(f"{name!r} is no domain name: {error}") from error
    for label in ascii_name.split("."):
        good = label.replace("-", "").replace("_", "").isalnum()
        if not good or len(label) > 63 or label[0] == "-" or label[-1] == "-":
            raise BadAddressError(f"{name!r} is no domain name")
    return ascii_name


def new_domain(name: str) -> str:
    """``normalise_domain`` for a domain about to be made: stricter, so that mail can get there.

    RFC 5321 §2.3.5 leaves letters, digits and hyphens; a last label of digits alone is an IPv4 address
    (RFC 3696 §2). Raises ``BadAddressError``.
    """
    whole = normalise_domain(name)
    if "_" in whole:
        raise BadAddressError(f"{name!r} has an underscore, which no mail domain can have")
    if whole.rpartition(".")[2].isdigit():
        raise BadAddressError(f"{name!r} is no domain name: its last part is a number")
    return whole


def shown_domain(name: str) -> str:
    """A domain as people read it: U-labels where they can be made."""
    try:
        return idna.decode(name) if "xn--" in name else name
    except (idna.IDNAError, UnicodeError):
        return name


def shown_address(address: str) -> str:
    """An address as people read it: its domain by ``shown_domain``."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{shown_domain(domain)}"


def normalise_local(local: str) -> str:
    """A local part without case, in NFC. Raises ``BadAddressError``."""
    if len(local) > 2 * MAX_LOCAL:  # three characters compose to two octets at best
        raise BadAddressError(f"the part before @ has 1 to {MAX_LOCAL} octets")
    folded = normal("NFC", normal("NFC", local).casefold())
    if not folded or len(folded.encode("utf-8", "surrogatepass")) > MAX_LOCAL:
        raise BadAddressError(f"the part before @ has 1 to {MAX_LOCAL} octets")
    if any(
        c.isspace() or ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in folded
    ):
        raise BadAddressError("the part before @ has a space or control character")
    return folded


def normalise(address: str) -> str:
    """``local@domain`` in the kept form. Raises ``BadAddressError``."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        raise BadAddressError(f"{address!r} has no @")
    whole = f"{normalise_local(local)}@{normalise_domain(domain)}"
    if len(whole.encode()) > MAX_ADDRESS:
        raise BadAddressError(f"an address has at most {MAX_ADDRESS} octets")
    return whole


def new_address(address: str) -> str:
    """``normalise`` for an address about to be made: stricter, so that it works everywhere."""
    if address.strip().startswith(("*@", "@")):
        raise BadAddressError(
            "mail to addresses that are not in use goes to a catch-all: `malleposte domain catch-all`"
        )
    whole = normalise(address)
    local = whole.rpartition("@")[0]
    if local[0] == "." or local[-1] == "." or ".." in local:
        raise BadAddressError(
            "the part before @ cannot begin or end with a dot, nor have two in a row"
        )
    if any(c in '"(),:;<>@[\\]/%!|' for c in local):
        raise BadAddressError("the part before @ has a character other systems refuse")
    if SEPARATOR in local:
        raise BadAddressError("+ separates a subaddress: make the address without it")
    return whole


def split_subaddress(local: str) -> tuple[str, str]:
    """(user, detail) of a normalised local part; detail is '' without one."""
    user, separator, detail = local.partition(SEPARATOR)
    return (user, detail) if separator and user else (local, "")
