"""Whether a key's record stands in the DNS: only then does the key sign.

A signature whose key nobody finds is worth less than none, and on a rotation both happen easily: a new key
before its record is everywhere, a typing error in the zone. So each key's record is asked for, compared by
what it means, and the answer remembered for its TTL.

What was right stays so for a day where the DNS cannot be asked: the receivers have it in their memory,
and mail must not leave unsigned because our resolver stumbles.
"""

import asyncio
import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.keys import SigningKey
from malleposte.delivery.signing.lookup import Records

State = Literal["right", "missing", "different", "unasked"]

SHORTEST: Final = 60.0
LONGEST: Final = 3_600.0
"""Seconds for which a right record is believed, whatever its TTL says."""
WRONG_FOR: Final = 60.0
"""Seconds until a record that is not right is asked for again: who publishes it, waits."""
FAILED_FOR: Final = 30.0
"""Seconds until the next try where the DNS could not be asked."""
TRUSTED_FOR: Final = 86_400.0
"""Seconds for which a right record is believed while the DNS cannot be asked."""
MOST: Final = 10_000
"""Keys remembered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands there. ``words``: what is wrong, '' where all is well."""

    state: State
    words: str = ""


@dataclass(slots=True)
class _Kept:
    seen: Seen
    until: float
    right_at: float


class Published:
    """See the module. Belongs to one event loop; ``clock``: seconds that never go back."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._asking: dict[tuple[str, str], asyncio.Task[Seen]] = {}

    async def seen(self, key: SigningKey) -> Seen:
        """What is known of a key's record, asked for where that is too old. Never raises."""
        # The public key belongs to it: one made anew under the same name is another.
        name = (key.name, key.public)
        kept = self._kept.get(name)
        if kept is not None and kept.until > self._clock():
            self._kept.move_to_end(name)
            return kept.seen
        task = self._asking.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(key, name))
            self._asking[name] = task
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(task)

    async def _ask(self, key: SigningKey, name: tuple[str, str]) -> Seen:
        seen, ttl = await looked_at(self._records, key)
        now = self._clock()
        kept = self._kept.get(name)
        right_at = kept.right_at if kept is not None else -TRUSTED_FOR
        match seen.state:
            case "right":
                life, right_at = min(max(ttl, SHORTEST), LONGEST), now
            case "unasked":
                life = FAILED_FOR
                if kept is not None and now - right_at < TRUSTED_FOR:
                    seen = kept.seen
            case _:
                life, right_at = WRONG_FOR, now - TRUSTED_FOR
        self._kept[name] = _Kept(seen, now + life, right_at)
        self._kept.move_to_end(name)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return seen


async def looked_at(records: Records, key: SigningKey) -> tuple[Seen, float]:
    """What stands in the DNS for a key now, and its TTL."""
    try:
        answer = await records.find(key.name, "TXT")
    except LookupFailed as error:
        return Seen("unasked", str(error)), 0.0
    return compared(key, answer.values), answer.ttl


def compared(key: SigningKey, values: tuple[str, ...]) -> Seen:
    """The records at a key's name beside the key itself."""
    if not values:
        return Seen("missing", f"there is no TXT record at {key.name}")
    if len(values) > 1:
        # RFC 6376 §3.6.2.2: what a verifier makes of several is its own affair.
        return Seen("different", f"{len(values)} TXT records stand at {key.name}: leave one")
    wrong = _wrong(key, values[0])
    return Seen("different", f"at {key.name} {wrong}") if wrong else Seen("right")


def _wrong(key: SigningKey, record: str) -> str:
    """What is wrong with a record (RFC 6376 §3.6.1), '' for nothing."""
    tags: dict[str, str] = {}
    for part in record.split(";"):
        tag, equals, value = part.partition("=")
        if not equals and part.strip():
            return f"stands something else: {record[:60]!r}"
        if equals and tags.setdefault(tag.strip(), value.strip()) != value.strip():
            return f"the tag {tag.strip()}= stands twice"
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return f"stands something else: {record[:60]!r}"
    kind = tags.get("k", "rsa")
    if kind != key.algorithm.partition("-")[0]:
        return f"stands a key of another kind, {kind}"
    if not "".join(tags["p"].split()):
        return "the key is revoked (p= is empty)"
    if _octets(tags["p"]) != _octets(key.public):
        return "stands another key"
    if "sha256" not in [word.strip() for word in tags.get("h", "sha256").split(":")]:
        return f"h={tags['h']} forbids sha256"
    if not {"*", "email"} & {word.strip() for word in tags.get("s", "*").split(":")}:
        return f"s={tags['s']} forbids mail"
    return ""


def _octets(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
