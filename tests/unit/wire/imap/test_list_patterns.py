"""Patterns of LIST: what they match, and that no pattern is dear."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.imap.list_patterns import ListPattern


@pytest.mark.parametrize(
    ("reference", "pattern", "name", "matches"),
    [
        ("", "*", "a/b", True),
        ("", "*", "", True),
        ("", "%", "a", True),
        ("", "%", "a/b", False),
        ("", "a/%", "a/b", True),
        ("", "a/%", "a/b/c", False),
        ("", "a/%", "a", False),
        ("", "a*", "a", True),
        ("", "%/%", "a/b", True),
        ("", "%/b", "a/b", True),
        ("", "*b", "a/b", True),
        ("", "%b", "a/b", False),
        ("", "a", "A", False),
        ("", "inbox", "INBOX", True),
        ("", "Inbox/%", "INBOX/x", True),
        ("", "ınbox", "INBOX", False),
        ("", "ınbox/%", "INBOX/x", False),
        ("", "", "", True),
        ("a/", "%", "a/b", True),
        ("inbox", "*", "INBOX/x", True),
        ("", "a.b", "axb", False),
        ("", "*%*", "a/b/c", True),
        ("", "ü%", "über", True),
    ],
)
def test_matches(reference: str, pattern: str, name: str, matches: bool) -> None:
    assert ListPattern(reference, pattern).matches(name) is matches


@given(
    st.text(st.sampled_from("ab/*%"), max_size=12),
    st.text(st.sampled_from("ab/"), max_size=12),
)
def test_against_a_regular_expression(pattern: str, name: str) -> None:
    wild = {"*": ".*", "%": "[^/]*"}
    expression = "".join(wild.get(char, re.escape(char)) for char in pattern)
    assert ListPattern("", pattern).matches(name) is bool(re.fullmatch(expression, name))


def test_a_pattern_that_would_blow_up_a_regular_expression() -> None:
    # 500 stars against 500 characters: a backtracking matcher does not end in a lifetime.
    assert not ListPattern("", "*a" * 500 + "b").matches("a" * 500)
    assert ListPattern("", "%a*" * 500).matches("a" * 500)
