"""What an attacker in between puts before TLS is never taken for what the client says under it."""

import asyncio
import base64
import ssl

from attacks.live.wire import raw
from support.server import Server
from support.vital_signs import VitalSigns


async def test_clear_text_between_starttls_and_the_handshake(
    target: Server, signs: VitalSigns
) -> None:
    """A command that comes once STARTTLS was answered is taken for the handshake, and ends it."""
    for service, first, answers, injected in (
        ("imap", b"a STARTTLS\r\n", 2, b"b LOGIN a b\r\n"),
        ("smtp", b"EHLO x\r\nSTARTTLS\r\n", 3, b"MAIL FROM:<evil@example.com>\r\n"),
        ("pop3", b"STLS\r\n", 2, b"USER evil\r\n"),
    ):
        async with raw(target.ports[service]) as wire:
            await wire.send(first)
            for _ in range(answers):
                assert await wire.reply()
            await wire.send(injected)
            heard = await wire.rest()
            assert not any(32 < octet < 127 for octet in heard), heard  # an alert, no words


async def test_clear_text_behind_a_command_that_takes_time(
    target: Server, signs: VitalSigns
) -> None:
    """While a sign-in is checked more comes, in a packet of its own, behind a STARTTLS that the
    server has already: the connection ends, with a handshake or before it."""
    context = ssl.create_default_context(cafile=str(target.data / "tls" / "ca.pem"))
    guess = base64.b64encode(b"\0nobody@example.test\0wrong")
    async with raw(target.ports["submission"], source="127.0.0.15") as wire:
        assert (await wire.reply()).startswith(b"220 ")
        await wire.send(b"EHLO x\r\nAUTH PLAIN " + guess + b"\r\nSTARTTLS\r\n")
        assert (await wire.reply()).startswith(b"250-")
        await wire.send(b"NOOP injected\r\n")
        assert (await wire.reply()).startswith(b"535 ")
        if not (await wire.reply()).startswith(b"220 "):
            return  # refused, or closed
        loop = asyncio.get_running_loop()
        try:
            await loop.start_tls(wire.transport, wire, context, server_hostname="localhost")
        except OSError:
            return
        await wire.send(b"EHLO y\r\n")
        assert b"250" not in await wire.line()
