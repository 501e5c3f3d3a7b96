"""Connections without end from one address: they are refused in words, and other addresses are served."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from attacks.live.conftest import SETTINGS
from attacks.live.wire import Raw, raw
from support.server import PASSWORD, Server
from support.vital_signs import MIB, VitalSigns, lively

ATTACKER = "127.0.0.5"
OTHER = "127.0.0.2"
MOST = int(SETTINGS["imap"]["connections_per_address"])

WORDS = {
    "imap": b"* BYE [UNAVAILABLE] Too many connections from your network; try again later\r\n",
    "smtp": b"421 4.7.0 Too many connections from your network; try again later\r\n",
    "submission": b"421 4.7.0 Too many connections from your network; try again later\r\n",
    "lmtp": b"421 4.7.0 Too many connections from your network; try again later\r\n",
    "pop3": b"-ERR [SYS/TEMP] Too many connections from your network; try again later\r\n",
}


@asynccontextmanager
async def held(
    server: Server, service: str, count: int = MOST, source: str = ATTACKER
) -> AsyncIterator[list[Raw]]:
    """So many connections from the attacker, of which the server has taken notice."""
    async with AsyncExitStack() as stack:
        wires = [
            await stack.enter_async_context(raw(server.ports[service], source=source))
            for _ in range(count)
        ]
        if service in WORDS:
            for wire in wires:
                assert b" ready" in await wire.line()
        else:
            await asyncio.sleep(0.2)
        yield wires


async def served(server: Server, service: str, source: str) -> None:
    """A whole dialogue from an address; waits while the server forgets who has gone."""
    for _ in range(50):
        async with raw(server.ports[service], source=source) as wire:
            if b" ready" in await wire.line():
                await wire.send(b"LOGOUT\r\n" if service == "imap" else b"QUIT\r\n")
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{source} is not served")


@pytest.mark.parametrize("service", WORDS)
async def test_one_address_is_refused_in_words(
    target: Server, signs: VitalSigns, service: str
) -> None:
    with lively(target):
        async with held(target, service):
            for _ in range(100):
                async with raw(target.ports[service], source=ATTACKER) as wire:
                    assert await wire.rest() == WORDS[service]
            await served(target, service, OTHER)
        await served(target, service, ATTACKER)


@pytest.mark.parametrize("service", ["smtp", "submission", "lmtp"])
async def test_one_protocol_does_not_take_the_connections_of_another(
    target: Server, signs: VitalSigns, service: str
) -> None:
    """Many addresses fill what there is for one; the others, and who sends by them, are served."""
    with lively(target):
        async with AsyncExitStack() as stack:
            for number in range(int(SETTINGS["smtp"]["connections"]) // MOST):
                source = f"127.0.1.{number}"
                await stack.enter_async_context(held(target, service, source=source))
            async with raw(target.ports[service], source=OTHER) as wire:
                assert await wire.rest() == WORDS[service]
            for other in {"smtp", "submission", "lmtp", "imap"} - {service}:
                await served(target, other, OTHER)
        await served(target, service, OTHER)


async def test_one_account_does_not_take_the_connections_of_all(
    target: Server, signs: VitalSigns
) -> None:
    """Signed in it no longer counts for its network, but for itself, wherever it comes from."""
    most = int(SETTINGS["smtp"]["connections_per_account"])
    async with AsyncExitStack() as stack:
        answers = []
        for number in range(most + 5):
            source = f"127.0.2.{number % 3}"
            wire = await stack.enter_async_context(raw(target.ports["submission"], source=source))
            answers.append(await signing_in(wire, "u2"))
        assert [answer[:3] for answer in answers] == [b"235"] * most + [b"454"] * 5
        async with raw(target.ports["submission"], source="127.0.2.0") as wire:
            assert (await signing_in(wire, "u3")).startswith(b"235 ")


async def signing_in(wire: Raw, account: str) -> bytes:
    await wire.reply()
    await wire.send(b"EHLO x\r\n")
    await wire.reply()
    response = base64.b64encode(f"\0{account}@example.test\0{PASSWORD}".encode())
    await wire.send(b"AUTH PLAIN " + response + b"\r\n")
    return await wire.reply()


async def test_half_handshakes_count(target: Server, signs: VitalSigns) -> None:
    """Nothing is built for one too many: it is closed before its handshake, without words."""
    context = ssl.create_default_context(cafile=str(target.data / "tls" / "ca.pem"))
    with lively(target):
        async with held(target, "imaps") as wires:
            for wire in wires[::2]:
                await wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            for _ in range(50):
                async with raw(target.ports["imaps"], source=ATTACKER) as wire:
                    assert await wire.rest() == b""
            async with raw(target.ports["imaps"], source=OTHER, tls=context) as wire:
                assert b" ready" in await wire.line()
            async with raw(target.ports["imap"], source=ATTACKER) as wire:
                assert await wire.rest() == WORDS["imap"]
        await served(target, "imap", ATTACKER)


async def test_who_signed_in_does_not_count(target: Server, signs: VitalSigns) -> None:
    """A house of many people behind one address."""
    async with AsyncExitStack() as stack:
        for number in range(MOST + 10):
            wire = await stack.enter_async_context(raw(target.ports["imap"], source=OTHER))
            assert b" ready" in await wire.line()
            await wire.send(f'a LOGIN "u{number % 3}@example.test" "{PASSWORD}"\r\n'.encode())
            assert b"a OK" in await wire.tagged(b"a")


async def test_thousands_that_come_and_go(target: Server, signs: VitalSigns) -> None:
    async def one(service: str) -> None:
        async with raw(target.ports[service], source=ATTACKER):
            pass

    with lively(target):
        for _ in range(20):
            await asyncio.gather(*[one(s) for s in ("imap", "imaps", "smtp", "metrics") * 25])
        await served(target, "imap", ATTACKER)
    signs.check(16 * MIB)


async def test_one_address_fills_the_health_page(target: Server, signs: VitalSigns) -> None:
    """It has no accounts to tell apart; it is closed to all but the first, and mail goes on."""
    with lively(target):
        async with held(target, "metrics", 300):
            await served(target, "imap", OTHER)
            await served(target, "smtp", OTHER)
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(_healthy, target):
            await asyncio.sleep(0.1)


def _healthy(server: Server) -> bool:
    try:
        return server.health()
    except OSError:
        return False
