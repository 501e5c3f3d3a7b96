"""The page for administrators of other servers says what is offered, when, and where it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from malleposte.node.config_protocols import Imap
from malleposte.services.imapd import searching, service, watching
from malleposte.store import flags
from malleposte.store.execute import full_names, listed_names, mailboxes
from malleposte.store.read import annotations as entries
from malleposte.wire.imap import Limits
from malleposte.wire.imap.capability import Offer, capabilities

_PAGE = Path(__file__).parents[3] / "docs" / "imap.md"
_ROW = re.compile(r"^\| (?P<when>[^|]+) \| (?P<names>[^|]+) \|$", re.MULTILINE)


def _section(title: str) -> str:
    return _PAGE.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _named(when: str) -> set[str]:
    """Capabilities that the table has for clients before or after sign-in; values (`=52428800`) are no
    part of a name."""
    table = _section("Capabilities")
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


IMAP, WIRE = Imap(), Limits()


@pytest.mark.parametrize(
    ("limit", "figures"),
    [
        ("sessions of an account", [IMAP.connections_per_account]),
        ("connections from one address", [IMAP.connections_per_address]),
        ("a message in APPEND", [f"{IMAP.max_append // 1000**2} MB"]),
        ("a command without its literals", [f"{IMAP.max_line // 1000} kB"]),
        ("a literal in other commands", [f"{IMAP.max_literal // 1000} kB"]),
        ("numbers in a set", [WIRE.set_members]),
        ("keys in a search", [WIRE.search_keys, WIRE.search_depth]),
        ("a text that is searched for", [searching.TEXT_CHARACTERS, searching.CONTENT_KEYS]),
        (
            "keywords beside the well-known flags",
            [flags.MAX_KEYWORDS_EMAIL, flags.MAX_KEYWORDS_ACCOUNT, flags.MAX_KEYWORD_LENGTH],
        ),
        (
            "entries of METADATA",
            [
                f"{entries.MAX_VALUE // 1024} KiB",
                entries.MAX_ENTRIES,
                f"{entries.MAX_OCTETS // 1024**2} MiB",
            ],
        ),
        (
            "full names of mailboxes",
            [full_names.MAX_PATH, f"{full_names.MAX_OCTETS // 1000**2} million"],
        ),
        ("names subscribed to", [listed_names.MAX_NAMES, listed_names.MOST_BROUGHT]),
        ("changes of rights", [service.CHANGES_OF_RIGHTS]),
        ("silence after sign-in", [f"{IMAP.idle_timeout // 60} minutes"]),
        ("NOTIFY", [WIRE.notify_mailboxes, WIRE.notify_groups, watching.TOLD_AT_ONCE]),
    ],
)
def test_the_limits_are_those_of_the_program(limit: str, figures: list[int | str]) -> None:
    (row,) = re.findall(rf"^\| {limit}[^|]* \| (.*) \| [^|]* \|$", _section("Limits"), re.MULTILINE)
    for figure in figures:
        words = f"{figure:,}" if isinstance(figure, int) else figure
        assert re.search(rf"(?<![0-9,]){words}(?![0-9,]*[0-9])", row), f"{words} is not in: {row}"


def test_the_bounds_of_names_are_those_of_the_program() -> None:
    assert (
        f"{mailboxes.MAX_DEPTH} levels of {mailboxes.MAX_NAME} octets each,"
        f" and {full_names.MAX_PATH:,} in all" in _section("Names")
    )
    assert f"{mailboxes.MAX_MAILBOXES:,} mailboxes of an account" in _section("Names")
