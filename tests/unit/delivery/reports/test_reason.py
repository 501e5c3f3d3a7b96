"""Reasons by codes and by what servers really say."""

import pytest

from malleposte.delivery.reports import Fate
from malleposte.delivery.reports.reason import reason_of
from malleposte.i18n.delivery_reasons import Reason, explained
from malleposte.i18n.locales import available_locales

R = Reason
REPLIES = [
    ("550 5.1.1 <x@y>: Recipient address rejected: User unknown in local table", R.NO_SUCH_USER),
    ("550-5.1.1 The email account that you tried to reach does not exist.", R.NO_SUCH_USER),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient x not found", R.NO_SUCH_USER),
    ("550 5.4.1 Recipient address rejected: Access denied. Address unknown", R.NO_SUCH_USER),
    ("554 delivery error: dd This user doesn't have a yahoo.com account", R.NO_SUCH_USER),
    ("550 Unknown user", R.NO_SUCH_USER),
    ("550 5.1.2 Bad destination system", R.NO_SUCH_DOMAIN),
    ("501 5.1.3 Bad recipient address syntax", R.BAD_ADDRESS),
    ("552 5.2.2 Mailbox full", R.FULL),
    ("452-4.2.2 The email account that you tried to reach is over quota.", R.FULL),
    ("552 Requested mail action aborted: exceeded storage allocation", R.FULL),
    ("550 5.2.1 The account is disabled", R.OFF),
    ("552 5.3.4 Message size exceeds fixed limit", R.TOO_LARGE),
    ("552 Message too large", R.TOO_LARGE),
    ("554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org", R.SPAM),
    ("550 5.7.1 Message rejected as spam by Content Filtering.", R.SPAM),
    ("421 4.7.0 [TSS04] temporarily deferred due to unexpected volume or reputation", R.SPAM),
    ("550 5.7.1 You are not allowed to send to this list", R.POLICY),
    ("550 5.7.2 Only members may post", R.POLICY),
    ("550 5.7.26 This mail is unauthenticated", R.UNVERIFIED),
    ("550 5.7.1 rejected by the DMARC policy of example.org", R.UNVERIFIED),
    ("550 5.7.25 The IP address has no PTR record", R.UNVERIFIED),
    ("553 5.1.8 Sender domain does not exist", R.SENDER),
    ("550 5.7.1 Sender address rejected: not logged in", R.SENDER),
    ("450 4.2.0 <x@y>: Recipient address rejected: Greylisted, try later", R.GREYLISTED),
    ("451 4.7.1 Greylisting in action, please come back later", R.GREYLISTED),
    ("451 4.3.0 Temporary lookup failure", R.LOOKUP),
    ("452 4.3.1 Insufficient system storage", R.BUSY),
    ("421 Too many connections", R.BUSY),
    ("530 5.7.0 Must issue a STARTTLS command first", R.NO_TLS),
    ("550 5.7.10 Encryption needed", R.NO_TLS),
    ("550 5.6.7 Addresses beyond ASCII", R.BEYOND_ASCII),
    ("554 5.6.0 Message content rejected", R.CONTENT),
    ("554 5.4.6 Too many hops", R.LOOP),
    ("554 Transaction failed", R.REFUSED),
    ("500 5.3.0 no", R.REFUSED),
    ("451 4.3.0 no", R.BUSY),
    ("", R.UNREACHABLE),
]


@pytest.mark.parametrize(("reply", "reason"), REPLIES)
def test_what_a_server_says(reply: str, reason: Reason) -> None:
    status = "5.0.0" if reply.startswith("5") else "4.0.0"
    assert reason_of(Fate(address="x@y", status=status, reply=reply, said="x")) is reason
    # Given up after days of it: the reason is what it said last.
    assert reason_of(Fate(address="x@y", status="5.4.7", reply=reply, said="x")) is reason


OUR_OWN = [
    ("5.1.2", "there is no domain y", R.NO_SUCH_DOMAIN),
    ("5.1.10", "the domain y says that it takes no mail (null MX)", R.NO_MAIL),
    ("5.1.3", "not sent: no address", R.BAD_ADDRESS),
    ("4.4.1", "mx.y [192.0.2.1]:25: connection refused", R.UNREACHABLE),
    ("4.4.2", "mx.y: the connection was cut", R.BROKEN_OFF),
    ("4.4.3", "y: no answer from the resolver in time", R.LOOKUP),
    ("5.4.6", "the mail of y leads back to this server", R.LOOP),
    ("4.7.4", "mx.y offers no TLS, which MTA-STS demands", R.NO_TLS),
    ("4.7.5", "mx.y: certificate of another name", R.NO_TLS),
    ("5.6.7", "mx.y cannot take addresses beyond ASCII", R.BEYOND_ASCII),
    ("5.3.4", "mx.y takes messages of 10 octets at most", R.TOO_LARGE),
    ("4.3.0", "a defect of ours", R.OURS),
    ("4.3.5", "the relay is not configured here", R.OURS),
    ("4.7.8", "relay refuses our sign-in as x", R.OURS),
    ("5.4.7", "given up after 5 days; at last: mx.y: connection refused", R.UNREACHABLE),
    ("5.4.7", "given up after 5 days; at last: mx.y offers no TLS, which DANE demands", R.NO_TLS),
]


@pytest.mark.parametrize(("status", "said", "reason"), OUR_OWN)
def test_where_no_server_answered(status: str, said: str, reason: Reason) -> None:
    assert reason_of(Fate(address="x@y", status=status, said=said)) is reason


@pytest.mark.parametrize("locale", available_locales())
@pytest.mark.parametrize("reason", Reason)
def test_each_reason_says_why_and_what_to_do(locale: str, reason: Reason) -> None:
    why, advice = explained(locale, reason, "y.example")  # type: ignore[arg-type]
    assert why.endswith(".")
    assert advice.endswith(".")
    assert "{" not in why + advice
