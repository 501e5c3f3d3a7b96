"""ENVELOPE (RFC 9051 §7.5.2) in both forms."""

from __future__ import annotations

import pytest

from malleposte.mime import envelope_of, last_values
from unit.mime.imap_grammar import check_envelope, read


def envelope(header: bytes) -> tuple[bytes, bytes | None]:
    rev1, utf8 = envelope_of(last_values(header))
    check_envelope(read(rev1, utf8=False))
    if utf8 is not None:
        check_envelope(read(utf8, utf8=True))
    return rev1, utf8


def test_the_example_of_the_rfc() -> None:
    header = (
        b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        b"From: Terry Gray <gray@cac.washington.edu>\r\n"
        b"Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
        b"To: imap@cac.washington.edu\r\n"
        b"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        b"Message-Id: <B27397-0100000@cac.washington.ed>\r\n\r\n"
    )
    gray = b'(("Terry Gray" NIL "gray" "cac.washington.edu"))'
    assert envelope(header) == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        + b" ".join([gray] * 3)
        + b' ((NIL NIL "imap" "cac.washington.edu"))'
        b' ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU"))'
        b' NIL NIL "<B27397-0100000@cac.washington.ed>")',
        None,
    )


@pytest.mark.parametrize(
    ("header", "rev1"),
    [
        # Absent is NIL, present but empty is "" for texts and NIL for addresses.
        (b"\n", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
        (b"Subject:\nTo:\nFrom: \n", b'(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)'),
        # Sender and Reply-To default to From, also when they are empty.
        (
            b"From: a@b\nSender:\nReply-To: c@d\n",
            b'(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "c" "d"))'
            b" NIL NIL NIL NIL NIL)",
        ),
        # Groups.
        (
            b"To: g: a@b;, u:;\n",
            b'(NIL NIL NIL NIL NIL ((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)'
            b'(NIL NIL "u" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
        ),
        # A host is never NIL: that would be a group.
        (b"To: <local>\n", b'(NIL NIL NIL NIL NIL ((NIL NIL "local" "")) NIL NIL NIL NIL)'),
        # Quoting, folding, encoded words as they stand, a comment for want of a name.
        (b'Subject: a "b" \\ c\r\n\td\r\n', b'(NIL "a \\"b\\" \\\\ c d"' + b" NIL" * 8 + b")"),
        (b"Subject: =?utf-8?q?=C3=A4?=\n", b'(NIL "=?utf-8?q?=C3=A4?="' + b" NIL" * 8 + b")"),
        (
            b"To: a@b (Ann)\n",
            b'(NIL NIL NIL NIL NIL (("Ann" NIL "a" "b")) NIL NIL NIL NIL)',
        ),
        # Controls and NUL never get through.
        (b"Subject: a\0b\x07c\rd\n", b'(NIL "ab cd"' + b" NIL" * 8 + b")"),
        # 8-bit that is no UTF-8 is a literal.
        (b"Subject: caf\xe9\n", b"(NIL {4}\r\ncaf\xe9" + b" NIL" * 8 + b")"),
    ],
)
def test_what_is_shown(header: bytes, rev1: bytes) -> None:
    assert envelope(header) == (rev1, None)


def test_utf_8_is_shown_as_words_or_as_it_is() -> None:
    rev1, utf8 = envelope("Subject: Grüße\nTo: Jörg <jö@exä.org>\n".encode())
    assert rev1 == (
        b'(NIL "=?utf-8?B?R3LDvMOfZQ==?=" NIL NIL NIL'
        b' (("=?utf-8?B?SsO2cmc=?=" NIL "=?utf-8?B?asO2?=" "=?utf-8?B?ZXjDpC5vcmc=?="))'
        b" NIL NIL NIL NIL)"
    )
    assert utf8 == (
        '(NIL "Grüße" NIL NIL NIL (("Jörg" NIL "jö" "exä.org")) NIL NIL NIL NIL)'.encode()
    )


def test_long_fields_are_cut() -> None:
    header = b"Subject: " + b"word " * 10_000 + b"\nTo: " + b"a@b, " * 100_000 + b"\n"
    rev1, _ = envelope(header)
    assert len(rev1) < 8 * 1024 + 1_000 * 25
    assert rev1.count(b'(NIL NIL "a" "b")') == 1_000
    assert b'word" NIL' in rev1


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (b"root", b'(NIL NIL "root" "")'),
        (b"<root>", b'(NIL NIL "root" "")'),
        (b"root (Cron Daemon)", b'("Cron Daemon" NIL "root" "")'),
        (b"Ada Lovelace", b'("Ada Lovelace" NIL "" "")'),
    ],
)
def test_a_word_alone_is_a_mailbox(field: bytes, shown: bytes) -> None:
    assert shown in envelope(b"To: " + field + b"\r\n\r\n")[0]
