"""BODY and BODYSTRUCTURE (RFC 9051 §7.5.2)."""

from __future__ import annotations

import pytest

from malleposte.mime import Limits, body, bodystructure, parse
from unit.mime.imap_grammar import check_body, read


def shown(data: bytes, limits: Limits | None = None) -> bytes:
    rev1, utf8 = bodystructure(parse(data, limits) if limits else parse(data))
    check_body(read(rev1, utf8=False), extended=True, global_=False)
    if utf8 is not None:
        check_body(read(utf8, utf8=True), extended=True, global_=True)
    return rev1


EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'


@pytest.mark.parametrize(
    ("data", "rev1"),
    [
        (b"\r\na\r\nb", EMPTY.replace(b"0 0", b"4 1")),
        (
            b"Content-Type: Text/HTML\r\n\r\nx",
            b'("text" "html" NIL NIL NIL "7bit" 1 0 NIL NIL NIL NIL)',
        ),
        (b"Content-Type: nonsense\r\n\r\n", EMPTY),
        (
            b"Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: BASE64\n"
            b"Content-ID: <i>\nContent-Description: d\nContent-MD5: m==\n"
            b"Content-Disposition: inline; filename=a.png\nContent-Language: de\n"
            b"Content-Location: l\n\nAAAA",
            b'("image" "png" ("name" "a.png") "<i>" "d" "base64" 4 "m=="'
            b' ("inline" ("filename" "a.png")) "de" "l")',
        ),
        (
            b"Content-Language: de, en\n\n",
            EMPTY.replace(b"NIL NIL NIL NIL)", b'NIL NIL ("de" "en") NIL)'),
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--",
            b"(" + EMPTY + b' "mixed" ("boundary" "b") NIL NIL NIL)',
        ),
        # A multipart without parts shows an empty one.
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b--",
            b"(" + EMPTY + b' "mixed" ("boundary" "b") NIL NIL NIL)',
        ),
        # Continuations are joined, the encoding stays (RFC 2231).
        (
            b"Content-Type: image/png; name*0*=utf-8''%C3; name*1*=%A4\n\n",
            b'("image" "png" ("name*" "utf-8\'\'%C3%A4") NIL NIL "7bit" 0 NIL NIL NIL NIL)',
        ),
        # Other 8-bit is a literal.
        (
            b"Content-Type: image/png; name=\xe4\n\n",
            b'("image" "png" ("name" {1}\r\n\xe4) NIL NIL "7bit" 0 NIL NIL NIL NIL)',
        ),
        # An encoded message was not looked into; an envelope must be there all the same.
        (
            b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n",
            b'("message" "rfc822" NIL NIL NIL "base64" 5'
            b" (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) " + EMPTY + b" 1 NIL NIL NIL NIL)",
        ),
        (
            b"Content-Type: message/rfc822\n\nSubject: s\n\nx\n",
            b'("message" "rfc822" NIL NIL NIL "7bit" 14'
            b' (NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) '
            + EMPTY.replace(b"0 0", b"2 1")
            + b" 3 NIL NIL NIL NIL)",
        ),
    ],
)
def test_what_is_shown(data: bytes, rev1: bytes) -> None:
    assert shown(data) == rev1


def test_the_utf_8_form_only_where_it_differs() -> None:
    plain = parse(b"Content-Type: image/png; name=a\n\n")
    assert bodystructure(plain)[1] is None
    assert bodystructure(parse(b"Content-Type: image/png; name=\xe4\n\n"))[1] is None
    rev1, utf8 = bodystructure(parse("Content-Type: image/png; name=ä\n\n".encode()))
    assert b'("name" "=?utf-8?B?w6Q=?=")' in rev1
    assert utf8 is not None
    assert '("name" "ä")'.encode() in utf8


def test_message_global_is_a_message_to_those_who_know_it() -> None:
    data = "Content-Type: message/global\n\nSubject: ä\n\nx".encode()
    rev1, utf8 = bodystructure(parse(data))
    check_body(read(rev1, utf8=False), extended=True, global_=False)
    assert rev1 == b'("message" "global" NIL NIL NIL "7bit" 14 NIL NIL NIL NIL)'
    assert utf8 is not None
    check_body(read(utf8, utf8=True), extended=True, global_=True)
    assert '(NIL "ä" NIL'.encode() in utf8


def test_body_has_no_extension_data() -> None:
    parts = parse(
        b"Content-Type: multipart/mixed; boundary=b\nContent-Language: de\n\n"
        b"--b\nContent-MD5: m\nContent-Disposition: inline\n\nx\n--b--"
    )
    assert body(parts) == (b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0) "mixed")')


def test_what_is_nested_too_deep_is_legal() -> None:
    data = b"".join(
        b"Content-Type: multipart/mixed; boundary=x%dx\n\n--x%dx\n" % (n, n) for n in range(9)
    )
    assert b'"application" "octet-stream"' in shown(data + b"\nx", Limits(levels=4))
    messages = b"Content-Type: message/rfc822\n\n" * 9
    assert shown(messages + b"\nx", Limits(levels=4)).count(b'"message"') == 5
