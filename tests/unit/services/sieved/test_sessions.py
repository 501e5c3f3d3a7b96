"""ManageSieve over a real store: scripts put, checked, made active; who may; how sessions end."""

import asyncio
import json

import pytest

from malleposte.services.sieved import SieveSettings
from malleposte.store import TemporaryFailure
from malleposte.store.commands import (
    AnyCommand,
    CreateDomain,
    PutForm,
    PutScript,
    SetAccount,
    SetPassword,
)
from malleposte.store.execute import sieve as executors
from support.store import Place
from unit.services.sieved.harness import HOST, Served, serve

GOOD = b'require "fileinto";\r\nfileinto "Work";\r\n'


class TestScripts:
    """What a client does with its scripts."""

    async def test_a_script_comes_back_octet_for_octet(self, served: Served) -> None:
        account, address = await served.account()
        client = await served.signed_in(address)
        text = b"# \xc3\xbc\r\n\tkeep;\r\n\r\n"
        assert (await client.do("PUTSCRIPT", 'mül"l \\', text)).status == "OK"
        assert (await client.do("GETSCRIPT", 'mül"l \\')).lines == [[text.decode()]]
        rows = await served.store.reader.rows("SELECT owner, content FROM sieve_script")
        assert [(row[0], bytes(row[1])) for row in rows] == [(account, text)]

    async def test_a_large_one(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        text = b"keep;" + b" " * (executors.MAX_SCRIPT - 5)
        assert (await client.do("PUTSCRIPT", "large", text)).status == "OK"
        answer = await client.do("PUTSCRIPT", "larger", text + b" ")
        assert (answer.status, answer.code) == ("NO", "QUOTA/MAXSIZE")
        assert (await client.do("LISTSCRIPTS")).lines == [["large"]]

    async def test_mistakes_are_told_and_the_old_one_stays(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        await client.do("PUTSCRIPT", "main", GOOD)
        bad = b'fileinto "x";\r\nfoo;\r\n'
        for words in (("PUTSCRIPT", "main", bad), ("CHECKSCRIPT", bad)):
            answer = await client.do(*words)
            assert answer.status == "NO"
            assert "line 1, column 1: fileinto needs" in answer.text
            assert "line 2, column 1" in answer.text
        assert (await client.do("GETSCRIPT", "main")).lines == [[GOOD.decode()]]

    async def test_what_may_go_wrong_is_a_warning(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        text = b'require "include"; include "part"; include :global "common";'
        answer = await client.do("PUTSCRIPT", "main", text)
        assert (answer.status, answer.code) == ("OK", "WARNINGS")
        assert answer.text.splitlines() == [
            "there is no script 'part' to include (yet)",
            "there is no global script 'common' to include (yet)",
        ]
        await client.do("PUTSCRIPT", "part", b"keep;")
        await served.store.submit(PutScript(owner=-1, name="common", content=b"keep;"))
        answer = await client.do("CHECKSCRIPT", text)
        assert (answer.status, answer.code) == ("OK", "")

    async def test_one_is_active_and_cannot_go(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        for name in ("a", "b"):
            await client.do("PUTSCRIPT", name, GOOD)
        assert (await client.do("SETACTIVE", "b")).status == "OK"
        assert (await client.do("LISTSCRIPTS")).lines == [["a"], ["b", "ACTIVE"]]
        assert (await client.do("DELETESCRIPT", "b")).code == "ACTIVE"
        assert (await client.do("RENAMESCRIPT", "b", "a")).code == "ALREADYEXISTS"
        assert (await client.do("RENAMESCRIPT", "b", "c")).status == "OK"
        assert (await client.do("LISTSCRIPTS")).lines == [["a"], ["c", "ACTIVE"]]
        assert (await client.do("SETACTIVE", "")).status == "OK"
        assert (await client.do("DELETESCRIPT", "c")).status == "OK"
        for words in (
            ("SETACTIVE", "c"),
            ("GETSCRIPT", "c"),
            ("DELETESCRIPT", "c"),
            ("RENAMESCRIPT", "c", "d"),
        ):
            assert (await client.do(*words)).code == "NONEXISTENT"

    async def test_how_much_there_is_room_for(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        most = executors.MAX_SCRIPT
        assert (await client.do("HAVESPACE", "a", most)).status == "OK"
        assert (await client.do("HAVESPACE", "a", most + 1)).code == "QUOTA/MAXSIZE"
        await client.do("PUTSCRIPT", "a", b"# 4567890")
        monkeypatch.setattr(executors, "MAX_OCTETS", 20)
        assert (await client.do("HAVESPACE", "b", 12)).code == "QUOTA"
        assert (await client.do("HAVESPACE", "a", 20)).status == "OK"
        monkeypatch.setattr(executors, "MAX_SCRIPTS", 1)
        assert (await client.do("HAVESPACE", "b", 1)).code == "QUOTA/MAXSCRIPTS"
        assert (await client.do("PUTSCRIPT", "b", b"#")).code == "QUOTA/MAXSCRIPTS"

    async def test_nobody_sees_the_scripts_of_another_or_of_a_form(self, served: Served) -> None:
        ada, address = await served.account()
        _, other = await served.account()
        await served.store.submit(PutScript(owner=ada, name="secret", content=b"#"))
        await served.store.submit(PutForm(account=ada, kind="filters", state=b"{}", content=b"#"))
        assert (await (await served.signed_in(address)).do("LISTSCRIPTS")).lines == [["secret"]]
        client = await served.signed_in(other)
        assert (await client.do("LISTSCRIPTS")).lines == []
        assert (await client.do("GETSCRIPT", "secret")).code == "NONEXISTENT"

    async def test_a_change_stands_in_the_audit_and_a_refused_one_does_not(
        self, served: Served
    ) -> None:
        """Whoever steals a password has mail sent on, if he can."""
        _, address = await served.account()
        client = await served.signed_in(address)
        await client.do("PUTSCRIPT", "main", GOOD)
        await client.do("SETACTIVE", "main")
        await client.do("DELETESCRIPT", "main")
        rows = await served.store.reader.rows(
            "SELECT actor, operation, target, details FROM audit ORDER BY id"
        )
        assert [row[:3] for row in rows] == [
            (address, "sieve.put", address),
            (address, "sieve.activate", address),
        ]
        assert json.loads(rows[0][3]) == {"script": "main", "octets": len(GOOD)}


class TestSigningIn:
    """Who may, and who may no more."""

    async def test_a_wrong_password(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.connect()
        answer = await client.sign_in(address, "wrong")
        assert (answer.status, answer.text) == ("NO", "The name or the password is wrong")
        assert (await client.sign_in(address)).status == "OK"
        assert ["OWNER", address] in (await client.do("CAPABILITY")).lines

    async def test_one_after_the_other_on_a_connection(self, served: Served) -> None:
        _, first = await served.account()
        _, second = await served.account()
        client = await served.signed_in(first)
        await client.do("PUTSCRIPT", "mine", b"#")
        assert (await client.do("UNAUTHENTICATE")).status == "OK"
        assert served.service.sessions == {}
        assert (await client.do("LISTSCRIPTS")).status == "NO"
        assert (await client.sign_in(second)).status == "OK"
        assert (await client.do("LISTSCRIPTS")).lines == []

    async def test_a_suspended_account_is_shown_out(self, served: Served) -> None:
        account, address = await served.account()
        client = await served.signed_in(address)
        await served.store.submit(SetAccount(account=account, status="suspended"))
        await served.service.look()
        assert (await client.answer()).status == "BYE"
        assert (await (await served.connect()).sign_in(address)).status == "NO"

    async def test_with_another_password_all_sessions_end(self, served: Served) -> None:
        account, address = await served.account()
        clients = [await served.signed_in(address) for _ in range(2)]
        await served.store.submit(SetPassword(account=account, password_hash="$other"))
        await served.service.look()
        for client in clients:
            assert (await client.answer()).text == "The password was changed; sign in again"

    async def test_sessions_of_an_account_are_bounded(self, place: Place) -> None:
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            settings = SieveSettings(HOST, sessions_per_account=1)
            async with serve(store, settings) as served:
                _, address = await served.account()
                first = await served.signed_in(address)
                second = await served.connect()
                assert (await second.sign_in(address)).code == "TRYLATER"
                await first.do("LOGOUT")
                for _ in range(100):
                    if (await second.sign_in(address)).status == "OK":
                        break
                    await asyncio.sleep(0.02)
                else:
                    raise AssertionError("the place of the first was not free")


class TestHowItEnds:
    """Time, the store, the server."""

    async def test_who_does_not_sign_in_is_shown_out(self, place: Place) -> None:
        settings = SieveSettings(HOST, sign_in_timeout=0.3)
        async with place.open() as store, serve(store, settings) as served:
            client = await served.connect()
            assert (await client.answer()).status == "BYE"

    async def test_a_stopping_server_says_so(self, served: Served) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)
        stranger = await served.connect()
        draining = asyncio.create_task(served.listener.drain(5))
        assert (await stranger.answer()).code == "TRYLATER"
        assert (await client.answer()).code == "TRYLATER"
        await draining

    async def test_a_store_that_is_away_is_not_the_end(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, address = await served.account()
        client = await served.signed_in(address)

        async def away(command: AnyCommand, fd: int | None = None) -> None:
            raise TemporaryFailure("gone for a moment")

        with monkeypatch.context() as patched:
            patched.setattr(served.store.writer, "submit", away)
            answer = await client.do("PUTSCRIPT", "main", GOOD)
            assert (answer.status, answer.code) == ("NO", "TRYLATER")
        assert (await client.do("PUTSCRIPT", "main", GOOD)).status == "OK"
