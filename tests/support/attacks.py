"""Attacks on the engines of SMTP, POP3 and ManageSieve, a line each in a text file:

    name | state | octets | what is said | what comes of it

`~` before a name: the octets mean what they do only when they come at once. `!` behind what is said: the
connection is closed then. `{3*ab}` is `ababab`. The last column is left out where nothing can come of it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from support.dialogues import Service, in_pieces, unescape


@dataclass(frozen=True)
class Attack:
    name: str
    state: str
    octets: bytes
    said: str
    closed: bool
    comes: str
    whole_only: bool

    @property
    def codes(self) -> list[int]:
        """Of SMTP's replies."""
        return [int(code) for code in self.said.split()]


S = TypeVar("S", bound=Service)
Test = Callable[[Attack], None]

_MOST_CUTS = 500
"""Octets of an attack that is cut in two everywhere."""


def expand(octets: bytes) -> bytes:
    """With what is to be repeated."""
    return re.sub(rb"\{(\d+)\*([^}]*)\}", lambda found: found[2] * int(found[1]), octets)


def read_attacks(path: Path, special: Callable[[bytes], bytes] = bytes) -> list[Attack]:
    """`special` puts in what only this protocol's attacks know."""
    return list(_read(path, special))


def _read(path: Path, special: Callable[[bytes], bytes]) -> Iterator[Attack]:
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, state, octets, said, *comes = (part.strip(" ") for part in line.split(" | "))
        yield Attack(
            name.lstrip("~"),
            state,
            special(expand(unescape(octets))),
            expand(said.encode()).decode().rstrip("!").strip("-"),
            said.endswith("!"),
            "".join(comes).strip("-"),
            name.startswith("~"),
        )


def every_way(
    attacks: list[Attack],
    prepare: Callable[[str], S],
    check: Callable[[Attack, S, bytes], None],
) -> tuple[Test, Test, Test]:
    """The same comes of an attack whole, an octet at a time, and cut in two everywhere."""
    any_way = [attack for attack in attacks if not attack.whole_only]
    short = [attack for attack in any_way if len(attack.octets) < _MOST_CUTS]

    def whole(attack: Attack) -> None:
        service = prepare(attack.state)
        check(attack, service, service.feed(attack.octets))

    def slowly(attack: Attack) -> None:
        service = prepare(attack.state)
        check(attack, service, service.feed_slowly(attack.octets))

    def cut(attack: Attack) -> None:
        for at in range(1, len(attack.octets)):
            service = prepare(attack.state)
            said = b"".join(service.feed(piece) for piece in in_pieces(attack.octets, [at]))
            check(attack, service, said)

    def each(chosen: list[Attack], test: Test) -> Test:
        mark = pytest.mark.parametrize("attack", chosen, ids=[attack.name for attack in chosen])
        marked: Test = mark(test)
        return marked

    return each(attacks, whole), each(any_way, slowly), each(short, cut)
