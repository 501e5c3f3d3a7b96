"""LIST patterns: what they match, against the plain definition, and in bounded time."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from malleposte.services.imapd.patterns import matcher


def _by_definition(pattern: str, name: str) -> bool:
    """RFC 9051 §6.3.9, written down: try every length a wildcard may stand for."""
    if not pattern:
        return not name
    if pattern[0] in "*%":
        for n in range(len(name) + 1):
            if pattern[0] == "%" and "/" in name[:n]:
                break
            if _by_definition(pattern[1:], name[n:]):
                return True
        return False
    return bool(name) and name[0] == pattern[0] and _by_definition(pattern[1:], name[1:])


@given(st.text("ab/*%", max_size=7), st.text("ab/", max_size=8))
def test_as_defined(pattern: str, name: str) -> None:
    assert matcher("", pattern)(name) is _by_definition(pattern, name)


def test_inbox_in_any_case() -> None:
    for pattern in ("inbox", "Inb*", "%BOX", "*", "in%x"):
        assert matcher("", pattern)("INBOX"), pattern
    assert matcher("", "inbox/%")("INBOX/sub")
    assert not matcher("", "sent")("Sent")
    assert not matcher("", "inbo")("INBOX")
    for pattern in ("ınbox", "ınb*", "%ı%"):  # U+0131, whose upper case is I
        assert not matcher("", pattern)("INBOX"), pattern


def test_wildcards_on_end_cost_no_more_than_they_are_long() -> None:
    """What a backtracking matcher would take years for must come back at once."""
    pattern = "*a" * 500 + "b"
    begun = time.perf_counter()
    assert not matcher("", pattern)("a" * 5_000)
    assert time.perf_counter() - begun < 5
