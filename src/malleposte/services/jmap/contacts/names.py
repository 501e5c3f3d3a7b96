"""Names that the modules of this package share."""

from typing import Final

from malleposte.store.ids import id_number
from malleposte.store.read.contacts import ALL

CONTACTS: Final = "urn:ietf:params:jmap:contacts"
PERSON_LETTER: Final = "D"
GROUP_LETTER: Final = "G"
DIRECTORY_LETTER: Final = "O"
"""What the id of a directory begins with: as an account, and as the one address book in it."""
RIGHTS: Final = {"r": "mayRead", "w": "mayWrite", "s": "mayShare", "d": "mayDelete"}
"""Rights by letter (RFC 9610 §2)."""
READ_ONLY: Final = {name: letter == "r" for letter, name in RIGHTS.items()}


def rights(letters: str) -> dict[str, bool]:
    """Letters as an AddressBookRights object."""
    return {name: letter in letters for letter, name in RIGHTS.items()}


def letters_of(given: object) -> str | None:
    """The letters of an AddressBookRights object; None: it is none."""
    names = {name: letter for letter, name in RIGHTS.items()}
    if not isinstance(given, dict) or not given.keys() <= names.keys():
        return None
    if not all(isinstance(value, bool) for value in given.values()):
        return None
    chosen = {names[name] for name, value in given.items() if value}
    return "".join(letter for letter in ALL if letter in chosen)


def directory_text(organisation: int) -> str:
    """The id of an organisation's directory."""
    return f"{DIRECTORY_LETTER}{organisation:x}"


def directory_number(text: str) -> int:
    """The organisation of a directory; 0: it is none."""
    return id_number(DIRECTORY_LETTER, text)


def person_text(id_: int) -> str:
    """The id of an entry of a directory."""
    return f"{PERSON_LETTER}{id_:x}" if id_ > 0 else f"{GROUP_LETTER}{-id_:x}"


def person_number(text: str) -> int:
    """The entry of an id; 0: there can be none."""
    return id_number(PERSON_LETTER, text) or -id_number(GROUP_LETTER, text)
