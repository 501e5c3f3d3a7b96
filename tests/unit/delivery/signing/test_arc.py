"""ARC seals, verified by dkimpy."""

import dkim
import pytest

from malleposte.delivery.signing.arc import MOST_SETS, Chain, seal
from malleposte.delivery.signing.fields import Unfit
from support.corpora import mail
from unit.delivery.signing.test_dkim import MESSAGE, signed
from unit.delivery.signing.verifying import NOW, answering, pair, zone

RESULTS = "mx.example.org; spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net"


def sealed(message: bytes, chain: Chain, results: str = RESULTS) -> bytes:
    """A message with one more set on top."""
    header, _, body = message.partition(b"\r\n\r\n")
    pieces = (body[at : at + 100] for at in range(0, len(body), 100))
    added = seal(header + b"\r\n\r\n", pieces, pair().rsa, NOW, results=results, chain=chain)
    return added + message


def validation(message: bytes) -> bytes:
    """What dkimpy says of the whole chain."""
    verdict: bytes = dkim.ARC(message).verify(dnsfunc=answering(zone()))[0]
    return verdict


def test_a_chain_of_four_holds() -> None:
    message = signed(MESSAGE)
    for at in range(4):
        message = sealed(message, "pass" if at else "none")
        assert validation(message) == dkim.CV_Pass
    assert message.count(b"ARC-Seal: i=4; a=rsa-sha256; t=1750000000; cv=pass;") == 1
    assert message.index(b"ARC-Seal: i=4") < message.index(b"ARC-Message-Signature: i=4")


def test_the_first_set_says_none_whatever_the_caller_says() -> None:
    assert b"cv=none" in sealed(MESSAGE, "pass")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [(b"The figures", b"Our figures"), (b"spf=pass", b"spf=fail"), (b"i=1; a=", b"i=1;  b=x; a=")],
)
def test_what_was_changed_breaks_the_chain(was: bytes, becomes: bytes) -> None:
    message = sealed(sealed(signed(MESSAGE), "none"), "pass")
    assert validation(message.replace(was, becomes)) == dkim.CV_Fail


def test_a_list_may_change_the_message_between_sets() -> None:
    """That is what ARC is for: the newest set signs what leaves, the seals hold the rest together."""
    message = sealed(signed(MESSAGE), "none") + b"-- \r\nthe list's footer\r\n"
    assert validation(sealed(message, "pass")) == dkim.CV_Pass


@pytest.mark.parametrize("lost", [b"ARC-Seal: i=1", b"ARC-Message-Signature: i=1", b"i=1; mx"])
def test_sets_with_a_gap_are_sealed_as_failed(lost: bytes) -> None:
    message = sealed(
        sealed(MESSAGE, "none").replace(lost, b"X-" + lost.replace(b"1", b"9")), "pass"
    )
    assert message.startswith(b"ARC-Seal: i=2; a=rsa-sha256; t=1750000000; cv=fail;")
    assert validation(message) == dkim.CV_Fail


def test_a_set_that_is_there_twice_is_sealed_as_failed() -> None:
    once = sealed(MESSAGE, "none")
    twice = once[: -len(MESSAGE)] + once
    assert sealed(twice, "pass").startswith(b"ARC-Seal: i=2; a=rsa-sha256; t=1750000000; cv=fail;")


def test_a_chain_that_failed_gets_nothing_more() -> None:
    failed = sealed(sealed(MESSAGE, "none"), "fail")
    assert b"cv=fail" in failed
    assert sealed(failed, "pass") == failed


def test_a_full_chain_gets_nothing_more() -> None:
    full = b"".join(
        b"ARC-Seal: i=%d; cv=pass\r\nARC-Message-Signature: i=%d\r\n"
        b"ARC-Authentication-Results: i=%d; x\r\n" % (at, at, at)
        for at in range(1, MOST_SETS + 1)
    )
    assert sealed(full + MESSAGE, "pass") == full + MESSAGE


@pytest.mark.parametrize("results", ["mx\r\nBcc: x@example.org", "mx; spf=p\xe4ss", "mx;\x00"])
def test_results_cannot_become_a_field_of_their_own(results: str) -> None:
    with pytest.raises(Unfit):
        sealed(MESSAGE, "none", results)


def test_real_mail_holds() -> None:
    for message in mail()[::100]:
        assert validation(sealed(sealed(message, "none"), "pass")) == dkim.CV_Pass
