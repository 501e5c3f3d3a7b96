"""What senders ask of delivery reports is kept with the message's trace (RFC 3461 §4)."""

import msgspec

from unit.services.smtpd.harness import Served


async def test_the_parameters_are_kept_though_not_announced(served: Served) -> None:
    await served.account("ada")
    bob, carol = [await served.account(name) for name in ("bob", "carol")]
    client = await served.signed_in("ada@example.org")
    assert "DSN" not in (await client.ask("EHLO client.example")).split()
    for command in (
        "MAIL FROM:<ada@example.org> RET=HDRS ENVID=QQ+20314159",
        "RCPT TO:<bob@example.org> NOTIFY=DELAY,SUCCESS ORCPT=rfc822;Bob+2Bx@Example.ORG",
        "RCPT TO:<carol@example.org>",
        "DATA",
    ):
        assert (await client.ask(command))[0] in "23", command
    assert (await client.ask("Subject: x\r\n\r\nx\r\n."))[:3] == "250"
    (row,) = await served.store.reader.rows("SELECT record FROM trace")
    record = msgspec.msgpack.decode(bytes(row[0]))
    assert record["ret"] == "HDRS"
    assert record["envid"] == "QQ 314159"
    assert record["to"] == [
        ["bob@example.org", [bob], "SUCCESS,DELAY", "rfc822;Bob+x@Example.ORG"],
        ["carol@example.org", [carol], "", ""],
    ]
