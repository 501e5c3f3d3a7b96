"""The page for administrators of other servers says what is offered, and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from malleposte.wire.imap.capability import Offer, capabilities

_PAGE = Path(__file__).parents[3] / "docs" / "imap.md"
_ROW = re.compile(r"^\| (?P<when>[^|]+) \| (?P<names>[^|]+) \|$", re.MULTILINE)


def _named(when: str) -> set[str]:
    """Capabilities that the table has for clients before or after sign-in; values (`=52428800`) are no
    part of a name."""
    table = _PAGE.read_text("utf-8").partition("\n## Capabilities\n")[2].partition("\n## ")[0]
    found: set[str] = set()
    for row in _ROW.finditer(table):
        said = row["when"]
        if said == "always" or (said == "before sign-in") == (when == "before"):
            found.update(re.findall(r"[A-Z][A-Za-z0-9=+\-]+", row["names"]))
    return found


@pytest.mark.parametrize(
    ("when", "offer"),
    [
        ("before", Offer(secure=True, mechanisms=(b"PLAIN", b"LOGIN"))),
        ("before", Offer(starttls=True)),
        ("after", Offer(signed_in=True, append_limit=1, compress=True)),
    ],
)
def test_every_capability_stands_in_its_row(when: str, offer: Offer) -> None:
    offered = {re.sub(r"=\d+$", "", name.decode()) for name in capabilities(offer)}
    offered = {"I18NLEVEL=1" if name == "I18NLEVEL" else name for name in offered}
    assert offered - _named(when) == set()
