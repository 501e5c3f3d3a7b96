"""Contacts (RFC 9610): address books and cards, one's own, shared ones, and the directory."""

from typing import Any, Final

from malleposte.services.jmap.contacts import (
    book_get,
    book_set,
    card_copy,
    card_get,
    card_query,
    card_set,
)
from malleposte.services.jmap.contacts.accounts import accounts
from malleposte.services.jmap.contacts.names import CONTACTS
from malleposte.services.jmap.context import Method
from malleposte.store.commands.contacts import MAX_PLACES

__all__ = ["CONTACTS", "METHODS", "accounts", "capability"]


def capability(*, creates: bool = True) -> dict[str, Any]:
    """Of an account (RFC 9610 §1.4.1)."""
    return {"maxAddressBooksPerCard": MAX_PLACES, "mayCreateAddressBook": creates}


METHODS: Final[dict[str, Method]] = (
    book_get.METHODS
    | book_set.METHODS
    | card_get.METHODS
    | card_query.METHODS
    | card_set.METHODS
    | card_copy.METHODS
)
