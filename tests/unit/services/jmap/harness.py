"""A client of JMAP over a real store: calls in, answers out, without sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from malleposte.delivery.leaving import Sending
from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.delivery.spool import rendered
from malleposte.directory.book import Account, Book
from malleposte.mime import summarize
from malleposte.services.jmap import JmapSite
from malleposte.services.jmap.methods import CAPABILITIES
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store import content
from malleposte.store.ids import account_text, email_text
from support.store import House

Calls = list[tuple[str, dict[str, Any], str]]


class Given:
    """The content of a request."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    async def read(self, most: int = 0) -> bytes:
        if most and len(self._octets) > most:
            raise Refused(413, f"A request has at most {most} octets of content here.")
        return self._octets

    async def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
        octets = await self.read(most)
        for start in range(0, len(octets), 100_000):
            yield octets[start : start + 100_000]


@dataclass
class Client:
    """Signed in as an account."""

    house: House
    account: int
    settings: JmapSettings = field(default_factory=JmapSettings)
    sending: Sending | None = None
    defects: list[str] = field(default_factory=list)
    credential: str = "session:1"
    """By what it asks."""
    book: Book = field(init=False)
    site: JmapSite = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book(self.house.store)

        async def authenticate(request: Request) -> Account:
            found = await self.book.account(self.account)
            assert found is not None
            return found

        async def asked_by(request: Request, account: Account) -> str:
            return self.credential

        self.site = JmapSite(
            self.settings,
            self.house.store,
            self.book,
            authenticate,
            Reception(
                self.house.store, self.book, DeliverySettings("mail.example.org"), self.sending
            ),
            url="https://mail.example.org",
            credential=asked_by,
            defect=self.defects.append,
        )

    @property
    def id(self) -> str:
        """Its own account's id."""
        return account_text(self.account)

    async def put(self, octets: bytes, mailbox: int = 0, **how: Any) -> str:
        """A message filed whole; its email's id."""
        what, about = content.in_rows(octets), rendered(summarize(octets))
        filed = await self.house.deliver(
            self.account, mailbox=mailbox, what=what, about=about, **how
        )
        return email_text(filed.email)

    async def http(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        kind: str = "application/json",
        fields: tuple[tuple[bytes, bytes], ...] = (),
        query: dict[str, str] | None = None,
    ) -> Response:
        """The response of a request; also of one that is refused."""
        request = Request(
            method=method,
            path=path,
            target=path,
            host="mail.example.org",
            query=query or {},
            fields=((b"host", b"mail.example.org"), (b"content-type", kind.encode()), *fields),
            tls=True,
            local=False,
            content=cast(Any, Given(body)),
            peer="192.0.2.1",
        )
        try:
            response = await self.site.answer(request)
        except Refused as error:
            return Response(error.status, error.words.encode(), fields=error.fields)
        return response or Response(404)

    async def request(self, content: Any) -> tuple[int, dict[str, Any]]:
        """Status and decoded answer of a request to the API."""
        response = await self.http("POST", "/jmap/api", msgspec.json.encode(content))
        assert not self.defects, self.defects
        return response.status, msgspec.json.decode(response.body)

    async def calls(self, *calls: tuple[str, dict[str, Any]]) -> Calls:
        """The answers of calls in one request, each with the index of its call as its id; ``accountId``
        is put in where it is missing."""
        found = [
            (name, {"accountId": self.id} | arguments, str(n))
            for n, (name, arguments) in enumerate(calls)
        ]
        status, answer = await self.request({"using": sorted(CAPABILITIES), "methodCalls": found})
        assert status == 200, answer
        return [(name, arguments, id_) for name, arguments, id_ in answer["methodResponses"]]

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer of one call that must be carried out."""
        (answer,) = await self.calls((name, arguments))
        assert answer[0] == name, answer
        return answer[1]

    async def error(self, name: str, /, **arguments: Any) -> str:
        """The type of the error that one call must end in."""
        (answer,) = await self.calls((name, arguments))
        assert answer[0] == "error", answer
        found: str = answer[1]["type"]
        return found
