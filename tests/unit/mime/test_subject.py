"""Base subjects (RFC 5256 §2.1) and thread keys."""

from __future__ import annotations

import pytest

from malleposte.mime import (
    base_subject,
    casemap,
    message_ids,
    read_thread_key,
    thread_ids,
    thread_key,
)
from malleposte.mime.subject import split_subject
from malleposte.mime.text_list import text_list


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("plain", "plain"),
        ("Re: a", "a"),
        ("re : a", "a"),
        ("RE[2]: a", "a"),
        ("Fwd: FW: Re: a", "a"),
        ("[list] a", "a"),
        ("Re: [list] re: [other] a", "a"),
        ("[list] [other] a", "a"),
        ("[list]", "[list]"),
        ("Re: [list]", "[list]"),
        ("a (fwd) (FWD)", "a"),
        ("[Fwd: a]", "a"),
        ("[fwd: Re: [list] a (fwd)]", "a"),
        ("  a \t b  ", "a b"),
        ("a [b] c", "a [b] c"),
        ("Re:", ""),
        ("", ""),
        ("[fwd:]", ""),
        ("Reply: a", "Reply: a"),
        # RFC 8621 §3 wants other languages' marks gone too.
        ("AW: WG: a", "a"),
        ("SV: VS: Antw: a", "a"),
        ("回复：a", "a"),
    ],
)
def test_base_subject(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (b"<a@b> <c@d>", ["a@b", "c@d"]),
        (b"<a@b>\r\n\t<c@d>,<e@f>", ["a@b", "c@d", "e@f"]),
        (b" bare@x ", ["bare@x"]),
        (b"<a@b", ["a@b"]),
        (b"<a<b@c>", ["b@c"]),
        (b'"phrase" <a@b>', ["a@b"]),
        (b"", []),
        (b"<>", []),
    ],
)
def test_message_ids(value: bytes, ids: list[str]) -> None:
    assert message_ids(value) == ids


def test_thread_ids_are_own_then_references_then_in_reply_to() -> None:
    fields = {
        b"message-id": b"<own>",
        b"references": b"<1> <2> <1>",
        b"in-reply-to": b"<2> <3>",
    }
    assert thread_ids(fields) == ("own", "1", "2", "3")
    assert thread_ids({}) == ()
    assert thread_ids({b"message-id": b"<a> <b>"}) == ("a",)


def test_of_a_long_references_the_first_and_the_last_stay() -> None:
    references = b" ".join(b"<%d>" % number for number in range(1_000))
    ids = thread_ids({b"message-id": b"<own>", b"references": references})
    assert len(ids) == 30
    assert ids[:2] == ("own", "0")
    assert ids[2:] == tuple(str(number) for number in range(972, 1_000))


def test_an_id_too_long_is_left_out() -> None:
    assert thread_ids({b"references": b"<%b> <b>" % (b"a" * 501)}) == ("b",)


def test_keywords() -> None:
    assert text_list(b"one, two words,\r\n =?utf-8?q?a,_=C3=A4?=,,") == ["one", "two words", "a, ä"]


@pytest.mark.parametrize(
    ("subject", "again"),
    [
        ("a", False),
        ("[list] a", False),
        ("  a", False),
        ("Reply: a", False),
        ("a (fwd) b", False),
        ("Re: a", True),
        ("[list] re: a", True),
        ("a (fwd)", True),
        ("[fwd: a]", True),
        ("AW: a", True),
        ("", False),
    ],
)
def test_a_subject_says_whether_it_is_a_reply_or_a_forward(subject: str, again: bool) -> None:
    assert split_subject(subject)[1] is again


def test_keys_of_threads_link_replies_to_what_they_answer() -> None:
    first = read_thread_key(thread_key({b"message-id": b" <1@x>"}, "a", False))
    assert first.own
    assert first.references == ()
    reply = read_thread_key(
        thread_key({b"message-id": b"<2@x>", b"in-reply-to": b"<1@x> <0@x>"}, "a", True)
    )
    assert reply.references == (first.own,)
    assert (reply.subject, reply.again) == (first.subject, True)
    third = read_thread_key(
        thread_key({b"references": b"<1@x>\r\n <2@x>", b"in-reply-to": b"<3@x>"}, "b", True)
    )
    assert third.references == (first.own, reply.own)
    assert third.own == 0
    assert third.subject != first.subject


def test_what_is_no_id_links_nothing_and_quotes_make_no_difference() -> None:
    bare = read_thread_key(
        thread_key({b"references": b"no id at all", b"in-reply-to": b"Your letter"}, "", False)
    )
    assert bare == (0, 0, False, ())
    quoted = read_thread_key(thread_key({b"references": b'<"a b"@x> <"c"@x>'}, "", False))
    plain = read_thread_key(thread_key({b"references": b"<a b@x> <c@x>"}, "", False))
    assert quoted == plain
    first = read_thread_key(
        thread_key({b"references": b"not one", b"in-reply-to": b"<1@x>"}, "", False)
    )
    assert len(first.references) == 1


def test_long_references_keep_their_first_and_their_last() -> None:
    ids = [b"<%d@x>" % n for n in range(100)]
    kept = read_thread_key(thread_key({b"references": b" ".join(ids)}, "", False)).references
    ends = read_thread_key(thread_key({b"references": ids[0] + ids[-1]}, "", False)).references
    assert len(kept) == 30
    assert (kept[0], kept[-1]) == ends


def test_subjects_are_the_same_without_case_and_form() -> None:
    composed, decomposed = "Gr\u00fc\u00dfe", "gru\u0308\u00dfe"
    keys = {thread_key({}, subject, False) for subject in (composed, decomposed)}
    assert len(keys) == 1


def test_texts_are_in_the_order_of_rfc_5051() -> None:
    texts = ["", "a", "Ab", "B", "\u00e9t\u00e9", "f", "[x]", "_", "\u0416"]
    shuffled = [texts[at] for at in (5, 2, 8, 0, 7, 4, 1, 6, 3)]
    assert sorted(shuffled, key=casemap) == texts
    assert casemap("\u00e9") == casemap("E\u0301") == "E\u0301"
    assert casemap("stra\u00dfe") == "STRA\u00dfE"
    assert casemap("\uff21") == "A"
