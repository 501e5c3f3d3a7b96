"""Base subjects (RFC 5256 §2.1) and thread keys."""

from __future__ import annotations

import pytest

from malleposte.mime import base_subject, message_ids, thread_ids
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
