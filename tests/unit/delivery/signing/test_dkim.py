"""DKIM signatures, verified by dkimpy: another's reading of the same RFCs."""

import base64
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.delivery.signing.dkim import sign
from malleposte.delivery.signing.fields import MOST, SEALED, Unfit
from support.corpora import mail
from unit.delivery.signing.verifying import NOW, pair, verdicts, zone

MESSAGE = (
    b"From: Ada <ada@example.org>\r\n"
    b"To: bob@example.net\r\n"
    b"Subject: Report\r\n"
    b"Date: Mon, 2 Jun 2025 10:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"\r\n"
    b"The figures are\t below. \r\n"
    b"\r\n"
    b"  12 \r\n\r\n\r\n"
)


def signed(message: bytes, *, size: int = 7) -> bytes:
    """A message with both signatures on top; its body is hashed in pieces of ``size``."""
    header, _, body = message.partition(b"\r\n\r\n")
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return sign(header + b"\r\n\r\n", pieces, pair().keys, NOW) + message


def test_both_signatures_verify() -> None:
    message = signed(MESSAGE)
    assert [re.search(rb"a=([a-z0-9-]+)", line)[1] for line in message.split(b"DKIM-")[1:]] == [  # type: ignore[index]
        b"rsa-sha256",
        b"ed25519-sha256",
    ]
    assert verdicts(message) == [True, True]


def test_without_keys_nothing_is_added() -> None:
    assert sign(MESSAGE, [], [], NOW) == b""


def test_lines_are_short_and_ascii() -> None:
    for line in signed(MESSAGE)[: -len(MESSAGE)].split(b"\r\n"):
        assert len(line) <= 78
        assert line.isascii()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", id="empty body"),
        pytest.param(MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n\r\n\r\n", id="empty lines"),
        pytest.param(MESSAGE.replace(b"Report", b"a \r\n\t  b\r\n c" + b" x" * 500), id="folded"),
        pytest.param(MESSAGE.replace(b"Report", b"\r\n caf\xe9 \xf0\x9f\x90\xb4"), id="8-bit"),
        pytest.param(MESSAGE.replace(b"Report", b""), id="empty field"),
        pytest.param(b"To: c@example.com\r\n" + MESSAGE, id="double To"),
        pytest.param(b"From ada Mon Jun  2 10:00:00 2025\r\n" + MESSAGE, id="mbox line"),
        pytest.param(
            b"Resent-From: x@example.org\r\nList-Id: <l.example.org>\r\n"
            b"List-Unsubscribe: <https://example.org/u>\r\nSender: s@example.org\r\n" + MESSAGE,
            id="from a list",
        ),
    ],
)
def test_odd_messages_verify(message: bytes) -> None:
    assert verdicts(signed(message)) == [True, True]


@pytest.mark.parametrize("end", [b"", b" ", b" \t", b"\r", b" \r"])
def test_a_last_line_without_an_end_gets_one_on_its_way(end: bytes) -> None:
    message = MESSAGE.rstrip(b"\r\n ") + end
    assert verdicts(signed(message) + b"\r\n") == [True, True]


@pytest.mark.parametrize("field", sorted(SEALED))
def test_none_of_what_is_shown_can_be_added(field: bytes) -> None:
    assert not any(verdicts(_under(signed(MESSAGE), field + b": evil@example.com")))


def _under(message: bytes, line: bytes) -> bytes:
    """With a further field above the signed ones, where many programs take it for the real one."""
    return message.replace(b"From: Ada", line + b"\r\nFrom: Ada", 1)


@pytest.mark.parametrize("field", [b"Sender", b"List-Id", b"List-Unsubscribe", b"Received"])
def test_what_lists_and_servers_add_breaks_nothing(field: bytes) -> None:
    assert verdicts(_under(signed(MESSAGE), field + b": <x>")) == [True, True]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"Report", b"Reports"),
        (b"ada@example.org", b"eve@example.org"),
        (b"figures", b"Figures"),
        (b"  12 \r\n", b"  12 \r\nand more\r\n"),
    ],
)
def test_what_was_changed_does_not_verify(was: bytes, becomes: bytes) -> None:
    message = signed(MESSAGE)
    at = len(message) - len(MESSAGE)
    assert not any(verdicts(message[:at] + MESSAGE.replace(was, becomes)))


def test_white_space_and_folding_may_change_on_the_way() -> None:
    message = signed(MESSAGE)
    at = len(message) - len(MESSAGE)
    changed = MESSAGE.replace(b"Subject: Report", b"SUBJECT:\r\n   Report  ").rstrip(b"\r\n")
    assert verdicts(message[:at] + changed.replace(b"\t ", b"   ") + b"\r\n") == [True, True]


def test_another_key_in_the_zone_does_not_verify() -> None:
    swapped = {name: value[:-6] + b"AAAA==" for name, value in zone().items()}
    assert not any(verdicts(signed(MESSAGE), swapped))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"", "no From"),
        (b"To: a@example.org\r\n", "no From"),
        (b"From: a@example.org\r\nfrom : b@example.org\r\n", "2 From fields"),
        (b"From: a@example.org\r\n" + b"To: a@example.org\r\n" * MOST, f"more than {MOST}"),
    ],
)
def test_what_nobody_should_vouch_for_is_not_signed(header: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        sign(header, [], pair().keys, NOW)


def test_a_hostile_header_takes_no_time() -> None:
    started = time.process_time()
    fields = b"X: y\r\n" * 100_000 + b"Subject:" + b" \t" * 200_000 + b"\r\n \r\n" * 50_000
    assert sign(b"From: a@example.org\r\n" + fields, [], pair().keys, NOW)
    assert time.process_time() - started < 2


def test_a_large_body_in_pieces_verifies() -> None:
    body = b"line with  spaces \r\n" * 250_000 + b"\r\n" * 1_000
    header = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    whole = header + body
    assert verdicts(signed(whole, size=65_521)) == [True, True]


def test_the_signature_is_the_same_whoever_hashed() -> None:
    """Ed25519 and PKCS#1 sign without chance, so that pieces must not show."""
    assert signed(MESSAGE, size=1) == signed(MESSAGE, size=10_000)


def test_the_keys_records_are_the_ones_of_the_rfcs() -> None:
    rsa, ed25519 = pair().keys
    assert rsa.name == "20250615-rsa._domainkey.example.org"
    assert rsa.record.startswith("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")
    kind, _, public = ed25519.record.rpartition(" p=")
    assert kind == "v=DKIM1; k=ed25519;"
    assert len(base64.b64decode(public)) == 32


def test_a_key_does_not_show_itself() -> None:
    assert repr(pair().rsa) == f"SigningKey(rsa-sha256, {pair().rsa.name})"


NAMES = [b"To", b"CC", b"subject", b"Sender", b"List-Id", b"X-Y", b"Reply-To", b"Content-Type"]
# dkimpy also strips what is white space to Python (VT, FF), which RFC 6376 §2.8 does not.
PARTS = [b" ", b"\t", b"\r\n ", b"\r\n\t", b"a", b"\xe9", b":", b";", b"=", b"\0", b"\x85", b"\x1c"]
VALUES = st.lists(st.sampled_from(PARTS), max_size=12).map(b"".join)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6), VALUES, VALUES)
def test_whatever_stands_in_a_header_verifies(
    fields: list[tuple[bytes, bytes]], author: bytes, body: bytes
) -> None:
    header = b"From:" + author + b"x\r\n"
    header += b"".join(name + b":" + value + b"\r\n" for name, value in fields) + b"\r\n"
    signature = sign(header, [body], [pair().ed25519], NOW)
    assert verdicts(signature + header + body + b"\r\n") == [True]


def verify_mail(messages: tuple[bytes, ...]) -> None:
    assert len(messages) > 50
    for message in messages:
        assert verdicts(signed(message, size=4_096))[:2] == [True, True], message[:400]


def test_real_mail_verifies() -> None:
    verify_mail(mail()[::25])


@pytest.mark.slow
def test_all_real_mail_verifies() -> None:
    verify_mail(mail())
