"""The paths of JMAP: session, API, blobs and news."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec
import structlog

from malleposte.delivery.receive import Reception
from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Account, Book
from malleposte.policy.hourly import Hourly
from malleposte.services.jmap import dispatch, own, requests
from malleposte.services.jmap.contacts import photos
from malleposte.services.jmap.contacts.cards import media_of
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import LIMIT, NOT_REQUEST, RequestError
from malleposte.services.jmap.methods import CAPABILITIES, METHODS
from malleposte.services.jmap.push import News
from malleposte.services.jmap.session_cache import Sessions
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.transfers import Transfers
from malleposte.services.jmap.view.images import PATH as IMAGE
from malleposte.services.jmap.view.images import Images
from malleposte.services.jmap.view.safe_texts import SafeTexts
from malleposte.services.web.messages import Refused, Request, Response, json
from malleposte.store import Store
from malleposte.store.read import sharers

log = structlog.get_logger(__name__)

WELL_KNOWN: Final = "/.well-known/jmap"
ROOT: Final = "/jmap/"
CHANGES_OF_RIGHTS: Final = 1_000
"""Of an account in an hour, as by IMAP: the audit only grows."""


def _logged(name: str) -> None:
    log.exception("jmap_defect", method=name)


@dataclass(slots=True)
class JmapSite:
    """See the module. ``authenticate`` says who asks, or raises ``Refused``; ``url``: where the service
    is reached from outside, '' for where it was asked. ``credential`` says by what is asked, as a text that
    hangs on it; ``news`` tells of changes, where there is that."""

    settings: JmapSettings
    store: Store
    book: Book
    authenticate: Callable[[Request], Awaitable[Account]]
    reception: Reception
    url: str = ""
    credential: Callable[[Request, Account], Awaitable[str]] | None = None
    news: News | None = None
    images: Images = field(default_factory=lambda: Images(lambda: ()))
    defect: Callable[[str], None] = field(default=_logged)
    _transfers: Transfers = field(init=False)
    _texts: SafeTexts = field(init=False)
    _checker: Checker = field(init=False)
    _changes_of_rights: Hourly = field(init=False)
    _sessions: Sessions = field(init=False)
    _under_way: Counter[int] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        self._transfers = Transfers(self.settings, self.store)
        self._texts = SafeTexts(self.images)
        self._checker = Checker(self.store.reader)
        self._changes_of_rights = Hourly(CHANGES_OF_RIGHTS)
        more = None if self.news is None else self.news.capabilities
        self._sessions = Sessions(self.settings, self.store, self.book, more)

    def in_clear(self, path: str) -> bool:
        """See ``Site``: passwords go this way."""
        return False

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        path = request.path
        if path != WELL_KNOWN and not path.startswith(ROOT):
            return None
        account = await self.authenticate(request)
        try:
            match path.removeprefix(ROOT).split("/"):
                case [_, ".well-known", "jmap"] | ["session"]:
                    request.allow("GET")
                    return json(200, await self._session(account, request), "jmap-session")
                case ["api"]:
                    request.allow("POST")
                    return await self._api(account, request)
                case ["events"] if self.news is not None:
                    return await self.news.events(account, self._accounts(account), request)
                case ["ws"] if self.news is not None:
                    return await self._socket(self.news, account, request)
                case ["upload", to] | ["upload", to, ""]:
                    return await self._transfers.upload(account, to, request)
                case ["image", *_]:
                    return await self.images.answer(account.id, path.removeprefix(IMAGE), request)
                case ["export", of, mailbox]:
                    return await own.export(self.store, account, of, mailbox, request)
                case ["download", of, blob, *_] if media_of(blob) is not None:
                    return await photos.download(self.store, account, of, blob, request)
                case ["download", of, blob, *name]:
                    return await self._transfers.download(
                        account, of, blob, "/".join(name), request
                    )
        except RequestError as error:
            body = msgspec.json.encode(error.problem())
            return Response(error.status, body, "application/problem+json", route="jmap-refused")
        return None

    async def _session(self, account: Account, request: Request) -> dict[str, object]:
        return await self._sessions.of(account, self._base(request))

    def _accounts(self, account: Account) -> Callable[[], Awaitable[Collection[int]]]:
        """What gives the accounts of whose changes somebody is told."""

        async def found() -> Collection[int]:
            opened = await sharers.opened(self.store.reader, account.id)
            return (account.id, *(one.account for one in opened))

        return found

    async def _socket(self, news: News, account: Account, request: Request) -> Response:
        return await news.socket(
            account,
            self._accounts(account),
            request,
            partial(self._by_socket, account, request),
            CAPABILITIES,
            self.settings,
            self.defect,
        )

    def _base(self, request: Request) -> str:
        if self.url:
            return self.url
        return f"{'https' if request.tls else 'http'}://{request.field(b'host')}"

    async def _api(self, account: Account, request: Request) -> Response:
        kind = request.field(b"content-type").partition(";")[0].strip().lower()
        if kind != "application/json":
            # Also what keeps forms of other sites out, which cannot send it (RFC 8620 §3.6.1).
            raise RequestError(NOT_REQUEST, "A request of JMAP is application/json")
        with self._counted(account):
            return await self._asked(account, request)

    @contextmanager
    def _counted(self, account: Account) -> Iterator[None]:
        """A request of an account, of which so many are under way at once. Raises ``RequestError``."""
        most = self.settings.max_concurrent_requests
        if self._under_way[account.id] >= most:
            words = f"At most {most} requests are answered at once"
            raise RequestError(LIMIT, words, limit="maxConcurrentRequests")
        self._under_way[account.id] += 1
        try:
            yield
        finally:
            self._under_way[account.id] -= 1
            if not self._under_way[account.id]:
                del self._under_way[account.id]

    async def _by_socket(
        self, account: Account, request: Request, decoded: requests.Request
    ) -> dict[str, object]:
        with self._counted(account):
            return await self._carried_out(account, request, decoded)

    async def _asked(self, account: Account, request: Request) -> Response:
        try:
            octets = await request.content.read(self.settings.max_size_request)
        except Refused as error:
            if error.status != 413:
                raise
            raise RequestError(LIMIT, error.words, status=413, limit="maxSizeRequest") from None
        decoded = requests.decode(octets, self.settings, CAPABILITIES)
        return json(200, await self._carried_out(account, request, decoded), "jmap-api")

    async def _carried_out(
        self, account: Account, request: Request, decoded: requests.Request
    ) -> dict[str, object]:
        """The answer of a request (RFC 8620 §3.4)."""
        context = Context(
            account,
            self.store,
            self.book,
            self.settings,
            self.reception,
            request.peer,
            frozenset(decoded.using),
            dict(decoded.created_ids or {}),
            self._texts,
            asked_by=partial(self.credential, request, account) if self.credential else None,
            checker=self._checker,
            changes_of_rights=self._changes_of_rights,
            session=partial(self._session, account, request),
        )
        answers = await dispatch.run(context, decoded, METHODS, self.defect)
        found: dict[str, object] = {
            "methodResponses": answers,
            "sessionState": (await self._session(account, request))["state"],
        }
        if decoded.created_ids is not None:
            found["createdIds"] = context.created
        return found
