"""Previews, and the text of HTML that they are made of."""

from __future__ import annotations

import pytest

from malleposte.mime import body_lists, parse, preview
from malleposte.mime.html_text import html_text


def of(data: bytes) -> str:
    return preview(data, body_lists(parse(data)))


HTML = b"Content-Type: text/html; charset=utf-8\n\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\nHello,\r\n\r\n  world!\t\r\n", "Hello, world!"),
        (b"\n> quoted\nown\n>> more\n", "own"),
        (b"\n> only\n> quoted\n", "> only > quoted"),
        (b"\n", ""),
        (b"", ""),
        (b"\na\0b\x07c", "ab c"),
        (b"Content-Type: image/png\n\nx", ""),
        (HTML + b"<style>p {}</style><p>Hello <b>w</b>orld</p><p>!</p>", "Hello world !"),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n"
            b"--b\nContent-Type: text/plain\n\nplain\n"
            b"--b\nContent-Type: text/html\n\n<p>html\n--b--",
            "plain",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n \n--b\n\nsecond\n--b--",
            "second",
        ),
        (
            b"Content-Type: text/plain; charset=iso-8859-1\n"
            b"Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =\nan alle",
            "Grüße an alle",
        ),
    ],
)
def test_what_is_shown(data: bytes, text: str) -> None:
    assert of(data) == text


def test_it_is_cut_between_characters() -> None:
    assert of(b"\n" + b"word " * 1_000) == ("word " * 52)[:256].rstrip()
    long = "€".encode() * 5_000
    assert of(b"\n" + long) == "€" * 256
    few = b"\n" + b" " * 4_090 + "€€€€".encode()
    assert of(few) == "€€"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a &lt;b&gt; &amp; &#65;&nbsp;c", "a <b> & A\xa0c"),
        ("<p>a<br>b</p>c", "\na\nb\nc"),
        ("in<b>lin</b>e", "inline"),
        ("<a href='x>y' title=\"a>b\">c</a>", "c"),
        ("a<!-- x > y -->b", "ab"),
        ("a<!doctype html>b<?pi?>c", "abc"),
        ("<title>t</title><SCRIPT>if (a<b) {}</Script >c", "\n\nc"),
        ("a < b", "a < b"),
        ("<style/>a", "\na"),
        ("</style>a", "\na"),
        # Left open: nothing is lost that could be text.
        ("a<!-- b", "a b"),
        ("a<p b", "a\n"),
        ("<script>a", "\na"),
        ("<a href='b>c</a>d", "cd"),
    ],
)
def test_the_text_of_html(html: str, text: str) -> None:
    assert html_text(html) == text


def test_enough_is_enough() -> None:
    assert len(html_text("<p>word</p>" * 1_000, enough=100)) < 300
