"""What a mail program leaves out is added, what nobody may see goes, and nothing else changes."""

import quopri
import time
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.delivery.authorship import NotAllowed
from malleposte.delivery.spool import IN_MEMORY, Spool
from malleposte.delivery.submitted import (
    HEADER,
    header_size,
    into_seven_bits,
    mended,
    set_right,
)
from malleposte.directory.senders import Senders, Way
from malleposte.store.incoming import Incoming

NOW = 1_790_000_000.0


def right(header: bytes) -> bytes | None:
    return mended(header, "me@example.org", NOW)


def test_a_right_header_is_left_alone() -> None:
    assert right(b"Date: x\r\nFrom: a@b\r\nMESSAGE-ID: <a@b>\r\nSubject: y\r\n\r\n") is None


def test_from_date_and_message_id_are_added_at_the_top() -> None:
    made = right(b"Subject: y\r\n folded\r\n\r\n")
    assert made is not None
    author, date, identity, *rest = made.split(b"\r\n")
    assert author == b"From: <me@example.org>"
    assert date.startswith(b"Date: ")
    assert identity.startswith(b"Message-ID: <6ab13b80.")
    assert identity.endswith(b"@example.org>")
    assert rest == [b"Subject: y", b" folded", b"", b""]


@pytest.mark.parametrize("name", [b"Bcc", b"BCC ", b"bcc", b"Resent-Bcc", b"Return-Path"])
def test_hidden_recipients_go_with_their_folds(name: bytes) -> None:
    header = (
        b"From: a@b\r\nDate: x\r\n"
        + name
        + b": a@b,\r\n\tc@d\r\nMessage-ID: <a@b>\r\n"
        + name
        + b": e@f\r\n\r\n"
    )
    assert right(header) == b"From: a@b\r\nDate: x\r\nMessage-ID: <a@b>\r\n\r\n"


def test_what_only_looks_like_it_stays() -> None:
    header = (
        b"From: a@b\r\nDate: x\r\nMessage-ID: <a@b>\r\nX-Bcc: a\r\n"
        b"Subject: z\r\n Bcc: b\r\nno field\r\n\r\n"
    )
    assert right(header) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"a: b\r\n\r\nbody\r\n\r\n", 8),
        (b"a: b\n\nbody", 6),
        (b"a: b\r\n", 6),
        (b"a: b\r\n" * (HEADER // 6 + 1), -1),
    ],
)
def test_where_the_header_ends(text: bytes, size: int) -> None:
    assert header_size(text[:HEADER]) == size


def test_text_without_a_header_gets_one() -> None:
    made = right(b"just text\r\n\r\n")
    assert made is not None
    assert made.endswith(b"@example.org>\r\n\r\njust text\r\n\r\n")
    empty = right(b"\r\n")
    assert empty is not None
    assert empty.endswith(b"@example.org>\r\n\r\n")
    assert not empty.endswith(b"\r\n\r\n\r\n")


lines = st.lists(
    st.sampled_from([b"Bcc: x", b" y", b"", b"Date: z", b"a", b"Subject: Bcc:"]), max_size=8
)


@given(lines)
def test_other_lines_stay_in_their_order(given_lines: list[bytes]) -> None:
    header = b"".join(line + b"\r\n" for line in given_lines if line) + b"\r\n"
    made = right(header)
    if made is not None:
        kept = made.split(b"\r\n")
        others = [line for line in given_lines if line in (b"Date: z", b"a", b"Subject: Bcc:")]
        assert [line for line in kept if line in (b"Date: z", b"a", b"Subject: Bcc:")] == others
        assert b"Bcc: x" not in kept


class Nobody:
    """Rights that nobody has but on their own address."""

    async def way(self, account: int, address: str) -> Way:
        return Way.OWN if address == "me@example.org" else Way.NOT


@pytest.mark.parametrize("size", [10, IN_MEMORY - 30, IN_MEMORY + 10, 3 * IN_MEMORY + 7])
async def test_the_spool_holds_the_mended_message(tmp_path: Path, size: int) -> None:
    """In memory or in a file, and past the bound between them; what it takes of the disk is counted."""
    incoming = Incoming(tmp_path)
    spool = Spool(incoming, "client")
    body = bytes(range(32, 127)) * (size // 95 + 1)
    octets = b"Bcc: hidden@example.org\r\nSubject: x\r\n\r\n" + body[:size]
    for at in range(0, len(octets), 50_000):
        spool.write(octets[at : at + 50_000])
    await set_right(spool, cast(Senders, Nobody()), 1, "me@example.org", time.time())
    with spool.buffer() as buffer:
        text = bytes(buffer)
    assert len(text) == spool.size
    head, _, rest = text.partition(b"\r\n\r\n")
    assert rest == body[:size]
    assert b"hidden" not in head
    assert b"\r\nMessage-ID: <" in head
    spool.close()
    assert incoming.octets == 0


async def test_a_header_without_end_is_refused_in_words(tmp_path: Path) -> None:
    spool = Spool(Incoming(tmp_path))
    spool.write(b"Subject: x\r\n" * (HEADER // 12 + 1))
    with pytest.raises(NotAllowed, match="header of the message is too long"):
        await set_right(spool, cast(Senders, Nobody()), 1, "me@example.org", NOW)
    spool.close()


EIGHT_BIT = "Grüße aus Zürich, mit viel Text dazu, der keine Umlaute hat.\r\n".encode()


@pytest.mark.parametrize("lines", [1, 2_000, 20_000])
async def test_the_spool_is_recoded_whatever_its_size(tmp_path: Path, lines: int) -> None:
    """In memory and in a file; what it takes of the disk is counted once."""
    incoming = Incoming(tmp_path)
    spool = Spool(incoming, "client")
    spool.write(b"From: me@example.org\r\n\r\n" + EIGHT_BIT * lines)
    await into_seven_bits(spool)
    with spool.buffer() as buffer:
        made = bytes(buffer)
    assert made.isascii()
    assert len(made) == spool.size
    head, _, body = made.partition(b"\r\n\r\n")
    assert b"quoted-printable" in head
    assert quopri.decodestring(body) == EIGHT_BIT * lines
    spool.close()
    assert incoming.octets == 0


async def test_what_a_domain_signed_before_is_not_recoded(tmp_path: Path) -> None:
    spool = Spool(Incoming(tmp_path))
    octets = b"DKIM-Signature: v=1; d=list.example\r\nFrom: a@list.example\r\n\r\n" + EIGHT_BIT
    spool.write(octets)
    await into_seven_bits(spool)
    with spool.buffer() as buffer:
        assert bytes(buffer) == octets
    spool.close()
