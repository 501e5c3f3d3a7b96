"""Sharing between accounts, as people name it: an account's mailboxes to others, and a grantee."""

from typing import Final

from malleposte.directory.addresses import shown_address
from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found

SEPARATOR: Final = "/"
OTHERS: Final = "Other Users"
SHARED: Final = "Shared Folders"
"""First levels of others' mailboxes; English on the wire, as the names of the standard mailboxes."""
ANYONE: Final = "anyone"
"""Everybody of the owner's organisation (RFC 4314 §2)."""


def root_of(kind: str) -> str:
    """The namespace of an account of a kind (person, shared, resource)."""
    return OTHERS if kind == "person" else SHARED


def under_root(name: str) -> bool:
    """Whether a mailbox's full name begins as those of others' mailboxes do."""
    return name.startswith((OTHERS, SHARED)) and name.partition(SEPARATOR)[0] in (OTHERS, SHARED)


def parted(name: str) -> tuple[str, str, str]:
    """Root, owner and the rest of such a name; the latter two may be empty."""
    root, _, below = name.partition(SEPARATOR)
    owner, _, rest = below.partition(SEPARATOR)
    return root, owner, rest


def owner_shown(kind: str, address: str) -> str:
    """The name under which others see an account, which is that of its INBOX."""
    return f"{root_of(kind)}{SEPARATOR}{shown_address(address)}"


async def grantee(book: Book, identifier: str, owner: int) -> Account | None:
    """The account of the owner's organisation that a mail address means, an alias also; None: nobody
    there, or several."""
    account = await book.sign_in_name(identifier) or await _behind(book, identifier)
    of = await book.account(owner)
    if account is None or of is None or account.organisation != of.organisation:
        return None
    return account


async def _behind(book: Book, identifier: str) -> Account | None:
    """The one account that an alias reaches."""
    local, at, domain = identifier.strip().rpartition("@")
    if not at:
        return None
    reached = await book.resolve(local, domain)
    alone = len(reached.owners) == 1 and not reached.remotes and not reached.detail
    if reached.found is not Found.HERE or reached.system or not alone:
        return None
    return await book.account(reached.owners[0])
