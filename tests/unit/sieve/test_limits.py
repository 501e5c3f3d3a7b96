"""Every limit is kept, and told in words; at its limit a script still works."""

import time
from dataclasses import replace

import pytest

from malleposte.sieve import (
    DEFAULT_LIMITS,
    Delivery,
    Keep,
    Limits,
    MimeMessage,
    Outcome,
    SieveError,
    compile_script,
)

MESSAGE = MimeMessage(b"Subject: " + b"a" * 60_000 + b"\r\n\r\n" + b"b" * 2_000_000)


def run(script: str, limits: Limits = DEFAULT_LIMITS) -> Outcome:
    return compile_script(script.encode(), limits=limits).run(MESSAGE, Delivery())


@pytest.mark.parametrize(
    ("limits", "fits", "too_much", "words"),
    [
        ({"script_bytes": 10}, "keep;", "keep; # and more", "at most 10"),
        ({"tokens": 4}, "keep; keep;", "keep; keep; keep;", "more than 4 words"),
        (
            {"nesting": 4},
            "if true { if true { keep; } }",
            "if true { if true { if true { if true { if true { keep; } } } } }",
            "more than 4 deep",
        ),
        ({"nesting": 4}, "if not not true { }", "if not not not not true { }", "more than 4 deep"),
        (
            {"variables": 2},
            'require "variables"; set "a" ""; set "b" ""; set "A" "";',
            'require "variables"; set "a" ""; set "b" ""; set "c" "";',
            "more than 2 variables",
        ),
        (
            {"regex_characters": 3},
            'require "regex"; if header :regex "a" "abc" { }',
            'require "regex"; if header :regex "a" "abcd" { }',
            "longer than 3",
        ),
        (
            {"regex_states": 6},
            'require "regex"; if header :regex "a" "a{5}" { }',
            'require "regex"; if header :regex "a" "a{6}" { }',
            "more than 6 states",
        ),
        (
            {"regex_states_in_all": 8},
            'require "regex"; if header :regex "a" ["abc", "abc"] { }',
            'require "regex"; if header :regex "a" ["abc", "abc", "a"] { }',
            "too large in all",
        ),
    ],
)
def test_limits_of_a_script(limits: dict[str, int], fits: str, too_much: str, words: str) -> None:
    small = replace(DEFAULT_LIMITS, **limits)
    compile_script(fits.encode(), limits=small)
    with pytest.raises(SieveError, match=words):
        compile_script(too_much.encode(), limits=small)


@pytest.mark.parametrize(
    ("limits", "fits", "too_much", "words"),
    [
        ({"redirects": 1}, 'redirect "a@b.c";', 'redirect "a@b.c"; redirect "d@b.c";', "1 addr"),
        (
            {"actions": 2},
            'require "fileinto"; fileinto "1"; fileinto "2"; fileinto "2";',
            'require "fileinto"; fileinto "1"; fileinto "2"; fileinto "3";',
            "more than 2 actions",
        ),
        (
            {"header_edits": 1},
            'require "editheader"; addheader "A" "b";',
            'require "editheader"; addheader "A" "b"; addheader "C" "d";',
            "more than 1 header",
        ),
        ({"steps": 4}, "keep; keep;", "keep; keep; keep; keep; keep;", "too much work"),
        (
            {"text_characters": 10},
            'require ["fileinto", "variables"]; set "a" "12345"; fileinto "${a}${a}";',
            'require ["fileinto", "variables"]; set "a" "12345"; fileinto "${a}${a}1";',
            "too long",
        ),
    ],
)
def test_limits_of_a_run(limits: dict[str, int], fits: str, too_much: str, words: str) -> None:
    small = replace(DEFAULT_LIMITS, **limits)
    assert run(fits, small).error is None
    outcome = run(too_much, small)
    assert outcome.error is not None
    assert words in outcome.error.text
    assert outcome.actions == (Keep(implicit=True),)


def test_a_value_that_is_too_long_is_cut() -> None:
    small = replace(DEFAULT_LIMITS, variable_characters=3)
    script = 'require ["fileinto", "variables"]; set "a" "12345"; fileinto "${a}";'
    (filed,) = run(script, small).actions
    assert filed.mailbox == "123"  # type: ignore[union-attr]


def test_only_so_many_mistakes_are_told() -> None:
    with pytest.raises(SieveError) as told:
        compile_script(b"foo;\n" * 100)
    assert len(told.value.mistakes) == DEFAULT_LIMITS.mistakes


def test_includes_are_counted() -> None:
    def chain(kept: bool, name: str) -> bytes:
        return f'require "include"; include "{int(name) + 1}";'.encode()

    outcome = compile_script(b'require "include"; include "1";', resolve=chain).run(
        MESSAGE, Delivery()
    )
    # What is too deep is wrong in the script that is too deep.
    assert outcome.error is not None
    assert outcome.error.script == "9"
    assert "10, line 1, column 20: scripts are included more than 10 deep" in outcome.error.text
    many = "".join(f'include "{n}";' for n in range(60))
    with pytest.raises(SieveError, match="more than 50 scripts"):
        compile_script(f'require "include"; {many}'.encode(), resolve=lambda k, n: b"keep;")


HOSTILE = {
    "expressions on a long body": 'require ["body", "regex"];'
    + 'if body :raw :regex "(b|bb|b*b*)*c" { stop; }' * 20,
    "groups": 'require ["variables", "regex"];'
    + 'if header :regex "subject" "(a*)(a*)(a*)(a*)(a|a*)*b?$" { }' * 20,
    "many wildcards": 'if header :matches "subject" "' + "*a?" * 500 + '*c" { }',
    "many wildcards, often": "if anyof ("
    + ",".join(['header :matches "subject" "*' + "a?" * 40 + 'c*"'] * 100)
    + ") { }",
    "many keys": 'require "body"; if body :raw :contains ['
    + ",".join(f'"{n}b"' for n in range(20_000))
    + "] { }",
    "doubled variables": 'require "variables"; set "a" "aaaaaaaa";'
    + 'set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";' * 500,
    "a wide reference": 'require ["variables", "fileinto"]; set "a" "'
    + "x" * 8_000
    + '"; if string :contains "'
    + "${a}" * 30
    + '" "y" { } fileinto "'
    + "${a}" * 10_000
    + '";',
    "expressions of variables": 'require ["variables", "regex"]; set "a" "(a|b)*";'
    + 'set "a" "${a}c"; if string :regex "aaaaaaaaaaaaaaaaaaaaaaaa" "${a}" { }' * 900,
    "tests in rows": "if anyof (" + ",".join(["false"] * 40_000) + ") { }",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scripts_end_soon(name: str) -> None:
    """Whatever a script asks of a message, it has an end: an answer, or a keep with an error."""
    started = time.process_time()
    try:
        outcome = run(HOSTILE[name])
    except SieveError:
        pytest.fail("it should run")
    assert time.process_time() - started < 3.0, "generous: a busy machine is slower"
    if outcome.error is not None:
        assert outcome.actions == (Keep(implicit=True),)
