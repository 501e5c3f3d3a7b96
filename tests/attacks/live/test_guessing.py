"""Brute force: it becomes slow and is then refused, over all protocols together, and nobody else is.

Each test has addresses and accounts of its own. Waits are only held against a least time: the delays.
"""

import asyncio
import base64
import time

from attacks.live.wire import raw
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns, lively

REFUSED = b"Too many failed sign-ins from your network"


async def imap(server: Server, source: str, account: str, password: str, behind: str = "") -> bytes:
    """One sign-in on a connection of its own; its tagged line."""
    async with raw(server.ports["imap"], source=source) as wire:
        await wire.send(f'a LOGIN "{account}@example.test{behind}" "{password}"\r\n'.encode())
        return (await wire.tagged(b"a")).splitlines()[-1]


async def smtp(server: Server, source: str, account: str, password: str) -> bytes:
    """The same over submission; its reply."""
    response = base64.b64encode(f"\0{account}@example.test\0{password}".encode())
    async with raw(server.ports["submission"], source=source) as wire:
        await wire.reply()
        await wire.send(b"EHLO x\r\n")
        await wire.reply()
        await wire.send(b"AUTH PLAIN " + response + b"\r\n")
        return await wire.reply()


async def pop3(server: Server, source: str, account: str, password: str) -> bytes:
    """The same over POP3; its response."""
    async with raw(server.ports["pop3"], source=source) as wire:
        await wire.line()
        await wire.send(f"USER {account}@example.test\r\nPASS {password}\r\n".encode())
        await wire.line()
        return await wire.line()


async def test_guessing_slows_down_and_is_refused_on_every_protocol(
    target: Server, signs: VitalSigns
) -> None:
    attacker, home = "127.0.0.21", "127.0.0.22"
    with lively(target):
        started = time.monotonic()
        for number in range(13):
            sign_in = (imap, smtp, pop3)[number % 3]
            answer = await sign_in(target, attacker, "u6", f"guess {number}")
            assert answer.startswith((b"a NO [AUTHENTICATIONFAILED]", b"535 5.7.8", b"-ERR [AUTH]"))
        # 4 cost nothing, then 0.5 s and, as configured, at most 1 s each; failures fade a little.
        assert time.monotonic() - started >= 0.5 + 6 * 1.0
        # Now even the right password: else the guesser would learn when he has it.
        assert REFUSED in await imap(target, attacker, "u6", PASSWORD)
        assert (await smtp(target, attacker, "u6", PASSWORD)).startswith(b"454 4.7.0 Too many")
        assert (await pop3(target, attacker, "u6", PASSWORD)).startswith(
            b"-ERR [SYS/TEMP] Too many"
        )
        # The owner at home and a colleague in the attacker's house are not touched.
        assert (await imap(target, home, "u6", PASSWORD)).startswith(b"a OK")
        assert (await smtp(target, home, "u6", PASSWORD)).startswith(b"235 ")
        assert (await pop3(target, home, "u6", PASSWORD)).startswith(b"+OK ")
        assert (await imap(target, attacker, "u7", PASSWORD)).startswith(b"a OK")


async def test_all_guesses_at_once_gain_little(target: Server, signs: VitalSigns) -> None:
    """As many as an address may have connections, each with a spelling of its own: few are compared."""
    attacker = "127.0.0.24"
    with lively(target):
        answers = await asyncio.gather(
            *[
                imap(target, attacker, "uU"[number % 2] + "8", f"guess {number}", "." * number)
                for number in range(19)
            ]
        )
        compared = sum(b"AUTHENTICATIONFAILED" in answer for answer in answers)
        assert compared <= 13, "twelve, and the first has faded by then"
        assert not any(answer.startswith(b"a OK") for answer in answers)
        assert REFUSED in await imap(target, attacker, "u8", PASSWORD)
        assert (await imap(target, "127.0.0.25", "u8", PASSWORD)).startswith(b"a OK")


async def test_an_owner_is_not_locked_out_by_a_guesser_in_his_house(
    target: Server, signs: VitalSigns
) -> None:
    house = "127.0.0.26"
    assert (await imap(target, house, "u9", PASSWORD)).startswith(b"a OK")
    with lively(target):
        await asyncio.gather(*[imap(target, house, "u9", f"guess {n}") for n in range(19)])
        assert (await imap(target, house, "u9", PASSWORD)).startswith(b"a OK")


async def test_one_password_on_many_names(target: Server, signs: VitalSigns) -> None:
    """40 names, none of which need exist: the network is refused, whatever it tries next."""
    attacker = "127.0.0.27"
    with lively(target):
        for start in range(0, 45, 15):
            names = [f"name{number}" for number in range(start, start + 15)]
            await asyncio.gather(*[imap(target, attacker, name, "Summer2026") for name in names])
        assert REFUSED in await imap(target, attacker, "u1", "Summer2026")
        assert (await imap(target, "127.0.0.28", "u1", PASSWORD)).startswith(b"a OK")


async def test_a_connection_gets_few_guesses(target: Server, signs: VitalSigns) -> None:
    guess = base64.b64encode(b"\0nobody@example.test\0wrong")
    async with raw(target.ports["submission"], source="127.0.0.29") as wire:
        await wire.send(b"EHLO x\r\n" + (b"AUTH PLAIN " + guess + b"\r\n") * 9)
        heard = await wire.rest()
        assert heard.count(b"\r\n535 ") == 5
        assert heard.splitlines()[-1].startswith(b"421 ")
