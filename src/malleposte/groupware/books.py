"""Names of address books that somebody did not choose himself."""

from typing import Final

FIRST_BOOK: Final = "Contacts"
"""Of the address book that an account has from the first question on."""
DIRECTORY_NAME: Final = "Directory"
"""Of the directory of an organisation, shown as an address book."""
