"""What an outcome holds besides its actions: edits, notes, what is to be remembered, the way to the next
script."""

import pytest

from malleposte.sieve import (
    AddHeader,
    DeleteHeader,
    Delivery,
    FileInto,
    Keep,
    MimeMessage,
    Outcome,
    Redirect,
    SieveError,
    compile_script,
)

MESSAGE = MimeMessage(
    b"From: a@example.com\r\nTo: me@example.org\r\nX-Tag: 1\r\nX-Tag: 2\r\nX-Tag: 3\r\n"
    b"Message-ID: <1@example.com>\r\n\r\nhi\r\n"
)


def run(script: str, **delivery: object) -> Outcome:
    around = {"sender": "a@example.com", "recipient": "me@example.org", **delivery}
    return compile_script(script.encode()).run(MESSAGE, Delivery(**around))  # type: ignore[arg-type]


def test_each_action_says_which_header_edits_it_saw() -> None:
    outcome = run(
        'require ["editheader", "fileinto", "copy"]; fileinto :copy "before";'
        ' addheader "X-A" "1"; redirect :copy "b@example.net"; deleteheader :matches "X-Tag" "*";'
    )
    assert outcome.header_edits == (
        AddHeader("X-A", "1"),
        # From the last: each number is right at the time when its edit is made.
        DeleteHeader("X-Tag", 3),
        DeleteHeader("X-Tag", 2),
        DeleteHeader("X-Tag", 1),
    )
    assert outcome.actions == (
        FileInto("before", edits=0),
        Redirect("b@example.net", edits=1),
        Keep(edits=4, implicit=True),
    )


def test_what_is_no_edit_is_none() -> None:
    outcome = run(
        'require "editheader"; deleteheader "X-None"; deleteheader :index 9 "X-Tag";'
        ' deleteheader "Received"; addheader "Return-Path" "<>"; deleteheader :is "X-Tag" "4";'
    )
    assert outcome.header_edits == ()
    assert outcome.notes == (
        "deleteheader: Received is not a script's to delete",
        "addheader: Return-Path is not a script's to add",
    )


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        ("", True),
        ("keep;", True),
        ("discard;", False),
        ("discard; keep;", True),
        ('require "fileinto"; fileinto "Junk";', False),
        ('require ["fileinto", "copy"]; fileinto :copy "Junk";', True),
        ("redirect 'x';".replace("'", '"').replace("x", "b@example.net"), False),
        ('require "vacation"; vacation "away";', True),
        ('require "reject"; reject "no";', False),
        ('require "fileinto"; fileinto "INBOX"; keep;', True),
    ],
)
def test_a_chain_goes_on_after_a_keep_only(script: str, kept: bool) -> None:
    assert (run(script).keep is not None) is kept


def test_flags_of_one_script_begin_the_next() -> None:
    first = run('require "imap4flags"; addflag "\\\\Seen";').keep
    assert first is not None
    after = compile_script(b'require "imap4flags"; addflag "work";')
    assert after.run(MESSAGE, Delivery(), first.flags).keep == Keep(
        ("\\Seen", "work"), implicit=True
    )
    # One that knows nothing of flags hands them on.
    assert compile_script(b"keep;").run(MESSAGE, Delivery(), first.flags).keep == Keep(("\\Seen",))


def test_a_run_that_fails_keeps_and_forgets_what_it_had_decided() -> None:
    outcome = run(
        'require ["editheader", "duplicate", "variables", "imap4flags"]; setflag "\\\\Deleted";'
        ' addheader "X-A" "1"; redirect "b@example.net"; discard;\n'
        'if duplicate { stop; }\nset "a" "nobody";\nredirect "${a}";'
    )
    assert outcome.error is not None
    assert str(outcome.error) == "line 4, column 10: 'nobody' is no mail address"
    assert outcome.actions == (Keep(implicit=True),)
    assert outcome.header_edits == ()
    assert outcome.seen == ()


def test_duplicates_are_asked_for_once_and_remembered_at_the_end() -> None:
    asked: list[tuple[str, str]] = []

    def seen(handle: str, value: str) -> bool:
        asked.append((handle, value))
        return False

    outcome = run(
        'require "duplicate"; if duplicate :handle "h" { discard; }'
        ' if duplicate :handle "h" :seconds 5 { discard; } if duplicate :uniqueid "2" :last { }',
        seen=seen,
    )
    assert len(asked) == 2
    assert [(s.handle, s.seconds, s.last) for s in outcome.seen] == [
        ("h", 604_800, False),
        ("", 604_800, True),
    ]
    assert asked == [(s.handle, s.value) for s in outcome.seen]
    assert outcome.keep is not None


def test_a_function_that_cannot_answer_at_once_ends_the_run() -> None:
    class NotYet(Exception):
        pass

    def exists(name: str) -> bool:
        raise NotYet(name)

    with pytest.raises(NotYet, match="Junk"):
        run('require "mailbox"; if mailboxexists "Junk" { keep; }', mailbox_exists=exists)


def test_the_handle_of_a_reply_changes_with_what_it_says() -> None:
    def handle(script: str) -> str:
        (vacation, _) = run(f'require ["vacation"]; vacation {script};').actions
        assert vacation.to == "a@example.com"  # type: ignore[union-attr]
        return vacation.handle  # type: ignore[union-attr]

    assert handle('"away"') == handle('"away"') == handle(':days 3 "away"')
    assert handle('"away"') != handle('"gone"')
    assert handle('"away"') != handle(':subject "s" "away"')
    assert handle(':handle "h" "away"') == handle(':handle "h" "gone"') == "h"


def test_why_there_is_no_reply_is_told() -> None:
    script = 'require "vacation"; vacation "away";'
    assert run(script, sender="").notes == ("vacation: no reply, it comes from the null sender",)
    assert "To or Cc" in run(script, recipient="b@example.org").notes[0]


def test_extensions_that_are_not_to_be_had() -> None:
    script = b'require ["fileinto", "editheader"];'
    assert compile_script(script).extensions == {"fileinto", "editheader"}
    with pytest.raises(SieveError, match="no extension 'editheader'"):
        compile_script(script, without=frozenset(("editheader",)))


def test_a_script_includes_itself_by_its_name() -> None:
    text = b'require "include"; include "mine";'
    script = compile_script(text, resolve=lambda kept, name: text, name="mine")
    outcome = script.run(MESSAGE, Delivery())
    assert outcome.error is not None
    assert outcome.error.text == "the script 'mine' includes itself"


def test_octets_that_are_no_utf_8_are_told_by_line() -> None:
    with pytest.raises(SieveError) as told:
        compile_script('keep;\nredirect "é'.encode() + b'\xff";')
    (mistake,) = told.value.mistakes
    assert (mistake.line, mistake.column) == (2, 12)
    assert "0xFF is no UTF-8" in mistake.text
