"""BODY, TEXT and HEADER in messages of any shape: across folds, windows, encodings and frames."""

from __future__ import annotations

import base64
import quopri

import pytest

from malleposte.search import contents, folding
from malleposte.search import needle as needles
from malleposte.search.folding import fold, forms_of
from malleposte.search.headers import values_of
from malleposte.search.needle import Needle
from support.imap_client import ImapClient, Literal, Refused
from unit.services.imapd.harness import Served

CRLF = b"\r\n"


async def _filled(served: Served, *messages: bytes) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    for message in messages:
        await client.command(b"APPEND INBOX ", Literal(message))
    await client.command(b"SELECT INBOX")
    return client


async def _found(client: ImapClient, program: bytes, text: str) -> list[int]:
    answer = await client.command(b"SEARCH CHARSET UTF-8 " + program + b" ", Literal(text.encode()))
    return [int(number) for number in answer.untagged[-1].split()[2:]]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("two words", [1, 2, 3]),
        ("TWO WORDS here", [1, 2, 3]),
        ("x-long", [1, 2, 3, 4]),
        ("two  words", []),
        ("twowords", []),
        ("grüße aus", [4]),
        ("GRÜSSE AUS münchen", [4]),
        ("here x-next", []),
    ],
)
async def test_headers_as_they_are_folded(served: Served, text: str, hits: list[int]) -> None:
    client = await _filled(
        served,
        b"X-Long: two words here" + CRLF + b"X-Next: y" + CRLF + CRLF + b"body" + CRLF,
        b"X-Long: two" + CRLF + b" words here" + CRLF + b"X-Next: y" + CRLF + CRLF,
        b"X-Long: two" + CRLF + b"\twords" + CRLF + b" here" + CRLF + CRLF,
        b"X-Long: =?utf-8?q?Gr=C3=BC=C3=9Fe?="
        + CRLF
        + b" aus =?iso-8859-1?q?M=FCnchen?="
        + CRLF
        + CRLF,
    )
    assert await _found(client, b"TEXT", text) == hits
    assert await _found(client, b"BODY", text) == []
    if not text.startswith(("x", "here")):
        assert await _found(client, b"HEADER X-Long", text) == hits


def _parts() -> list[bytes]:
    """Texts of some 200 kB in each transfer encoding, the same in all, and one with another end."""
    line = "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. "
    text = (line * 3_000) + "Am Ende.\n" + "0123456789" * 30 + "\nSchluß"
    latin = text.encode("iso-8859-1").replace(b"\n", CRLF)
    utf8 = text.encode().replace(b"\n", CRLF)
    plain = utf8.replace("ö".encode(), b"oe").replace("ß".encode(), b"ss")
    quoted = quopri.encodestring(latin).replace(b"\r\n", b"\n").replace(b"\n", CRLF)
    coded = base64.encodebytes(utf8).replace(b"\n", CRLF)
    head = b"Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=%b\r\n"
    encoding = b"Content-Transfer-Encoding: %b\r\n\r\n"
    return [
        head % b"utf-8" + encoding % b"8bit" + utf8,
        head % b"iso-8859-1" + encoding % b"quoted-printable" + quoted,
        head % b"utf-8" + encoding % b"base64" + coded,
        head % b"utf-8" + encoding % b"8bit" + plain,
        head % b"utf-16"
        + encoding % b"base64"
        + base64.encodebytes(text.encode("utf-16")).replace(b"\n", CRLF),
    ]


@pytest.mark.parametrize("at_once", [64, 1_000, 64 * 1024])
async def test_long_texts_are_searched_through_windows(
    served: Served, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(contents, "AT_ONCE", at_once)
    client = await _filled(served, *_parts())
    assert await _found(client, b"BODY", "SCHLUSS") == [1, 2, 3, 4, 5]
    assert await _found(client, b"BODY", "zwölf") == [1, 2, 3, 5]
    assert await _found(client, b"BODY", "am ende.\r\n0123456789") == [1, 2, 3, 4, 5]
    assert await _found(client, b"BODY", "deich. am ende") == [1, 2, 3, 4, 5]
    assert await _found(client, b"BODY", "0123456789" * 30) == [1, 2, 3, 4, 5]
    assert await _found(client, b"BODY", "0123456789" * 31) == []
    assert await _found(client, b"TEXT", "viktor quer nicht") == []
    assert await _found(client, b"TEXT", "base64") == [3, 5]


async def test_every_one_of_thousands_of_parts_is_searched(served: Served) -> None:
    parts = [
        b"--cut\r\nContent-Type: text/plain; charset=utf-8\r\nX-Part: %d\r\n\r\nword%d\r\n" % (n, n)
        for n in range(3_000)
    ]
    message = (
        b"Subject: many\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n" + b"".join(parts) + b"--cut--\r\n"
    )
    client = await _filled(served, message, b"Subject: none" + CRLF + CRLF)
    assert await _found(client, b"BODY", "word0") == [1]
    assert await _found(client, b"BODY", "WORD2999") == [1]
    assert await _found(client, b"BODY", "word3000") == []
    # Headers of parts are no text of the body, but text of the message.
    assert await _found(client, b"BODY", "x-part: 2999") == []
    assert await _found(client, b"TEXT", "x-part: 2999") == [1]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (b"a", [b" first", b"second", b" third\r\n more"]),
        (b"a-b", [b" other"]),
        (b"subject", [b" a: not this"]),
        (b"last", [b""]),
        (b"not", []),
        (b"", []),
        (b"a:", []),
        (b"?", []),
    ],
)
def test_values_of_one_field(name: bytes, values: list[bytes]) -> None:
    header = (
        b"A: first\r\nSubject: a: not this\r\na:second\r\nA-B: other\r\nA \t: third\r\n more\r\n"
        b" a: nor this\r\nLast:"
    )
    found = values_of(header, name)
    assert [value.split(b"\r\n a: nor")[0] for value in found] == values
    assert values_of(header.replace(b"\r\n", b"\n"), name) == [
        value.replace(b"\r\n", b"\n") for value in found
    ]


def test_every_character_that_folds_to_ascii_is_known() -> None:
    known = set("".join(forms_of(chr(c)) for c in range(0x20, 0x7F)))
    for number in range(0x80, 0x110000):
        if 0xD800 <= number < 0xE000:
            continue
        character = chr(number)
        if any(c.isascii() and c.isprintable() for c in fold(character)):
            assert character in known, hex(number)
    assert not forms_of("")


@pytest.mark.parametrize(
    ("needle", "text", "holds"),
    [
        ("strasse", "Straße", True),
        ("straße", "STRASSE", True),
        ("office", "oﬃce", True),
        ("abc", "ａｂｃ", True),
        ("ａｂｃ", "abc", True),
        ("two words", "two\u00a0words", True),
        ("naive", "naïve", False),
        ("kelvin", "\u212aelvin", True),
        ("\t", "é\t", True),
        ("\t", "é", False),
        ("", "é", True),
        ("é", "E\u0301", True),
        ("a\r\nb", "A\nB", True),
    ],
)
async def test_what_a_person_takes_for_the_same(needle: str, text: str, holds: bool) -> None:
    assert await Needle(needle).in_text(text, _at_once) is holds
    # In a long text as well, wherever it is cut.
    text = "日本" * 800 + text + "ﷺ" * 1_500
    assert await Needle(needle).in_text(text, _at_once) is (holds or needle == "")


async def _at_once() -> None:
    pass


async def test_a_long_text_is_looked_through_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """192 kB of U+FDFA, which folds to eighteen characters, held the loop for 190 ms."""
    pauses = 0

    async def pause() -> None:
        nonlocal pauses
        pauses += 1

    assert not await Needle("صلي").in_text("ﷺ" * 64_000, pause)
    assert pauses >= 64_000 // folding.PIECE
    pauses = 0
    monkeypatch.setattr(needles, "LOWERED", 1_000)
    assert await Needle("xy").in_text("ﷺ" * 64_000 + "xy", pause)
    assert pauses >= 60


async def test_a_text_to_search_for_has_a_length(served: Served) -> None:
    client = await _filled(served, b"Subject: a" + CRLF + CRLF + b"b" * 2_000 + CRLF)
    assert await _found(client, b"BODY", "b" * 1_000) == [1]
    for program in (b"BODY", b"TEXT", b"SUBJECT", b"FROM", b"NOT OR SEEN HEADER X-Y"):
        with pytest.raises(Refused, match=r"\[LIMIT\] .* at most 1000 characters"):
            await _found(client, program, "ü" * 1_001)
