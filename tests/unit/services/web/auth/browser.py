"""A browser before the site of signing in, over a real store: keeps cookies, says where it comes from."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, cast

import msgspec
import pyotp

from malleposte.directory.app_passwords import AppUses
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.policy.throttle import Throttle, ThrottleSettings
from malleposte.runtime.passwords import Passwords, PasswordSettings, TooBusyError
from malleposte.runtime.passwords_memory import VerifiedMemory
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.services.web import Site, WebSettings
from malleposte.services.web.auth import AuthSite
from malleposte.services.web.auth.context import AuthSettings, Context
from malleposte.services.web.authentication import Authentication
from malleposte.services.web.messages import Refused, Request, Response, json
from malleposte.store.commands import CreateAccount
from malleposte.store.ids import account_text
from malleposte.store.results import Created
from support.authenticator import Authenticator
from support.store import House

HOST = "mail.example.org"
ORIGIN = f"https://{HOST}"
WEB = WebSettings(HOST, url=ORIGIN, names=frozenset((HOST, "localhost")))
GOOD = "correct horse battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Content:
    """The content of a request."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    async def read(self, most: int = 0) -> bytes:
        if most and len(self._octets) > most:
            raise Refused(413, f"A request has at most {most} octets of content here.")
        return self._octets

    async def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
        yield await self.read(most)


@dataclass
class Asking:
    """Stands for JMAP: says who asks."""

    authentication: Authentication

    def in_clear(self, path: str) -> bool:
        return False

    async def answer(self, request: Request) -> Response | None:
        if not request.path.startswith("/jmap/"):
            return None
        account = await self.authentication.account(request)
        return json(200, {"accounts": {account_text(account.id): {}}}, "jmap")


@dataclass
class Pages:
    """The sites over a store, with the cheapest of passwords."""

    house: House
    settings: AuthSettings = field(default_factory=AuthSettings)
    web: WebSettings = WEB
    throttle: ThrottleSettings = field(
        default_factory=lambda: ThrottleSettings(first_delay=0.0, delay_limit=0.0)
    )
    passwords: Passwords = field(init=False)
    book: Book = field(init=False)
    door: Door = field(init=False)
    authentication: Authentication = field(init=False)
    sites: list[Site] = field(init=False)
    ring: KeyRing | None = field(init=False)

    def __post_init__(self) -> None:
        store = self.house.store
        self.passwords = Passwords(PasswordSettings(memory_kib=64, iterations=1))
        self.book = Book(store)
        self.door = Door(
            self.book,
            Throttle(self.throttle),
            self.passwords,
            VerifiedMemory(600),
            busy=TooBusyError,
            uses=AppUses(store),
        )
        self.authentication = Authentication(
            self.web, store, self.book, self.door, self.house.clock.time
        )
        self.ring = KeyRing([NodeKey.random()])
        context = Context(self.settings, self.authentication, self.passwords, self._keys)
        self.sites = [AuthSite(context), Asking(self.authentication)]

    def _keys(self) -> KeyRing:
        if self.ring is None:
            raise NodeKeyError("there is no node key")
        return self.ring

    async def account(self, name: str = "ada", password: str = GOOD) -> int:
        """An account's id, newly made."""
        command = CreateAccount(
            address=f"{name}@example.org",
            name=name.title(),
            password_hash=await self.passwords.hash(password),
        )
        return (await self.house.do(command, Created)).id


@dataclass
class Browser:
    """See the module."""

    pages: Pages
    peer: str = "192.0.2.1"
    tls: bool = True
    local: bool = False
    host: str = HOST
    agent: str = AGENT
    origin: str = ORIGIN
    site: str = "same-origin"
    cookies: dict[str, str] = field(default_factory=dict)
    last: Response = field(default_factory=lambda: Response(0))
    request: Request = field(init=False)

    async def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        kind: str = "application/json",
        fields: dict[str, str] | None = None,
    ) -> Any:
        """The decoded answer; ``last`` is the response."""
        said = {"host": self.host, "user-agent": self.agent, "content-type": kind}
        if self.cookies:
            said["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.site:
            said["sec-fetch-site"] = self.site
        if self.origin and method != "GET":
            said["origin"] = self.origin
        said |= fields or {}
        octets = content if isinstance(content, bytes) else msgspec.json.encode(content)
        self.request = request = Request(
            method=method,
            path=path,
            target=path,
            host=self.host.partition(":")[0],
            query={},
            fields=tuple((name.encode(), value.encode()) for name, value in said.items()),
            tls=self.tls,
            local=self.local,
            content=cast(Any, Content(b"" if method == "GET" else octets)),
            peer=self.peer,
        )
        self.last = await self._response(request)
        for name, value in self.last.fields:
            if name == "Set-Cookie":
                self._keep(value)
        if self.last.kind != "application/json":
            return self.last.body.decode()
        return msgspec.json.decode(self.last.body)

    async def _response(self, request: Request) -> Response:
        try:
            for site in self.pages.sites:
                response = await site.answer(request)
                if response is not None:
                    return response
        except Refused as error:
            return Response(error.status, error.words.encode(), fields=error.fields)
        return Response(404)

    def _keep(self, value: str) -> None:
        for name, morsel in SimpleCookie(value).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    async def get(self, path: str) -> Any:
        """GET."""
        return await self.ask("GET", path)

    async def post(self, path: str, /, **content: Any) -> Any:
        """POST of an object."""
        return await self.ask("POST", path, content)

    async def sign_in(self, name: str = "ada", password: str = GOOD, **more: Any) -> Any:
        """POST /auth/sign-in."""
        return await self.post(
            "/auth/sign-in", name=f"{name}@example.org", password=password, **more
        )

    def code(self, secret: str, steps: int = 0) -> str:
        """The one-time code of a seed, so many steps from now."""
        now = int(self.pages.house.clock.time()) // 30
        return pyotp.TOTP(secret).generate_otp(now + steps)

    async def totp(self) -> tuple[str, list[str]]:
        """Switch one-time codes on; their seed and the recovery codes."""
        secret: str = (await self.post("/auth/totp/start"))["secret"]
        answer = await self.post("/auth/totp/confirm", code=self.code(secret))
        assert self.last.status == 200, answer
        return secret, answer["recoveryCodes"]

    async def passkey(self, **more: Any) -> Authenticator:
        """Add a new one."""
        key = Authenticator(self.origin, **more)
        options = (await self.post("/auth/passkeys/begin"))["options"]
        answer = await self.post(
            "/auth/passkeys/finish", credential=key.create(options), label="Phone"
        )
        assert self.last.status == 200, answer
        return key

    async def by_passkey(self, with_: Authenticator, /, **wrong: Any) -> Any:
        """Sign in by it, after the password or alone."""
        options = (await self.post("/auth/passkey/begin"))["options"]
        return await self.post("/auth/passkey/finish", credential=with_.get(options, **wrong))

    async def signed_in(self) -> bool:
        """What the server says."""
        answer: bool = (await self.get("/auth/state"))["signedIn"]
        return answer
