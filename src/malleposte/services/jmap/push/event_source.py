"""The event source: a response that goes on, with an event for each change (RFC 8620 §7.3)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from malleposte.services.jmap.push.names import (
    Types,
    places_of,
    places_text,
    state_change,
    wanted,
)
from malleposte.services.jmap.push.streams import MayGoOn, Stream, Streams
from malleposte.services.web.messages import Refused, Request
from malleposte.store import StoreError

KIND: Final = "text/event-stream"
LEAST_PING: Final = 5
MOST_PING: Final = 300
"""Seconds between pings (§7.3: the least at most 30, the most at least 300)."""
STILL_THERE: Final = 60.0
"""Seconds after which something is written where no ping is wanted: so it is noticed who has gone."""
MOST_TYPES: Final = 200
_RETRY: Final = 3_000
"""Milliseconds until a client connects again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants. ``ping``: seconds, 0 for none; ``told``: up to where it was told before."""

    types: Types
    close_after_state: bool
    ping: int
    told: Mapping[int, int] | None


def asked(request: Request) -> Asked:
    """See ``Asked``. Raises ``Refused``."""
    query = request.query
    names = query.get("types", "*").split(",")
    if len(names) > MOST_TYPES:
        raise Refused(400, f"At most {MOST_TYPES} types are told of.")
    close = query.get("closeafter", "no") or "no"
    if close not in ("state", "no"):
        raise Refused(400, "closeafter is state or no.")
    digits = query.get("ping", "0") or "0"
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise Refused(400, "ping is a number of seconds.")
    ping = int(digits) and min(max(int(digits), LEAST_PING), MOST_PING)
    last = request.field(b"last-event-id")
    # Of a place that is none of ours nobody knows what was told since: everything may be new.
    told = (places_of(last) or {}) if last else None
    return Asked(wanted(None if "*" in names else names), close == "state", ping, told)


async def events(
    streams: Streams,
    owner: int,
    may_go_on: MayGoOn,
    accounts: Collection[int],
    what: Asked,
    places: Mapping[int, int],
) -> AsyncGenerator[bytes]:
    """The events, until the client goes or may not go on. ``places``: up to where it knows all."""
    woken = asyncio.Event()
    try:
        stream = streams.open(owner, may_go_on, woken.set)
    except Refused:
        return  # another one came first
    try:
        await stream.listen(accounts, what.types, places)
        # An id alone is no event, but is sent with the next request (the HTML standard's §9.2.6).
        yield f"retry: {_RETRY}\nid: {places_text(places)}\n\n".encode()
        async for event in _told(stream, woken, what.ping):
            yield event
            if what.close_after_state and event.startswith(b"event: state"):
                return
    finally:
        stream.close()


async def _told(stream: Stream, woken: asyncio.Event, ping: int) -> AsyncGenerator[bytes]:
    """Events; a comment now and then where there are no pings."""
    last, every = time.monotonic(), ping or STILL_THERE
    while not stream.ended:
        due = stream.due()
        if due <= 0:
            event = await _state(stream)
            if event:
                last = time.monotonic()
                yield event
            continue
        woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(due, last + every - time.monotonic()))):
                await woken.wait()
        if time.monotonic() >= last + every:
            last = time.monotonic()
            # §7.3: no id with it.
            yield f'event: ping\ndata: {{"interval":{ping}}}\n\n'.encode() if ping else b":\n\n"


async def _state(stream: Stream) -> bytes:
    """An event of what changed; b'' where nothing did."""
    try:
        news = await stream.news()
    except StoreError:
        return b""  # it looks again
    if not news:
        return b""
    data = msgspec.json.encode(state_change(news)).decode()
    return f"event: state\nid: {places_text(stream.places)}\ndata: {data}\n\n".encode()
