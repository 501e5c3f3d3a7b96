"""Parameters, RFC 2231 included, and the fields that carry them."""

from __future__ import annotations

import pytest

from malleposte.mime.content import content_disposition, content_type
from malleposte.mime.limits import PARAMETERS
from malleposte.mime.parameters import parameters


def texts(value: bytes) -> dict[str, str]:
    return {parameter.name: parameter.text for parameter in parameters(value)}


def raws(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(parameter.raw_name, parameter.raw) for parameter in parameters(value)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"; charset=utf-8", {"charset": "utf-8"}),
        (b"; CHARSET = utf-8 ; a=b", {"charset": "utf-8", "a": "b"}),
        (b'; name="a \\"b\\" \\\\c"', {"name": 'a "b" \\c'}),
        (b'; name="fol\r\n ded"', {"name": "fol ded"}),
        (b"; name=two words.txt", {"name": "two words.txt"}),
        (b"; a=b (comment; c=d)", {"a": "b"}),
        (b"; a=b\r\n c=d", {"a": "b", "c": "d"}),
        (b'; name="not closed', {"name": "not closed"}),
        (b"; name=\xe4.txt", {"name": "ä.txt"}),
        ("; name=ä.txt".encode(), {"name": "ä.txt"}),
        (b'; name="=?utf-8?Q?=C3=A4?="', {"name": "ä"}),
        (b";;; =x; a; b=", {}),
        (b'; a=""', {"a": ""}),
        (b"; a=1; a=2", {"a": "1"}),
    ],
)
def test_parameters_as_they_come(value: bytes, found: dict[str, str]) -> None:
    assert texts(value) == found


@pytest.mark.parametrize(
    ("value", "text", "raw"),
    [
        (b"; n*=utf-8''%C3%A4%20b", "ä b", (b"n*", b"utf-8''%C3%A4%20b")),
        (b"; n*0=a; n*1=b", "ab", (b"n", b"ab")),
        (b"; n*1=b; n*0=a", "ab", (b"n", b"ab")),
        (b"; n*0*=utf-8''%C3; n*1*=%A4; n*2=%", "ä%", (b"n*", b"utf-8''%C3%A4%25")),
        # A gap, a duplicate, no charset, a charset that is none.
        (b"; n*0=a; n*2=c", "ac", (b"n", b"ac")),
        (b"; n*0=a; n*0=b", "a", (b"n", b"a")),
        (b"; n*=plain", "plain", (b"n*", b"''plain")),
        (b"; n*=''%E4", "ä", (b"n*", b"''%E4")),
        (b"; n*=nonsense''%E4", "ä", (b"n*", b"nonsense''%E4")),
        # With both forms the extended one counts (RFC 6266 §4.3 has the reason).
        (b"; n=old; n*=utf-8''new", "new", (b"n*", b"utf-8''new")),
        (b"; n*=\"utf-8''%C3%A4\"", "ä", (b"n*", b"utf-8''%C3%A4")),
        (b"; n*0*=iso-8859-1''%E4; n*1*=iso-8859-1''b", "äb", (b"n*", b"iso-8859-1''%E4b")),
    ],
)
def test_rfc_2231(value: bytes, text: str, raw: tuple[bytes, bytes]) -> None:
    assert texts(value) == {"n": text}
    assert raws(value) == [raw]


def test_the_language_is_kept() -> None:
    (parameter,) = parameters(b"; title*=us-ascii'en-us'This")
    assert (parameter.text, parameter.language) == ("This", "en-us")


def test_the_number_of_parameters_is_bounded() -> None:
    many = b"".join(b"; a%d=x" % number for number in range(1_000))
    assert len(parameters(many)) == PARAMETERS
    assert len(parameters(many + b"; (")) == PARAMETERS


@pytest.mark.parametrize(
    ("value", "media"),
    [
        (b" Text/HTML ; charset=x", ("text", "html")),
        (b"text (c) / (d) plain", ("text", "plain")),
        (b"text", ("text", None)),
        (b"text/", ("text", None)),
        (b"application/vnd.x+json", ("application", "vnd.x+json")),
    ],
)
def test_content_type(value: bytes, media: tuple[str, str | None]) -> None:
    found = content_type(value)
    assert found is not None
    assert (found.type, found.subtype) == media


@pytest.mark.parametrize("value", [b"", b" ", b";", b"/plain", b"(c)", b"; charset=utf-8"])
def test_no_content_type(value: bytes) -> None:
    assert content_type(value) is None


def test_content_disposition() -> None:
    found = content_disposition(b' Attachment; filename="a.txt"; size=7')
    assert found is not None
    assert (found.type, found.get("filename"), found.get("size")) == ("attachment", "a.txt", "7")
    assert found.get("none") is None
    assert content_disposition(b'; filename="a.txt"') is None
