"""When a message is to be released (RFC 4865): HOLDFOR and HOLDUNTIL, and what EHLO says of them."""

import datetime
import math
import re

from .reply import PeerError

_INTEGER = re.compile(rb"[1-9][0-9]{0,8}")
# RFC 3339 §5.6, as erratum 2040 has it.
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.IGNORECASE
)


def keyword(most: int, now: float) -> str:
    """The EHLO keyword: the longest interval in seconds, and the last moment."""
    last = datetime.datetime.fromtimestamp(int(now) + most, datetime.UTC)
    return f"FUTURERELEASE {most} {last:%Y-%m-%dT%H:%M:%SZ}"


def hold_for(value: bytes, most: int, now: float) -> int:
    """The moment (Unix seconds) of HOLDFOR. Raises ``PeerError``."""
    if not _INTEGER.fullmatch(value):
        raise PeerError(501, "5.5.4", "Syntax: HOLDFOR=seconds")
    seconds = int(value)
    if seconds > most:
        raise PeerError(501, "5.5.4", f"A message can be held for {most} seconds at most")
    return math.ceil(now) + seconds


def hold_until(value: bytes, most: int, now: float) -> int:
    """The moment of HOLDUNTIL; one that is over releases the message at once. Raises ``PeerError``."""
    text = value.decode("ascii", "replace")
    if not _DATE_TIME.fullmatch(text):
        raise PeerError(501, "5.5.4", "Syntax: HOLDUNTIL=2027-01-31T08:00:00Z")
    try:
        moment = datetime.datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise PeerError(501, "5.5.4", "HOLDUNTIL is no date and time") from None
    if moment > now + most:
        raise PeerError(501, "5.5.4", f"A message can be held for {most} seconds at most")
    return math.ceil(moment)
