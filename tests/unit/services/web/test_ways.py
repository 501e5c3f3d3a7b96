"""Under TLS or not, from this machine or from another: what is answered, and who is sent elsewhere."""

import dataclasses
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from malleposte.runtime.tls_selfsigned import self_signed_pair
from unit.services.web.harness import HOST, SETTINGS, Served, serve


@pytest.fixture
async def clear() -> AsyncIterator[Served]:
    """Without TLS, and the clients are elsewhere."""
    async with serve(remote=True) as served:
        yield served


async def test_from_elsewhere_pages_are_found_under_tls(clear: Served) -> None:
    client = await clear.connect()
    answer = await client.get("/page?a=%20b")
    assert (answer.status, answer.fields["location"]) == (302, f"https://{HOST}/page?a=%20b")
    assert f"https://{HOST}" in answer.words
    # 307: what is posted is posted there, too.
    assert (await client.post("/body", b"x")).status == 307
    assert clear.echo.asked == []


async def test_a_redirect_leads_to_us_whatever_is_asked_for(clear: Served) -> None:
    client = await clear.connect()
    for target in ("//evil.example/page", "/\\evil.example", "/@evil.example"):
        answer = await client.get(target)
        assert answer.fields["location"] == f"https://{HOST}{target}"
    assert (await client.get("/page", "X-Forwarded-Proto: https")).status == 302


async def test_what_programs_ask_for_in_clear_is_answered_in_clear(clear: Served) -> None:
    assert (await (await clear.connect()).get("/clear")).status == 200


async def test_another_name_is_not_sent_anywhere(clear: Served) -> None:
    client = await clear.connect()
    answer = await client.ask(b"GET /page HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert (answer.status, "location" in answer.fields) == (421, False)


async def test_without_a_place_under_tls_all_is_answered_in_clear() -> None:
    """As behind a proxy on another machine."""
    settings = dataclasses.replace(SETTINGS, url=f"http://{HOST}:8080")
    async with serve(settings, remote=True) as served:
        assert (await (await served.connect()).get("/page")).status == 200


async def test_under_tls_a_browser_is_told_to_stay_there(tmp_path: Path) -> None:
    self_signed_pair(tmp_path, HOST)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    for remote in (True, False):
        async with serve(remote=remote, implicit=server) as served:
            client = await served.connect(trusting)
            for target in ("/page", "/nowhere"):
                answer = await client.get(target)
                said = answer.fields.get("strict-transport-security", "")
                # Never on loopback, where the name is everybody's.
                assert said == ("max-age=31536000" if remote else "")
            assert served.echo.asked[0].tls
