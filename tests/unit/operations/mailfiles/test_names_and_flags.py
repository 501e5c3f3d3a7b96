"""Folder names both ways, and flags both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.mime import last_values
from malleposte.operations.mailfiles import flag_letters
from malleposte.operations.mailfiles.folder_names import (
    MAX_FILE_NAME,
    fit,
    from_maildir,
    to_file,
    to_maildir,
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Sent", ".Sent"),
        ("Projets/Été", ".Projets.&AMk-t&AOk-"),
        ("a.b/c", ".a&AC4-b.c"),
        ("Tom & Jerry", ".Tom &- Jerry"),
        ("日本", ".&ZeVnLA-"),
    ],
)
def test_maildir_names(path: str, name: str) -> None:
    assert to_maildir(path) == name
    assert from_maildir(name) == path


LEVEL = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/"),
    min_size=1,
    max_size=20,
)


@given(levels=st.lists(LEVEL, min_size=1, max_size=3))
def test_maildir_names_come_back(levels: list[str]) -> None:
    path = "/".join(levels)
    name = to_maildir(path)
    assert "/" not in name
    if len(name) <= 100 and "&AC4-" not in path:
        assert from_maildir(name) == path


def test_names_too_long_for_a_file_stay_apart() -> None:
    names = {to_maildir("x" * 300 + end) for end in "abc"}
    assert len(names) == 3
    assert all(len(name.encode()) <= MAX_FILE_NAME for name in names)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("INBOX", "INBOX"),
        ("A/B", "A/B"),
        ("..", "_.."),
        ("a/../b", "a/_../b"),
        ('q"?*<>|:', "q_______"),
        ("-rf", "_-rf"),
    ],
)
def test_files_stay_in_their_folder(path: str, file: str) -> None:
    assert to_file(path) == file


@pytest.mark.parametrize(
    ("path", "fitting"),
    [
        ("A/B", "A/B"),
        ("A//B", "A/_/B"),
        (" a ", "a"),
        ("a\x00b\nc", "a_b_c"),
        ("e\u0301", "é"),
        ("a\u202egnp.exe", "a_gnp.exe"),
        ("x" * 300, "x" * 255),
        ("é" * 200, "é" * 127),
    ],
)
def test_names_are_made_to_fit(path: str, fitting: str) -> None:
    assert fit(path) == fitting


FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "$Forwarded")


@given(flags=st.sets(st.sampled_from(FLAGS)), words=st.sets(st.sampled_from(["Work", "$Label1"])))
def test_flags_survive_maildir_and_mbox(flags: set[str], words: set[str]) -> None:
    every = tuple(sorted(flags | words))
    letters = {"work": "a", "$label1": "b"}
    written = flag_letters.to_maildir(every, letters)
    assert "".join(sorted(written)) == written
    assert set(flag_letters.from_maildir(written, {"a": "Work", "b": "$Label1"})) == set(every)
    found = flag_letters.from_mbox(last_values(flag_letters.to_mbox(every)))
    assert found is not None
    assert {f.casefold() for f in found} == {f.casefold() for f in every}
