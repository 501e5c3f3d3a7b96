"""A second client of an account, beside a mail program under test: it knows nothing of that program."""

import asyncio
import email.header
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from support.imap_client import ImapClient, signed_in
from support.mailbox import Account
from support.server import Server

ON_THE_WIRE = {
    "Entwürfe": "Entw&APw-rfe",
    "Projekte/Größe & Co": "Projekte/Gr&APYA3w-e &- Co",
    "Projekte/日本語": "Projekte/&ZeVnLIqe-",
}
"""Names that tests use, in modified UTF-7 (RFC 3501 §5.1.3), written by hand."""


def wire(name: str) -> bytes:
    """A name as the second client writes it."""
    return f'"{ON_THE_WIRE.get(name, name)}"'.encode()


@dataclass(frozen=True, slots=True)
class Far:
    """What the server tells another client of the same account."""

    client: ImapClient

    async def rows(self, name: str) -> dict[str, frozenset[str]]:
        """Subjects of a mailbox with their flags; each subject once."""
        answer = await self.client.command(b"EXAMINE " + wire(name))
        if b"* 0 EXISTS\r\n" in answer.untagged:
            return {}
        section = b"BODY[HEADER.FIELDS (SUBJECT)]"
        answer = await self.client.command(
            b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        )
        found = {}
        for item in answer.fetched():
            if section not in item.items:
                continue
            raw = item.octets(section).decode().partition(":")[2].strip()
            decoded = str(email.header.make_header(email.header.decode_header(raw)))
            assert decoded not in found, f"twice in {name}: {decoded}"
            found[decoded] = frozenset(flag.decode() for flag in item.flags)
        return found

    async def names(self) -> set[str]:
        """All mailboxes."""
        answer = await self.client.command(b'LIST "" *')
        found = {line.decode().rsplit(' "/" ')[1].strip().strip('"') for line in answer.untagged}
        return found - set(ON_THE_WIRE.values()) | {
            name for name, written in ON_THE_WIRE.items() if written in found
        }

    async def flag(self, name: str, numbers: list[int], change: str) -> None:
        """STORE on messages by their Message-ID."""
        await self.client.command(b"SELECT " + wire(name))
        for number in numbers:
            found = await self.client.command(
                f'UID SEARCH HEADER MESSAGE-ID "<{number}@sender.example>"'.encode()
            )
            (line,) = [x for x in found.untagged if x.startswith(b"* SEARCH")]
            uid = line.split()[2].decode()
            await self.client.command(f"UID STORE {uid} {change}".encode())


@asynccontextmanager
async def far_side(server: Server, account: Account) -> AsyncIterator[Far]:
    """Signed in over implicit TLS."""
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    async with signed_in(
        server.ports["imaps"], account.address, account.password, context
    ) as client:
        yield Far(client)


async def eventually(check: Callable[[], Awaitable[bool]], what: str, seconds: float = 30) -> None:
    """Wait until something holds; ``what`` is said where it does not."""
    until = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < until, what
        await asyncio.sleep(0.1)
