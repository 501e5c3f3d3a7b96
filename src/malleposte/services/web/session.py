"""One connection: reads requests, has them answered, writes responses; h11 keeps the state.

Whatever comes is bounded: octets and seconds of a head, of content, of the silence between requests; a
client that does not take its response is cut off. What is wrong in form is answered once, and the
connection closed: where a request ends is not known then (RFC 9112 §6.3). Requests that are sent ahead
are answered in order, one at a time.
"""

import contextlib
import time
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
            more = await self._more(until, stoppable=not self._began)
            octets += more
            if more and not self._began:
                self._began = True
                if self._requests:
                    until = time.monotonic() + settings.head_timeout

    async def _more(self, until: float, *, stoppable: bool = False) -> int:
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
            read=lambda: self._content(head),
        )
        try:
            return await service.answer(request)
        except (Refused, TimedOut, h11.RemoteProtocolError, ConnectionLost):
            raise
        except Exception:  # noqa: BLE001 - a defect ends one request, and its connection
            service.observer.defect("http")
            return text(500, "This went wrong in the server.", (("Connection", "close"),))

    async def _content(self, head: h11.Request) -> bytes:
        """All of a request's content. Raises ``Refused`` and as ``_head``."""
        settings = self.service.settings
        if self.engine.their_state is h11.DONE:
            return b""
        too_large = Refused(413, f"A request has at most {settings.max_body} octets of content.")
        for name, value in head.headers:
            if name == b"content-length" and int(value) > settings.max_body:
                raise too_large
        if self.engine.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self.connection.write(self.engine.send(go_on))
        until = time.monotonic() + settings.body_timeout
        found = bytearray()
        while True:
            event = self.engine.next_event()
            if isinstance(event, h11.Data):
                found += event.data
                if len(found) > settings.max_body:
                    raise too_large
            elif isinstance(event, h11.EndOfMessage):
                return bytes(found)
            elif event is h11.NEED_DATA:
                await self._more(until)
            else:
                raise ConnectionLost

    async def _send(self, response: Response) -> None:
        """Write a response; with "Connection: close" unless the next request's beginning is known."""
        before = self.engine.our_state
        if before not in (h11.IDLE, h11.SEND_RESPONSE):
            raise ConnectionLost
        fields = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", response.kind),
            ("Content-Length", str(len(response.body))),
            *NOTHING_LEAKS,
            *response.fields,
        ]
        if self.connection.tls and not self.connection.loopback:
            # A browser keeps it for a name, and "localhost" is everybody's.
            fields.append(STAY_SECURE)
        if self._last:
            fields.append(("Connection", "close"))
        write = self.connection.write
        write(
            self.engine.send(
                h11.Response(
                    status_code=response.status,
                    headers=fields,
                    reason=response.reason.encode(),
                )
            )
        )
        if not self._silent:
            write(self.engine.send(h11.Data(data=response.body)))
        if self.engine.our_state is h11.SEND_BODY:
            write(self.engine.send(h11.EndOfMessage()) or b"")
        await self.connection.drain(self.service.settings.write_timeout)

    @property
    def _last(self) -> bool:
        return (
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


def _malformed(error: h11.RemoteProtocolError) -> Response:
    match error.error_status_hint:
        case 431:
            return text(431, _TOO_LARGE)
        case 501:
            return text(501, "No other Transfer-Encoding than chunked is known here.")
        case _:
            return text(400, "This is no request of HTTP/1.1.")
