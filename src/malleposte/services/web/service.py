"""What a listener serves: the names it answers to, and who answers.

A request by a name that is not this server's is refused, whatever it asks for: else a web page could give
its own name this address, and read what is behind it (DNS rebinding). What comes unencrypted from another
machine is sent to TLS, where there is TLS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from malleposte.directory.addresses import BadAddressError, normalise_domain
from malleposte.directory.book import Book
from malleposte.services.connection import Connection
from malleposte.services.web.head import is_address
from malleposte.services.web.messages import Refused, Request, Response, text
from malleposte.services.web.session import Session
from malleposte.services.web.settings import WebSettings
from malleposte.store import StoreError

log = structlog.get_logger(__name__)

FIRST_LABELS: Final = ("autoconfig", "autodiscover", "mta-sts")
"""What programs put before a domain, and other servers."""


class Observer:
    """Told of what happens, for metrics and logs; this one logs defects and keeps the rest."""

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""
        log.exception("web_defect", where=where)


class Site(Protocol):
    """Answers for some paths."""

    async def answer(self, request: Request) -> Response | None:
        """None: none of its paths. Raises ``Refused``; store failures come through."""
        ...

    def in_clear(self, path: str) -> bool:
        """Whether a path is answered without TLS, too, where there is TLS."""
        ...


@dataclass(slots=True)
class WebService:
    """See the module. One for each listener of a worker."""

    settings: WebSettings
    book: Book
    sites: Sequence[Site]
    observer: Observer = field(default_factory=Observer)
    stopping: Callable[[], bool] = lambda: False
    """Whether the server stops: then each response is a connection's last."""

    async def serve(self, connection: Connection) -> None:
        """One connection, from its first request to its last."""
        await Session(self, connection).run()

    async def answer(self, request: Request) -> Response:
        """The response. Raises ``Refused``."""
        try:
            await self._check_host(request.host)
            self._check_way(request)
            for site in self.sites:
                response = await site.answer(request)
                if response is not None:
                    return response
        except StoreError as error:
            log.warning("web_store_away", error=str(error))
            return text(
                503, "The store cannot answer now; try again later.", (("Retry-After", "10"),)
            )
        return text(404, "Nothing is here. Mail programs find their settings by themselves.")

    async def _check_host(self, host: str) -> None:
        if not host or is_address(host) or host in self.settings.names:
            return
        first, _, rest = host.partition(".")
        domain = rest if first in FIRST_LABELS else host
        if domain and await self._is_ours(domain):
            return
        raise Refused(421, "This server is not asked by that name.")

    async def _is_ours(self, domain: str) -> bool:
        # Who has a mail server there may ask for settings below its domain, too.
        if f".{self.settings.hostname}".endswith(f".{domain}"):
            return "." in domain
        try:
            name = normalise_domain(domain)
        except BadAddressError:
            return False
        await self.book.fresh()
        return await self.book.domain(name) is not None

    def _check_way(self, request: Request) -> None:
        """Raises ``Refused`` with where to go. Loopback is as good as TLS, and where proxies are."""
        url = self.settings.secure_url
        if request.tls or request.local or not url:
            return
        if any(site.in_clear(request.path) for site in self.sites):
            return
        safe = request.method in ("GET", "HEAD")
        # 302 is what Outlook follows; 307 keeps the method (RFC 9110 §15.4.8).
        place = ("Location", url + request.target)
        raise Refused(302 if safe else 307, f"This is found at {url}.", (place,))
