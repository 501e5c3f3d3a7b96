"""The paths of CardDAV, and who may ask there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from malleposte.directory.book import Account, Book
from malleposte.services.dav import collections, members
from malleposte.services.dav.answers import failed
from malleposte.services.dav.members import LARGE
from malleposte.services.dav.propfind import propfind
from malleposte.services.dav.reports import report
from malleposte.services.dav.tree import ROOT, Collection, Member, Tree
from malleposte.services.dav.xml import Element, NotXmlError, dav, parsed
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store import Store

WELL_KNOWN: Final = "/.well-known/carddav"
MAX_XML: Final = 1024 * 1024
"""Octets of a body; a multiget of 5,000 cards has some 500 kB."""
CLASSES: Final = "1, 3, access-control, addressbook, extended-mkcol"
"""What is spoken (RFC 4918 §18, RFC 6352 §6.1, RFC 5689 §3.1)."""
METHODS: Final = (
    "OPTIONS",
    "GET",
    "PUT",
    "DELETE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "MKCOL",
)


@dataclass(slots=True)
class DavSite:
    """See the module. ``authenticate`` says who asks, or raises ``Refused``."""

    store: Store
    book: Book
    authenticate: Callable[[Request], Awaitable[Account]]

    def in_clear(self, path: str) -> bool:
        """See ``Site``: passwords go this way."""
        return False

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        path = request.path
        if path.rstrip("/") == WELL_KNOWN:
            # RFC 6764 §5: where it really is.
            return Response(301, fields=(("Location", ROOT),), route="dav-well-known")
        if not (path.startswith(ROOT) or path == ROOT.rstrip("/")):
            return None
        if request.method == "OPTIONS":
            return Response(200, fields=(("DAV", CLASSES), _ALLOW), route="dav-options")
        account = await self.authenticate(request)
        response = await self._answer(Tree(self.store, self.book, account), request)
        if response.status < 300:
            fields = (*response.fields, ("DAV", CLASSES))
            response = Response(
                response.status,
                response.body,
                response.kind,
                fields,
                response.route,
                response.pieces,
                response.length,
            )
        return response

    async def _answer(self, tree: Tree, request: Request) -> Response:
        request.allow(*METHODS)
        method = request.method
        if method == "MKCOL":
            return await collections.mkcol(tree, request.path, await _body(request))
        resource = await tree.at(request.path)
        if resource is None:
            raise Refused(404, "There is nothing here for you.")
        match resource:
            case Member() if method in ("GET", "HEAD"):
                return await members.get(tree, resource, request)
            case Member() if method == "PUT":
                return await members.put(tree, resource, request)
            case Member() if method == "DELETE":
                return await members.delete(tree, resource, request)
            case Collection() if method == "DELETE":
                return await collections.delete(tree, resource)
            case Collection() if method == "PROPPATCH":
                return await collections.proppatch(tree, resource, await _body(request))
            case Collection() if method == "REPORT":
                return await report(tree, resource, request, await _body(request))
        if method == "PROPFIND":
            return await propfind(tree, resource, request, await _body(request))
        if method == "REPORT":
            return failed(403, dav("supported-report"))
        if method == "PROPPATCH":
            return failed(403, dav("cannot-modify-protected-property"))
        raise Refused(405, "This is not done here.", (_ALLOW,))


_ALLOW: Final = ("Allow", ", ".join((*METHODS, "HEAD")))


async def _body(request: Request) -> Element | None:
    """The XML of a request; None: it has no body. Raises ``Refused``."""
    octets = await request.content.read(MAX_XML)
    if not octets.strip():
        return None
    try:
        return await asyncio.to_thread(parsed, octets) if len(octets) > LARGE else parsed(octets)
    except NotXmlError as error:
        raise Refused(400, f"{error}.") from None
