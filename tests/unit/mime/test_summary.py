"""summarize(): the columns of one message."""

from malleposte.mime import load_structure, summarize

MESSAGE = (
    b"From: =?utf-8?q?J=C3=B8rn?= <jorn@example.org>\r\n"
    b"To: Ann <ann@example.org>, bob@example.org\r\n"
    b"Subject: Re: [list] =?utf-8?b?R3LDvMOfZQ==?=\r\n"
    b"Date: Fri, 07 Oct 1994 16:15:05 -0700\r\n"
    b"Message-ID: <3@example.org>\r\n"
    b"References: <1@example.org> <2@example.org>\r\n"
    b"In-Reply-To: <2@example.org>\r\n"
    b"\r\n"
    b"> quoted\r\n"
    b"Own   words.\r\n"
)


def test_the_columns_of_a_plain_message() -> None:
    summary = summarize(MESSAGE)
    assert summary.subject == "Re: [list] Grüße"
    assert summary.base_subject == "grüsse"
    assert summary.from_ == "Jørn <jorn@example.org>"
    assert summary.to == "Ann <ann@example.org>, bob@example.org"
    assert summary.cc == summary.bcc == ""
    assert summary.preview == "Own words."
    assert summary.sent_at == 781571705
    assert summary.message_id == "3@example.org"
    assert summary.thread_ids == ("3@example.org", "1@example.org", "2@example.org")
    assert not summary.has_attachment
    assert summary.header_size == MESSAGE.index(b"> quoted")
    assert summary.lines == 10
    assert summary.envelope == (
        b'("Fri, 07 Oct 1994 16:15:05 -0700" "Re: [list] =?utf-8?b?R3LDvMOfZQ==?="'
        b' (("=?utf-8?q?J=C3=B8rn?=" NIL "jorn" "example.org"))'
        b' (("=?utf-8?q?J=C3=B8rn?=" NIL "jorn" "example.org"))'
        b' (("=?utf-8?q?J=C3=B8rn?=" NIL "jorn" "example.org"))'
        b' (("Ann" NIL "ann" "example.org")(NIL NIL "bob" "example.org")) NIL NIL'
        b' "<2@example.org>" "<3@example.org>")'
    )
    assert summary.bodystructure == (
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 24 2 NIL NIL NIL NIL)'
    )
    assert summary.envelope_utf8 is None
    assert summary.bodystructure_utf8 is None
    (part,) = load_structure(summary.structure)
    assert (part.section, part.media, part.size) == ("1", "text/plain", 24)
