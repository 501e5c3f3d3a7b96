"""One connection: reads requests, has them answered, writes responses; h11 keeps the state.

Whatever comes is bounded: octets and seconds of a head, of content, of the silence between requests; a
client that does not take its response is cut off. What is wrong in form is answered once, and the
connection closed: where a request ends is not known then (RFC 9112 §6.3). Requests that are sent ahead
are answered in order, one at a time.
"""

import contextlib
import time
from collections.abc import AsyncGenerator
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

import h11

from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.web import head as heads
from malleposte.services.web.messages import Refused, Request, Response, text
from malleposte.services.web.security import NOTHING_LEAKS, STAY_SECURE

if TYPE_CHECKING:
    from malleposte.services.web.service import WebService

PIECE: Final = 4 * 1024
"""Octets handed to the engine at a time."""
LAST_WORDS: Final = 2.0
"""Seconds that a refused client is still listened to: who is cut off while it sends sees no answer."""
MOST_UNREAD: Final = 256 * 1024
"""Octets let go meanwhile."""
_TOO_LARGE: Final = "The header of the request is too large."


class Session:
    """See the module."""

    __slots__ = ("_began", "_pending", "_requests", "_silent", "connection", "engine", "service")

    def __init__(self, service: "WebService", connection: Connection) -> None:
        self.service = service
        self.connection = connection
        self.engine = h11.Connection(
            h11.SERVER, max_incomplete_event_size=service.settings.max_head
        )
        self._pending = b""
        """Octets that came and were not handed to the engine."""
        self._began = False
        """Whether a request has begun that is not answered."""
        self._requests = 0
        self._silent = False
        """Whether the response goes without its content (HEAD)."""

    async def run(self) -> None:
        """From the first octet to the end."""
        # Stopped between requests, or gone.
        with contextlib.suppress(Draining, ConnectionLost):
            while await self._one():
                self.engine.start_next_cycle()

    async def _one(self) -> bool:
        """One request and its response; whether another may follow."""
        self._began = self._silent = False
        started = time.perf_counter()
        try:
            head = await self._head()
            if head is None:
                return False
            started = time.perf_counter()
            response = await self._answered(head)
        except Refused as error:
            response = text(error.status, error.words, error.fields)
        except h11.RemoteProtocolError as error:
            if not self._began:
                return False  # the end of the connection
            response = _malformed(error)
        except TimedOut:
            if not self._began:
                return False
            response = text(408, "The request took too long.")
        took = time.perf_counter() - started
        self.service.observer.request(response.route or "none", response.status, took)
        if response.takes_over is not None:
            await self._hand_over(response)
            return False
        await self._send(response)
        if self.engine.our_state is h11.DONE and self.engine.their_state is h11.DONE:
            return True
        await self._let_go()
        return False

    async def _head(self) -> h11.Request | None:
        """The next one; None at the end. Raises ``Refused``, ``TimedOut``, ``Draining``."""
        settings = self.service.settings
        octets = len(self.engine.trailing_data[0])
        began = bool(self._pending or octets)
        patience = settings.keep_alive if self._requests else settings.head_timeout
        until = time.monotonic() + (settings.head_timeout if began else patience)
        self._began = began
        while True:
            event = self.engine.next_event()
            if isinstance(event, h11.Request):
                self._began = True
                self._silent = event.method == b"HEAD"
                self._requests += 1
                # The engine bounds only what is not complete yet.
                if octets - len(self.engine.trailing_data[0]) > settings.max_head:
                    raise Refused(431, _TOO_LARGE)
                heads.check_framing(event, settings.max_fields)
                return event
            if event is not h11.NEED_DATA:
                return None
            more = await self.more(until, stoppable=not self._began)
            octets += more
            if more and not self._began:
                self._began = True
                if self._requests:
                    until = time.monotonic() + settings.head_timeout

    async def more(self, until: float, *, stoppable: bool = False) -> int:
        """Hand the engine a piece of what came, or its end; how many octets."""
        if not self._pending:
            left = until - time.monotonic()
            if left <= 0:
                raise TimedOut
            octets = await self.connection.read(left, stoppable=stoppable)
            if not octets:
                if self.connection.lost:
                    raise ConnectionLost
                if self.connection.at_end:
                    self.engine.receive_data(b"")
                return 0
            self._pending = octets
        piece, self._pending = self._pending[:PIECE], self._pending[PIECE:]
        self.engine.receive_data(piece)
        return len(piece)

    async def _answered(self, head: h11.Request) -> Response:
        """The response. Raises ``Refused`` and as ``_head``."""
        service, connection = self.service, self.connection
        if not heads.has_content(head):
            self.engine.next_event()  # the end of the request, which is there already
        method = heads.method_of(head)
        target, authority = heads.target_of(head)
        path, query = heads.path_of(target)
        request = Request(
            method=method,
            path=path,
            target=target,
            host=heads.host_of(head, authority),
            query=query,
            fields=tuple(head.headers),
            tls=connection.tls,
            local=connection.loopback,
            content=_Content(self, head),
            peer=connection.peer,
        )
        try:
            return await service.answer(request)
        except (Refused, TimedOut, h11.RemoteProtocolError, ConnectionLost):
            raise
        except Exception:  # noqa: BLE001 - a defect ends one request, and its connection
            service.observer.defect("http")
            return text(500, "This went wrong in the server.", (("Connection", "close"),))

    async def _send(self, response: Response) -> None:
        """Write a response; with "Connection: close" unless the next request's beginning is known."""
        if self.engine.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            raise ConnectionLost
        write, pieces = self.connection.write, response.pieces
        write(self.engine.send(self._response(response)))
        if pieces is not None:
            try:
                await self._send_pieces(pieces)
                self._end_message()
            except (ConnectionLost, TimedOut, Draining):
                raise
            except Exception:  # noqa: BLE001 - the response has begun: its end alone can tell
                self.service.observer.defect("http content")
                self.connection.abort()
                raise ConnectionLost from None
        else:
            if not self._silent:
                write(self.engine.send(h11.Data(data=response.body)))
            self._end_message()
        await self.connection.drain(self.service.settings.write_timeout)

    def _end_message(self) -> None:
        if self.engine.our_state is h11.SEND_BODY:
            self.connection.write(self.engine.send(h11.EndOfMessage()) or b"")

    def _response(self, response: Response) -> h11.Response:
        fields = [("Date", formatdate(usegmt=True)), ("Content-Type", response.kind)]
        length = response.length if response.pieces is not None else len(response.body)
        # Of a 304 it would be the length of what is not sent (RFC 9110 §8.6).
        if length >= 0 and response.status != 304:
            fields.append(("Content-Length", str(length)))
        own = {name.lower() for name, _ in response.fields}
        fields += [one for one in NOTHING_LEAKS if one[0].lower() not in own]
        fields += response.fields
        if self.connection.tls and not self.connection.loopback:
            # A browser keeps it for a name, and "localhost" is everybody's.
            fields.append(STAY_SECURE)
        if self._last:
            fields.append(("Connection", "close"))
        return h11.Response(
            status_code=response.status, headers=fields, reason=response.reason.encode()
        )

    async def _send_pieces(self, pieces: AsyncGenerator[bytes]) -> None:
        """What is made while it is sent; a client that takes nothing stops it."""
        async with contextlib.aclosing(pieces):
            if self._silent:
                return
            async for piece in pieces:
                self.connection.write(self.engine.send(h11.Data(data=piece)) or b"")
                await self.connection.drain(self.service.settings.write_timeout)

    async def _hand_over(self, response: Response) -> None:
        """Another protocol from here on (RFC 9110 §15.2.2)."""
        assert response.takes_over is not None
        switch = h11.InformationalResponse(status_code=101, headers=list(response.fields))
        self.connection.write(self.engine.send(switch))
        ahead, _ = self.engine.trailing_data
        pending, self._pending = self._pending, b""
        await response.takes_over(self.connection, ahead + pending)

    @property
    def _last(self) -> bool:
        return (
            # Where another protocol was refused, what stands behind may be meant for somebody else.
            self.engine.their_state is not h11.DONE
            or self._requests >= self.service.settings.max_requests
            or self.service.stopping()
        )

    async def _let_go(self) -> None:
        """Read what a refused client still sends, for a moment."""
        if self.engine.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
            return
        until, octets = time.monotonic() + LAST_WORDS, 0
        with contextlib.suppress(TimedOut, ConnectionLost):
            while octets < MOST_UNREAD and (left := until - time.monotonic()) > 0:
                got = await self.connection.read(left, stoppable=False)
                if not got and (self.connection.at_end or self.connection.lost):
                    return
                octets += len(got)


class _Content:
    """The content of one request; see ``messages.Content``."""

    __slots__ = ("_head", "_session")

    def __init__(self, session: Session, head: h11.Request) -> None:
        self._session = session
        self._head = head

    async def read(self, most: int = 0) -> bytes:
        settings = self._session.service.settings
        pieces = self.pieces(most or settings.max_body, settings.body_timeout)
        async with contextlib.aclosing(pieces):
            return b"".join([bytes(piece) async for piece in pieces])

    async def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
        session, engine = self._session, self._session.engine
        if engine.their_state is h11.DONE:
            return
        too_large = Refused(413, f"A request has at most {most} octets of content here.")
        for name, value in self._head.headers:
            if name == b"content-length" and int(value) > most:
                raise too_large
        if engine.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            session.connection.write(engine.send(go_on))
        silence = session.service.settings.body_timeout
        until = time.monotonic() + seconds
        octets = 0
        while True:
            event = engine.next_event()
            if isinstance(event, h11.Data):
                octets += len(event.data)
                if octets > most:
                    raise too_large
                yield event.data
            elif isinstance(event, h11.EndOfMessage):
                return
            elif event is h11.NEED_DATA:
                await session.more(min(until, time.monotonic() + silence))
            else:
                raise ConnectionLost


def _malformed(error: h11.RemoteProtocolError) -> Response:
    match error.error_status_hint:
        case 431:
            return text(431, _TOO_LARGE)
        case 501:
            return text(501, "No other Transfer-Encoding than chunked is known here.")
        case _:
            return text(400, "This is no request of HTTP/1.1.")
