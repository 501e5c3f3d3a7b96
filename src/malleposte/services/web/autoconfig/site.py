"""Which path gives which file, and for which domain."""

import asyncio
from collections.abc import Callable
from typing import Final

from malleposte.directory.addresses import BadAddressError, normalise_domain, normalise_local
from malleposte.directory.book import Book
from malleposte.services.web.autoconfig import apple, outlook, thunderbird
from malleposte.services.web.autoconfig.offers import Customer, Offers
from malleposte.services.web.messages import Refused, Request, Response, json

THUNDERBIRD: Final = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
AUTODISCOVER: Final = "/autodiscover/autodiscover.xml"
AUTODISCOVER_JSON: Final = "/autodiscover/autodiscover.json"
APPLE: Final = "/mail/apple.mobileconfig"
SIGNED_AT_ONCE: Final = 2
"""Profiles signed side by side by a worker: some milliseconds each, in a thread."""

Sign = Callable[[bytes], bytes]


class AutoconfigSite:
    """See the module. ``sign``: makes a signed profile of one, blocking; ``ready``: whether there is a
    certificate, without which nobody can sign in. One for all listeners of a worker."""

    def __init__(
        self, book: Book, offers: Offers, url: str, sign: Sign, ready: Callable[[], bool]
    ) -> None:
        self._book = book
        self._offers = offers
        self._url = url
        self._sign = sign
        self._ready = ready
        self._signing = asyncio.Semaphore(SIGNED_AT_ONCE)

    def in_clear(self, path: str) -> bool:
        """See ``Site``. Thunderbird asks by plain HTTP where a domain's own name has no certificate; the
        settings make it use TLS with one."""
        return path in THUNDERBIRD

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        path = request.path
        if path in THUNDERBIRD:
            return await self._thunderbird(request)
        if path == APPLE:
            return await self._apple(request)
        # Programs of Microsoft write these in any case.
        path = path.lower()
        if path == AUTODISCOVER:
            return await self._outlook(request)
        if path == AUTODISCOVER_JSON or path.startswith(AUTODISCOVER_JSON + "/v1.0/"):
            return await self._outlook_json(request)
        return None

    async def _thunderbird(self, request: Request) -> Response:
        request.allow("GET")
        address = asked(request, "emailaddress")
        if address:
            customer = await self._customer(address)
        else:
            # Newer versions name the domain alone, by the host.
            customer = await self._anybody(request.host.removeprefix("autoconfig."))
        body = thunderbird.written(customer, self._offered())
        return Response(200, body, thunderbird.KIND, route="autoconfig")

    async def _apple(self, request: Request) -> Response:
        request.allow("GET")
        address = asked(request, "email")
        if not address:
            raise Refused(400, f"Say for whom: {APPLE}?email=ADDRESS")
        profile = apple.written(await self._customer(address), self._offered())
        if profile is None:
            raise Refused(404, "This server has no services that Apple's Mail could use.")
        async with self._signing:
            body = await asyncio.to_thread(self._sign, profile)
        name = ("Content-Disposition", 'attachment; filename="mail.mobileconfig"')
        return Response(200, body, apple.KIND, (name,), route="mobileconfig")

    async def _outlook(self, request: Request) -> Response:
        request.allow("GET", "POST")
        try:
            # What GET asks for, an empty document, is invalid, and is told so as Outlook expects.
            address = outlook.address_in(await request.content.read())
            try:
                customer = await self._customer(address)
            except Refused as error:
                raise outlook.Failed(outlook.NO_SUCH_DOMAIN, error.words) from None
            body = outlook.written(customer, self._offered())
        except outlook.Failed as error:
            body = outlook.failure(error)
        return Response(200, body, outlook.KIND, route="autodiscover")

    async def _outlook_json(self, request: Request) -> Response:
        """Autodiscover v2: where to ask for the settings themselves."""
        request.allow("GET")
        route = "autodiscover-json"
        address = request.path[len(AUTODISCOVER_JSON + "/v1.0/") :] or asked(request, "email")
        protocol = request.query.get("protocol", "")
        if not protocol:
            words = "A valid value must be provided for the query parameter 'Protocol'."
            return json(400, _error("MandatoryParameterMissing", words), route)
        if protocol.lower() != "autodiscoverv1":
            words = "This protocol is not offered here. Supported values are 'AutodiscoverV1'."
            return json(400, _error("InvalidProtocol", words), route)
        try:
            await self._customer(address)
        except Refused as error:
            return json(404, _error("UserNotFound", error.words), route)
        found = {"Protocol": "AutodiscoverV1", "Url": self._url + AUTODISCOVER}
        return json(200, found, route)

    def _offered(self) -> Offers:
        if not self._ready():
            raise Refused(503, "There is no certificate yet, and nobody could sign in.")
        return self._offers

    async def _customer(self, address: str) -> Customer:
        """Raises ``Refused``: for what is no address, and for domains of others, whoever is asked for."""
        local, at, domain = address.rpartition("@")
        try:
            if not at:
                raise BadAddressError("there is no @")
            normalise_local(local)
        except BadAddressError:
            raise Refused(400, "This is no mail address.") from None
        return await self._of(local, domain)

    async def _anybody(self, domain: str) -> Customer:
        return await self._of("", domain)

    async def _of(self, local: str, domain: str) -> Customer:
        try:
            name = normalise_domain(domain)
        except BadAddressError:
            raise Refused(404, "There is no such domain here.") from None
        await self._book.fresh()
        ours = await self._book.domain(name)
        if ours is None or (ours.relay and not await self._book.has_accounts(ours.name)):
            # Mail of relayed domains passes here; whoever reads it is elsewhere.
            raise Refused(404, "There is no such domain here.")
        return Customer(local, name, ours.name)


def asked(request: Request, name: str) -> str:
    """An address in a query. A plus sign that a program did not encode came as a space, which no address
    of ours has."""
    return request.query.get(name, "").strip().replace(" ", "+")


def _error(code: str, words: str) -> dict[str, object]:
    return {"ErrorCode": code, "ErrorMessage": words}
