"""XML of strangers: read within bounds, without a document type; and what is written is escaped."""

import time
import xml.etree.ElementTree as ET

import pytest

from malleposte.services.web.autoconfig.markup import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_TEXT,
    BadXml,
    Element,
    leaves,
)

LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (b"<a><b>x</b><c> y </c></a>", {"b": "x", "c": "y"}),
        (b"<a><b>x</b><b>y</b></a>", {"b": "x"}),
        (b'<q:a xmlns:q="u"><q:b>x</q:b></q:a>', {"b": "x"}),
        (b"<a><b>x &amp; &#233;<!-- no --></b></a>", {"b": "x & \xe9"}),
        (b"<a><b><![CDATA[<x>]]></b></a>", {"b": "<x>"}),
        (b"\xef\xbb\xbf<a><b>\xc3\xa9</b></a>", {"b": "\xe9"}),
        (
            "<?xml version='1.0' encoding='utf-16'?><a><b>\xe9</b></a>".encode("utf-16"),
            {"b": "\xe9"},
        ),
        (b"<a><b></b>text</a>", {"a": "text"}),
        (b"<a/>", {}),
    ],
)
def test_the_leaves_of_a_document(document: bytes, found: dict[str, str]) -> None:
    assert leaves(document) == found


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"address=x@example.org",
        b"<a><b></a>",
        b"<a></a><b></b>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>&x;</b></a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/">%x;]><a/>',
        f'<!DOCTYPE a [<!ENTITY l0 "lol">{LOL}]><a><b>&l9;</b></a>'.encode(),
        b"<a><b>&x;</b></a>",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>",
        b"<a><b>" + b"x" * (MAX_TEXT + 1) + b"</b></a>",
        b"<a>\xff\xfe</a>",
        b"<?xml version='1.0' encoding='no-such'?><a/>",
        b"<?xml version='1.0' encoding='rot13'?><a/>",
        b"<?xml version='1.0' encoding='idna'?><a>x</a>",
        b"<a\0/>",
        b'<a b="' + b"x" * 60_000,
    ],
)
def test_what_is_not_read(document: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(BadXml):
        leaves(document)
    assert time.monotonic() - began < 1.0


def test_what_is_written_is_escaped() -> None:
    root = Element("a", b='"<&')
    root.add("c", "<&]]>\"'")
    root.add("d").add("e", 5)
    read = ET.fromstring(root.document())
    assert read.attrib == {"b": '"<&'}
    assert read.findtext("c") == "<&]]>\"'"
    assert read.findtext("d/e") == "5"
    assert root.document().startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<a ')
