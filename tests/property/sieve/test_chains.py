"""Whatever scripts come one after the other: a message is filed, sent on or refused, unless one of them
discards it; and what is refused is neither filed nor answered."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.delivery.sieving.chain import run
from malleposte.delivery.sieving.scripts import Link
from malleposte.sieve import Delivery, MimeMessage, compile_script

MAIL = b"From: ann@sender.example\r\nTo: ada@example.test\r\nSubject: hello\r\n\r\nHi.\r\n"
EXTENSIONS = (
    'require ["fileinto", "copy", "reject", "vacation", "imap4flags", "editheader", "variables"];'
)
STEPS = (
    'fileinto "A";',
    'fileinto :copy "B";',
    'redirect "b@example.test";',
    'redirect :copy "c@example.test";',
    "keep;",
    "stop;",
    "discard;",
    'reject "no";',
    'vacation "away";',
    'addflag "x";',
    'addheader "Subject" "other"; deleteheader :index 2 "Subject";',
    'if header "subject" "other" { discard; }',
    'set "none" ""; fileinto "${none}";',
    'if header "subject" "none" { discard; }',
)
bodies = st.lists(st.sampled_from(STEPS), max_size=5).map("\n".join)
chains = st.lists(bodies | st.none(), min_size=1, max_size=5)


@given(chains)
@settings(max_examples=600, deadline=None)
def test_nothing_is_lost_and_refused_is_refused(bodies: list[str | None]) -> None:
    links = [
        Link("script", f"{n}", None, "it cannot be used")
        if body is None
        else Link("script", f"{n}", compile_script(f"{EXTENSIONS}\n{body}".encode()))
        for n, body in enumerate(bodies)
    ]
    delivery = Delivery(
        sender="ann@sender.example",
        recipient="ada@example.test",
        now=datetime(2026, 11, 30, tzinfo=UTC),
    )
    decided = run(links, MimeMessage(MAIL), delivery)
    taken = decided.filings or decided.redirects or decided.reject
    assert taken or any("discard" in (body or "") for body in bodies)
    if decided.reject is not None:
        assert (decided.filings, decided.redirects, decided.vacation) == ([], [], None)
    for action in (*decided.filings, *decided.redirects):
        assert 0 <= action.edits <= len(decided.edits)
    addresses = [action.address for action in decided.redirects]
    assert len(set(addresses)) == len(addresses)


@given(chains)
@settings(max_examples=200, deadline=None)
def test_scripts_that_fail_are_as_if_they_were_not_there(bodies: list[str | None]) -> None:
    usable = [body for body in bodies if body is not None]

    def decided(bodies: list[str | None]) -> object:
        links = [
            Link("script", "", None, "unusable")
            if body is None
            else Link("script", "", compile_script(f"{EXTENSIONS}\n{body}".encode()))
            for body in bodies
        ]
        delivery = Delivery(sender="ann@sender.example", recipient="ada@example.test")
        found = run(links, MimeMessage(MAIL), delivery)
        return found.filings, found.redirects, found.reject, found.edits

    assert decided(bodies) == decided(list(usable))
