"""The sender rewriting scheme: a forwarded message leaves under a sender of ours, so that SPF holds, and
what comes back to that sender finds the first one.

`SRS0=hash=day=domain=local@ours` stands for `local@domain`. Of a sender that another forwarder has
rewritten already only the way to that one is kept: `SRS1=hash=forwarder==…@ours`, so that addresses do
not grow with each hop.

Invariants: nothing is decoded whose hash was not made with one of our secrets, so that nobody sends
through us to an address of his choice; an `SRS0` is good for some weeks only. Hashes are compared
without case, since some servers make local parts lower case.
"""

import hmac
import re
import time
from base64 import b32encode
from collections.abc import Callable, Sequence
from typing import Final

from malleposte.secrets.redaction import Secret

DAYS: Final = 21
"""For how long what comes back is taken: longer than any server keeps mail in its queue."""
HASH: Final = 8
"""Characters of a hash, 40 bits: too many to try them by mail."""
LONGEST: Final = 254
"""Octets of a path without its brackets (RFC 5321 §4.5.3.1.3). That the local part has 64 at most is kept
by no scheme of this kind, and asked by few servers."""

_DAY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DAYS_ROUND: Final = len(_DAY_LETTERS) ** 2
_SRS: Final = re.compile(r"(?i)SRS([01])([=+-])(.*)", re.DOTALL)
_SRS0: Final = re.compile(r"([^=]+)=([A-Za-z2-7]{2})=([^=]+)=(.+)", re.DOTALL)
_SRS1: Final = re.compile(r"([^=]+)=([^=]+)=([=+-].+)", re.DOTALL)
_ATOMS: Final = re.compile(
    r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+)*"
)


class BadSrs(Exception):
    """An address that cannot be decoded; the text says why."""


class Srs:
    """See the module. `secrets`: the first one signs, all are tried; `domain`: ours, in A-labels."""

    def __init__(
        self,
        secrets: Sequence[Secret[bytes]],
        domain: str,
        *,
        days: int = DAYS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not secrets or not all(len(secret.reveal()) >= 16 for secret in secrets):
            raise ValueError("rewriting senders needs a secret of 16 octets or more")
        if not 0 < days < _DAYS_ROUND // 2:
            raise ValueError(f"rewritten senders are good for 1 to {_DAYS_ROUND // 2 - 1} days")
        self._secrets = tuple(secrets)
        self._domain = domain
        self._days = days
        self._clock = clock

    def encode(self, sender: str) -> str:
        """The sender that stands for another; the null one stays. Raises ``ValueError`` for one that is no
        address, or too long."""
        if not sender:
            return ""
        local, domain = _split(sender)
        match = _SRS.fullmatch(local)
        if match is None:
            day = self._day()
            tail = f"{day}={domain}={local}"
            made = f"SRS0={self._hash(self._secrets[0], '0', tail)}={tail}"
        else:
            first, rest = domain, match[2] + match[3]
            if match[1] == "1" and (before := _SRS1.fullmatch(match[3])):
                first, rest = before[2], before[3]
            tail = f"{first}={rest}"
            made = f"SRS1={self._hash(self._secrets[0], '1', tail)}={tail}"
        address = f"{_quoted(made)}@{self._domain}"
        if len(address.encode()) > LONGEST:
            raise ValueError("the sender is too long to be rewritten")
        return address

    def decode(self, address: str) -> str:
        """The sender behind one of ours; of an `SRS1` the `SRS0` of the forwarder before us. Raises
        ``BadSrs``."""
        try:
            local, domain = _split(address)
        except ValueError as error:
            raise BadSrs(str(error)) from None
        match = _SRS.fullmatch(local)
        if match is None or domain.lower() != self._domain.lower():
            raise BadSrs("no rewritten sender of ours")
        if match[1] == "0":
            return self._decode_first(match[3])
        parts = _SRS1.fullmatch(match[3])
        if parts is None:
            raise BadSrs("a rewritten sender with parts missing")
        tail = f"{parts[2]}={parts[3]}"
        self._check(parts[1], "1", tail)
        return f"{_quoted('SRS0' + parts[3])}@{parts[2]}"

    def _decode_first(self, rest: str) -> str:
        parts = _SRS0.fullmatch(rest)
        if parts is None:
            raise BadSrs("a rewritten sender with parts missing")
        made, day, domain, local = parts.groups()
        self._check(made, "0", f"{day}={domain}={local}")
        high, low = (_DAY_LETTERS.index(letter) for letter in day.upper())
        age = (self._today() - high * len(_DAY_LETTERS) - low) % _DAYS_ROUND
        if age > self._days:
            raise BadSrs("a rewritten sender whose time is over")
        return f"{_quoted(local)}@{domain}"

    def _check(self, given: str, kind: str, tail: str) -> None:
        octets = given.upper().encode("utf-8", "replace")
        for secret in self._secrets:
            if hmac.compare_digest(octets, self._hash(secret, kind, tail).encode("ascii")):
                return
        raise BadSrs("a rewritten sender that was not made here")

    def _hash(self, secret: Secret[bytes], kind: str, tail: str) -> str:
        text = f"{kind}={tail}".lower().encode("utf-8", "replace")
        return b32encode(hmac.digest(secret.reveal(), text, "sha256")).decode("ascii")[:HASH]

    def _today(self) -> int:
        return int(self._clock() // 86_400)

    def _day(self) -> str:
        high, low = divmod(self._today() % _DAYS_ROUND, len(_DAY_LETTERS))
        return _DAY_LETTERS[high] + _DAY_LETTERS[low]


def is_srs(address: str) -> bool:
    """Whether an address has the form of a rewritten sender, whoever made it."""
    return _SRS.match(address.lstrip('"')) is not None


def _split(address: str) -> tuple[str, str]:
    """Local part, without quotes, and domain."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or "=" in domain:
        raise ValueError("no address of a sender")
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return local, domain


def _quoted(local: str) -> str:
    """A local part as it stands in an address: quoted where it must be (RFC 5321 §4.1.2)."""
    if _ATOMS.fullmatch(local):
        return local
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
