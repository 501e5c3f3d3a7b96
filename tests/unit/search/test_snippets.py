"""Marks where a text was found: nothing of a message is markup, and no section is too long."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.search.folding import fold
from malleposte.search.needle import Needle
from malleposte.search.snippets import marked


@pytest.mark.parametrize(
    ("text", "needles", "found"),
    [
        ("Nothing of it", ["x"], None),
        ("Financial Report", ["report"], "Financial <mark>Report</mark>"),
        ("a <b> & c", ["b"], "a &lt;<mark>b</mark>&gt; &amp; c"),
        ("<script>", ["script"], "&lt;<mark>script</mark>&gt;"),
        ("Straße", ["strasse"], "<mark>Straße</mark>"),
        ("STRASSE", ["straße"], "<mark>STRASSE</mark>"),
        ("Cafe\u0301 au lait", ["café"], "<mark>Cafe\u0301</mark> au lait"),
        ("ﬁne", ["i"], "<mark>ﬁ</mark>ne"),
        ("aaaa", ["aa", "aaa"], "<mark>aaaa</mark>"),
        ("on  two \n lines", ["two"], "on <mark>two</mark> lines"),
        ("x", [""], None),
    ],
)
def test_a_short_text_with_what_was_looked_for(
    text: str, needles: list[str], found: str | None
) -> None:
    assert marked(text, [Needle(needle) for needle in needles]) == found


def test_a_phrase_is_no_part_of_a_word() -> None:
    needle = Needle("art show", words=True)
    assert marked("The smart show, an Art  Show", [needle]) == (
        "The smart show, an <mark>Art Show</mark>"
    )


ALPHABET = "abß<&>\"' \u0301éÉﬃ가"


@given(
    st.text(st.sampled_from(ALPHABET), max_size=30),
    st.text(st.sampled_from("abßé"), min_size=1, max_size=2),
)
def test_marks_stand_around_what_folds_to_the_needle(text: str, needle: str) -> None:
    shown = marked(text, [Needle(needle)])
    if shown is None:
        assert fold(needle) not in fold(" ".join(text.split()))
        return
    assert unescape(re.sub("</?mark>", "", shown)) == " ".join(text.split())
    for run in re.findall("<mark>(.*?)</mark>", shown):
        assert fold(needle) in fold(unescape(run))
