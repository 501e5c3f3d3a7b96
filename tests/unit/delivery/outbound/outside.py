"""The world outside of a test: names, servers, a queue with mail for them, and what became of it."""

import asyncio
import contextlib
import ipaddress
import os
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from malleposte.delivery.outbound import (
    Dispatcher,
    DnsSettings,
    OutboundSettings,
    Policies,
    Reporting,
    Resolver,
    Routing,
)
from malleposte.delivery.outbound.outcome import Judge
from malleposte.delivery.outbound.recorder import no_reports
from malleposte.delivery.outbound.settings import Concurrency, Timeouts
from malleposte.runtime.tls_selfsigned import self_signed_pair
from malleposte.store.commands import Handing, Relay
from malleposte.store.content import FRAME, in_file
from malleposte.store.results import Delivered
from support.scripted_smtp import Manner, ScriptedServer
from support.store import House, deliver, small
from support.zone import Zone

DAY = 86_400
PATIENT = Timeouts(
    connect=10.0,
    opening=20.0,
    greeting=10.0,
    hello=10.0,
    handshake=10.0,
    sign_in=10.0,
    mail=10.0,
    rcpt=10.0,
    data=10.0,
    block=10.0,
    content=10.0,
)
"""Of what answers; a machine may be busy."""
QUICK = 0.4
"""For the one step that is never answered."""
CONTENT = b"From: me@example.org\r\nSubject: hi\r\n\r\n.x\r\n"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the trace."""

    address: str
    attempt: int
    outcome: str
    host: str
    said: str


@dataclass
class Outside:
    """See the module. Servers stand at 127.0.0.N, all at one port."""

    house: House
    folder: Path
    zone: Zone = field(default_factory=Zone)
    servers: dict[int, ScriptedServer] = field(default_factory=dict)
    port: int = 0
    dns_port: int = 0
    dns: float = 8.0
    """Seconds for a look-up."""
    traces: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    async def server(self, number: int = 1, manner: Manner | None = None) -> ScriptedServer:
        """A server at 127.0.0.``number``."""
        server = ScriptedServer(manner or Manner())
        self.port = await server.start(f"127.0.0.{number}", self.port)
        self.servers[number] = server
        return server

    def tls(self, name: str = "mx.there.example") -> ssl.SSLContext:
        """A server's context for a name; its authority is ``authority``."""
        pair = self_signed_pair(self.folder / name, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

    def authority(self, name: str = "mx.there.example") -> str:
        """Who signed the certificate of a name."""
        return str(self_signed_pair(self.folder / name, name).authority)

    def domain(self, name: str = "there.example", number: int = 1) -> None:
        """A domain whose mail goes to 127.0.0.``number``."""
        self.zone.add(name, mx=f"10 mx.{name}.")
        self.zone.add(f"mx.{name}", a=f"127.0.0.{number}")

    async def queue(
        self, *addresses: str, routes: Sequence[str] = (), data: bytes = CONTENT, **more: Any
    ) -> int:
        """Queue a message; the number of its trace."""
        self.traces += 1
        rows = await self.house.rows("SELECT id, organisation FROM account")
        if not rows:
            await self.house.account()
            rows = await self.house.rows("SELECT id, organisation FROM account")
        given = routes or [address.rpartition("@")[2] for address in addresses]
        relays = tuple(
            Relay(address=address, route=route, **more.pop("relay", {}))
            for address, route in zip(addresses, given, strict=True)
        )
        values = {
            "organisation": rows[0][1],
            "account": rows[0][0],
            "sender": "me@example.org",
            "relays": relays,
            "expires_at": int(self.house.clock.time()) + 5 * DAY,
            "prefix": b"Received: here\r\n",
            **more,
        }
        descriptor: int | None = None
        if len(data) > FRAME:
            what, descriptor = in_file(memoryview(data), self.house.store.blobs)
        else:
            what = small(data)
        command = deliver(trace_id=self.traces, what=what)
        command = msgspec.structs.replace(command, handings=(Handing(**values),))
        try:
            await self.house.do(command, Delivered, descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return self.traces

    def settings(self, **more: Any) -> OutboundSettings:
        """Settings of these tests."""
        values: dict[str, Any] = {
            "hello": "here.example",
            "port": self.port or 9,
            "ipv6": False,
            "allowed": (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
            "timeouts": PATIENT,
            "concurrency": Concurrency(idle=0.3),
            **self.extra,
            **more,
        }
        return OutboundSettings(**values)

    def resolver(self) -> Resolver:
        """A resolver that asks the zone."""
        return Resolver(
            DnsSettings(
                servers=("127.0.0.1",), port=self.dns_port, seconds=self.dns, each=self.dns / 2
            )
        )

    @contextlib.asynccontextmanager
    async def sending(
        self,
        *,
        policies: Policies | None = None,
        reporting: Reporting = no_reports,
        routing: Routing | None = None,
        patience: float = 5.0,
        judge: Judge | None = None,
        **more: Any,
    ) -> AsyncIterator[Dispatcher]:
        """A dispatcher at work; stopped in the end."""
        dispatcher = Dispatcher(
            self.house.store,
            self.settings(**more),
            self.resolver(),
            policies=policies,
            reporting=reporting,
            routing=routing,
            clock=self.house.clock.time,
        )
        dispatcher.judge = judge or dispatcher.judge
        running = asyncio.get_running_loop().create_task(dispatcher.run())
        try:
            yield dispatcher
            await dispatcher.stop(patience)
            await asyncio.wait_for(running, 5)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def go(self, *, tries: int = 0, **more: Any) -> list[Attempt]:
        """Send until there are so many lines in the trace (one for each recipient that waits), or the
        test has waited long enough."""
        waiting = await self.house.value("SELECT count(*) FROM queue_recipient WHERE state = 0")
        before = await self.attempts()
        wanted = len(before) + (tries or waiting)
        async with self.sending(**more):
            await self.until_attempted(wanted)
        return [attempt for attempt in await self.attempts() if attempt not in before]

    async def until_attempted(self, wanted: int) -> None:
        """Wait until the trace has so many lines."""
        await until(lambda: self.attempted(wanted))

    async def attempted(self, wanted: int) -> bool:
        """Whether the trace has so many lines."""
        return len(await self.attempts()) >= wanted

    async def attempts(self) -> list[Attempt]:
        """The trace, oldest tries first."""
        rows = await self.house.rows(
            "SELECT address, attempt, outcome, host, said FROM trace_attempt"
            " ORDER BY trace, attempt, address"
        )
        return [Attempt(*row) for row in rows]

    async def routes(self) -> dict[str, tuple[int, int, str]]:
        """Routes that are closed: until when (seconds from now), failures, why."""
        now = int(self.house.clock.time())
        rows = await self.house.rows(
            "SELECT route, closed_until, failures, said FROM queue_route WHERE closed_until > $1",
            now,
        )
        return {row[0]: (row[1] - now, row[2], row[3]) for row in rows}

    async def close(self) -> None:
        for server in self.servers.values():
            await server.close()
        self.zone.close()


async def until(condition: Any, seconds: float = 15.0) -> None:
    """Wait for something; fails past ``seconds``."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


def says(pattern: str, text: str) -> bool:
    """Whether words are as expected: ``…`` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), text) is not None
