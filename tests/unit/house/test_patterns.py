r"""Patterns that the Python of Debian 12 gets wrong.

In Python before 3.11.5 a group repeated possessively keeps what an inner repeat took in the round that
failed (gh-106052 in its change log): ``(?:ab?c)*+`` takes three octets of ``aca``. Right everywhere is a
group whose round fails at its first octet, or of which nothing can follow what it took. An atomic group,
``(?>(?:ab?c)*)``, would be right too, but keeps 100 octets for each round, and hostile mail has millions.
"""

import re
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).resolve().parents[3] / "src/malleposte").rglob("*.py"))
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9,]+\})\+")
LOOKED_AT = {
    "address.py": 1,  # the second way fails at its first octet but at the end
    "contents.py": 1,  # as headers
    "envelope_first.py": 2,  # the same
    "envelope_read.py": 1,  # the same
    "headers.py": 2,  # fails before the inner repeat begins
    "html_text.py": 1,  # what an open quote took ends the text: nothing can follow either way
    "lexer.py": 1,  # a string, as in addresses
    "parameters.py": 2,  # white space that would be taken too much is skipped next; a string
    "text_list.py": 1,  # its second way begins anew, and fails at its first octet
    "url.py": 1,  # a list of characters, no pattern
}
"""How many lines of a file have such a group, each looked at."""


@pytest.mark.parametrize(
    ("text", "found"),
    [(r"(a)*+", True), (r"(a){2,}+", True), (r"\)*+", False), (r"(?>(a)*)b++", False)],
)
def test_such_a_group_is_recognised(text: str, found: bool) -> None:
    assert bool(POSSESSIVE_GROUP.search(text)) is found


def test_each_group_repeated_possessively_was_looked_at() -> None:
    found: dict[str, int] = {}
    for path in SOURCES:
        for line in path.read_text("utf-8").splitlines():
            if POSSESSIVE_GROUP.search(line):
                found[path.name] = found.get(path.name, 0) + 1
    assert found == LOOKED_AT
