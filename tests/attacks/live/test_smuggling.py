"""Smuggling against the running server: one mail in, exactly one message stored or none, never two.

The variants are those of `smtp.txt`, with what the engine answers there; here they go through sockets,
over SMTP and LMTP, in one piece and by the octet, and what counts is what lies in the mailboxes.
"""

import pytest

from attacks.live.wire import codes, raw
from attacks.test_smtp import ATTACKS, PRELUDES
from support.attacks import Attack
from support.imap_client import signed_in
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns

HONEST = b"u2@example.test"
VICTIM = b"u3@example.test"

NEAR = 16
"""Octets that hold the trick; behind them comes the second message, or nothing of interest."""

SMUGGLING = [attack for attack in ATTACKS if attack.state in ("rcpt", "data")]
SPLIT = [attack for attack in SMUGGLING if not attack.whole_only and len(attack.octets) < 500]


async def stored(server: Server, account: bytes, after: int = 1 << 31) -> tuple[list[str], int]:
    """Return-Paths of the messages that came past a UIDNEXT, and the next one."""
    async with signed_in(server.ports["imap"], account.decode(), PASSWORD) as client:
        status = await client.command(b"STATUS INBOX (UIDNEXT)")
        following = int(status.untagged[0].split(b"UIDNEXT ")[1].split(b")")[0])
        if following <= after:
            return [], following
        await client.command(b"EXAMINE INBOX")
        items = b"BODY.PEEK[HEADER.FIELDS (RETURN-PATH)]"
        answer = await client.command(b"UID FETCH %d:* (%b)" % (after, items))
        paths = [one.octets(b"BODY[HEADER.FIELDS (RETURN-PATH)]") for one in answer.fetched()]
        return [path.split(b"<")[1].split(b"@")[0].decode() for path in paths], following


async def play(server: Server, service: str, attack: Attack, *, slowly: bool) -> None:
    hello = b"LHLO c\r\n" if service == "lmtp" else b"HELO c\r\n"
    prelude = PRELUDES[attack.state].replace(b"HELO c\r\n", hello)
    prelude = prelude.replace(b"b@example.org", HONEST)
    octets = attack.octets.replace(b"b@example.org", VICTIM)
    _, honest = await stored(server, HONEST)
    _, evil = await stored(server, VICTIM)
    async with raw(server.ports[service]) as wire:
        assert (await wire.reply()).startswith(b"220 ")
        lines, _, content = prelude.rpartition(b"\r\n")
        for line in lines.split(b"\r\n"):
            await wire.send(line + b"\r\n")
            assert (await wire.reply())[:1] in b"23", line
        await wire.send(content)
        cut = NEAR if slowly else 0
        await wire.dribble(octets[:cut])
        await wire.send(octets[cut:])
        if not attack.closed:
            wire.half_close()
        assert codes(await wire.rest()) == attack.codes
    arrived, _ = await stored(server, HONEST, honest)
    smuggled, _ = await stored(server, VICTIM, evil)
    assert arrived == [sender for sender in attack.comes.split() if sender != "evil"]
    assert smuggled == [sender for sender in attack.comes.split() if sender == "evil"]


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
@pytest.mark.parametrize("attack", SMUGGLING, ids=lambda attack: attack.name)
async def test_whole(target: Server, signs: VitalSigns, attack: Attack, service: str) -> None:
    await play(target, service, attack, slowly=False)


@pytest.mark.parametrize("attack", SPLIT, ids=lambda attack: attack.name)
async def test_by_the_octet(target: Server, signs: VitalSigns, attack: Attack) -> None:
    await play(target, "smtp", attack, slowly=True)
