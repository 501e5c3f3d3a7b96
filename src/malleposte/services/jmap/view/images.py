"""Pictures of the web, fetched in a reader's stead: the sender's server learns that somebody read the
message, not who, where, or with what.

Only addresses that stood in a message are fetched: the sanitiser signs each, for one account and some days
(keyed BLAKE2b under a key derived from the node's; none without one). What comes is passed on if it is a
picture made of points by its first octets, as that type, whatever its server called it. It is asked for by
the client's page, with its session, and never by the frame that shows the message.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from malleposte.egress import fetch as egress
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.services.jmap.view.raster import raster_kind
from malleposte.services.web.messages import Refused, Request, Response

PATH: Final = "/jmap/image/"
PURPOSE: Final = "pictures of messages"
DAY: Final = 86_400
LASTS: Final = 7
"""Days at least that an address that was signed is good; then the message is opened again."""
AT_ONCE: Final = 8
"""Pictures on their way to one account, in this process."""
IN_ALL: Final = 64
KEPT: Final = 32_000_000
"""Octets of pictures that are kept in memory, in this process."""
MOST_KEPT: Final = 1_000_000
"""Of one picture that is kept."""
MAC: Final = 16
POLICY: Final = EgressPolicy(max_body=8_000_000, connect_timeout=5.0, total_timeout=15.0)
_FIELDS: Final = (
    ("Content-Disposition", "attachment"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", f"private, immutable, max-age={DAY}"),
    ("Vary", "Cookie, Authorization"),
)


@dataclass(slots=True)
class Images:
    """See the module. ``keys``: the current one first, none where the node has none."""

    keys: Callable[[], tuple[bytes, ...]]
    policy: EgressPolicy = POLICY
    fetch: Callable[[str, EgressPolicy], Awaitable[egress.Response]] = egress.fetch
    clock: Callable[[], float] = time.time
    _kept: OrderedDict[tuple[int, str], tuple[str, bytes]] = field(default_factory=OrderedDict)
    _octets: int = 0
    _under_way: Counter[int] = field(default_factory=Counter)

    def signer(self, account: int) -> Callable[[str], str | None]:
        """What makes paths of addresses for an account; None without a key."""
        keys = self.keys()
        # The same for a day, so that a browser knows again what it has.
        until = int(self.clock()) // DAY + LASTS + 1

        def signed(url: str) -> str | None:
            if not keys:
                return None
            mac = _encoded(_mac(keys[0], account, until, url))
            return f"{PATH}{until}/{mac}/{_encoded(url.encode('utf-8', 'replace'))}"

        return signed

    async def answer(self, account: int, path: str, request: Request) -> Response:
        """The picture that a path (behind ``PATH``) is of. Raises ``Refused``."""
        request.allow("GET")
        if request.field(b"sec-fetch-dest") not in ("", "empty", "image"):
            raise Refused(403, "A picture of a message is shown within it.")
        url = self._checked(account, path)
        if (known := self._kept.get((account, url))) is not None:
            self._kept.move_to_end((account, url))
            return _response(*known)
        if self._under_way[account] >= AT_ONCE or self._under_way.total() >= IN_ALL:
            raise Refused(429, "Too many pictures at once; try again.", (("Retry-After", "1"),))
        self._under_way[account] += 1
        try:
            found = await self.fetch(url, self.policy)
        except EgressError as error:
            # 404: what is missing is there, and this server is well.
            raise Refused(404, f"The picture cannot be had: {error}.") from None
        finally:
            self._under_way[account] -= 1
            if not self._under_way[account]:
                del self._under_way[account]
        kind = raster_kind(found.body[:64])
        if found.status != 200 or kind is None:
            raise Refused(404, "There is no picture at that address (any more).")
        self._keep((account, url), kind, found.body)
        return _response(kind, found.body)

    def _checked(self, account: int, path: str) -> str:
        """The address that was signed."""
        until, _, rest = path.partition("/")
        mac, _, encoded = rest.partition("/")
        try:
            url = _decoded(encoded).decode()
            given = _decoded(mac)
        except (binascii.Error, ValueError):
            raise Refused(404, "There is no such picture.") from None
        if not (until.isascii() and until.isdecimal() and len(until) <= 8) or not any(
            hmac.compare_digest(given, _mac(key, account, int(until), url)) for key in self.keys()
        ):
            raise Refused(403, "This picture is in no message of yours.")
        if int(until) <= int(self.clock()) // DAY:
            raise Refused(403, "This picture was on offer too long ago; open the message again.")
        return url

    def _keep(self, key: tuple[int, str], kind: str, octets: bytes) -> None:
        if len(octets) > MOST_KEPT or key in self._kept:
            return
        self._kept[key] = kind, octets
        self._octets += len(octets)
        while self._octets > KEPT:
            _, (_, old) = self._kept.popitem(last=False)
            self._octets -= len(old)


def _mac(key: bytes, account: int, until: int, url: str) -> bytes:
    said = f"{account}\n{until}\n{url}".encode("utf-8", "replace")
    return hashlib.blake2b(said, key=key, digest_size=MAC).digest()


def _response(kind: str, octets: bytes) -> Response:
    return Response(200, octets, kind, _FIELDS, route="jmap-image")


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
