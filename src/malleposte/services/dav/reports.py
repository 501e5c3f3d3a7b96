"""REPORT: addressbook-multiget, addressbook-query (RFC 6352 §8) and sync-collection (RFC 6578)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from malleposte.groupware.content_lines import lines
from malleposte.groupware.vcard.whole import Version
from malleposte.services.dav import matching, properties, rendering
from malleposte.services.dav.answers import XML, failed, response, status
from malleposte.services.dav.answers import properties as told
from malleposte.services.dav.properties import Here, Properties
from malleposte.services.dav.propfind import asked, at, minimal, slices
from malleposte.services.dav.rendering import Shown
from malleposte.services.dav.syncing import MOST
from malleposte.services.dav.syncing import told as synced
from malleposte.services.dav.tree import Collection, Tree
from malleposte.services.dav.xml import BEGIN, END, Element, card, dav, element, escaped
from malleposte.services.web.messages import Refused, Request, Response

HREFS: Final = 5_000
"""Cards that one multiget asks for."""
RESULTS: Final = 5_000
"""Cards that one query finds."""
_DATA: Final = card("address-data")


class _Wanted:
    """What is asked of each card."""

    def __init__(self, request: Request, body: Element) -> None:
        self.names = asked(body) or []
        self.minimal = minimal(request)
        self.version: Version | None = None
        self.only: frozenset[str] | None = None
        prop = body.child(dav("prop"))
        data = prop.child(_DATA) if prop is not None else None
        if data is not None:
            version = data.attributes.get("version", "3.0")
            kind = data.attributes.get("content-type", "text/vcard")
            self.version = "4.0" if version == "4.0" else "3.0"
            if version not in ("3.0", "4.0") or kind != "text/vcard":
                self.version = None
                self.names = []
            chosen = [one.attributes.get("name", "") for one in data.every(card("prop"))]
            if chosen:
                self.only = frozenset(name.upper() for name in chosen)
            self.unknown = self.version is None
        else:
            self.unknown = False

    @property
    def whole(self) -> bool:
        """Whether the cards themselves are asked for."""
        return self.version is not None

    def shown(self, tree: Tree, here: Here, found: Shown | None) -> str:
        """What is told of a card."""
        known: Properties = properties.of(tree, here)
        if found is not None and self.version is not None:
            version = self.version
            known[_DATA] = lambda: escaped(self._text(found, version))
        return told(here.member.path, known, self.names, minimal=self.minimal)

    def _text(self, found: Shown, version: Version) -> str:
        text = found.text(version)
        if self.only is None:
            return text
        # Only some properties (RFC 6352 §10.4.2); what makes it a vCard is there always.
        kept = self.only | {"BEGIN", "VERSION", "END", "FN", "N", "UID"}
        folded = text.replace("\r\n ", "\0").split("\r\n")
        chosen = [line for line, one in zip(folded, lines(text), strict=False) if one.name in kept]
        return "\r\n".join([*chosen, ""]).replace("\0", "\r\n ")


async def report(tree: Tree, one: Collection, request: Request, body: Element | None) -> Response:
    """The answer. Raises ``Refused``."""
    if body is None:
        raise Refused(400, "A report is expected.")
    wanted = _Wanted(request, body)
    if wanted.unknown:
        return failed(403, card("supported-address-data"))
    match body.name:
        case name if name == card("addressbook-multiget"):
            return _multiget(tree, one, wanted, body)
        case name if name == card("addressbook-query"):
            return _query(tree, one, wanted, body)
        case name if name == dav("sync-collection"):
            return await _sync(tree, one, wanted, body)
    return failed(403, dav("supported-report"))


def _streamed(pieces: AsyncGenerator[str]) -> Response:
    async def octets() -> AsyncGenerator[bytes]:
        yield BEGIN.encode()
        async for piece in pieces:
            yield piece.encode("utf-8", "replace")
        yield END.encode()

    return Response(207, kind=XML, route="dav-report", pieces=octets())


# multiget ------------------------------------------------------------------------------------------


def _multiget(tree: Tree, one: Collection, wanted: _Wanted, body: Element) -> Response:
    hrefs = list(dict.fromkeys(href.text.strip() for href in body.every(dav("href"))))
    if len(hrefs) > HREFS:
        return failed(403, dav("number-of-matches-within-limits"))
    return _streamed(_gotten(tree, one, wanted, hrefs))


async def _gotten(
    tree: Tree, one: Collection, wanted: _Wanted, hrefs: Sequence[str]
) -> AsyncGenerator[str]:
    names = {href: _name(one, href) for href in hrefs}
    for start in range(0, len(hrefs), rendering.SLICE):
        some = hrefs[start : start + rendering.SLICE]
        there = [name for name in (names[href] for href in some) if name]
        found = await rendering.named(tree.store.reader, one, there)
        parts = []
        for href in some:
            shown = found.get(names[href])
            if shown is None:
                parts.append(response(href, status(404)))
            else:
                here = Here(at(one, shown.name), shown.tag)
                parts.append(wanted.shown(tree, here, shown))
                await asyncio.sleep(0)
        yield "".join(parts)
        await asyncio.sleep(0)


def _name(one: Collection, href: str) -> str:
    """The name of a card in a collection; '' for what does not lie in it."""
    path = unquote(urlsplit(href).path)
    before, _, name = path.rpartition("/")
    return name if f"{before}/" == unquote(one.path) else ""


# query ---------------------------------------------------------------------------------------------


def _query(tree: Tree, one: Collection, wanted: _Wanted, body: Element) -> Response:
    try:
        test = matching.test_of(body.child(card("filter")))
    except matching.UnknownFilterError as error:
        return failed(403, card("supported-collation" if error.collation else "supported-filter"))
    limit = body.child(card("limit"))
    most = _number(limit.child(card("nresults")) if limit is not None else None)
    return _streamed(_found(tree, one, wanted, test, min(most, RESULTS)))


def _number(found: Element | None) -> int:
    text = found.text.strip() if found is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else RESULTS


async def _found(
    tree: Tree, one: Collection, wanted: _Wanted, test: matching.Test, most: int
) -> AsyncGenerator[str]:
    left = most
    async for names in _named_slices(tree, one):
        found = await rendering.named(tree.store.reader, one, names)
        parts = []
        for shown in found.values():
            await asyncio.sleep(0)
            # Old programs have vCard 3 in mind, whatever they want back.
            if not test(list(lines(shown.text(wanted.version or "3.0")))):
                continue
            if not left:
                # There are more (RFC 6352 §8.6.2).
                parts.append(response(one.path, status(507)))
                yield "".join(parts)
                return
            left -= 1
            here = Here(at(one, shown.name), shown.tag)
            parts.append(wanted.shown(tree, here, shown))
        yield "".join(parts)
        await asyncio.sleep(0)


async def _named_slices(tree: Tree, one: Collection) -> AsyncGenerator[list[str]]:
    async for some in slices(tree, one):
        names = [here.member.name for here in some]
        for start in range(0, len(names), rendering.SLICE):
            yield names[start : start + rendering.SLICE]


# sync ----------------------------------------------------------------------------------------------


async def _sync(tree: Tree, one: Collection, wanted: _Wanted, body: Element) -> Response:
    token = body.child(dav("sync-token"))
    limit = body.child(dav("limit"))
    most = _number(limit.child(dav("nresults")) if limit is not None else None)
    given = token.text.strip() if token is not None else ""
    found = await synced(tree.store.reader, one, given, max(1, min(most, MOST)))
    if found is None:
        # The client begins anew (RFC 6578 §3.2).
        return failed(403, dav("valid-sync-token"))

    async def pieces() -> AsyncGenerator[str]:
        if found.whole:
            async for piece in _everybody(tree, one, wanted):
                yield piece
        gone = [row.path for row in found.placed if row.gone]
        yield "".join(response(at(one, path).path, status(404)) for path in gone)
        there = [row for row in found.placed if not row.gone]
        for start in range(0, len(there), rendering.SLICE):
            some = there[start : start + rendering.SLICE]
            shown = {}
            if wanted.whole:
                paths = [row.path for row in some]
                shown = await rendering.named(tree.store.reader, one, paths)
            parts = []
            for row in some:
                here = Here(at(one, row.path), properties.etag(row.modseq))
                parts.append(wanted.shown(tree, here, shown.get(row.path)))
                await asyncio.sleep(0)
            yield "".join(parts)
            await asyncio.sleep(0)
        if found.more:
            over = element(dav("error"), element(dav("number-of-matches-within-limits")))
            yield response(one.path, status(507), over)
        yield element(dav("sync-token"), escaped(found.token))

    return _streamed(pieces())


async def _everybody(tree: Tree, one: Collection, wanted: _Wanted) -> AsyncGenerator[str]:
    async for some in slices(tree, one):
        parts = []
        for here in some:
            shown = None
            if wanted.whole:
                name = here.member.name
                shown = (await rendering.named(tree.store.reader, one, [name])).get(name)
            parts.append(wanted.shown(tree, here, shown))
        yield "".join(parts)
