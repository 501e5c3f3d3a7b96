"""Slows down those who guess passwords, by network and account together.

What counts, each fading by half in `half_life`:
- failures of a network on an account: delays that double, then a refusal for some minutes;
- accounts on which a network failed (one password tried on many): the same, for that network;
- failures on an account from anywhere (many networks, one account): delays only, never a refusal.
A pair of network and account is *known* while the account signed in from there not long ago.

Invariants:
- Nobody can lock a colleague out. Failures from elsewhere never refuse, only delay, and on a known
  pair not even that: there only its own failures count, and they delay but do not refuse. Past the
  point where others are refused, few attempts on a known pair run at a time, so that a guesser in
  the same office stays slow. (What a guesser can do: have an account refused that was never signed
  in from his own network, there.)
- Failures on a known pair, most often an owner's old device, count for that pair only.
- Attempts that are refused do not count, so that a refusal ends by itself.
- An attempt that was let in counts as a failure unless it is reported otherwise (leaving its `with`
  block is enough): hanging up early gains nothing. While it runs it counts as one for those that
  come after, so that guessing in parallel gains nothing either; honest programs, of which many come
  back at once after a restart, are let in a few at a time by the caller (`directory.signin`).
- An account is one whatever it was called: the caller gives its id where there is one.
- Ask before any comparison, also before the memory of verified credentials: else whoever hangs up on
  the first delay could guess as fast as the network is.
- Memory is bounded: the least recently touched is forgotten. Known pairs have room of their own and
  cannot be pushed out by failures.

Passwords never come here. State is of one process: each worker counts its own, which multiplies what
a guesser may try by the number of workers."""

import hashlib
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from malleposte.policy.network import Network, network_of

Entry = TypeVar("Entry")
Outcome = Literal["succeeded", "failed", "unknown"]

# An address has at most 254 octets (RFC 5321 §4.5.3.1.3); what is longer names no account.
MAX_ACCOUNT: Final = 320
# Accounts remembered for a network: well past the count at which it is refused.
MAX_ACCOUNTS: Final = 256


@dataclass(frozen=True, slots=True)
class ThrottleSettings:
    """Seconds and counts. `*_free` failures cost nothing, `*_refused` bring a refusal."""

    pair_free: float = 4
    pair_refused: float = 12
    network_free: float = 8
    network_refused: float = 40
    account_free: float = 20
    first_delay: float = 0.5
    delay_limit: float = 5.0
    refusal: float = 300.0
    half_life: float = 600.0
    known_for: float = 30 * 86_400.0
    known_at_once: int = 4
    """Attempts at a time on a known pair with `pair_refused` failures and more."""
    entries: int = 20_000
    """In each of four tables; about 350 bytes an entry, 28 MB if all are full (measured)."""


@dataclass(slots=True)
class _Score:
    """A count that fades. `refused_until` is for pairs and networks."""

    value: float = 0.0
    at: float = 0.0
    refused_until: float = 0.0

    def now(self, now: float, half_life: float) -> float:
        return float(self.value * 0.5 ** ((now - self.at) / half_life))

    def add(self, amount: float, now: float, half_life: float) -> float:
        self.value = self.now(now, half_life) + amount
        self.at = now
        return self.value


@dataclass(slots=True)
class _NetworkScore(_Score):
    """With the accounts on which the network failed, and when first."""

    accounts: dict[bytes, float] = field(default_factory=dict)


@dataclass(slots=True)
class Attempt:
    """What to do with a sign-in, as a `with` block. When refused: answer `text`, compare nothing.
    Else wait `delay` seconds, compare, and call `ended` with what came out; leaving the block
    without a call is a failure."""

    delay: float
    refused: bool
    retry_after: float
    """Seconds after which an attempt makes sense again; 0 if not refused."""
    _end: Callable[[Outcome], None] | None = None
    _refusal: Callable[[], float] | None = None

    @property
    def text(self) -> str:
        """For the client's screen; says nothing about whether the account exists."""
        if not self.refused:
            return ""
        minutes = round(self.retry_after / 60)
        wait = "a minute" if minutes <= 1 else f"{minutes} minutes"
        return f"Too many failed sign-ins from your network; try again in {wait}"

    def refused_meanwhile(self) -> bool:
        """Whether what others tried since has brought a refusal: ask after having waited for
        something else than the delay. `text` and `retry_after` are then the refusal's."""
        if self._refusal is not None:
            self.retry_after = self._refusal()
            self.refused = self.retry_after > 0
        return self.refused

    def ended(self, outcome: Outcome) -> None:
        """`succeeded`, `failed`, or `unknown` when no comparison could be made (store away, too
        busy). Only the first call counts."""
        if self._end is not None:
            self._end(outcome)
            self._end = None

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(self, *_: object) -> None:
        self.ended("failed")


class Throttle:
    """All sign-ins of a process, whatever the protocol. `clock`: seconds that never go back."""

    def __init__(
        self, settings: ThrottleSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._key = os.urandom(16)
        self._pairs = _Bounded[_Score](settings.entries, _Score)
        self._networks = _Bounded[_NetworkScore](settings.entries, _NetworkScore)
        self._accounts = _Bounded[_Score](settings.entries, _Score)
        self._known = _Bounded[float](settings.entries, float)
        self._running: Counter[bytes] = Counter()
        """Attempts under way, by pair and by account: as many as sign in now, forgotten by none."""

    def attempt(self, address: str, account: str) -> Attempt:
        """Call it with the peer's address and what stands for the account: its id if there is one,
        else the name that was sent, in one spelling; case does not matter."""
        s, now = self._settings, self._clock()
        network = network_of(address)
        account_id, pair_id = self._ids(network, account)
        retry_after = self._refused_for(network, pair_id, now)
        if retry_after:
            return Attempt(0.0, refused=True, retry_after=retry_after)
        delay = self._delay(self._pair_score(pair_id, now), s.pair_free)
        if not self._is_known(pair_id, now):
            tried = self._networks.get(_octets(network))
            everywhere = self._accounts.get(account_id)
            failed = everywhere.now(now, s.half_life) if everywhere else 0.0
            delay = max(
                delay,
                self._delay(tried.now(now, s.half_life) if tried else 0.0, s.network_free),
                self._delay(failed + self._running[account_id], s.account_free),
            )
        for id_ in (pair_id, account_id):
            self._running[id_] += 1
        return Attempt(
            delay,
            refused=False,
            retry_after=0.0,
            _end=lambda outcome: self._ended(network, account_id, pair_id, outcome),
            _refusal=lambda: self._refusal_left(network, pair_id, self._clock()),
        )

    def refusal(self, address: str, account: str) -> Attempt | None:
        """What `attempt` would answer now if it is a refusal, else None: for who is about to wait in a
        line before it."""
        network = network_of(address)
        retry_after = self._refused_for(network, self._ids(network, account)[1], self._clock())
        return Attempt(0.0, refused=True, retry_after=retry_after) if retry_after else None

    def _refused_for(self, network: Network, pair_id: bytes, now: float) -> float:
        """Seconds until a new attempt makes sense; 0: it does now."""
        s = self._settings
        left = self._refusal_left(network, pair_id, now)
        if left:
            return left
        # Those under way may all fail. On a known pair a few go on all the same, slowly.
        at_once = s.known_at_once if self._is_known(pair_id, now) else 1
        crowded = self._running[pair_id] >= at_once
        return (
            s.delay_limit if crowded and self._pair_score(pair_id, now) >= s.pair_refused else 0.0
        )

    def _refusal_left(self, network: Network, pair_id: bytes, now: float) -> float:
        """Seconds that a refusal by earlier failures still holds; 0: there is none."""
        if self._is_known(pair_id, now):
            return 0.0
        pair, tried = self._pairs.get(pair_id), self._networks.get(_octets(network))
        until = max(pair.refused_until if pair else 0.0, tried.refused_until if tried else 0.0)
        return max(0.0, until - now)

    def _pair_score(self, pair_id: bytes, now: float) -> float:
        """Failures of a pair; what is under way may become one."""
        pair = self._pairs.get(pair_id)
        failed = pair.now(now, self._settings.half_life) if pair else 0.0
        return failed + self._running[pair_id]

    def __len__(self) -> int:
        """Entries in memory."""
        return len(self._pairs) + len(self._networks) + len(self._accounts) + len(self._known)

    def _ended(
        self,
        network: Network,
        account_id: bytes,
        pair_id: bytes,
        outcome: Outcome,
    ) -> None:
        s, now = self._settings, self._clock()
        for id_ in (pair_id, account_id):
            self._running[id_] -= 1
            if not self._running[id_]:
                del self._running[id_]
        match outcome:
            case "succeeded":
                self._known.put(pair_id, now)
                # Halved, not wiped: an owner's own sign-ins do not clear the way for a guesser
                # behind the same address, and a few typing errors soon cost nothing any more.
                pair = self._pairs.get(pair_id)
                if pair:
                    pair.add(-pair.now(now, s.half_life) / 2, now, s.half_life)
            case "failed":
                self._count_failure(network, account_id, pair_id, now)
            case "unknown":
                pass

    def _count_failure(
        self, network: Network, account_id: bytes, pair_id: bytes, now: float
    ) -> None:
        s = self._settings
        pair = self._pairs.touch(pair_id)
        if pair.add(1, now, s.half_life) >= s.pair_refused:
            pair.refused_until = now + s.refusal
        if self._is_known(pair_id, now):
            return
        self._accounts.touch(account_id).add(1, now, s.half_life)
        # A network counts an account once while it remembers it, however often it fails on it.
        tried = self._networks.touch(_octets(network))
        tried.accounts = {a: at for a, at in tried.accounts.items() if now - at < s.half_life}
        if account_id not in tried.accounts and len(tried.accounts) < MAX_ACCOUNTS:
            tried.accounts[account_id] = now
            if tried.add(1, now, s.half_life) >= s.network_refused:
                tried.refused_until = now + s.refusal

    def _delay(self, score: float, free: float) -> float:
        s = self._settings
        if score <= free:
            return 0.0
        # Past 30 doublings any limit is reached; a large power would overflow.
        return float(min(s.delay_limit, s.first_delay * 2.0 ** min(score - free - 1, 30)))

    def _is_known(self, pair_id: bytes, now: float) -> bool:
        at = self._known.get(pair_id)
        return at is not None and now - at < self._settings.known_for

    def _ids(self, network: Network, account: str) -> tuple[bytes, bytes]:
        """Short keys of equal length, which nobody outside can make collide."""
        name = _octets(account.casefold()[:MAX_ACCOUNT])
        key = self._key
        account_id = hashlib.blake2b(name, key=key, digest_size=12).digest()
        pair_id = hashlib.blake2b(account_id + _octets(network), key=key, digest_size=12).digest()
        return account_id, pair_id


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class _Bounded(Generic[Entry]):
    """A table that forgets the least recently written."""

    def __init__(self, entries: int, new: Callable[[], Entry]) -> None:
        self._entries = entries
        self._new = new
        self._table: OrderedDict[bytes, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def get(self, key: bytes) -> Entry | None:
        return self._table.get(key)

    def touch(self, key: bytes) -> Entry:
        entry = self._table.get(key)
        if entry is None:
            entry = self._new()
        self.put(key, entry)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        self._table[key] = entry
        self._table.move_to_end(key)
        while len(self._table) > self._entries:
            self._table.popitem(last=False)
