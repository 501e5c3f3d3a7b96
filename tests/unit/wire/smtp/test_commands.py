"""Typed results of MAIL, RCPT, BDAT and greetings. (Replies to wrong ones: the transcripts.)"""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.smtp import (
    Body,
    Limits,
    MailFrom,
    Mode,
    Notify,
    OriginalRecipient,
    Path,
    PeerError,
    RcptTo,
    Ret,
    Settings,
)
from malleposte.wire.smtp.commands import parse_bdat, parse_hello, parse_mail, parse_rcpt
from malleposte.wire.smtp.reply import Disconnect

ALL = Settings("mx.example.org", auth=True, dsn=True)
LIMITS = Limits()


def test_mail_with_everything() -> None:
    line = (
        b"from: <a@b.c>  size=12 BODY=8bitmime SMTPUTF8 AUTH=e+3Dmc2@example.com"
        b" RET=full ENVID=id+20x"
    )
    assert parse_mail(line, ALL, LIMITS) == MailFrom(
        path=Path("a", "b.c", b""),
        size=12,
        body=Body.EIGHT_BIT_MIME,
        smtputf8=True,
        auth="e=mc2@example.com",
        ret=Ret.FULL,
        envid="id x",
    )


def test_mail_with_nothing() -> None:
    assert parse_mail(b"FROM:<>", ALL, LIMITS) == MailFrom(Path("", "", b""))
    assert parse_mail(b"FROM:<> AUTH=<>", ALL, LIMITS).auth == ""


def test_mail_needs_a_domain() -> None:
    with pytest.raises(PeerError) as caught:
        parse_mail(b"FROM:<root>", ALL, LIMITS)
    assert caught.value.reply.enhanced == "5.1.7"


def test_rcpt_with_everything() -> None:
    line = b"TO:<a@b.c> NOTIFY=delay,FAILURE ORCPT=rfc822;x+2By@z"
    rcpt = parse_rcpt(line, ALL, LIMITS, smtputf8=False)
    assert rcpt == RcptTo(
        Path("a", "b.c", b""),
        Notify.DELAY | Notify.FAILURE,
        OriginalRecipient("rfc822", "x+y@z"),
    )
    # As they are kept, and would be handed on.
    assert str(rcpt.notify) == "FAILURE,DELAY"
    assert str(rcpt.orcpt) == "rfc822;x+y@z"


@pytest.mark.parametrize("value", [b"NEVER,DELAY", b"SUCCESS,", b"", b"ALWAYS", b"SUCCESS,SUCCESS"])
def test_notify_refused(value: bytes) -> None:
    """RFC 3461 §4.1: NEVER stands alone."""
    with pytest.raises(PeerError) as caught:
        parse_rcpt(b"TO:<a@b.c> NOTIFY=" + value, ALL, LIMITS, smtputf8=False)
    assert caught.value.reply.code == 501


def test_parameters_of_reports_stand_at_their_command_and_once() -> None:
    """RFC 3461 §4.5: RET and ENVID are of MAIL, NOTIFY and ORCPT of RCPT."""
    for line, code in (
        (b"FROM:<a@b.c> RET=FULL ENVID=x", 250),
        (b"FROM:<a@b.c> RET=FULL RET=FULL", 501),
        (b"FROM:<a@b.c> ENVID=x ENVID=x", 501),
        (b"FROM:<a@b.c> NOTIFY=NEVER", 555),
        (b"FROM:<a@b.c> ORCPT=rfc822;a@b", 555),
    ):
        assert code_of(partial(parse_mail, line, ALL, LIMITS)) == code, line
    for line, code in (
        (b"TO:<a@b.c> NOTIFY=NEVER ORCPT=rfc822;a@b", 250),
        (b"TO:<a@b.c> NOTIFY=NEVER NOTIFY=NEVER", 501),
        (b"TO:<a@b.c> ORCPT=rfc822;a@b ORCPT=rfc822;a@b", 501),
        (b"TO:<a@b.c> RET=FULL", 555),
        (b"TO:<a@b.c> ENVID=x", 555),
    ):
        assert code_of(partial(parse_rcpt, line, ALL, LIMITS, smtputf8=False)) == code, line


@pytest.mark.parametrize(
    ("value", "smtputf8", "address"),
    [
        (rb"utf-8;j\x{FC}rgen@example.org", False, "jürgen@example.org"),
        ("utf-8;jürgen@example.org".encode(), True, "jürgen@example.org"),
        (b"UTF-8;a+2Bb@example.org", True, "a+b@example.org"),
        (b"x400;/C=US", False, None),  # "=" is to be written +3D
        (b"x400;/C+3DUS", False, "/C=US"),
    ],
)
def test_original_recipient(value: bytes, smtputf8: bool, address: str | None) -> None:
    line = b"TO:<a@b.c> ORCPT=" + value
    if address is None:
        with pytest.raises(PeerError):
            parse_rcpt(line, ALL, LIMITS, smtputf8=smtputf8)
    else:
        rcpt = parse_rcpt(line, ALL, LIMITS, smtputf8=smtputf8)
        assert rcpt.orcpt is not None
        assert rcpt.orcpt.address == address


@pytest.mark.parametrize(
    "value",
    [
        b"rfc822;+ZZ",
        b"rfc822;+2b",  # RFC 3461 §4: upper case only
        b"rfc822;+FF",
        b"utf-8;\\x{110000}",
        b"utf-8;\\x{D800}",
        b"utf-8;\\x{2028}",
        b"rfc822;" + b"a" * 501,
        b";a@b",
        b"rfc822;",
        "utf-8;ü@b".encode(),  # raw UTF-8 without SMTPUTF8
        b"rfc\x00822;a@b",
        b"rfc822;j+C3+BCrgen@b",  # RFC 3461 §4.2: ASCII; others have the type utf-8
    ],
)
def test_original_recipient_refused(value: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        parse_rcpt(b"TO:<a@b.c> ORCPT=" + value, ALL, LIMITS, smtputf8=False)
    assert caught.value.reply.code == 501


@pytest.mark.parametrize("envid", [b"+0A", b"a" * 101, b"+FF", b"="])
def test_envelope_id_refused(envid: bytes) -> None:
    with pytest.raises(PeerError):
        parse_mail(b"FROM:<a@b.c> ENVID=" + envid, ALL, LIMITS)


@pytest.mark.parametrize(
    ("octets", "result"),
    [
        (b"0", (0, False)),
        (b"12 last", (12, True)),
        (b"12  LAST", (12, True)),
        (b"9" * 20, (int("9" * 20), False)),
    ],
)
def test_bdat(octets: bytes, result: tuple[int, bool]) -> None:
    assert parse_bdat(octets) == result


@pytest.mark.parametrize(
    "octets",
    [b"", b"LAST", b"-1", b"+1", b"1_0", b"0x10", b"1 FIRST", b"1 LAST x", b"9" * 21, b"\xb2"],
)
def test_bdat_of_unknown_length_ends_the_conversation(octets: bytes) -> None:
    with pytest.raises(Disconnect):
        parse_bdat(octets)


@pytest.mark.parametrize(
    "name",
    [
        "client.example.com",
        "localhost",
        "DESKTOP_X1",
        "[192.0.2.1]",
        "[IPv6:::1]",
        "[127.0.0.1",
        "a/b",
    ],
)
def test_hello_keeps_odd_names(name: str) -> None:
    assert parse_hello(name.encode(), ALL, LIMITS) == name


@pytest.mark.parametrize(
    "name",
    [b"", b"a b", b"a(b)", b"a\tb", b"<a>", b'"a"', b"a;b", b"a@b", b"a\\b", b"\xfc", b"a" * 256],
)
def test_hello_refuses_what_would_not_fit_a_received_field(name: bytes) -> None:
    with pytest.raises(PeerError):
        parse_hello(name, ALL, LIMITS)


def test_hello_of_a_pc_with_umlauts_may_submit() -> None:
    submission = Settings("mx.example.org", mode=Mode.SUBMISSION)
    assert parse_hello("Jürgens-PC".encode("latin-1"), submission, LIMITS) == "J?rgens-PC"
    assert parse_hello("Jürgens-PC".encode(), submission, LIMITS) == "J??rgens-PC"


def code_of(parse: Callable[[], object]) -> int:
    try:
        parse()
    except PeerError as error:
        return error.reply.code
    return 250


@given(st.binary(max_size=60))
def test_any_octets_are_parsed_or_refused(octets: bytes) -> None:
    known = {250, 501, 504, 550, 552, 553, 555}
    for start in (b"", b"FROM:<a@b.c> ", b"FROM:<a@b.c> RET=", b"FROM:<a@b.c> AUTH=", b"FROM:"):
        assert code_of(partial(parse_mail, start + octets, ALL, LIMITS)) in known
    for start in (b"", b"TO:<a@b.c> ORCPT=utf-8;", b"TO:<a@b.c> NOTIFY=", b"TO:"):
        for smtputf8 in (False, True):
            line = start + octets
            assert code_of(partial(parse_rcpt, line, ALL, LIMITS, smtputf8=smtputf8)) in known
