"""Who may sign in, one at a time; how sessions end; what is written down of them."""

import asyncio
import base64
import contextlib
import time

import pytest
import structlog

from malleposte.policy.account_counts import AccountCounts, shared_memory
from malleposte.policy.connections import ConnectionSettings
from malleposte.services.pop3d import Pop3Settings
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.store import TemporaryFailure
from malleposte.store.commands import (
    AnyCommand,
    CreateDomain,
    DeleteAccount,
    SetAccount,
    SetPassword,
    TakeLease,
)
from support.store import Place
from unit.services.pop3d.harness import HOST, Client, Served, serve

ONE = b"Subject: one\r\n\r\nfirst\r\n"
IN_USE = "-ERR [IN-USE] Another POP3 session has this mailbox; try again when it has ended\r\n"


def plain(address: str, password: str = "secret", acting_as: str = "") -> str:
    octets = f"{acting_as}\0{address}\0{password}".encode()
    return "AUTH PLAIN " + base64.b64encode(octets).decode()


class TestSigningIn:
    """By each way, and what is said where it fails."""

    async def test_by_auth(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.connect()
        assert (await client.ask(plain(address))).startswith("+OK 0 messages")

    async def test_by_login(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.connect()
        assert await client.ask("AUTH LOGIN") == "+ VXNlcm5hbWU6\r\n"
        assert await client.ask(base64.b64encode(address.encode()).decode()) == "+ UGFzc3dvcmQ6\r\n"
        assert (await client.ask(base64.b64encode(b"secret").decode())).startswith("+OK 0")

    async def test_a_wrong_password_an_unknown_name_and_anothers(self, served: Served) -> None:
        """They read the same, but for whoever knows a password."""
        _, address = await served.account()
        _, other = await served.account()
        client = await served.connect()
        wrong = "-ERR [AUTH] The name or the password is wrong\r\n"
        assert await client.sign_in(address, "wrong") == wrong
        assert await client.sign_in("nobody@example.org") == wrong
        said = await client.ask(plain(address, acting_as=other))
        assert said == "-ERR [AUTH] Signing in as another account is not allowed\r\n"
        assert await client.ask("STAT") == "-ERR Sign in first\r\n"
        assert (await client.sign_in(address)).startswith("+OK")

    async def test_a_suspended_account(self, served: Served) -> None:
        """RFC 3206: a program must not ask for another password."""
        account, address = await served.account()
        await served.store.submit(SetAccount(account=account, status="suspended"))
        client = await served.connect()
        said = await client.sign_in(address)
        assert said == "-ERR [SYS/PERM] This account is suspended; ask your administrator\r\n"

    async def test_guessing_is_refused_with_a_code_that_says_later(self, served: Served) -> None:
        _, address = await served.account()
        said = ""
        for _ in range(5):
            client = await served.connect()
            for _ in range(5):
                said = await client.sign_in(address, "guess")
            assert await client.ended() == b"", "five on a connection"
        assert said.startswith("-ERR [SYS/TEMP] Too many failed sign-ins")
        client = await served.connect()
        assert (await client.sign_in(address)).startswith("-ERR [SYS/TEMP] Too many failed")

    async def test_where_the_store_is_away(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """INBOX cannot be read: refused, nothing locked, and the connection goes on."""
        _, address = await served.account()
        client = await served.connect()

        async def away(*_: object) -> None:
            raise TemporaryFailure("away")

        with monkeypatch.context() as patch:
            patch.setattr("malleposte.services.pop3d.signin.Maildrop.load", away)
            said = await client.sign_in(address)
        assert said == "-ERR [SYS/TEMP] The store cannot answer now; try again later\r\n"
        assert (await client.sign_in(address)).startswith("+OK")

    async def test_signed_in_connections_do_not_count_for_the_network(self, place: Place) -> None:
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store, connections=ConnectionSettings(per_network=1)) as served:
                for name in ("ada", "bob", "eve"):
                    _, address = await served.account(name)
                    await served.signed_in(address)
                waiting = await served.connect()
                reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
                assert await reader.read() == b"-ERR [SYS/TEMP] Too many\r\n"
                writer.close()
                waiting.cut()


class TestOneAtATime:
    """RFC 1939 §4."""

    async def test_the_second_is_told_and_may_come_when_the_first_is_gone(
        self, served: Served
    ) -> None:
        _, address = await served.account()
        _, other = await served.account()
        first = await served.signed_in(address)
        second = await served.connect()
        assert await second.sign_in(address) == IN_USE
        assert (await second.sign_in(other)).startswith("+OK"), "another account's is free"
        assert await first.ask("NOOP") == "+OK\r\n"
        third = await served.connect()
        assert await first.ask("QUIT") == "+OK Goodbye\r\n"
        assert (await third.sign_in(address)).startswith("+OK"), "at once"

    @pytest.mark.parametrize("how", ["cut", "closed"])
    async def test_a_connection_that_goes_lets_go(self, served: Served, how: str) -> None:
        _, address = await served.account()
        first = await served.signed_in(address)
        if how == "cut":
            first.cut()
        else:
            first.writer.close()
        await served.at_last(address)
        assert len(served.service.sessions) == 1

    async def test_over_two_workers_of_a_node(self, place: Place) -> None:
        """Counted in memory that they share."""
        memory = shared_memory(2)
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with (
                serve(store, counts=AccountCounts(memory, 2, 0)) as one,
                serve(store, counts=AccountCounts(memory, 2, 1)) as two,
            ):
                _, address = await one.account()
                first = await one.signed_in(address)
                second = await two.connect()
                assert await second.sign_in(address) == IN_USE
                await first.ask("QUIT")
                assert (await second.sign_in(address)).startswith("+OK")

    async def test_over_two_nodes(self, place: Place) -> None:
        """On PostgreSQL, by a lease; SQLite has one node, and none."""
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store) as one, serve(store) as two:
                _, address = await one.account()
                first = await one.signed_in(address)
                second = await two.connect()
                said = await second.sign_in(address)
                assert (said == IN_USE) is bool(place.dsn)
                if not place.dsn:
                    assert not await store.reader.rows("SELECT 1 FROM lease")
                    return
                await first.ask("QUIT")
                assert (await second.sign_in(address)).startswith("+OK")

    async def test_who_lost_his_lease_deletes_nothing(self, place: Place) -> None:
        """Its worker could not reach the database for so long that another node took over."""
        if not place.dsn:
            pytest.skip("there is one node")
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store) as served:
                account, address = await served.account()
                await served.fill(account, ONE)
                client = await served.signed_in(address)
                await client.ask("DELE 1")
                await served.service.look()
                assert await client.ask("NOOP") == "+OK\r\n", "a lease that is renewed stays"
                name, mine = f"pop3:{account}", served.service.exclusive.holder
                await store.submit(TakeLease(name=name, holder=mine, seconds=0))
                await store.submit(TakeLease(name=name, holder="another", seconds=60))
                await served.service.look()
                assert (await client.line()).startswith(b"-ERR [SYS/TEMP] Somebody else has opened")
                assert await client.ended() == b""
                assert await served.uids(account) == [1]

    async def test_a_session_that_ends_while_its_lease_is_renewed_leaves_none(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else another node would have to wait until it runs out."""
        if not place.dsn:
            pytest.skip("there is one node")
        renew = Exclusive.renew
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store) as one, serve(store) as two:
                _, address = await one.account()
                first = await one.signed_in(address)

                async def late(exclusive: Exclusive, account: int) -> bool:
                    await first.ask("QUIT")
                    assert await first.ended() == b""
                    return await renew(exclusive, account)

                with monkeypatch.context() as patch:
                    patch.setattr(Exclusive, "renew", late)
                    await one.service.look()
                second = await two.connect()
                assert (await second.sign_in(address)).startswith("+OK")

    async def test_a_sign_in_that_fails_in_the_store_locks_nothing(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, address = await served.account()
        client = await served.connect()

        async def away(*_: object) -> bool:
            raise TemporaryFailure("away")

        with monkeypatch.context() as patch:
            patch.setattr(Exclusive, "renew", away)
            assert (await client.sign_in(address)).startswith("-ERR [SYS/TEMP] ")
        assert (await client.sign_in(address)).startswith("+OK")


class TestHowItEnds:
    """By others' will, or by time; nothing is deleted then."""

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (SetPassword(account=1, password_hash="$another"), b"SYS/TEMP"),
            (SetAccount(account=1, status="suspended"), b"SYS/PERM"),
            (DeleteAccount(account=1), b"SYS/PERM"),
        ],
        ids=["password", "suspended", "deleted"],
    )
    async def test_the_right_to_it_was_taken_away(
        self, served: Served, change: AnyCommand, code: bytes
    ) -> None:
        """RFC 3206: whoever is suspended must not be asked for another password."""
        account, address = await served.account()
        _, other = await served.account()
        await served.fill(account, ONE)
        client, bystander = await served.signed_in(address), await served.signed_in(other)
        await client.ask("DELE 1")
        await served.store.submit(change)
        await served.service.look()
        assert (await client.line()).startswith(b"-ERR [%b] The " % code)
        assert await client.ended() == b""
        assert await bystander.ask("NOOP") == "+OK\r\n"
        row = await served.store.reader.row("SELECT count(*) FROM recoverable")
        assert row is not None
        assert row[0] == 0

    async def test_silence(self, place: Place) -> None:
        """RFC 1939 §3: closed without a word, nothing deleted; a stranger has less time."""
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            settings = Pop3Settings(HOST, sign_in_timeout=3.0, idle_timeout=1.0)
            async with serve(store, settings) as served:
                account, address = await served.account()
                await served.fill(account, ONE)
                stranger = await served.connect()
                began = time.monotonic()
                client = await served.signed_in(address)
                await client.ask("DELE 1")
                assert await client.ended() == b""
                assert await served.uids(account) == [1]
                with contextlib.suppress(ConnectionError):
                    while time.monotonic() < began + 10:
                        # Whatever he says, he has not signed in.
                        if not await stranger.ask("CAPA"):
                            break
                        await asyncio.sleep(0.3)
                assert 2 < time.monotonic() - began < 9

    async def test_the_server_stops(self, served: Served) -> None:
        """Who waits is told; who fetches goes on to his QUIT."""
        account, address = await served.account()
        await served.fill(account, ONE, ONE)
        stranger, client = await served.connect(), await served.signed_in(address)
        drained = asyncio.create_task(served.listener.drain(20.0))
        assert await stranger.ended() == (
            b"-ERR [SYS/TEMP] The server is being restarted; come back in a moment\r\n"
        )
        assert await client.octets("RETR 1") == ONE
        await client.ask("DELE 1")
        assert not drained.done()
        assert await client.ask("QUIT") == "+OK Goodbye\r\n"
        await drained
        assert await served.uids(account) == [2]

    async def test_the_server_stops_and_does_not_wait_for_who_is_silent(self, place: Place) -> None:
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store, Pop3Settings(HOST, stopping_timeout=0.5)) as served:
                account, address = await served.account()
                await served.fill(account, ONE)
                client = await served.signed_in(address)
                await client.ask("DELE 1")
                await served.listener.drain(20.0)
                assert (await client.ended()).startswith(b"-ERR [SYS/TEMP] The server is being")
                assert await served.uids(account) == [1]


async def test_a_client_that_takes_nothing_does_not_pile_up_memory(served: Served) -> None:
    """Commands sent ahead are done as answers are taken."""
    account, address = await served.account()
    await served.fill(account, b"x" * 70 + b"\r\n" + b"y" * 200_000 + b"\r\n")
    client = await served.signed_in(address)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.writer.write(b"RETR 1\r\n" * 400)
    await asyncio.sleep(1.0)
    (connection,) = served.listener.connections
    assert connection._transport is not None
    assert connection._transport.get_write_buffer_size() < 1 << 20
    (session,) = served.service.sessions.values()
    assert session.reading.messages < 100


async def test_the_log_says_who_came_and_what_he_did(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, ONE)
    with structlog.testing.capture_logs() as lines:
        client = await served.connect()
        await client.sign_in(address, "wrong")
        await client.sign_in(address)
        other = await served.connect()
        await other.sign_in(address)
        await client.octets("RETR 1")
        await client.ask("DELE 1")
        await client.ask("QUIT")
        await client.ended()
        await _written(lines)
    refused, good, in_use, ended = [line for line in lines if line["event"].startswith("pop3_")]
    assert (refused["event"], refused["reason"]) == ("pop3_sign_in_refused", "wrong")
    assert (good["event"], good["account"], good["tls"]) == ("pop3_signed_in", account, False)
    assert (in_use["event"], in_use["reason"]) == ("pop3_sign_in_refused", "in use")
    assert ended == {
        "event": "pop3_ended",
        "log_level": "info",
        "account": account,
        "peer": "127.0.0.1",
        "reason": "quit",
        "messages": 2,
        "retrieved": 1,
        "octets": len(ONE),
        "deleted": 1,
    }
    assert "secret" not in str(lines)


async def _written(lines: list[structlog.typing.EventDict]) -> None:
    for _ in range(100):
        if any(line["event"] == "pop3_ended" for line in lines):
            return
        await asyncio.sleep(0.01)


async def test_many_fetch_at_once(served: Served) -> None:
    """Each gets his own, whole."""
    people = [await served.account() for _ in range(10)]
    for number, (account, _) in enumerate(people):
        await served.fill(account, *(b"%d\r\n" % number * (1 + n * 500) for n in range(12)))

    async def fetch(number: int, address: str) -> None:
        client: Client = await served.signed_in(address)
        for n in range(12):
            assert await client.octets(f"RETR {n + 1}") == b"%d\r\n" % number * (1 + n * 500)
            await client.ask(f"DELE {n + 1}")
        assert await client.ask("QUIT") == "+OK Goodbye\r\n"

    await asyncio.gather(*(fetch(n, address) for n, (_, address) in enumerate(people)))
    for account, _ in people:
        assert await served.uids(account) == []
