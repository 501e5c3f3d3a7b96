"""Where a script sends mail on to, read from it without running it."""

import pytest

from malleposte.sieve import redirections


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("keep;", []),
        ('redirect "a@b.example"; redirect "a@b.example";', [("a@b.example", False)]),
        (
            'require "copy"; if true { if false { REDIRECT :copy "a@b.example"; } }'
            ' else { redirect "c@d.example"; }',
            [("a@b.example", True), ("c@d.example", False)],
        ),
        ('require "variables"; redirect "${x}@b.example";', [("${x}@b.example", False)]),
        ('# redirect "a@b.example";\nkeep; fileinto "redirect";', []),
        ('redirect "a@b.example"', []),
        ('redirect "a\\"@b.example";', [('a"@b.example', False)]),
    ],
)
def test_what_is_found(script: str, expected: list[tuple[str, bool]]) -> None:
    assert [tuple(one) for one in redirections(script.encode())] == expected


def test_octets_that_are_no_script_have_none() -> None:
    assert redirections(b"\xff\xfe redirect") == ()
    assert redirections(b"if true {" * 5_000) == ()
