"""Rights on a mailbox as letters, and the two that are only spellings of others (RFC 4314 §2.1).

Inside, rights are the standard letters in the order of `LETTERS`. `c` and `d` of RFC 2086 exist on
the wire alone: read, they stand for their members; sent, they go along where any member is held
(§2.1.1). Of the two readings of RFC 2086 that §2.1.1 allows, `c` has the right to delete a mailbox.
"""

from __future__ import annotations

from typing import Final

LETTERS: Final = "lrswipkxtea"
"""Lookup, read, seen, write, insert, post, create, delete mailbox, delete messages, expunge,
administer."""

VIRTUAL: Final = {"c": "kx", "d": "te"}
"""The rights of RFC 2086 that were divided, and into what."""


def ordered(letters: str) -> str:
    """Each letter once, in the order of `LETTERS`."""
    return "".join(letter for letter in LETTERS if letter in letters)


def expanded(text: str) -> str | None:
    """The standard letters that a client's list stands for, in order; None where one is unknown."""
    found: set[str] = set()
    for letter in text:
        members = VIRTUAL.get(letter, letter)
        if not set(members) <= set(LETTERS):
            return None
        found.update(members)
    return ordered("".join(found))


def shown(letters: str) -> str:
    """Standard letters as they are sent: with `c` and `d` where a member is held."""
    letters = ordered(letters)
    virtual = [name for name, members in VIRTUAL.items() if any(m in letters for m in members)]
    return letters + "".join(virtual)
