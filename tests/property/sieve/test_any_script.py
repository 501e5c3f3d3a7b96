"""Whatever octets are a script and whatever a message, it is refused in words or ends in an outcome that
loses nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.sieve import (
    DEFAULT_LIMITS,
    Delivery,
    Discard,
    Keep,
    MimeMessage,
    Outcome,
    SieveError,
    compile_script,
)
from support.sieve_tables import SCRIPTS, cases

SCRIPT_TEXTS = sorted({case.script for case in cases()})
WORDS = sorted(
    {word for text in SCRIPT_TEXTS for word in text.replace(";", " ; ").replace(",", " , ").split()}
)
MESSAGE = MimeMessage(next(case.octets() for case in cases()))


def ran(script: bytes, message: MimeMessage = MESSAGE) -> Outcome | None:
    """The outcome; None for a script that is refused, which must be said with a place in it."""
    try:
        checked = compile_script(script, resolve=lambda kept, name: SCRIPTS.get((kept, name)))
    except SieveError as error:
        mistakes = error.mistakes
    else:
        return finished(script, checked.run(message, Delivery("a@example.com", "me@example.org")))
    assert 0 < len(mistakes) <= DEFAULT_LIMITS.mistakes
    lines = script.count(b"\n") + 1
    for mistake in mistakes:
        assert 0 < mistake.line <= lines
        assert mistake.column > 0
        assert mistake.text
    return None


def finished(script: bytes, outcome: Outcome) -> Outcome:
    """Nothing is lost: some action says where the message goes."""
    assert outcome.actions
    if outcome.error is not None:
        assert outcome.actions == (Keep(implicit=True),)
    if outcome.actions == (Discard(),):
        assert b"discard" in script.lower() or b"include" in script.lower()
    return outcome


@given(st.binary(max_size=200))
def test_any_octets(script: bytes) -> None:
    ran(script)


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_words_in_any_order(words: list[str]) -> None:
    ran(" ".join(words).encode())


@given(st.data())
def test_scripts_that_were_cut_and_patched(data: st.DataObject) -> None:
    """A script with a piece taken out or put in from another one."""
    text = data.draw(st.sampled_from(SCRIPT_TEXTS))
    other = data.draw(st.sampled_from(SCRIPT_TEXTS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    cut = data.draw(st.integers(0, len(other)))
    ran((text[:start] + other[cut : cut + data.draw(st.integers(0, 30))] + text[end:]).encode())


@given(st.sampled_from(SCRIPT_TEXTS), st.binary(max_size=400))
@settings(max_examples=200)
def test_any_message(script: str, message: bytes) -> None:
    ran(script.encode(), MimeMessage(message))


@given(st.sampled_from(SCRIPT_TEXTS), st.data())
def test_messages_with_any_fields(script: str, data: st.DataObject) -> None:
    names = ["From", "To", "Subject", "Date", "X-Tag", "X-Star", "Received", "Message-ID"]
    value = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
    fields = data.draw(st.lists(st.tuples(st.sampled_from(names), value), max_size=8))
    header = "".join(f"{name}: {value}\r\n" for name, value in fields)
    ran(script.encode(), MimeMessage(header.encode() + b"\r\nbody\r\n"))


@given(st.sampled_from(SCRIPT_TEXTS))
def test_a_run_leaves_nothing_behind(script: str) -> None:
    """The same script on the same message comes to the same, the second time too."""
    try:
        checked = compile_script(script.encode())
    except SieveError:
        return
    delivery = Delivery("a@example.com", "me@example.org")
    first = checked.run(MESSAGE, delivery)
    other = MimeMessage(b"Subject: other\r\nFrom: b@example.net\r\n\r\nx")
    checked.run(other, delivery)
    assert checked.run(MESSAGE, delivery) == first
