"""The text of ids: one for each, in the alphabet of IMAP and JMAP, and only it is understood."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.store.ids import (
    EMAIL_LETTER,
    MAILBOX_LETTER,
    THREAD_LETTER,
    email_id,
    email_text,
    id_number,
    mailbox_text,
    thread_text,
)

_IDS = st.builds(email_id, st.integers(1, 2**31 - 1), st.integers(1, 2**32 - 1))


@given(_IDS)
def test_an_id_comes_back_from_its_text_and_from_no_other_kinds(number: int) -> None:
    texts = {
        EMAIL_LETTER: email_text(number),
        MAILBOX_LETTER: mailbox_text(number),
        THREAD_LETTER: thread_text(number),
    }
    for letter, text in texts.items():
        # RFC 8474 §7 and RFC 8620 §1.2: up to 255 of these, best begun by a letter.
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,254}", text)
        assert [id_number(other, text) for other in texts] == [
            number if other == letter else 0 for other in texts
        ]


def test_the_form_is_the_one_that_clients_remember() -> None:
    assert email_text(email_id(26, 5)) == "E1a00000005"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E",
        "1a",
        "e1a",
        "E1A",
        "E01a",
        "E0",
        "E 1a",
        "E1_a",
        "E0x1a",
        "E+1",
        "E" + "f" * 16,
        "E" + "f" * 17,
        "E\u0661",
    ],
)
def test_what_is_no_id_is_nobodys(text: str) -> None:
    assert id_number("E", text) == 0
