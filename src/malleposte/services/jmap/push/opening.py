"""What the paths of news do: they open an event source, or a WebSocket."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from malleposte.directory.book import Account
from malleposte.services.connection import Connection
from malleposte.services.jmap.push import event_source
from malleposte.services.jmap.push.names import VAPID, WEBSOCKET
from malleposte.services.jmap.push.streams import MayGoOn, Streams
from malleposte.services.jmap.push.upgrade import switching
from malleposte.services.jmap.push.websocket import CarryOut, Socket
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.webpush.vapid_kept import VapidKept
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store.read.type_states import head

EVENTS: Final = "events"
SOCKET: Final = "ws"
"""Below the root of JMAP."""
# What stands between shall hand on every event at once.
_FIELDS: Final = (("X-Accel-Buffering", "no"),)

Accounts = Callable[[], Awaitable[Collection[int]]]
"""Accounts of which somebody is told."""


@dataclass(frozen=True, slots=True)
class News:
    """See the module. One for each worker. ``why_not``: why who asked may not go on being told, '' if he
    may."""

    streams: Streams
    why_not: Callable[[Request, Account], Awaitable[str]]
    vapid: VapidKept

    def _may_go_on(self, request: Request, account: Account) -> MayGoOn:
        return lambda: self.why_not(request, account)

    async def capabilities(self, base: str) -> dict[str, Any]:
        """Those that the session object has of this. Store failures come through."""
        # RFC 8887 §3: wss: stands for https:.
        url = f"ws{base.removeprefix('http')}/jmap/{SOCKET}"
        found: dict[str, Any] = {WEBSOCKET: {"url": url, "supportsPush": True}}
        vapid = await self.vapid.vapid()
        if vapid is not None:
            found[VAPID] = {"applicationServerKey": vapid.public}  # RFC 9749 §3
        return found

    async def events(self, account: Account, accounts: Accounts, request: Request) -> Response:
        """An event source. Raises ``Refused``; store failures come through."""
        request.allow("GET")
        what = event_source.asked(request)
        self.streams.check(account.id)
        seen = await accounts()
        # Before the client can think that it hears of everything.
        reader = self.streams.store.reader
        places = what.told
        if places is None:
            places = {one: await head(reader, one) for one in seen}
        pieces = event_source.events(
            self.streams, account.id, self._may_go_on(request, account), seen, what, places
        )
        return Response(
            200, kind=event_source.KIND, fields=_FIELDS, route="jmap-events", pieces=pieces
        )

    async def socket(
        self,
        account: Account,
        accounts: Accounts,
        request: Request,
        carry_out: CarryOut,
        known: frozenset[str],
        settings: JmapSettings,
        defect: Callable[[str], None],
    ) -> Response:
        """A WebSocket. Raises ``Refused``."""
        fields = switching(request)
        self.streams.check(account.id)

        async def takes_over(connection: Connection, ahead: bytes) -> None:
            try:
                stream = self.streams.open(
                    account.id, self._may_go_on(request, account), connection.poke
                )
            except Refused:
                return  # others came first
            socket = Socket(connection, stream, carry_out, accounts, known, settings, defect)
            await socket.run(ahead)

        return Response(101, fields=fields, route="jmap-socket", takes_over=takes_over)
