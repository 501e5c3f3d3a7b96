"""URLs are taken apart strictly: what is doubtful is refused."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.egress.url import joined_url, parsed_url

POLICY = EgressPolicy()


@pytest.mark.parametrize(
    ("url", "shown", "target"),
    [
        ("https://example.org", "https://example.org/", "/"),
        ("HTTP://Example.ORG:80/a?b=c#d", "http://example.org/a?b=c", "/a?b=c"),
        ("http://example.org:443/", "http://example.org:443/", "/"),
        (
            "https://bücher.example/ä b?q=é",
            "https://xn--bcher-kva.example/",
            "/%C3%A4%20b?q=%C3%A9",
        ),
        ("https://example.org./", "https://example.org/", "/"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/", "/"),
        ("https://[2606:4700:0:0::1]:80", "https://[2606:4700::1]:80/", "/"),
        ("https://1.1.1.1/a%20b%2F", "https://1.1.1.1/a%20b%2F", "/a%20b%2F"),
        ("https://_mta-sts.example.org/..", "https://_mta-sts.example.org/..", "/.."),
        (' https://example.org/"<>^`{|} ', "https://example.org/", "/%22%3C%3E%5E%60%7B%7C%7D"),
    ],
)
def test_good(url: str, shown: str, target: str) -> None:
    parsed = parsed_url(url, POLICY)
    assert str(parsed).startswith(shown)
    assert parsed.target == target


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "only https and http addresses are fetched"),
        ("file:///etc/passwd", "only https and http"),
        ("gopher://example.org/", "only https and http"),
        ("//example.org/", "only https and http"),
        ("javascript:alert(1)", "only https and http"),
        ("https://", "name is not valid"),
        ("https:///path", "name is not valid"),
        ("https://user:password@example.org/", "has a user name in it"),
        ("https://@example.org/", "has a user name in it"),
        ("https://example.org:25/", "port 25 is not one"),
        ("https://example.org:0/", "port 0 is not one"),
        ("https://example.org:99999/", "not a web address"),
        ("https://example.org:x/", "not a web address"),
        ("https://[::1/", "not a web address"),
        ("https://[fe80::1%25eth0]/", "name is not valid"),
        ("https://example.org\\@evil.example/", "control characters or backslashes"),
        ("https://example.org/\r\nHost: evil", "control characters or backslashes"),
        ("https://exam\tple.org/", "control characters or backslashes"),
        ("https://exa mple.org/", "name is not valid"),
        ("https://a..b/", "name is not valid"),
        ("https://-a.example/", "name is not valid"),
        ("https://" + "a" * 64 + ".example/", "name is not valid"),
        ("https://" + "a." * 130 + "example/", "name is not valid"),
        ("https://ex%61mple.org/", "name is not valid"),
        ("https://\ud800.example/", "name is not valid"),
        ("https://example.org/" + "a" * 9000, "longer than"),
    ],
)
def test_refused(url: str, words: str) -> None:
    with pytest.raises(EgressError, match=re.escape(words)) as caught:
        parsed_url(url, POLICY)
    assert caught.value.kind == "refused"
    assert not caught.value.temporary


def test_plain_http_can_be_left_out() -> None:
    with pytest.raises(EgressError, match="only https addresses"):
        parsed_url("http://example.org/", EgressPolicy(plain_http=False))


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://example.org/b"),
        ("b?c#d", "https://example.org/x/b?c"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example", "https://other.example/"),
        ("", "https://example.org/x/a"),
    ],
)
def test_redirects_are_joined(location: str, url: str) -> None:
    base = parsed_url("https://example.org/x/a", POLICY)
    assert str(joined_url(base, location, POLICY)) == url


@pytest.mark.parametrize(
    "location",
    ["http://example.org/", "ftp://a/", "https://u@a/", "/\r\nX: y", "https://[", "/" * 9000],
)
def test_bad_redirects_are_refused(location: str) -> None:
    with pytest.raises(EgressError):
        joined_url(parsed_url("https://example.org/", POLICY), location, POLICY)


@given(st.text() | st.text(alphabet="htps:/@[]%\\#?.a0é \n").map(lambda text: "https://" + text))
def test_whatever_comes_is_clean_or_refused(text: str) -> None:
    with contextlib.suppress(EgressError):
        url = parsed_url(text, POLICY)
        assert re.fullmatch(r"[!-~]+", url.target)
        assert re.fullmatch(r"[a-z0-9_.:-]+", url.host)
        assert url == parsed_url(str(url), POLICY), "a second reading says the same"
        with contextlib.suppress(EgressError):
            joined_url(url, text, POLICY)
