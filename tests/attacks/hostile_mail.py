"""Reads `mime.txt`."""

from dataclasses import dataclass
from pathlib import Path

from attacks.live.wire import expand
from unit.wire.imap.conversation import unescape


@dataclass(frozen=True, slots=True)
class Hostile:
    """A message and how many parts there are in it."""

    name: str
    text: str
    parts: int

    def __str__(self) -> str:
        return self.name

    @property
    def octets(self) -> bytes:
        """The message."""
        return expand(unescape(self.text))


def hostile_mail() -> list[Hostile]:
    """All lines."""
    found = []
    for line in Path(__file__).with_name("mime.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, rest = line.split(" | ", 1)
        text, _, parts = rest.rpartition(" | ")
        found.append(Hostile(name.strip(), text, int(parts)))
    return found
