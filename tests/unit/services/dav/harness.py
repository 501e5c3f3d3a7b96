"""A client of CardDAV over a real store: requests in, responses out, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast
from xml.etree import ElementTree

from malleposte.directory.book import Account, Book
from malleposte.services.dav import DavSite
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store.ids import account_text
from support.store import House
from unit.services.jmap.harness import Given

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:carddav}"
S = "{http://calendarserver.org/ns/}"


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    def told(self) -> dict[str, dict[str, ElementTree.Element]]:
        """Properties with status 200, by path."""
        found: dict[str, dict[str, ElementTree.Element]] = {}
        for one in self.xml.iter(f"{D}response"):
            there = found.setdefault(one.findtext(f"{D}href") or "", {})
            for stat in one.iter(f"{D}propstat"):
                if " 200 " in (stat.findtext(f"{D}status") or ""):
                    there.update({prop.tag: prop for prop in stat.find(f"{D}prop") or ()})
        return found

    def statuses(self) -> dict[str, str]:
        """Statuses of whole resources, by path."""
        every = self.xml.iter(f"{D}response")
        found = ((one.findtext(f"{D}href") or "", one.findtext(f"{D}status")) for one in every)
        return {href: status.split(" ")[1] for href, status in found if status}


@dataclass
class Client:
    """Signed in as an account."""

    house: House
    account: int
    site: DavSite = field(init=False)

    def __post_init__(self) -> None:
        book = Book(self.house.store)

        async def authenticate(request: Request) -> Account:
            found = await book.account(self.account)
            assert found is not None
            return found

        self.site = DavSite(self.house.store, book, authenticate)

    @property
    def home(self) -> str:
        return f"/dav/addressbooks/{account_text(self.account)}/"

    async def send(self, method: str, path: str, body: str | bytes = b"", **fields: str) -> Answer:
        """The response of a request; also of one that is refused."""
        octets = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-").encode(): one.encode() for name, one in fields.items()}
        request = Request(
            method=method,
            path=path,
            target=path,
            host="mail.example.org",
            query={},
            fields=tuple({b"host": b"mail.example.org", **named}.items()),
            tls=True,
            local=False,
            content=cast(Any, Given(octets)),
            peer="192.0.2.1",
        )
        try:
            response = await self.site.answer(request) or Response(404)
        except Refused as error:
            response = Response(error.status, error.words.encode(), fields=error.fields)
        pieces = response.body
        if response.pieces is not None:
            pieces = b"".join([piece async for piece in response.pieces])
        return Answer(response.status, dict(response.fields), pieces)

    async def put(self, path: str, card: str, **fields: str) -> Answer:
        return await self.send("PUT", path, card, content_type="text/vcard", **fields)

    async def books(self) -> dict[str, str]:
        """Paths of collections by their names."""
        answer = await self.send("PROPFIND", self.home, depth="1")
        return {
            props[f"{D}displayname"].text or "": path
            for path, props in answer.told().items()
            if path != self.home
        }


def vcard(uid: str = "ada", name: str = "Ada Lovelace", *more: str, version: str = "3.0") -> str:
    """A vCard."""
    lines = ("BEGIN:VCARD", f"VERSION:{version}", f"UID:{uid}", f"FN:{name}", "N:;;;;", *more)
    return "\r\n".join((*lines, "END:VCARD", ""))
