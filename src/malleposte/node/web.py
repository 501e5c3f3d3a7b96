"""The web service of a worker: from the configuration to what its listeners serve."""

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

import malleposte
from malleposte.delivery.receive import Reception
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.node import pushing
from malleposte.node.config import Configuration
from malleposte.node.offered import client_host, offered_to_programs, web_url
from malleposte.node.settings import hostname, key_ring
from malleposte.node.wiring import future_release, tls_settings
from malleposte.policy.connections import ConnectionSettings
from malleposte.runtime.passwords import Passwords
from malleposte.runtime.push import PushHub
from malleposte.runtime.tls_signing import Signer
from malleposte.secrets.node_key import NodeKeyError
from malleposte.services.dav import DavSite, signing_in
from malleposte.services.jmap import JmapSite
from malleposte.services.jmap.push import News
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.view.images import PURPOSE, Images
from malleposte.services.web import Observer, WebService, WebSettings
from malleposte.services.web.auth import AuthSite
from malleposte.services.web.auth.context import AuthSettings, Context
from malleposte.services.web.authentication import Authentication
from malleposte.services.web.autoconfig import AutoconfigSite, Offer, Offers
from malleposte.services.web.autoconfig.offers import Protocol
from malleposte.services.web.client import Built, ClientSite, NotBuiltError, read_built
from malleposte.services.web.mta_sts import MtaStsSite
from malleposte.store import Store

log = structlog.get_logger(__name__)

PACKAGED: Final = Path(malleposte.__file__).with_name("webclient")
"""Where a package carries the built client."""
TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 39\r\n\r\n"
    b"Too many connections from your network\n"
)
_PROTOCOLS: dict[str, Protocol] = {
    "imap": "imap",
    "imaps": "imap",
    "pop3": "pop3",
    "pop3s": "pop3",
    "submission": "smtp",
    "submissions": "smtp",
}


def web_connections(configuration: Configuration) -> ConnectionSettings:
    """For the listeners of http and https together."""
    return ConnectionSettings(
        per_network=configuration.web.connections_per_address,
        total=configuration.web.connections,
    )


def web_settings(configuration: Configuration) -> WebSettings:
    """For every listener of http and https."""
    web, own = configuration.web, hostname(configuration).lower().rstrip(".")
    host = client_host(configuration, own)
    url = web_url(configuration, host)
    named = {"localhost", own, host, *web.hosts.lower().split()}
    if url:
        named.add((urlsplit(url).hostname or "").rstrip("."))
    return WebSettings(
        hostname=own,
        url=url,
        names=frozenset(named - {""}),
        max_head=web.max_head,
        max_body=web.max_body,
        head_timeout=float(web.head_timeout),
        body_timeout=float(web.body_timeout),
        keep_alive=float(web.keep_alive),
    )


def offers(configuration: Configuration) -> Offers:
    """What programs are offered."""
    host = client_host(configuration, hostname(configuration))
    services = tuple(
        Offer(_PROTOCOLS[one.service], one.port, implicit=one.tls == "implicit")
        for one in offered_to_programs(configuration)
    )
    return Offers(host, services)


def web_client(configuration: Configuration) -> Built | None:
    """The built client; without one the log says why, and all else is served."""
    folder = configuration.web.client or PACKAGED
    try:
        return read_built(folder)
    except NotBuiltError as error:
        log.warning("web_client_missing", reason=str(error))
        return None


def auth_settings(configuration: Configuration) -> AuthSettings:
    """How long sessions last."""
    web = configuration.web
    return AuthSettings(idle=web.session_idle, lasts=web.session_lasts)


def jmap_site(
    configuration: Configuration,
    authentication: Authentication,
    reception: Reception,
    observer: Observer,
    news: News | None = None,
) -> JmapSite:
    """JMAP, for our pages and for programs that sign in with every request."""

    def defect(method: str) -> None:
        log.exception("jmap_defect", method=method)
        observer.defect("jmap")

    settings = JmapSettings(
        recoverable=configuration.store.recoverable,
        anyone=configuration.sharing.anyone,
        max_size_message=configuration.smtp.max_size,
        max_recipients=configuration.smtp.max_recipients,
        max_delayed_send=future_release(configuration),
    )
    return JmapSite(
        settings,
        authentication.store,
        authentication.book,
        authentication.account,
        reception,
        # As configured alone: where nothing is, a session says what was asked by.
        url=configuration.web.url.rstrip("/"),
        credential=authentication.credential,
        news=news,
        defect=defect,
        images=Images(picture_keys(configuration)),
    )


def picture_keys(configuration: Configuration) -> Callable[[], tuple[bytes, ...]]:
    """What signs addresses of pictures: read once, none while the node has no key."""
    found: list[tuple[bytes, ...]] = []

    def keys() -> tuple[bytes, ...]:
        if not found:
            try:
                found.append(key_ring(configuration).derived(PURPOSE))
            except NodeKeyError:
                return ()
        return found[0]

    return keys


def web_service(
    configuration: Configuration,
    store: Store,
    book: Book,
    door: Door,
    passwords: Passwords,
    reception: Reception,
    observer: Observer,
    ready: Callable[[], bool],
    stopping: Callable[[], bool],
    push: PushHub,
    spawn: Callable[[Coroutine[Any, Any, None]], None],
) -> WebService:
    """One for all listeners of a worker. ``ready``: whether there is a certificate. ``spawn`` runs beside
    the listeners what never ends."""
    settings = web_settings(configuration)
    signer = Signer(tls_settings(configuration))
    # On Unix sockets alone something in front serves the usual port.
    url = settings.url or f"https://{settings.hostname}"
    autoconfig = AutoconfigSite(book, offers(configuration), url, signer.signed, ready)
    policies = MtaStsSite(store.reader, settings.hostname)
    client = ClientSite(web_client(configuration))
    authentication = Authentication(settings, store, book, door)
    news, sender = pushing.news(configuration, authentication, push, stopping)
    spawn(news.streams.run())
    spawn(sender.run())
    context = Context(
        auth_settings(configuration), authentication, passwords, lambda: key_ring(configuration)
    )
    auth = AuthSite(context)
    jmap = jmap_site(configuration, authentication, reception, observer, news)
    dav = DavSite(store, book, partial(signing_in.account, door=door))
    sites = (policies, autoconfig, auth, jmap, dav, client)
    return WebService(settings, book, sites, observer, stopping)
