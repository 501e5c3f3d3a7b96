"""Text out of HTML in slices: the same as at once, and what is shown of tags besides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.mime import html_text as module
from malleposte.mime.html_text import html_text, html_text_slices

PIECES = [
    "a",
    "Zoë ",
    "&amp;",
    "&#228;",
    "&",
    "<b>",
    "</b>",
    "<p>",
    "<br/>",
    "<!-- x -->",
    "<!--",
    "<",
]
PIECES += ["<style>s</style>", "<style>", "<a href='>'>", '<td class="', '"', ">", "\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_slices_are_the_whole(html: str) -> None:
    assert "".join(html_text_slices(html)) == html_text(html)


@pytest.mark.parametrize("text", ["x&auml;y " * 9_000, "&amp;" * 9_000, "x" * 50_000])
def test_a_long_run_of_text_is_cut_beside_its_references(text: str) -> None:
    slices = list(html_text_slices(f"<p>{text}</p>"))
    assert "".join(slices) == html_text(f"<p>{text}</p>")
    assert max(map(len, slices)) <= module.LONG


def test_many_tags_are_several_slices() -> None:
    html = "<p>word</p>" * 2_000
    slices = list(html_text_slices(html))
    assert len(slices) > 5
    assert "".join(slices).split() == ["word"] * 2_000


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<img src="x" alt="A red kite">flies', "A red kite flies"),
        ("in<abbr title='So on'>etc.</abbr>", "in So on etc."),
        ('<IMG ALT="&lt;big&gt;">', "<big>"),
        ('<img data-alt="no" alt = "yes">', "yes"),
        ("<title>not shown</title>", ""),
        ('<p alt="', ""),
    ],
)
def test_what_tags_show_are_words_of_their_own(html: str, words: str) -> None:
    assert " ".join("".join(html_text_slices(html)).split()) == words
