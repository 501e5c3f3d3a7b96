"""Charsets by a closed list of names."""

from __future__ import annotations

import codecs

import pytest

from malleposte.mime.charset import CODECS, byte_order, codec_of, decode, guess, plain_text


def test_every_name_has_a_codec_of_text() -> None:
    for name, codec in CODECS.items():
        assert name == name.lower()
        assert "a".encode(codec) is not None
        assert codecs.lookup(codec).name
        codecs.getincrementaldecoder(byte_order(codec, b""))("replace").decode(b"\xff", final=True)


@pytest.mark.parametrize("name", ["rot13", "idna", "punycode", "unicode_escape", "hex", "zip", ""])
def test_python_s_other_codecs_are_not_to_be_had(name: str) -> None:
    assert codec_of(name) is None


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (" 'ISO-8859-1' ", "cp1252"),
        ("iso_8859-15", "iso8859-15"),
        ("csISO2022JP", "iso2022_jp_ext"),
        ("Windows-1251", "cp1251"),
        ("KS_C_5601-1987", "cp949"),
        ("GB2312", "gb18030"),
        (None, None),
    ],
)
def test_names_as_they_are_written(name: str | None, codec: str | None) -> None:
    found = codec_of(name)
    assert (found and codecs.lookup(found).name) == (codec and codecs.lookup(codec).name)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"caf\xe9", None, "café"),
        ("café".encode(), None, "café"),
        (b"caf\xe9", "us-ascii", "café"),
        (b"\x80", "iso-8859-1", "€"),
        # Mislabelled: what the charset cannot read is tried as UTF-8.
        ("日本".encode(), "euc-kr", "日本"),
        (b"a\xff", "utf-8", "a\ufffd"),
        (b"\x81", "windows-1252", "\ufffd"),
        (b"a\x00", "utf-16-le", "a"),
        (b"\xff\xfea\x00", "utf-16", "a"),
        (b"\xfe\xff\x00a", "utf-16", "a"),
        (b"a\x00", "utf-16", "a"),
        (b"a\x00\x00\x00", "utf-32", "a"),
        (b"\xef\xbb\xbfa", "utf-8", "a"),
    ],
)
def test_decoding_never_fails(data: bytes, charset: str | None, text: str) -> None:
    assert decode(data, charset) == text


def test_guess_of_undefined_octets() -> None:
    assert guess(b"\x81\xe4") == "\ufffdä"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\n\tb", "a   b"),
        ("a\0b", "ab"),
        ("a\ud800b", "a?b"),
        ("ä\u00a0€", "ä\u00a0€"),
        ("\x85\u2028\x7f", "   "),
    ],
)
def test_plain_text_is_one_line_that_can_be_stored(text: str, plain: str) -> None:
    assert plain_text(text) == plain
