"""The loop over the queue, on both databases: what is due goes, once, and what became of it is kept."""

from unit.delivery.outbound.outside import CONTENT, Outside


async def test_a_message_goes_and_leaves_the_queue(outside_both: Outside) -> None:
    outside = outside_both
    server = await outside.server()
    outside.domain()
    await outside.queue("a@there.example", "b@there.example")
    attempts = await outside.go()
    assert [(a.address, a.outcome) for a in attempts] == [
        ("a@there.example", "delivered"),
        ("b@there.example", "delivered"),
    ]
    assert attempts[0].said == "mx.there.example took it: «250 2.0.0 queued as 1»"
    assert attempts[0].host == f"mx.there.example [127.0.0.1]:{outside.port}, without TLS"
    (taken,) = server.taken
    assert taken.content == b"Received: here\r\n" + CONTENT
    assert taken.recipients == ["a@there.example", "b@there.example"]
    assert await outside.house.rows("SELECT * FROM queue_message") == []
