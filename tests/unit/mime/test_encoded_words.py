"""RFC 2047 as it should be and as it comes."""

from __future__ import annotations

import pytest

from malleposte.mime import decode_text
from malleposte.mime.encoded_words import decode_base64, decode_q, encode_word


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # RFC 2047 §8
        (b"=?ISO-8859-1?Q?a?=", "a"),
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=\r\n     =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        # RFC 2231 §5: with a language
        (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
        # Cut inside a character, in both encodings.
        (b"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"),
        (b"=?utf-8?B?w6?= =?utf-8?B?Q=?=", "ä"),
        (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
        # Forbidden but usual: spaces inside, no padding, text that touches, a fold inside.
        (b"=?utf-8?Q?two words?=", "two words"),
        (b"=?utf-8?B?w6Q?=", "ä"),
        (b"fran=?utf-8?Q?=C3=A7?=ais", "français"),
        (b"[tag]=?utf-8?Q?text?=", "[tag] text"),
        (b"=?utf-8?B?w6\r\n Q=?=", "ä"),
        (b"=?utf-8?Q??=", ""),
        # No words at all.
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?Q?a", "=?utf-8?Q?a"),
        (b"=?utf-8?Q?a?", "=?utf-8?Q?a?"),
        (b"a =? b", "a =? b"),
        # Unknown and wrong charsets.
        (b"=?x-nobody?Q?caf=E9?=", "café"),
        (b"=?us-ascii?Q?caf=C3=A9?=", "café"),
        (b"=?utf-8?Q?caf=E9?=", "caf\ufffd"),
        (b"=?rot13?Q?caf?=", "caf"),
        # Raw 8-bit around: RFC 6532, or what else it can be.
        ("ä =?utf-8?Q?=C3=B6?=".encode(), "ä ö"),
        (b"\xe4 =?utf-8?Q?=C3=B6?=", "ä ö"),
        # Other charsets.
        (b"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        (b"=?big5?B?p0Gmbg==?=", "你好"),
        (b"=?koi8-r?B?0NLJ18XU?=", "привет"),
        (b"=?shift_jis?B?k/qWew==?=", "日本"),
        (b"=?euc-kr?B?vsiz5w==?=", "안녕"),
        (b"=?utf-7?Q?+AOQ-?=", "ä"),
        (b"=?utf-7?Q?+2AA-?=", "\ufffd"),
    ],
)
def test_decoding(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text


def test_a_field_is_read_up_to_its_bound() -> None:
    assert len(decode_text(b"=?utf-8?Q?=C3=A4?= " * 20_000)) < 64 * 1024


@pytest.mark.parametrize(
    ("encoded", "data"),
    [
        (b"QUJD", b"ABC"),
        (b"QUI=", b"AB"),
        (b"QUI", b"AB"),
        (b"QQ", b"A"),
        (b"QUJDR", b"ABC"),
        (b"Q U\r\nJ*D", b"ABC"),
        (b"QQ==\r\nfooter of a list", b"A"),
        (b"", b""),
        (b"====", b""),
    ],
)
def test_base64_in_any_state(encoded: bytes, data: bytes) -> None:
    assert decode_base64(encoded) == data


def test_q_keeps_what_it_cannot_read() -> None:
    assert decode_q(b"a=ZZb=4") == b"a=ZZb=4"
    assert decode_q(b"a ") == b"a "


def test_words_are_short_and_never_cut_a_character() -> None:
    words = encode_word("€" * 100).split(b" ")
    assert all(len(word) <= 75 for word in words)
    assert all("\ufffd" not in decode_text(word) for word in words)
