"""Charset names of mail and the Python codecs that read them.

The table is closed: a name that it does not hold is an unknown charset, never a codec that
Python happens to know (`rot13`, `idna`, `unicode_escape` …). Decoding never raises.

Names stand for what senders mean by them, as browsers do it (WHATWG Encoding): Latin-1 is read
as windows-1252, GB2312 as GB18030, KS C 5601 as windows-949, Shift_JIS as windows-31J.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_NAMES: Final = {
    "utf-8": "utf8 utf-8-sig unicode-1-1-utf-8 utf-8mb4 cp65001 x-utf-8 x-unicode-2-0-utf-8",
    "ascii": "us-ascii ascii ansi_x3.4-1968 ansi_x3.4-1986 iso646-us iso-ir-6 us cp367 ibm367"
    " 646 iso_646.irv:1991 x-ascii 7bit 8bit unknown-8bit x-unknown unknown default",
    "cp1252": "iso-8859-1 iso8859-1 iso_8859-1 iso_8859-1:1987 iso-ir-100 latin1 latin-1 l1 cp819"
    " ibm819 windows-1252 cp1252 x-cp1252 cp-1252 win-1252 ansi 8859-1 iso8859_1 iso88591",
    "iso8859-2": "iso-8859-2 iso8859-2 iso_8859-2 iso_8859-2:1987 iso-ir-101 latin2 l2 iso88592",
    "iso8859-3": "iso-8859-3 iso8859-3 iso_8859-3 iso_8859-3:1988 iso-ir-109 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 iso_8859-4 iso_8859-4:1988 iso-ir-110 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 iso_8859-5 iso_8859-5:1988 iso-ir-144 cyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso_8859-6 iso_8859-6:1987 iso-ir-127 arabic ecma-114"
    " asmo-708 iso-8859-6-i iso-8859-6-e",
    "iso8859-7": "iso-8859-7 iso8859-7 iso_8859-7 iso_8859-7:1987 iso-ir-126 greek greek8"
    " ecma-118 elot_928 sun_eu_greek",
    "iso8859-8": "iso-8859-8 iso8859-8 iso_8859-8 iso_8859-8:1988 iso-ir-138 hebrew iso-8859-8-i"
    " iso-8859-8-e logical visual",
    "cp1254": "iso-8859-9 iso8859-9 iso_8859-9 iso_8859-9:1989 iso-ir-148 latin5 l5 windows-1254"
    " cp1254 x-cp1254",
    "iso8859-10": "iso-8859-10 iso8859-10 iso_8859-10:1992 iso-ir-157 latin6 l6",
    "cp874": "iso-8859-11 iso8859-11 tis-620 tis620 windows-874 cp874 dos-874 iso-ir-166",
    "iso8859-13": "iso-8859-13 iso8859-13 latin7 l7",
    "iso8859-14": "iso-8859-14 iso8859-14 iso_8859-14:1998 iso-ir-199 latin8 l8 iso-celtic",
    "iso8859-15": "iso-8859-15 iso8859-15 iso_8859-15 latin9 latin-9 l9",
    "iso8859-16": "iso-8859-16 iso8859-16 iso_8859-16:2001 iso-ir-226 latin10 l10",
    "cp1250": "windows-1250 cp1250 x-cp1250 win-1250",
    "cp1251": "windows-1251 cp1251 x-cp1251 win-1251",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "koi8-r": "koi8-r koi8 koi8_r koi cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "koi8-t": "koi8-t",
    "mac-roman": "macintosh mac macroman x-mac-roman x-macroman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian maccyrillic",
    "mac-greek": "x-mac-greek macgreek",
    "mac-turkish": "x-mac-turkish macturkish",
    "mac-latin2": "x-mac-ce x-mac-centraleurroman maccentraleurope",
    "mac-iceland": "x-mac-icelandic maciceland",
    "mac-croatian": "x-mac-croatian maccroatian",
    "mac-romanian": "x-mac-romanian macromania",
    "gb18030": "gb2312 gb_2312-80 gb_2312 gbk gb18030 gb18030-2000 cp936 ms936 windows-936"
    " x-gbk euc-cn euccn x-euc-cn chinese iso-ir-58 936 gb-2312 x-cp20936",
    "hz": "hz-gb-2312 hz",
    "big5hkscs": "big5 big-5 big5-hkscs big5-eten cn-big5 x-x-big5 cp950 ms950 windows-950 x-big5",
    "cp932": "shift_jis shift-jis sjis x-sjis s-jis ms_kanji windows-31j cp932 ms932 windows-932"
    " shiftjis",
    "euc_jp": "euc-jp eucjp x-euc-jp x-euc ujis",
    "iso2022_jp_ext": "iso-2022-jp iso2022-jp iso2022jp iso-2022-jp-1 jis jis7 cp50220 cp50221"
    " cp50222 iso-2022-jp-ms",
    "iso2022_jp_2": "iso-2022-jp-2",
    "iso2022_jp_3": "iso-2022-jp-3",
    "iso2022_jp_2004": "iso-2022-jp-2004",
    "cp949": "ks_c_5601-1987 ks_c_5601 ks_c_5601-1989 ksc5601 ksc_5601 euc-kr euckr x-euc-kr"
    " korean cp949 ms949 uhc windows-949 iso-ir-149 x-windows-949 949",
    "iso2022_kr": "iso-2022-kr iso2022-kr",
    "johab": "johab cp1361 ms1361",
    "utf-7": "utf-7 utf7 unicode-1-1-utf-7 x-unicode-2-0-utf-7 cp65000",
    "utf-16": "utf-16 utf16 ucs-2 iso-10646-ucs-2 unicode",
    "utf-16-le": "utf-16le utf16le",
    "utf-16-be": "utf-16be utf16be",
    "utf-32": "utf-32 ucs-4 iso-10646-ucs-4",
    "utf-32-le": "utf-32le",
    "utf-32-be": "utf-32be",
    "cp437": "ibm437 cp437 437",
    "cp850": "ibm850 cp850 850",
    "cp852": "ibm852 cp852 852",
    "cp855": "ibm855 cp855",
    "cp857": "ibm857 cp857",
    "cp858": "ibm00858 cp858",
    "cp860": "ibm860 cp860",
    "cp861": "ibm861 cp861",
    "cp862": "ibm862 cp862 dos-862",
    "cp863": "ibm863 cp863",
    "cp864": "ibm864 cp864",
    "cp865": "ibm865 cp865",
    "cp866": "ibm866 cp866 866",
    "cp869": "ibm869 cp869",
    "cp720": "dos-720 cp720",
    "cp737": "cp737 ibm737",
    "cp775": "cp775 ibm775",
    "cp1125": "cp1125 cp866u",
    "ptcp154": "ptcp154 cp154 pt154 cyrillic-asian",
    "kz1048": "kz-1048 strk1048-2002 rk1048",
    "hp-roman8": "hp-roman8 roman8 r8",
}

CODECS: Final = {name: codec for codec, names in _NAMES.items() for name in [*names.split(), codec]}
"""Lower-case charset name -> Python codec."""


def codec_of(charset: str | None) -> str | None:
    """The codec for a charset name as it stands in a header; None if unknown."""
    if charset is None:
        return None
    codec = CODECS.get(charset)
    if codec is None:
        name = charset.strip(" \t'\"").lower().removeprefix("cs").removeprefix("charset=")
        codec = CODECS.get(name) or CODECS.get(name.replace("_", "-"))
    return codec


# Controls become spaces; NUL and what is no character (PostgreSQL and UTF-8 refuse both) goes.
_NO_CONTROLS: Final = dict.fromkeys([*range(1, 32), 127, 133, 8232, 8233], 32) | {0: None}


def plain_text(text: str) -> str:
    """`text` on one line: no controls, no NUL, no lone surrogates."""
    if text.isprintable():
        return text
    text = text.translate(_NO_CONTROLS)
    return text.encode("utf-8", "replace").decode() if _LONE.search(text) else text


_LONE: Final = re.compile("[\ud800-\udfff]")


def guess(data: bytes) -> str:
    """Text of no or unknown charset: UTF-8 if it is, else windows-1252."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def byte_order(codec: str, beginning: bytes) -> str:
    """`codec`, or for UTF-16 and UTF-32 without an order in their name that of the first octets:
    little-endian unless a mark says otherwise, whatever RFC 2781 §4.3 wants."""
    if codec == "utf-16":
        return "utf-16-be" if beginning.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    if codec == "utf-32":
        return "utf-32-be" if beginning.startswith(codecs.BOM_UTF32_BE) else "utf-32-le"
    return codec


def decode(data: bytes, charset: str | None = None) -> str:
    """`data` as text. What the charset cannot read is tried as UTF-8, then with U+FFFD."""
    codec = codec_of(charset)
    if codec is None or codec == "ascii":
        return guess(data)
    codec = byte_order(codec, data[:4])
    try:
        text = data.decode(codec)
    except ValueError:  # UnicodeDecodeError is one
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode(codec, "replace")
    if codec.startswith("utf"):
        text = text.removeprefix("\ufeff")
        # Python's UTF-7 lets halves of characters through.
        return _LONE.sub("\ufffd", text) if codec == "utf-7" else text
    return text


class TextDecoder:
    """`decode` for text that comes in pieces; of the two, only what fails differs.

    Without a charset it is UTF-8 up to the first piece that cannot be, and from there
    windows-1252; with one, what it cannot read is U+FFFD.
    """

    def __init__(self, charset: str | None) -> None:
        codec = codec_of(charset)
        self._guessing = codec is None or codec == "ascii"
        self._codec = "utf-8" if codec is None or self._guessing else codec
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = b""  # until the byte order can be known

    def feed(self, data: bytes, final: bool = False) -> str:
        """The text of a piece; `final` with the last one, which may be empty."""
        decoder = self._decoder
        if decoder is None:
            self._held += data
            if len(self._held) < 4 and not final:
                return ""
            data = self._held
            codec = byte_order(self._codec, data)
            errors = "strict" if self._guessing else "replace"
            decoder = self._decoder = codecs.getincrementaldecoder(codec)(errors)
            return self._decode(decoder, data, final).removeprefix("\ufeff")
        return self._decode(decoder, data, final)

    def _decode(self, decoder: codecs.IncrementalDecoder, data: bytes, final: bool) -> str:
        pending = decoder.getstate()[0] if self._guessing else b""
        try:
            text = decoder.decode(data, final)
        except UnicodeDecodeError:  # only the guess is strict
            self._guessing = False
            self._decoder = codecs.getincrementaldecoder("cp1252")("replace")
            text = self._decoder.decode(pending + data, final)
        return _LONE.sub("\ufffd", text) if self._codec == "utf-7" else text
