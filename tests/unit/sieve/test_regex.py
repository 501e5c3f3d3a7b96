"""Regular expressions: beside Python's own where both mean the same, and POSIX's rule where not."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.sieve.regex import BadPattern, Regex, quoted
from malleposte.sieve.regex.charset import ascii_cases, exact, unicode_cases


def nothing(steps: int) -> None:
    """What is charged is tested with the limits."""


def find(pattern: str, text: str) -> list[str] | None:
    regex = Regex(pattern, exact, 2_000)
    places = regex.match(text, nothing)
    assert (places is not None) is regex.search(text, nothing), "both ways agree"
    return None if places is None else [text[a:b] if a >= 0 else "-" for a, b in places]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a|ab|abc", "xabcd", ["abc"]),
        ("(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "ab", "c", "d"]),
        ("(a+)(b|)", "xaab", ["aab", "aa", "b"]),
        ("a*", "baaa", [""]),
        ("x*$", "aax", ["x"]),
        ("^", "abc", [""]),
        ("$", "abc", [""]),
        ("^$", "", [""]),
        ("^$", "a", None),
        ("a^b", "a^b", None),
        ("(^a|b)c", "bc ac", ["bc", "b"]),
        ("(a*)*", "aab", ["aa", "aa"]),
        ("(a*)+b", "aab", ["aab", "aa"]),
        ("(|a)+b", "aab", ["aab", "a"]),
        ("((a)|b)*", "ab", ["ab", "b", "a"]),
        ("a{2}", "aaa", ["aa"]),
        ("a{2,}", "caaaa", ["aaaa"]),
        ("a{0}b", "ab", ["b"]),
        ("(ab){1,2}", "ababab", ["abab", "ab"]),
        ("a.c", "a\nc", ["a\nc"]),
        ("[]]", "]", ["]"]),
        ("[^]]+", "]ab]", ["ab"]),
        ("[a-c-]+", "x-b-d", ["-b-"]),
        ("[[:upper:][:digit:]]+", "abC3d", ["C3"]),
        ("[[.-.]x]+", "a-x", ["-x"]),
        ("[\\]+", "a\\b", ["\\"]),
        ("\\.\\*\\\\", "a.*\\", [".*\\"]),
        ("\\s\\S\\d\\D\\w\\W", " x1xx-", [" x1xx-"]),
        ("ä+", "xää", ["ää"]),
        ("(a)|(b)", "b", ["b", "-", "b"]),
    ],
)
def test_finds(pattern: str, text: str, found: list[str] | None) -> None:
    assert find(pattern, text) == found


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "not closed"),
        (")", "closes nothing"),
        ("[a", "not closed"),
        ("[z-a]", "ends before it begins"),
        ("[[:vowel:]]", "is no class"),
        ("[[.space.]]", "not one character"),
        ("*a", "repeats nothing"),
        ("a**", "stand in a row"),
        ("a{2,1}", "does not count"),
        ("a{300}", "does not count"),
        ("a{x}", r"write \\{"),
        ("(?:a)", "no meaning in POSIX"),
        ("a\\", "ends in a backslash"),
        ("(a)\\1", "back-reference"),
        ("\\bword", "no meaning here"),
        ("(" * 41 + ")" * 41, "more than 32 groups"),
        ("((((a{9}){9}){9}){9}){9}", "too large"),
    ],
)
def test_refused(pattern: str, words: str) -> None:
    with pytest.raises(BadPattern, match=words):
        Regex(pattern, exact, 2_000)


def test_cases() -> None:
    assert Regex("^grüße$", ascii_cases, 99).search("GRüßE", nothing)
    assert not Regex("^grüße$", ascii_cases, 99).search("GRÜßE", nothing)
    assert Regex("^grüße$", unicode_cases, 99).search("GRÜßE", nothing)
    assert Regex("^[a-z]+$", ascii_cases, 99).search("ABC", nothing)
    assert not Regex("[^a-z]", ascii_cases, 99).search("ABC", nothing)


patterns = st.recursive(
    st.sampled_from(["a", "b", "c", "[ab]", "[^a]", ".", "^", "$"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from("*+?")).map(lambda two: f"({two[0]}){two[1]}"),
        inner.map(lambda one: f"({one}){{1,3}}"),
    ),
    max_leaves=6,
)


@settings(deadline=None)  # Python's goes back and forth
@given(patterns, st.text("abc", max_size=8))
def test_the_same_as_pythons(pattern: str, text: str) -> None:
    """Whether there is a match, and where it begins; Python's may end sooner, never later."""
    try:
        regex = Regex(pattern, exact, 2_000)
    except BadPattern as bad:
        assert "groups" in str(bad) or "too large" in str(bad)  # noqa: PT017
        return
    theirs = re.compile(pattern.replace("$", r"\Z"), re.DOTALL).search(text)
    places = regex.match(text, nothing)
    assert regex.search(text, nothing) is (theirs is not None)
    if theirs is None:
        assert places is None
    else:
        assert places is not None
        start, end = places[0]
        assert start == theirs.start()
        longest = max(
            stop for stop in range(start, len(text) + 1) if _whole(pattern, text, start, stop)
        )
        assert end == longest


def _whole(pattern: str, text: str, start: int, stop: int) -> bool:
    """Whether the pattern can take exactly this piece of the text."""
    anchored = pattern.replace("$", r"(?!.)").replace("[^a]", "[b-c]")
    return re.compile(f"(?:{anchored})(?<=^.{{{stop}}})", re.DOTALL).match(text, start) is not None


@given(st.text(max_size=30), st.text(max_size=10))
def test_quoted_is_the_text_itself(text: str, around: str) -> None:
    regex = Regex(f"^{quoted(text)}$", exact, 2_000)
    assert regex.search(text, nothing)
    assert regex.search(text + around, nothing) is (not around)


@given(st.text("ab()[]{}*+?|^$.\\-,:1", max_size=25))
def test_any_pattern_is_one_or_is_refused(pattern: str) -> None:
    try:
        regex = Regex(pattern, ascii_cases, 200)
    except BadPattern:
        return
    assert (regex.match("abba", nothing) is not None) is regex.search("abba", nothing)


def test_time_is_linear_in_the_text() -> None:
    """Twice the text, about twice the time; the pattern kills engines that go back."""
    regex = Regex("(a|aa|a*)*b", exact, 2_000)
    assert not regex.search("a" * 1_000, nothing)  # its states are known from here on

    def seconds(size: int) -> float:
        started = time.process_time()
        assert not regex.search("a" * size, nothing)
        return time.process_time() - started

    small = min(seconds(100_000) for _ in range(3))
    assert min(seconds(400_000) for _ in range(3)) < 12 * small


def test_states_that_wait_for_nothing_are_charged() -> None:
    """An expression of 800 octets walked hundreds of them for each character: 8 s for a message."""
    left = 100_000

    def charge(steps: int) -> None:
        nonlocal left
        left -= steps

    text = "".join(map(chr, range(0x4E00, 0x4E00 + 2_000)))
    assert not Regex("$?" * 400 + "x", exact, 2_000).search(text, charge)
    assert left < 0
