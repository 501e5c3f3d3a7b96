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


def test_columns_of_a_message_without_anything() -> None:
    summary = summarize(b"")
    assert (summary.subject, summary.from_, summary.preview, summary.message_id) == (
        "",
        "",
        "",
        None,
    )
    assert summary.thread_ids == ()
    assert summary.sent_at is None
    assert summary.lines == summary.header_size == 0


def test_columns_are_cut_where_they_say() -> None:
    header = b"Subject: " + b"word " * 1_000 + b"\nTo: " + b"Someone <someone@example.org>, " * 900
    header += b"\nMessage-ID: <%b>\n\n" % (b"i" * 501)
    summary = summarize(header)
    assert len(summary.subject) == 1_000
    assert len(summary.to) <= 4_000
    assert summary.to.endswith(", Someone <someone@example.org>")
    assert summary.message_id is None


def test_text_columns_hold_no_controls() -> None:
    summary = summarize(
        b"Subject: =?utf-8?q?a=0D=0Ab=00c?=\nFrom: =?utf-8?q?x=07y?= <a@b>\n\none\x01two"
    )
    assert summary.subject == "a  bc"
    assert summary.from_ == "x y <a@b>"
    assert summary.preview == "one two"


def test_groups_are_shown_with_their_members() -> None:
    summary = summarize(b"To: team: a@b, X <c@d>;, undisclosed:;\nCc: Only A Name\n\n")
    assert summary.to == "team: a@b, X <c@d>, undisclosed:"
    assert summary.cc == "Only A Name"


def test_an_mbox_line_does_not_hide_the_header() -> None:
    summary = summarize(b"From me Mon Jan  5 10:00:00 2026\nSubject: s\n\nbody")
    assert (summary.subject, summary.from_, summary.preview) == ("s", "", "body")
