"""THREAD over stored keys: odd ids, subjects, mail filed before keys were kept (RFC 5256 §3)."""

from __future__ import annotations

import pytest

from malleposte.services.imapd import threads
from support.imap_client import ImapClient, Literal, Refused
from support.store import Place
from unit.services.imapd.harness import Served


def message(own: bytes = b"", answers: bytes = b"", subject: bytes = b"", day: int = 1) -> bytes:
    lines = [b"Date: %d Nov 2026 12:00:00 +0000" % day]
    if own:
        lines.append(b"Message-ID: <%b>" % own)
    if answers:
        lines.append(b"References: " + b" ".join(b"<%b>" % a for a in answers.split()))
    if subject:
        lines.append(b"Subject: " + subject)
    return b"\r\n".join(lines) + b"\r\n\r\nx\r\n"


async def _filled(served: Served, *messages: bytes) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    for text in messages:
        await client.command(b"APPEND INBOX ", Literal(text))
    await client.command(b"SELECT INBOX")
    return client


async def _threads(client: ImapClient, program: bytes = b"ALL") -> bytes:
    answer = await client.command(b"THREAD REFERENCES UTF-8 " + program)
    (line,) = answer.untagged
    return line.removeprefix(b"* THREAD").strip()


@pytest.mark.parametrize(
    ("messages", "trees"),
    [
        # A References that says otherwise than the message itself is wrong; a loop is not made.
        (
            [message(b"a", day=9), message(b"b", b"a c", day=1), message(b"c", b"b", day=2)],
            b"(3 2)(1)",
        ),
        # One Message-ID twice: the second has none.
        ([message(b"a"), message(b"a")], b"(1)(2)"),
        (
            [message(b"a"), message(b"b", b"a"), message(b"c", b"b"), message(b"b", b"a")],
            b"(1 (2 3)(4))",
        ),
        # By subject where references say nothing.
        ([message(b"a", subject=b"s"), message(b"b", subject=b"Re: S", day=2)], b"(1 2)"),
        ([message(b"a", subject=b"s"), message(b"b", b"c", subject=b"Re: s", day=2)], b"(1 2)"),
        ([message(subject=b"s"), message(subject=b"s", day=2)], b"((1)(2))"),
        ([message(subject=b"Re: s"), message(subject=b"s", day=2)], b"(2 1)"),
        # A subject that is empty but for marks brings nobody together.
        ([message(subject=b"Re:"), message(subject=b"Fwd:")], b"(1)(2)"),
        # Brothers of a father who is not there.
        ([message(answers=b"a"), message(answers=b"a", day=2)], b"((1)(2))"),
        ([message(answers=b"a")], b"(1)"),
        # Quotes in an id make no difference.
        ([message(b'"a"@x'), message(b"b", b"a@x", day=2)], b"(1 2)"),
        # Its own ancestor.
        ([message(b"a", b"a")], b"(1)"),
        ([], b""),
    ],
)
async def test_trees(served: Served, messages: list[bytes], trees: bytes) -> None:
    client = await _filled(served, *messages)
    assert await _threads(client) == trees


async def test_only_what_is_searched_for_makes_trees(served: Served) -> None:
    client = await _filled(
        served, message(b"a"), message(b"b", b"a", day=2), message(b"c", b"a b", day=3)
    )
    assert await _threads(client) == b"(1 2 3)"
    assert await _threads(client, b"OR 1 3") == b"(1 3)"
    assert await _threads(client, b"2:3") == b"(2 3)"


async def test_mail_filed_before_keys_were_kept_is_read(served: Served, place: Place) -> None:
    client = await _filled(
        served,
        message(b"a", subject=b"s"),
        message(b"b", b"a", day=2),
        message(subject=b"RE: S", day=3),
        message(b"d", b"b", day=4),
    )
    before = await _threads(client)
    assert before == b"(1 (2 4)(3))"
    async with place.raw() as tx:
        await tx.run("UPDATE email_wide SET thread_key = NULL WHERE id & 1 = 1")
    assert await _threads(client) == before
    async with place.raw() as tx:
        await tx.run("UPDATE email_wide SET thread_key = NULL")
    assert await _threads(client) == before


async def test_a_copy_has_its_thread(served: Served) -> None:
    client = await _filled(served, message(b"a", subject=b"s"), message(b"b", b"a", day=2))
    await client.command(b"COPY 2 INBOX")
    await client.command(b"NOOP")
    assert await _threads(client) == b"(1 (2)(3))"


async def test_more_than_is_held_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "NODES", 5)
    client = await _filled(served, message(b"a", b"1 2 3 4 5"), message(b"b"))
    with pytest.raises(Refused, match=r"NO \[LIMIT\]"):
        await _threads(client)
    assert await _threads(client, b"2") == b"(2)"
