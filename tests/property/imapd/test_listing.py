"""LIST with RECURSIVEMATCH against RFC 5258 §3.5 read word by word: each name beside every other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.services.imapd import listed, listing
from malleposte.services.imapd.patterns import matcher
from malleposte.store.read import mailboxes, outlines, sharers
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap.commands.listing import List
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.limits import Limits

LEVELS = st.sampled_from(["a", "b", "ab"])
NAMES = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.text(alphabet="ab/%*", min_size=1, max_size=5)
LISTED = re.compile(rb'\* LIST \(([^)]*)\) "/" "([^"]*)"( \("CHILDINFO" \("SUBSCRIBED"\)\))?\r\n')


ACCOUNT = 1


def boxes(there: set[str], subscribed: set[str]) -> dict[int, Mailbox]:
    """Mailboxes of these names."""
    ids = {name: ACCOUNT << 32 | n for n, name in enumerate(sorted(there), 1)}
    found: dict[int, Mailbox] = {}
    for name, one in ids.items():
        above, _, last = name.rpartition("/")
        on = name in subscribed
        found[one] = Mailbox(
            one, ids.get(above, 0), last, None, 1, 1, on, 0, 1, 1, 0, 0, 0, 0, 1, name
        )
    return found


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
    said = asyncio.run(_listed(boxes(there, subscribed), sorted(subscribed - there), patterns))

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


async def _listed(
    found: dict[int, Mailbox], gone: list[str], patterns: list[str]
) -> dict[str, bool]:
    """Names that LIST (SUBSCRIBED RECURSIVEMATCH) names, once each, and whether with CHILDINFO."""
    sent: list[bytes] = []

    async def nothing(*_: Any) -> list[Any]:
        return []

    async def own(*_: Any) -> list[Any]:
        return [
            (b.id, b.parent, b.name, b.role, b.subscribed, b.sort_order) for b in found.values()
        ]

    async def whole(_: Any, ids: list[int]) -> dict[int, Mailbox]:
        return {one: found[one] for one in ids}

    async def subscriptions(_: Any, __: int, after: str) -> list[str]:
        return [name for name in gone if name > after]

    async def reading(work: Awaitable[Any]) -> Any:
        return await work

    session: Any = SimpleNamespace(
        engine=SimpleNamespace(utf8=False, rev2=True),
        service=SimpleNamespace(store=SimpleNamespace(reader=None)),
        actor=ACCOUNT,
        relieve=nothing,
        give_way=nothing,
        reading=reading,
        send=sent.append,
    )
    text = b'(SUBSCRIBED RECURSIVEMATCH) "" (%b)' % b" ".join(p.encode() for p in patterns)
    command = List.parse(Tag(b"a"), Reader(b" " + text, limits=Limits()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlines, "own", own)
        patch.setattr(outlines, "whole", whole)
        patch.setattr(sharers, "sharing", nothing)
        patch.setattr(mailboxes, "some_subscriptions", subscriptions)
        patch.setattr(listed, "AT_ONCE", 2)
        await listing.list_(session, command)
    names: dict[str, bool] = {}
    for line in sent:
        match = LISTED.fullmatch(line)
        assert match is not None, line
        name = match[2].decode()
        assert name not in names, f"{name} twice"
        assert (b"\\NonExistent" in match[1]) == (name not in {box.path for box in found.values()})
        names[name] = bool(match[3])
    return names
