"""JMAP over a WebSocket (RFC 8887): requests, errors, news, and what ends it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.errors import LIMIT, NOT_JSON, NOT_REQUEST, UNKNOWN_CAPABILITY
from malleposte.services.jmap.push import streams, websocket
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.webpush.encryption import POINT, octets_of
from support.store import House
from unit.services.jmap.harness import Client
from unit.services.jmap.told import Told, telling, upgrade

ECHO = {"@type": "Request", "using": [CORE], "methodCalls": [["Core/echo", {"x": "é"}, "0"]]}
SMALL = JmapSettings(max_size_request=100_000, max_concurrent_requests=2)

# What the databases do apart is tested with the store.
pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def told(house: House) -> AsyncIterator[Told]:
    async with telling(house, Client(house, await house.account("ada"), SMALL)) as told:
        yield told


async def test_the_session_says_where(told: Told) -> None:
    session = msgspec.json.decode((await told.client.http("GET", "/jmap/session")).body)
    where = {"url": "wss://mail.example.org/jmap/ws", "supportsPush": True}
    assert session["capabilities"]["urn:ietf:params:jmap:websocket"] == where
    key = session["capabilities"]["urn:ietf:params:jmap:webpush-vapid"]["applicationServerKey"]
    assert len(octets_of(key)) == POINT
    connection = await told.served.connect()
    assert (await connection.get("/jmap/ws")).status == 426


async def test_it_opens_without_extensions(told: Told) -> None:
    socket = await told.socket()
    # RFC 6455 §1.3: of sixteen zeros.
    assert "sec-websocket-accept: icx+yqv66kxgm0fcwalwlflwtai=" in socket.head
    assert "sec-websocket-protocol: jmap\r\n" in socket.head
    assert "sec-websocket-extensions" not in socket.head
    await socket.alive()


NO_SOCKETS: list[tuple[dict[str, str | None], int]] = [
    ({"Sec_WebSocket_Protocol": "chat"}, 400),
    ({"Sec_WebSocket_Protocol": None}, 400),
    ({"Sec_WebSocket_Version": "8"}, 426),
    ({"Sec_WebSocket_Key": "short"}, 400),
    ({"Sec_WebSocket_Key": "AAAA"}, 400),
    ({"Upgrade": "h2c"}, 426),
]


async def test_what_is_no_websocket_of_jmap_is_refused(told: Told) -> None:
    for other, status in NO_SOCKETS:
        connection = await told.served.connect()
        assert (await connection.ask(upgrade(**other))).status == status, other


async def test_a_request_is_answered_as_over_http(told: Told) -> None:
    socket = await told.socket()
    answer = await socket.ask(ECHO | {"id": "R1", "createdIds": {"a": "b"}})
    assert answer == {
        "@type": "Response",
        "requestId": "R1",
        "methodResponses": [["Core/echo", {"x": "é"}, "0"]],
        "sessionState": answer["sessionState"],
        "createdIds": {"a": "b"},
    }
    assert "requestId" not in await socket.ask(ECHO)


WRONG: list[tuple[Any, str, str | None]] = [
    ("{", NOT_JSON, None),
    ("[" * 5_000, NOT_JSON, None),
    ("[]", NOT_REQUEST, None),
    ({"@type": "Response", "id": "x"}, NOT_REQUEST, "x"),
    ({"id": 7}, NOT_REQUEST, None),
    (ECHO | {"id": "x", "methodCalls": 7}, NOT_REQUEST, "x"),
    (ECHO | {"id": "x", "using": ["urn:unknown"]}, UNKNOWN_CAPABILITY, "x"),
    (ECHO | {"methodCalls": [["Core/echo", {}, "0"]] * 65}, LIMIT, None),
    ({"@type": "WebSocketPushEnable", "id": "x", "dataTypes": 7}, NOT_REQUEST, "x"),
]


async def test_an_error_is_a_message_and_the_connection_goes_on(told: Told) -> None:
    socket = await told.socket()
    for message, kind, request_id in WRONG:
        answer = await socket.ask(message)
        assert (answer["@type"], answer["type"]) == ("RequestError", kind), message
        assert (answer["requestId"], answer["status"]) == (request_id, 400), message
    assert (await socket.ask(ECHO))["@type"] == "Response"


async def test_a_defect_ends_one_request(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("of ours")

    socket = await told.socket()
    monkeypatch.setattr("malleposte.services.jmap.dispatch.run", broken)
    answer = await socket.ask(ECHO | {"id": "x"})
    assert (answer["status"], answer["requestId"]) == (500, "x")
    assert told.client.defects == ["websocket"]


async def test_news_come_once_they_are_wanted(told: Told) -> None:
    socket = await told.socket()
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    await asyncio.sleep(0.3)
    await socket.alive()
    socket.send({"@type": "WebSocketPushEnable", "dataTypes": ["Email", "Mailbox"]})
    await socket.alive()
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    news = await socket.message()
    state = (await told.client.call("Email/get", ids=[]))["state"]
    assert news == {
        "@type": "StateChange",
        "changed": {told.client.id: {"Email": state, "Mailbox": state}},
        "pushState": f"{told.client.id}={state}",
    }
    socket.send({"@type": "WebSocketPushDisable"})
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    await asyncio.sleep(0.3)
    await socket.alive()
    # What was missed comes with the state that the client had.
    enable = {"@type": "WebSocketPushEnable", "dataTypes": None, "pushState": news["pushState"]}
    late = await socket.ask(enable)
    assert late["changed"][told.client.id].keys() == {"Email", "Thread", "Mailbox", "EmailDelivery"}
    everything = await socket.ask(enable | {"pushState": "unknown"})
    assert "Identity" in everything["changed"][told.client.id]


async def test_requests_run_beside_each_other_and_are_bounded(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(*_: Any) -> Any:
        await gate.wait()
        return []

    socket = await told.socket()
    monkeypatch.setattr("malleposte.services.jmap.dispatch.run", slow)
    for name in ("a", "b", "c"):
        socket.send(ECHO | {"id": name})
    refused = await socket.message()
    assert (refused["requestId"], refused["limit"]) == ("c", "maxConcurrentRequests")
    await socket.alive()
    gate.set()
    assert {(await socket.message())["requestId"] for _ in range(2)} == {"a", "b"}


async def test_a_message_has_a_bound_however_it_is_cut(told: Told) -> None:
    socket = await told.socket()
    text = TextMessage(data="x" * 60_000, message_finished=False)
    socket.connection.send(socket.engine.send(text))
    socket.connection.send(socket.engine.send(text))
    assert await socket.closed() == (1009, "Too long a message")


async def test_octets_are_refused(told: Told) -> None:
    socket = await told.socket()
    socket.connection.send(socket.engine.send(BytesMessage(data=b"{}")))
    assert (await socket.closed())[0] == 1003


NO_FRAMES = [
    b"\x81\x02{}",  # not masked
    b"\x83\x80\0\0\0\0",  # no such opcode
    b"\xc1\x80\0\0\0\0",  # compressed, which was not agreed
    b"\x81\x81\0\0\0\0\xff",  # no UTF-8
    b"\x80\x80\0\0\0\0",  # goes on with nothing
    b"\x89\xfe\0\xff\0\0\0\0",  # a ping of 255 octets
]


async def test_what_is_no_frame_ends_it(told: Told) -> None:
    for frames in NO_FRAMES:
        socket = await told.socket()
        socket.connection.send(frames)
        assert (await socket.closed())[0] in (1002, 1007), frames
        assert await socket.connection.ended() == b""
        assert not told.streams._open


async def test_a_client_may_close(told: Told) -> None:
    socket = await told.socket()
    socket.connection.send(socket.engine.send(CloseConnection(code=1000)))
    assert (await socket.closed())[0] == 1000
    assert await socket.connection.ended() == b""
    assert not told.streams._open


async def test_octet_by_octet(told: Told) -> None:
    socket = await told.socket()
    text = TextMessage(data='{"@type":"Request","using":[],"methodCalls":[]}')
    for octet in socket.engine.send(text):
        socket.connection.send(bytes((octet,)))
        await asyncio.sleep(0)
    assert (await socket.message())["@type"] == "Response"


async def test_who_says_nothing_is_asked_and_then_let_go(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "PING_EVERY", 0.2)
    socket = await told.socket()
    event = await socket.next()
    assert isinstance(event, Ping)
    # A pong is enough.
    socket.connection.send(socket.engine.send(event.response()))
    assert isinstance(await socket.next(), Ping)
    assert await socket.connection.ended() == b""
    assert not told.streams._open


async def test_what_is_under_way_is_answered_when_the_server_stops(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(*_: Any) -> Any:
        await gate.wait()
        return []

    socket = await told.socket()
    monkeypatch.setattr("malleposte.services.jmap.dispatch.run", slow)
    socket.send(ECHO | {"id": "a"})
    await socket.alive()
    told.stop()
    await asyncio.sleep(0.4)
    gate.set()
    assert (await socket.message())["requestId"] == "a"
    assert await socket.closed() == (1001, streams.STOPPING)


async def test_who_may_not_go_on_is_told_why(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = await told.socket()
    told.refuse("The session has ended; sign in again")
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.0)
    assert await socket.closed() == (1008, "The session has ended; sign in again")


async def test_an_account_has_only_so_many(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PER_ACCOUNT", 1)
    await told.socket()
    connection = await told.served.connect()
    assert (await connection.ask(upgrade())).status == 429
