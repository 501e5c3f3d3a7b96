"""JMAP over a WebSocket (RFC 8887): requests, their answers, and news; wsproto keeps the frames.

The connection's own task reads; each request runs beside it, so that a long one holds up no other, and
answers go out as they are ready (§4.3.1). Whatever comes is bounded: octets of a message, requests at once,
silence: a client that does not answer a ping is gone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import msgspec
from wsproto.connection import Connection as Engine
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.jmap import requests
from malleposte.services.jmap.errors import LIMIT, NOT_JSON, NOT_REQUEST, RequestError
from malleposte.services.jmap.push.names import places_of, places_text, state_change, wanted
from malleposte.services.jmap.push.streams import STOPPING, Stream
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store import StoreError

PING_EVERY: Final = 60.0
"""Seconds of silence until a client is asked whether it is there; as many again, and it is not."""
WRITE_TIMEOUT: Final = 60.0
"""Seconds that a client may take nothing of what is sent."""
FAREWELL: Final = 2.0
"""Seconds for its part of the closing."""

CarryOut = Callable[[requests.Request], Awaitable[dict[str, Any]]]
"""The answer of a request. Raises ``RequestError``."""


class PushEnable(msgspec.Struct, frozen=True, rename="camel"):
    """RFC 8887 §4.3.5.2."""

    data_types: list[str] | None = None
    push_state: str | None = None


class Socket:
    """One connection, after the 101; see the module."""

    def __init__(
        self,
        connection: Connection,
        stream: Stream,
        carry_out: CarryOut,
        accounts: Callable[[], Awaitable[Collection[int]]],
        known: frozenset[str],
        settings: JmapSettings,
        defect: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._carry_out = carry_out
        self._accounts = accounts
        self._known = known
        self._settings = settings
        self._defect = defect
        self._engine = Engine(ConnectionType.SERVER)
        self._pieces: list[str] = []
        self._size = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard = time.monotonic()
        self._asked = False

    async def run(self, ahead: bytes) -> None:
        """From the first frame to the end; ``ahead`` came already."""
        self._engine.receive_data(ahead)
        try:
            while await self._taken() and await self._waited():
                pass
        except ConnectionLost:
            pass
        finally:
            self._stream.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # Waiting ---------------------------------------------------------------------------------------

    async def _waited(self) -> bool:
        """Wait for something to do, having told what there is to tell. False: it is over."""
        connection, stream = self._connection, self._stream
        await connection.drain(WRITE_TIMEOUT)
        if stream.ended:
            code = CloseReason.GOING_AWAY if stream.ended == STOPPING else None
            return await self._close(code or CloseReason.POLICY_VIOLATION, stream.ended)
        if stream.due() <= 0:
            await self._tell()
            return True
        timer = None
        if stream.due() < PING_EVERY:
            timer = asyncio.get_running_loop().call_later(stream.due(), connection.poke)
        patience = PING_EVERY * (2 if self._asked else 1)
        try:
            octets = await connection.read(max(self._heard + patience - time.monotonic(), 0.1))
        except TimedOut:
            return await self._silent()
        except Draining:
            return await self._close(CloseReason.GOING_AWAY, STOPPING)
        finally:
            if timer is not None:
                timer.cancel()
        if octets:
            self._heard, self._asked = time.monotonic(), False
            self._engine.receive_data(octets)
            return True
        # Else it was woken.
        return not (connection.at_end or connection.lost)

    async def _silent(self) -> bool:
        if self._asked:
            return False
        self._asked = True
        self._connection.write(self._engine.send(Ping()))
        return True

    async def _tell(self) -> None:
        """Tell what changed (§4.3.5.1)."""
        try:
            news = await self._stream.news()
        except StoreError:
            return  # it looks again
        if news:
            self._send(state_change(news) | {"pushState": places_text(self._stream.places)})

    async def _close(self, code: CloseReason, words: str) -> bool:
        """Answer what is under way, say why it ends, and end. Always False."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._engine.state is not ConnectionState.OPEN:
            return False
        # A reason has 123 octets at most (RFC 6455 §5.5).
        reason = words.encode()[:123].decode(errors="ignore")
        self._connection.write(self._engine.send(CloseConnection(code=code, reason=reason)))
        until = time.monotonic() + FAREWELL
        try:
            while (left := until - time.monotonic()) > 0:
                octets = await self._connection.read(left, stoppable=False)
                if not octets and (self._connection.at_end or self._connection.lost):
                    break
                self._engine.receive_data(octets)
                if any(isinstance(event, CloseConnection) for event in self._engine.events()):
                    break
        except TimedOut:
            pass
        return False

    # Messages --------------------------------------------------------------------------------------

    async def _taken(self) -> bool:
        """Take up what came. False: it is over."""
        for event in self._engine.events():
            match event:
                case TextMessage():
                    self._size += len(event.data)
                    if self._size > self._settings.max_size_request:
                        return await self._close(CloseReason.MESSAGE_TOO_BIG, "Too long a message")
                    self._pieces.append(event.data)
                    if event.message_finished:
                        whole = "".join(self._pieces)
                        self._pieces, self._size = [], 0
                        await self._message(whole)
                case BytesMessage():
                    words = "Messages are JSON, as texts"  # RFC 8887 §4.2
                    return await self._close(CloseReason.UNSUPPORTED_DATA, words)
                case Ping():
                    self._connection.write(self._engine.send(event.response()))
                case CloseConnection():
                    if self._engine.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.OPEN):
                        self._connection.write(self._engine.send(event.response()))
                    return False
                case _:
                    pass  # a pong: that it came is enough
        return True

    async def _message(self, text: str) -> None:
        request_id: str | None = None
        try:
            try:
                value = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                raise RequestError(NOT_JSON, f"This is no JSON: {error}") from None
            if not isinstance(value, dict):
                raise RequestError(NOT_REQUEST, "A message is one object")
            found = value.get("id")
            request_id = found if isinstance(found, str) else None
            await self._act(value, request_id)
        except RequestError as error:
            self._refuse(request_id, error)

    async def _act(self, value: dict[str, Any], request_id: str | None) -> None:
        match value.get("@type"):
            case "Request":
                most = self._settings.max_concurrent_requests
                if len(self._tasks) >= most:
                    words = f"At most {most} requests are answered at once"
                    raise RequestError(LIMIT, words, limit="maxConcurrentRequests")
                request = requests.converted(value, self._settings, self._known)
                task = asyncio.get_running_loop().create_task(self._answer(request, request_id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case "WebSocketPushEnable":
                try:
                    wish = msgspec.convert(value, PushEnable)
                except msgspec.ValidationError as error:
                    raise RequestError(NOT_REQUEST, f"That cannot be enabled: {error}") from None
                told = None if wish.push_state is None else places_of(wish.push_state) or {}
                try:
                    await self._stream.listen(await self._accounts(), wanted(wish.data_types), told)
                except StoreError:
                    self._stream.end(STOPPING)
            case "WebSocketPushDisable":
                self._stream.deaf()
            case _:
                raise RequestError(NOT_REQUEST, "There is no message of that @type")

    async def _answer(self, request: requests.Request, request_id: str | None) -> None:
        try:
            found = {"@type": "Response"} | await self._carry_out(request)
            if request_id is not None:
                found["requestId"] = request_id
            self._send(found)
        except RequestError as error:
            self._refuse(request_id, error)
        except Exception:  # noqa: BLE001 - a defect ends one request
            self._defect("websocket")
            wrong = RequestError("about:blank", "This went wrong in the server", status=500)
            self._refuse(request_id, wrong)

    def _refuse(self, request_id: str | None, error: RequestError) -> None:
        # §4.3.4
        self._send({"@type": "RequestError", "requestId": request_id} | error.problem())

    def _send(self, message: dict[str, Any]) -> None:
        if self._engine.state is ConnectionState.OPEN:
            text = msgspec.json.encode(message).decode()
            self._connection.write(self._engine.send(TextMessage(data=text)))
            # Whoever waits to read goes on only when enough was taken.
            self._connection.poke()
