"""Mailbox names between wire and inside, in both spellings, and which may be created."""

from __future__ import annotations

import pytest

from malleposte.wire.imap.mailbox_names import canonical, from_wire, to_wire, unfit


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("inbox", "INBOX"),
        ("InBox/Sub", "INBOX/Sub"),
        ("inboxes", "inboxes"),
        ("a/inbox", "a/inbox"),
        ("", ""),
        ("inbo", "inbo"),
        ("ınbox", "ınbox"),  # U+0131: its upper case is I
        ("ınbox/Sub", "ınbox/Sub"),
    ],
)
def test_inbox_in_any_case(given: str, name: str) -> None:
    assert canonical(given) == name


def test_spelling_follows_the_session() -> None:
    assert from_wire(b"Entw&APw-rfe", utf8=False) == "Entwürfe"
    assert from_wire(b"Entw&APw-rfe", utf8=True) == "Entw&APw-rfe"
    assert from_wire("Entwürfe".encode(), utf8=True) == "Entwürfe"
    assert from_wire("Entwürfe".encode(), utf8=False) == "Entwürfe"
    assert from_wire(b"\xff", utf8=True) is None
    assert from_wire(b"\xff", utf8=False) is None
    assert to_wire("Entwürfe", utf8=False) == b"Entw&APw-rfe"
    assert to_wire("Entwürfe", utf8=True) == "Entwürfe".encode()
    assert to_wire("\ud800", utf8=True) == b"?"


@pytest.mark.parametrize(
    "name",
    ["Work", "a/b/c", "Éléments envoyés", "[Gmail]", "a.b", "~", "a b", "א\u200eb\u200f", "ınbox"],
)
def test_fit_to_be_created(name: str) -> None:
    assert unfit(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a//b", "/a", "a/", " ", "a/ /b", ".", "a/../b", "%", "a*"),
        *("a\x00", "a\nb", "a\r", "\x7f", "\x85", "\u2028", "\u2029", "\ufeffa", "\ud800"),
        *(f"a{turn}b" for turn in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    ],
)
def test_unfit_to_be_created(name: str) -> None:
    assert unfit(name)
