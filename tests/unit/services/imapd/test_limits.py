"""Who may stay, and for how long: sign-in under TLS only, session limits, silence, suspension."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from malleposte.directory.book import Account, Book
from malleposte.runtime.tls import Certificates, TlsSettings
from malleposte.runtime.tls_selfsigned import self_signed_pair
from malleposte.services.connection import Connection
from malleposte.services.imapd import ImapSettings
from malleposte.store import PermanentFailure, StoreError, TemporaryFailure
from malleposte.store.commands import SetAccount, SetPassword
from support.imap_client import Lost, Refused
from support.store import Place
from unit.services.imapd.harness import Served, served_with


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients seem to come from another machine."""
    made = Connection.__init__

    def init(self: Connection, *args: object, **how: object) -> None:
        made(self, *args, **how)  # type: ignore[arg-type]
        self.loopback = False
        self.peer = "192.0.2.7"

    monkeypatch.setattr(Connection, "__init__", init)


async def test_no_password_in_clear_from_afar(served: Served, far: None) -> None:
    _, address = await served.account()
    client = await served.connect()
    answer = await client.command(b"CAPABILITY")
    assert b"LOGINDISABLED" in answer.untagged[0]
    assert b"AUTH=" not in answer.untagged[0]
    with pytest.raises(Refused, match="PRIVACYREQUIRED"):
        await client.login(address, "secret")
    with pytest.raises(Refused, match="PRIVACYREQUIRED"):
        await client.command(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0a\0b"))


async def test_authenticate_plain_and_login(served: Served) -> None:
    _, address = await served.account()
    client = await served.connect()
    who = base64.b64encode(f"\0{address}\0secret".encode())
    answer = await client.command(b"AUTHENTICATE PLAIN " + who)
    assert b"[CAPABILITY " in answer.line
    client = await served.connect()
    tag = client.send(b"AUTHENTICATE LOGIN")
    assert await client.response() == b"+ VXNlcm5hbWU6\r\n"
    client.raw(base64.b64encode(address.encode()) + b"\r\n")
    assert await client.response() == b"+ UGFzc3dvcmQ6\r\n"
    client.raw(base64.b64encode(b"secret") + b"\r\n")
    assert (await client.response()).startswith(tag + b" OK")
    client = await served.connect()
    other = base64.b64encode(f"someone@example.org\0{address}\0secret".encode())
    with pytest.raises(Refused, match="AUTHENTICATIONFAILED"):
        await client.command(b"AUTHENTICATE PLAIN " + other)


async def test_only_the_newest_session_is_refused(place: Place) -> None:
    settings = ImapSettings(starttls=False, sessions_per_account=3)
    async with served_with(place, settings) as served:
        _, address = await served.account()
        first = [await served.signed_in(address) for _ in range(3)]
        with pytest.raises(Refused, match=r"\[LIMIT\].*3 connections"):
            await served.signed_in(address)
        for client in first:
            await client.command(b"NOOP")
        await first[0].command(b"LOGOUT")
        await asyncio.sleep(0.05)
        await served.signed_in(address)
        _, other = await served.account()
        await served.signed_in(other)
        assert {len(sessions) for sessions in served.service.sessions.values()} == {3, 1}


async def test_who_is_suspended_or_changed_the_password_is_out(served: Served) -> None:
    number, address = await served.account()
    bystander = await served.signed_in((await served.account())[1])
    idling, waiting = await served.signed_in(address), await served.signed_in(address)
    await idling.command(b"SELECT INBOX")
    idling.send(b"IDLE")
    assert (await idling.response()).startswith(b"+")
    await served.service.look()
    await waiting.command(b"NOOP")
    await served.store.submit(SetAccount(account=number, status="suspended"))
    await served.service.look()
    for client in (idling, waiting):
        assert (await client.response()).startswith(b"* BYE")
        with pytest.raises(Lost):
            await client.response()
    await bystander.command(b"NOOP")
    with pytest.raises(Refused, match=r"\[ALERT\] This account is suspended"):
        await served.signed_in(address)
    await served.store.submit(SetAccount(account=number, status="active"))
    client = await served.signed_in(address)
    await served.store.submit(SetPassword(account=number, password_hash="$other"))
    await served.service.look()
    assert (await client.response()).startswith(b"* BYE")
    assert number not in served.service.sessions


@pytest.mark.parametrize(
    ("failure", "event"),
    [
        (PermanentFailure("a damaged row"), "imap_defect"),
        (TemporaryFailure("away"), "imap_store_away"),
    ],
    ids=["permanent", "temporary"],
)
async def test_an_account_that_cannot_be_read_does_not_keep_others_signed_in(
    served: Served, monkeypatch: pytest.MonkeyPatch, failure: StoreError, event: str
) -> None:
    damaged, first = await served.account()
    suspended, second = await served.account()
    client, out = await served.signed_in(first), await served.signed_in(second)
    read = Book.account

    async def account(book: Book, number: int) -> Account | None:
        if number == damaged:
            raise failure
        return await read(book, number)

    monkeypatch.setattr(Book, "account", account)
    await served.store.submit(SetAccount(account=suspended, status="suspended"))
    with structlog.testing.capture_logs() as lines:
        await served.service.look()
    assert [line["event"] for line in lines] == [event]
    assert (await out.response()).startswith(b"* BYE")
    await client.command(b"NOOP")


async def test_silence_ends_a_session(place: Place) -> None:
    settings = ImapSettings(starttls=False, sign_in_timeout=1.0, idle_timeout=2.0, idle_notice=0.5)
    async with served_with(place, settings) as served:
        _, address = await served.account()
        stranger = await served.connect()
        client = await served.signed_in(address)
        client.send(b"IDLE")
        assert (await client.response()).startswith(b"+")
        assert (await stranger.response()).startswith(b"* BYE")
        heard = [await client.response()]
        while not heard[-1].startswith(b"* BYE"):
            heard.append(await client.response())
        assert heard[:-1]
        assert all(line.startswith(b"* OK") for line in heard[:-1])
        assert not served.service.sessions


async def test_shutdown_says_goodbye(served: Served) -> None:
    _, address = await served.account()
    waiting, idling = await served.signed_in(address), await served.signed_in(address)
    idling.send(b"IDLE")
    assert (await idling.response()).startswith(b"+")
    await served.listener.drain(5.0)
    for client in (waiting, idling):
        assert (await client.response()).startswith(b"* BYE")


class TestTls:
    """STARTTLS (RFC 9051 §6.2.1)."""

    @pytest.fixture
    async def served(self, place: Place, tmp_path: Path, far: None) -> AsyncIterator[Served]:
        pair = self_signed_pair(tmp_path / "tls", "localhost")
        certificates = Certificates(TlsSettings(pair.certificate, pair.key))
        settings = ImapSettings(starttls=True)
        async with served_with(place, settings) as served:
            served.listener.tls = lambda: certificates.context
            yield served

    async def test_after_it_a_password_may_be_sent(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.connect()
        answer = await client.command(b"CAPABILITY")
        assert b"STARTTLS" in answer.untagged[0]
        await client.command(b"STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        await client._writer.start_tls(context)
        answer = await client.command(b"CAPABILITY")
        assert b"STARTTLS" not in answer.untagged[0]
        assert b"AUTH=PLAIN" in answer.untagged[0]
        await client.login(address, "secret")
        with pytest.raises(Refused):
            await client.command(b"STARTTLS")

    @pytest.mark.parametrize("cut", [1, 13, 20])
    async def test_nothing_slips_in_before_it(self, served: Served, cut: int) -> None:
        """CVE-2011-0411: a command in clear behind STARTTLS must not be run under TLS."""
        client = await served.connect()
        said = b"a STARTTLS\r\nb CAPABILITY\r\n"
        client.raw(said[:cut])
        await asyncio.sleep(0.05)
        client.raw(said[cut:])
        heard = []
        with contextlib.suppress(Lost):
            while True:
                heard.append(await client.response())
        assert not any(line.startswith(b"a OK") for line in heard)
        assert not any(b"CAPABILITY" in line for line in heard)
