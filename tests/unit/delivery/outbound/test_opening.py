"""Connections as the server opens them, under its own event loop."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from malleposte.delivery.outbound import OutboundSettings, RelaySettings, Resolver
from malleposte.delivery.outbound.opening import Opener
from malleposte.delivery.outbound.route import Exchange, Way
from malleposte.delivery.outbound.tls import NoPolicies
from malleposte.delivery.outbound.words import WayFailed
from malleposte.runtime.tls_selfsigned import self_signed_pair
from malleposte.wire.smtp.outgoing import Addressee, Outgoing
from support.scripted_smtp import GARBAGE, Manner, ScriptedServer

Run = Callable[[Coroutine[Any, Any, None]], None]
LOOPBACK = ipaddress.ip_address("127.0.0.1")


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


def contexts(folder: Path) -> tuple[ssl.SSLContext, str]:
    pair = self_signed_pair(folder / "tls", "mx.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context, str(pair.authority)


async def sent(manner: Manner, authority: str, **relay: Any) -> tuple[str, ScriptedServer]:
    """Send a message of a megabyte; how, or why not."""
    server = ScriptedServer(manner)
    port = await server.start("127.0.0.1")
    settings = OutboundSettings(
        hello="here.example",
        authorities=authority,
        allowed=(ipaddress.ip_network("127.0.0.0/8"),),
    )
    exchange = Exchange("mx.example", port, 0, (LOOPBACK,))
    way = Way((exchange,))
    if relay:
        way = Way((exchange,), "relay", RelaySettings(host="mx.example", port=port, **relay))
    try:
        opener = Opener(settings, Resolver(), NoPolicies())
        try:
            connection = await opener.open(way, lambda address: False)
        except WayFailed as failure:
            return failure.trouble.words, server

        async def content() -> Any:
            for _ in range(16):
                yield b"x" * 65_534 + b"\r\n"

        outgoing = Outgoing("me@here.example", (Addressee("a@there.example"),))
        (answer,) = await connection.send(outgoing, content, asyncio.get_running_loop().time() + 60)
        assert answer.good
        assert len(server.accepted[0].content) == 16 * 65_536
        connection.goodbye()
        return connection.secured, server
    finally:
        await server.close()


def test_opportunistic(run: Run, tmp_path: Path) -> None:
    context, authority = contexts(tmp_path)

    async def go() -> None:
        how, server = await sent(Manner(can=(), context=context), authority)
        assert how.startswith("TLSv1.3 TLS_")
        assert how.endswith(", certificate not checked")
        assert server.accepted[0].tls

    run(go())


def test_broken_and_tried_again_without(run: Run, tmp_path: Path) -> None:
    context, authority = contexts(tmp_path)

    async def go() -> None:
        manner = Manner(can=(), context=context, handshake=GARBAGE)
        how, server = await sent(manner, authority)
        assert how.startswith("without TLS since mx.example [127.0.0.1]")
        assert not server.accepted[0].tls

    run(go())


@pytest.mark.parametrize("implicit", [False, True])
def test_verified(run: Run, tmp_path: Path, implicit: bool) -> None:
    context, authority = contexts(tmp_path)

    async def go() -> None:
        manner = Manner(can=(), context=context, implicit=implicit)
        how, _ = await sent(manner, authority, implicit=implicit)
        assert how.endswith(", certificate verified")

    run(go())


@pytest.mark.parametrize("implicit", [False, True])
def test_not_verified(run: Run, tmp_path: Path, implicit: bool) -> None:
    context, _ = contexts(tmp_path)

    async def go() -> None:
        manner = Manner(can=(), context=context, implicit=implicit)
        words, server = await sent(manner, "", implicit=implicit)
        assert "its certificate is not good: unable to get local issuer certificate" in words
        assert server.commands == ([] if implicit else ["EHLO here.example", "STARTTLS"])

    run(go())


def test_nobody_there(run: Run, tmp_path: Path) -> None:
    async def go() -> None:
        opener = Opener(OutboundSettings(hello="here.example"), Resolver(), NoPolicies())
        way = Way((Exchange("mx.example", 9, 0, (LOOPBACK,)),), "relay", RelaySettings(host="mx"))
        with pytest.raises(WayFailed, match=r"mx.example \[127.0.0.1\]:9: connection refused"):
            await opener.open(way, lambda address: False)

    run(go())
