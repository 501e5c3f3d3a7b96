"""Strangers: what they may do before they sign in is bounded in time, in commands and in the log."""

from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest
import structlog

from malleposte.services.imapd import ImapSettings
from support.imap_client import ImapClient, Lost, Refused
from support.store import Place
from unit.services.imapd.harness import Served, served_with


async def until_bye(client: ImapClient) -> list[bytes]:
    """What comes up to the end."""
    heard: list[bytes] = []
    with contextlib.suppress(Lost):
        while True:
            heard.append(await client.response())
    assert heard[-1].startswith(b"* BYE")
    return heard


async def test_who_never_stops_sending_is_ended_in_time(place: Place) -> None:
    """His next command is always there, so that nothing is ever waited for."""
    settings = ImapSettings(starttls=False, sign_in_timeout=1.0)
    async with served_with(place, settings) as served:
        client = await served.connect()
        heard = asyncio.create_task(until_bye(client))
        sent = 0
        while sent < 90 and not heard.done():  # fewer than the bound on commands
            client.raw(b"a%d NOOP\r\n" % sent)
            sent += 1
            await asyncio.sleep(0.05)
        assert b"too long" in (await heard)[-1]
        assert sent < 90


@pytest.mark.parametrize(
    "command", [b"NOOP", b"CAPABILITY", b'ID ("name" "x")', b"AUTHENTICATE PLAIN\r\n*"]
)
async def test_commands_are_few(served: Served, command: bytes) -> None:
    client = await served.connect()
    most = served.service.settings.limits.commands_before_sign_in
    client.raw(b"".join(b"a%d %b\r\n" % (n, command) for n in range(5 * most)))
    heard = await until_bye(client)
    assert sum(line.startswith(b"a") for line in heard) == most


async def test_after_sign_in_there_is_no_such_bound(served: Served) -> None:
    _, address = await served.account()
    client = await served.signed_in(address)
    for _ in range(2 * served.service.settings.limits.commands_before_sign_in):
        await client.command(b"NOOP")


PLAIN = base64.b64encode(b"\0x@example.org\0wrong")


@pytest.mark.parametrize(
    "command",
    [
        b'LOGIN "x@example.org" "wrong"',
        b"AUTHENTICATE PLAIN " + PLAIN,
        b"AUTHENTICATE PLAIN " + base64.b64encode(b"no such thing"),
        b'LOGIN "x@example.org" "' + b"x" * 2_000 + b'"',
        b"AUTHENTICATE CRAM-MD5",
    ],
    ids=["LOGIN", "PLAIN", "malformed", "a long password", "no such mechanism"],
)
async def test_a_connection_gets_few_guesses(
    served: Served, command: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    sign_in = type(served.service.door).sign_in

    async def counting(*args: object, **how: object) -> object:
        nonlocal asked
        asked += 1
        return await sign_in(*args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(type(served.service.door), "sign_in", counting)
    client = await served.connect()
    client.raw(b"".join(b"a%d %b\r\n" % (n, command) for n in range(50)))
    heard = await until_bye(client)
    assert sum(line.startswith(b"a") for line in heard) == 5
    assert b"sign-in" in heard[-1]
    assert asked <= 5


async def test_what_a_client_is_called_is_logged_once_and_cut(served: Served) -> None:
    number, address = await served.account()
    with structlog.testing.capture_logs() as lines:
        client = await served.connect()
        for n in range(30):
            await client.command(b'ID ("name" "%b%d" "version" "1" "os" "Linux")' % (b"x" * 900, n))
        assert lines == []
        await client.login(address, "secret")
        for n in range(30):
            await client.command(b'ID ("name" "y%d")' % n)
        said = [line for line in lines if line["event"] == "imap_client"]
        assert [line["account"] for line in said] == [number]
        assert said[0]["client_name"] == "x" * 64
        assert (said[0]["client_version"], said[0]["client_os"]) == ("1", "Linux")
    with structlog.testing.capture_logs() as lines:
        client = await served.signed_in(address)
        for n in range(30):
            await client.command(b'ID ("name" "z%d")' % n)
        said = [line for line in lines if line["event"] == "imap_client"]
        assert [line["client_name"] for line in said] == ["z0"]


async def test_refusals_fill_no_log(served: Served) -> None:
    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            client = await served.connect()
            for _ in range(4):
                with pytest.raises(Refused):
                    await client.login("nobody@example.org", "wrong")
            client.close()
        refused = [line for line in lines if line["event"] == "imap_sign_in_refused"]
        assert 1 <= len(refused) <= 11, "of forty"
        assert refused[0]["peer"] == "127.0.0.1"
