"""LIST with RECURSIVEMATCH against RFC 5258 §3.5 read word by word: each name beside every other."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.services.imapd import listing
from malleposte.services.imapd.listing import Entry
from malleposte.services.imapd.patterns import matcher
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap.commands.listing import List
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.limits import Limits

LEVELS = st.sampled_from(["a", "b", "ab"])
NAMES = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.text(alphabet="ab/%*", min_size=1, max_size=5)
LISTED = re.compile(rb'\* LIST \(([^)]*)\) "/" "([^"]*)"( \("CHILDINFO" \("SUBSCRIBED"\)\))?\r\n')


def box(number: int) -> Mailbox:
    return Mailbox(number, 0, "", None, 1, 1, False, 0, 1, 1, 0, 0, 0, 0, 1)


def above(name: str) -> list[str]:
    levels = name.split("/")
    return ["/".join(levels[:n]) for n in range(1, len(levels))]


@settings(deadline=None)
@given(
    there=st.sets(NAMES, max_size=8),
    subscribed=st.sets(NAMES, max_size=8),
    patterns=st.lists(PATTERNS, min_size=1, max_size=3),
)
def test_each_name_is_listed_for_its_reason(
    there: set[str], subscribed: set[str], patterns: list[str]
) -> None:
    there |= {parent for name in there for parent in above(name)}
    entries = [Entry(name, box(n), name in subscribed, None, False) for n, name in enumerate(there)]
    entries += [Entry(name, None, True, None, False) for name in subscribed - there]
    said = asyncio.run(_listed(entries, patterns))

    def matches(name: str) -> bool:
        return any(matcher("", pattern)(name) for pattern in patterns)

    expected: dict[str, bool] = {}
    parents = {parent for name in subscribed for parent in above(name)}
    for name in there | subscribed | parents:
        below = [other for other in subscribed if other.startswith(f"{name}/")]
        unlisted = [other for other in below if not matches(other)]
        if matches(name) and (name in subscribed or unlisted):
            expected[name] = bool(below)
    assert said == expected


async def _listed(entries: list[Entry], patterns: list[str]) -> dict[str, bool]:
    """Names that LIST (SUBSCRIBED RECURSIVEMATCH) names, once each, and whether with CHILDINFO."""
    sent: list[bytes] = []

    async def relieve() -> None:
        return None

    async def found(*_: Any, **how: Any) -> list[Entry]:
        return list(entries)

    session: Any = SimpleNamespace(
        engine=SimpleNamespace(utf8=False, rev2=True), relieve=relieve, send=sent.append
    )
    text = b'(SUBSCRIBED RECURSIVEMATCH) "" (%b)' % b" ".join(p.encode() for p in patterns)
    command = List.parse(Tag(b"a"), Reader(b" " + text, limits=Limits()))
    whole, listing.entries = listing.entries, found
    try:
        await listing.list_(session, command)
    finally:
        listing.entries = whole
    names: dict[str, bool] = {}
    for line in sent:
        match = LISTED.fullmatch(line)
        assert match is not None, line
        name = match[2].decode()
        assert name not in names, f"{name} twice"
        assert (b"\\NonExistent" in match[1]) == (name not in {e.name for e in entries if e.box})
        names[name] = bool(match[3])
    return names
