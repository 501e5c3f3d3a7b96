"""Forms that become Sieve: what they say is what the script does, and what is not known is kept."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.sieve import (
    Delivery,
    FileInto,
    Keep,
    MimeMessage,
    Outcome,
    Redirect,
    Reject,
    Vacation,
    compile_script,
)
from malleposte.sieve.forms import Action, Condition, Filters, FormError, Rule
from malleposte.sieve.forms import Vacation as Form

MAIL = (
    b"From: Ann Lee <ann@sender.example>\r\nTo: ada@example.test\r\nSubject: Re: the *plan*\r\n"
    b"List-Id: Friends <friends.lists.example>\r\nX-Tag: a\\b\r\n\r\nMeet me at noon.\r\n"
)


def run(script: bytes, *, now: int = 1_800_000_000, mail: bytes = MAIL) -> Outcome:
    delivery = Delivery(
        sender="ann@sender.example",
        recipient="ada@example.test",
        now=datetime.fromtimestamp(now, UTC),
    )
    outcome = compile_script(script).run(MimeMessage(mail), delivery)
    assert outcome.error is None
    return outcome


# Vacation -----------------------------------------------------------------------------------------


PERSONAL = b"".join(line for line in MAIL.splitlines(True) if not line.startswith(b"List-Id"))


def reply(form: Form, now: int = 1_800_000_000) -> Vacation | None:
    actions = run(form.script(), now=now, mail=PERSONAL).actions
    return next((action for action in actions if isinstance(action, Vacation)), None)


def test_a_reply_says_what_the_form_says() -> None:
    form = Form(enabled=True, subject='A "b"\n', text='Bin weg.\r\n\\ "ä" ${x}', days=3)
    made = reply(form)
    assert made is not None
    assert (made.subject, made.reason) == ('A "b"', 'Bin weg.\r\n\\ "ä" ${x}')
    assert made.seconds == 3 * 86_400


@pytest.mark.parametrize(
    ("now", "answered"), [(999, False), (1000, True), (1999, True), (2000, False)]
)
def test_only_between_its_times(now: int, answered: bool) -> None:
    form = Form(enabled=True, text="x", start=1000, end=2000)
    assert (reply(form, now=now) is not None) is answered


def test_a_form_that_is_off_is_no_script() -> None:
    assert Form(text="x").script() == b""


def test_with_html_it_is_both() -> None:
    made = reply(Form(enabled=True, text="fort", html="<b>fort ü</b>"))
    assert made is not None
    assert made.mime
    assert made.reason.startswith("Content-Type: multipart/alternative;")
    assert "text/plain" in made.reason
    assert "text/html" in made.reason


def test_another_absence_is_told_anew() -> None:
    form = Form(enabled=True, text="x", start=1000)
    again = Form(enabled=True, text="x", start=5000)
    first, second = reply(form), reply(again)
    assert first is not None
    assert second is not None
    assert first.handle != second.handle


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form(enabled=True, text=" "), "no text"),
        (Form(enabled=True, text="x", days=0), "1 to 365"),
        (Form(enabled=True, text="x", start=5, end=5), "ends before it begins"),
        (Form(enabled=True, text="x", end=1 << 60), "out of range"),
        (Form(enabled=True, text="x" * 60_001), "more than 60,000"),
        (Form(enabled=True, text="x", addresses=("no address",)), "is no mail address"),
    ],
)
def test_forms_that_cannot_be_kept(form: Form, words: str) -> None:
    with pytest.raises(FormError, match=words):
        form.script()


# Filters ------------------------------------------------------------------------------------------


def outcome(condition: Condition, **how: object) -> bool:
    """Whether a message matches."""
    rule = Rule(id="1", conditions=(condition,), actions=(Action(does="discard"),), **how)  # type: ignore[arg-type]
    return run(Filters((rule,)).script()).keep is None


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (Condition(field="from", value="Lee"), True),
        (Condition(field="from", value="ann@SENDER"), True),
        (Condition(field="to", value="ann"), False),
        (Condition(field="recipient", value="ada@"), True),
        (Condition(field="cc", relation="exists"), False),
        (Condition(field="subject", value="*plan*"), True),
        (Condition(field="subject", relation="is", value="re: the *plan*"), True),
        (Condition(field="subject", relation="begins", value="Re:"), True),
        (Condition(field="subject", relation="begins", value="R*:"), False),
        (Condition(field="subject", relation="ends", value="*plan*"), True),
        (Condition(field="subject", relation="ends", value="?plan*"), False),
        (Condition(field="subject", value="plan", negated=True), False),
        (Condition(field="list", value="friends.lists"), True),
        (Condition(field="header", name="X-Tag", relation="is", value="a\\b"), True),
        (Condition(field="header", name="X-Tag", relation="begins", value="a\\"), True),
        (Condition(field="header", name="X-None", relation="exists"), False),
        (Condition(field="body", value="at noon"), True),
        (Condition(field="size", relation="larger", value="100"), True),
        (Condition(field="size", relation="smaller", value="100"), False),
        (Condition(field="attachment"), False),
    ],
)
def test_what_a_condition_matches(condition: Condition, matches: bool) -> None:
    assert outcome(condition) is matches


def test_all_or_any_of_the_conditions() -> None:
    yes, other = Condition(field="subject", value="plan"), Condition(field="subject", value="x")
    for match, expected in (("all", False), ("any", True)):
        rule = Rule(id="1", match=match, conditions=(yes, other), actions=(Action(does="discard"),))  # type: ignore[arg-type]
        assert (run(Filters((rule,)).script()).keep is None) is expected


def test_what_is_done() -> None:
    rule = Rule(
        id="1",
        name="Work\nand more",
        actions=(
            Action(does="mark", flags=("\\Seen", "work")),
            Action(does="copy", name="All/Of it"),
            Action(does="move", mailbox="M10000000a", name="Work"),
            Action(does="forward", address="me@elsewhere.example", keeps=True),
        ),
    )
    actions = run(Filters((rule,)).script()).actions
    flags = ("\\Seen", "work")
    assert actions == (
        FileInto("All/Of it", flags),
        FileInto("Work", flags, mailbox_id="M10000000a"),
        Redirect("me@elsewhere.example"),
    )


def test_the_first_rule_that_matches_is_the_last_unless_it_says_otherwise() -> None:
    def rule(number: int, *, stop: bool) -> Rule:
        return Rule(id="x", stop=stop, actions=(Action(does="mark", flags=(f"f{number}",)),))

    script = Filters((rule(1, stop=False), rule(2, stop=True), rule(3, stop=True))).script()
    assert run(script).keep == Keep(("f1", "f2"), implicit=True)


def test_refused_with_its_words() -> None:
    rule = Rule(id="1", actions=(Action(does="reject", text='No "x".'),))
    assert run(Filters((rule,)).script()).actions == (Reject('No "x".'),)


def test_rules_that_are_off_do_nothing() -> None:
    assert (
        Filters((Rule(id="1", enabled=False, actions=(Action(does="discard"),)),)).script() == b""
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(id="1", name="A", actions=(Action(does="move"),)), "rule 'A': it names no mailbox"),
        (Rule(id="1", actions=(Action(does="forward", address="x"),)), "is no mail address"),
        (Rule(id="1", actions=(Action(does="mark"),)), "marks with nothing"),
        (Rule(id="1", conditions=(Condition(field="size", value="1"),)), "larger or smaller"),
        (
            Rule(id="1", conditions=(Condition(field="size", relation="larger", value="x"),)),
            "is no number",
        ),
        (Rule(id="1", conditions=(Condition(field="header", name="a b"),)), "no name of a header"),
        (Rule(id="1", conditions=(Condition(field="to", value="x" * 2001),)), "more than 2,000"),
        (Rule(id="1", conditions=(Condition(field="to"),) * 51), "more than 50"),
    ],
)
def test_rules_that_cannot_be_kept(rule: Rule, words: str) -> None:
    with pytest.raises(FormError, match=words):
        Filters((rule,)).script()


# What is not known --------------------------------------------------------------------------------


def test_what_this_version_does_not_know_is_kept_byte_for_byte() -> None:
    new = (
        b'{"id":"9", "does" : {"later": [1.50,  "\\u00e4"]},"sieve":"discard;","requires":["copy"]}'
    )
    octets = (
        b'{"theme" :  {"a":1e2},"rules":[{"id":"1","name":"x","actions":[{"does":"keep"}]},'
        + new
        + b"]}"
    )
    form = Filters.read(octets)
    assert isinstance(form.rules[0], Rule)
    assert form.rules[1] == new
    written = form.write()
    assert new in written
    assert b'{"a":1e2}' in written
    assert Filters.read(written) == form
    script = form.script()
    assert b"discard;" in script
    assert b'"copy"' in script
    assert run(script).keep == Keep()  # the first rule stops


def test_a_rule_with_something_new_in_it_is_not_half_done() -> None:
    raw = b'{"id":"1","conditions":[{"field":"mood","value":"x"}],"actions":[{"does":"discard"}]}'
    form = Filters.read(b'{"rules":[' + raw + b"]}")
    assert form.rules == (raw,)
    assert form.script() == b""


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'{"rules":5}', b"\xff", b'{"a":' * 9999])
def test_what_is_no_form(octets: bytes) -> None:
    with pytest.raises(FormError):
        Filters.read(octets)
    with pytest.raises(FormError):
        Form.read(octets if b"rules" not in octets else b'{"days":"x"}')


texts = st.text(max_size=30)


@given(texts, texts, texts, texts)
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_into_a_form_it_is_a_script(
    name: str, value: str, mailbox: str, text: str
) -> None:
    condition = Condition(field="subject", relation="begins", value=value)
    actions = (
        Action(does="mark", flags=(name or "x",)),
        Action(does="copy", name=mailbox or "x"),
        Action(does="keep"),
    )
    rule = Rule(id="1", name=name, conditions=(condition,), actions=actions)
    form = Filters((rule,), (("x", msgspec.json.encode(text)),))
    try:
        script = form.script()
    except FormError:
        assert not mailbox.isprintable()
    else:
        run(script)
    assert Filters.read(form.write()) == form
    away = Form(enabled=True, subject=name, text="x" + text, html=value)
    compile_script(away.script())
    assert Form.read(away.write()) == away
