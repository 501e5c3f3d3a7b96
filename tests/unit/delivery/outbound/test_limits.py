"""What another server says it takes is kept to (RFC 9422), so that nothing is refused by its limits."""

import pytest

from malleposte.wire.smtp.answers import RemoteReply
from malleposte.wire.smtp.outgoing import Extensions
from support.scripted_smtp import EVERYTHING, Manner
from unit.delivery.outbound.outside import Outside


async def test_recipients_go_in_transactions_as_large_as_it_takes(outside: Outside) -> None:
    server = await outside.server(1, Manner(can=(*EVERYTHING, "LIMITS RCPTMAX=2")))
    outside.domain()
    await outside.queue(*(f"{n}@there.example" for n in range(5)))
    attempts = await outside.go()
    assert {a.outcome for a in attempts} == {"delivered"}
    assert [len(taken.recipients) for taken in server.taken] == [2, 2, 1]


async def test_domains_go_in_transactions_of_as_many_as_it_takes(outside: Outside) -> None:
    """Domains with the same servers share a transaction otherwise."""
    server = await outside.server(1, Manner(can=(*EVERYTHING, "LIMITS RCPTDOMAINMAX=2 RCPTMAX=3")))
    outside.domain()
    for domain in "abc":
        outside.zone.add(f"{domain}.example", mx="10 mx.there.example.")
    await outside.queue(*(f"{n}@{domain}.example" for n in range(2) for domain in "abc"))
    attempts = await outside.go()
    assert {a.outcome for a in attempts} == {"delivered"}
    together = [{one.rpartition("@")[2] for one in taken.recipients} for taken in server.taken]
    assert sum(len(taken.recipients) for taken in server.taken) == 6
    assert max(map(len, together)) == 2
    assert max(len(taken.recipients) for taken in server.taken) == 3


async def test_a_connection_carries_as_many_messages_as_it_takes(outside: Outside) -> None:
    server = await outside.server(1, Manner(can=(*EVERYTHING, "LIMITS MAILMAX=2 X=9")))
    outside.domain()
    for n in range(5):
        await outside.queue(f"{n}@there.example")
    await outside.go()
    assert len(server.taken) == 5
    assert server.connections >= 3


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        (b"LIMITS MAILMAX=20 RCPTMAX=100 RCPTDOMAINMAX=1", (20, 100, 1)),
        (b"limits rcptmax=7", (0, 7, 0)),
        (b"LIMITS", (0, 0, 0)),
        (b"LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=", (0, 0, 0)),
        (b"LIMITS RCPTMAX=many MAILMAX=99999999999999999999", (0, 0, 0)),
        ("LIMITS RCPTMAX=١".encode(), (0, 0, 0)),
    ],
)
def test_limits_that_make_no_sense_are_none(line: bytes, limits: tuple[int, int, int]) -> None:
    can = Extensions.of(RemoteReply.of(250, [b"mx.there.example", line]))
    assert (can.most_mails, can.most_recipients, can.most_domains) == limits
