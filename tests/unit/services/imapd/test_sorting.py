"""SORT: by what messages say, on columns of any length, whatever happens to them meanwhile."""

from __future__ import annotations

import pytest

from malleposte.services.imapd import search_columns, sort_keys, sort_runs, threads
from malleposte.services.imapd.search_program import Evaluation
from malleposte.store.commands import SYSTEM, Expunge, PurgeRecoverable
from support.imap_client import ImapClient, Literal, Refused
from support.store import inbox
from unit.services.imapd.harness import Served


async def _filled(served: Served, *messages: bytes) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    for message in messages:
        await client.command(b"APPEND INBOX ", Literal(message + b"\r\n\r\nx\r\n"))
    await client.command(b"SELECT INBOX")
    return client


async def _sorted(client: ImapClient, criteria: bytes, program: bytes = b"ALL") -> list[int]:
    answer = await client.command(b"SORT (%b) UTF-8 %b" % (criteria, program))
    (line,) = answer.untagged
    assert line.startswith(b"* SORT")
    return [int(number) for number in line.split()[2:]]


async def test_texts_are_sorted_without_case_and_form(served: Served) -> None:
    subjects = (
        "a",
        "C",
        "b",
        "_",
        "[x]",
        "",
        "Éa",
        "e\u0301b",
        "f",
        "B",
    )
    client = await _filled(served, *[b"Subject: " + s.encode() for s in subjects])
    order = [subjects[n - 1] for n in await _sorted(client, b"SUBJECT")]
    assert order == ["", "a", "b", "B", "C", "Éa", "e\u0301b", "f", "[x]", "_"]
    order = [subjects[n - 1] for n in await _sorted(client, b"REVERSE SUBJECT")]
    assert order == ["_", "[x]", "f", "e\u0301b", "Éa", "C", "b", "B", "a", ""]


async def test_base_subjects(served: Served) -> None:
    subjects = (
        b"pears",
        b"[list] Fwd: [box] Re: fw: apples (fWd)  (fwd)",
        b"=?iso-8859-1?q?RE:_oranges?=",
        b"=?us-ascii?b?UmU6IHBlYXJz?=",
        b"re: [fwd: [fwd: re: [fwd: quinces]]]",
        b"Apples",
    )
    client = await _filled(served, *[b"Subject: " + subject for subject in subjects])
    assert await _sorted(client, b"SUBJECT") == [2, 6, 3, 1, 4, 5]


async def test_of_addresses_the_local_part_of_the_first_counts(served: Served) -> None:
    fields = (
        b"user2@one.example",
        b"=?utf-8?q?aaa?= <user1@two.example>, aaaa@two.example",
        b'"a, b: c" <user3@two.example>',
        b"user2: zzz@one.example, yyy@one.example;",
        b"user0@one.example (zzz)",
        b"undisclosed-recipients:;",
        b"",
    )
    client = await _filled(
        served, *[b"Subject: x\r\nFrom: %b\r\nTo: %b\r\nCc: %b" % (f, f, f) for f in fields]
    )
    for criterion in (b"FROM", b"TO", b"CC"):
        assert await _sorted(client, criterion) == [7, 6, 5, 2, 1, 4, 3], criterion
        assert await _sorted(client, b"REVERSE " + criterion) == [3, 1, 4, 2, 5, 6, 7], criterion
    assert await _sorted(client, b"CC REVERSE ARRIVAL REVERSE SIZE") == [7, 6, 5, 2, 4, 1, 3]


async def test_by_what_is_displayed(served: Served) -> None:
    fields = (
        b"foo bar <a@b.example>",
        b"b@c.example",
        b"d",
        b"=?iso-8859-1?q?foo_aar?= <e@f.example>",
        "Foo çar <f@g.example>".encode(),
        b"a: xx@xx.example, yy@yy.example;",
        b'"" <c@d.example>',
        b"z: aa@aa.example;",
    )
    client = await _filled(served, *[b"Subject: x\r\nFrom: %b\r\nTo: %b" % (f, f) for f in fields])
    assert await _sorted(client, b"DISPLAYFROM") == [6, 2, 7, 3, 4, 1, 5, 8]
    assert await _sorted(client, b"REVERSE DISPLAYTO") == [8, 5, 1, 4, 3, 7, 2, 6]


async def test_addresses_behind_much_else_are_found(served: Served) -> None:
    many = b", ".join(b"number%d@example.com" % n for n in range(300))
    client = await _filled(
        served,
        b"Subject: %b\r\nFrom: %b\r\nTo: b@example.com\r\nCc: x@example.com" % (b"s" * 5_000, many),
        b"Subject: \xff\xfe\r\nFrom: \xe9t\xe9 <%b@x>\r\nTo: a@example.com" % (b"\xe9" * 10),
        b"Subject: s\r\nFrom: a@example.com\r\nTo: %b\r\nCc: w@example.com" % many,
    )
    assert await _sorted(client, b"TO") == [2, 1, 3]
    assert await _sorted(client, b"CC") == [2, 3, 1]
    assert await _sorted(client, b"FROM") == [3, 2, 1]


async def test_many_are_sorted_in_slices_and_through_a_file(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort_keys, "ROWS", 3)
    monkeypatch.setattr(sort_runs, "RUN", 4)
    monkeypatch.setattr(sort_runs, "IN_MEMORY", 300)
    subjects = [b"%03d" % (n * 7 % 50) for n in range(50)]
    client = await _filled(served, *[b"Subject: " + subject for subject in subjects])
    expected = sorted(range(1, 51), key=lambda n: subjects[n - 1])
    assert await _sorted(client, b"SUBJECT") == expected
    assert await _sorted(client, b"REVERSE SUBJECT") == expected[::-1]


async def test_without_room_on_the_disk_a_large_sort_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sort_runs, "RUN", 2)
    monkeypatch.setattr(sort_runs, "IN_MEMORY", 100)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    client = await _filled(served, b"Subject: b", b"Subject: a", b"Subject: c")
    with pytest.raises(Refused, match=r"NO \[UNAVAILABLE\]"):
        await _sorted(client, b"SUBJECT")
    assert await _sorted(client, b"SUBJECT", b"1") == [1]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"SORT (SUBJECT) UTF-8 ALL", b"* SORT 2 1\r\n"),
        (b"THREAD REFERENCES UTF-8 ALL", b"* THREAD (1)(2)\r\n"),
        (b"SEARCH LARGER 1", b"* SEARCH 1 2\r\n"),
    ],
)
async def test_what_goes_for_good_meanwhile_is_left_out(
    served: Served, monkeypatch: pytest.MonkeyPatch, command: bytes, answer: bytes
) -> None:
    account, address = await served.account()
    client = await served.signed_in(address)
    for subject in (b"b", b"a", b"c"):
        await client.command(b"APPEND INBOX ", Literal(b"Subject: %b\r\n\r\n" % subject))
    await client.command(b"SELECT INBOX")
    for module in (sort_keys, threads, search_columns):
        monkeypatch.setattr(module, "ROWS", 1)
    pause = Evaluation.pause
    done: list[int] = []

    async def expunge(self: Evaluation, *counts: int) -> None:
        await pause(self, *counts)
        if not done:
            done.append(1)
            await served.store.submit(
                Expunge(
                    actor=SYSTEM,
                    mailbox=inbox(account),
                    uids=((3, 3),),
                    marked=False,
                    recoverable_until=1,
                )
            )
            await served.store.submit(PurgeRecoverable())

    monkeypatch.setattr(Evaluation, "pause", expunge)
    answered = await client.command(command)
    assert done
    assert answered.untagged[0] == answer
