"""Compiled scripts, remembered by the version of their owner: who changed nothing is not read again.

Bounded by number and by octets. A script that cannot be used (an older one of an extension that is gone,
say) stands in the chain as what is wrong with it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from malleposte.sieve import Script, SieveError, compile_script
from malleposte.store.dialect import Reader
from malleposte.store.read import sieve
from malleposte.store.read.sieve import Piece

MOST: Final = 2_000
"""Chains in memory."""
MOST_OCTETS: Final = 4 * 1024 * 1024
"""Octets of their scripts; compiled, one takes some ten times as much."""
AT_ONCE: Final = 2 * 1024
"""Octets of scripts compiled, or run on a small header, without letting the loop run."""
OF_REGEX: Final = 64 * 1024
"""What a script with regular expressions counts for besides: they remember what they met."""
_HEAVY: Final = frozenset(("body", "regex"))


@dataclass(frozen=True, slots=True)
class Link:
    """One script of a chain: ready to run, or ``wrong`` with why not. ``place`` as in ``read.sieve``."""

    place: str
    name: str
    script: Script | None
    wrong: str = ""

    @property
    def extensions(self) -> frozenset[str]:
        return frozenset() if self.script is None else self.script.extensions


@dataclass(frozen=True, slots=True)
class Chain:
    """What runs for an account, in order. ``version``: of both owners. ``octets``: what it counts for in
    memory."""

    links: tuple[Link, ...]
    version: tuple[int, int]
    octets: int

    @property
    def light(self) -> bool:
        """Whether a run on a small header is a matter of a few milliseconds."""
        return self.octets <= AT_ONCE and not any(_HEAVY & link.extensions for link in self.links)


class Scripts:
    """See the module. One for each worker."""

    def __init__(self, reader: Reader, *, most: int = MOST, most_octets: int = MOST_OCTETS) -> None:
        self._reader = reader
        self._most = most
        self._most_octets = most_octets
        self._known: OrderedDict[tuple[int, str], Chain] = OrderedDict()
        self._octets = 0

    def __len__(self) -> int:
        """Chains in memory."""
        return len(self._known)

    async def chain(self, account: int, organisation: int, domain: str) -> Chain:
        """What runs for an account with mail to an address of ``domain`` (A-labels)."""
        version = own, site = await sieve.versions(self._reader, account, organisation)
        key = (account if own else -organisation, domain if site else "")
        known = self._known.get(key)
        if known is not None and known.version == version:
            self._known.move_to_end(key)
            return known
        if known is not None:
            self._forget(key)
        if not (own or site):
            return Chain((), version, 0)
        chain = await self._made(account, organisation, domain, version)
        self._forget(key)
        self._known[key] = chain
        self._octets += chain.octets
        while len(self._known) > self._most or self._octets > self._most_octets:
            self._forget(next(iter(self._known)))
        return chain

    def _forget(self, key: tuple[int, str]) -> None:
        gone = self._known.pop(key, None)
        if gone is not None:
            self._octets -= gone.octets

    async def _made(
        self, account: int, organisation: int, domain: str, version: tuple[int, int]
    ) -> Chain:
        own, site = version
        reader = self._reader
        links: list[Link] = []
        octets = 0
        pieces: list[tuple[int, Piece]] = []
        if site:
            found = await sieve.site_to_run(reader, organisation, domain)
            pieces += [(-organisation, piece) for piece in found]
        if own:
            pieces += [(account, piece) for piece in await sieve.own_to_run(reader, account)]
        for owner, piece in pieces:

            async def read(kept: bool, name: str, owner: int = owner) -> bytes | None:
                return await sieve.included(
                    reader,
                    -organisation if kept else owner,
                    name,
                    domain if kept or owner < 0 else "",
                )

            link, size = await _link(piece, read)
            links.append(link)
            octets += size + (OF_REGEX if "regex" in link.extensions else 0)
        return Chain(tuple(links), version, octets)


Read = Callable[[bool, str], Awaitable[bytes | None]]
"""Whether it is a global script, and its name → its octets."""


async def _link(piece: Piece, read: Read) -> tuple[Link, int]:
    """A script compiled, and how many octets it is with what it includes."""
    try:
        script, octets = await compiled(piece.content, piece.name, read)
    except SieveError as error:
        return Link(piece.place, piece.name, None, str(error.mistakes[0])), len(piece.content)
    return Link(piece.place, piece.name, script), octets


async def compiled(content: bytes, name: str, read: Read) -> tuple[Script, int]:
    """A script with all that it includes, and their octets. Raises ``SieveError``.

    What is to be included is only known from what includes it: so it is compiled again with what was
    missing, until nothing is.
    """
    known: dict[tuple[bool, str], bytes | None] = {}
    while True:
        missing: list[tuple[bool, str]] = []

        def resolve(kept: bool, name: str) -> bytes | None:
            key = (kept, name)
            if key not in known:
                missing.append(key)  # noqa: B023 - called before the loop goes on
                return None
            return known[key]

        octets = len(content) + _size(known.values())
        if octets <= AT_ONCE:
            script = compile_script(content, resolve=resolve, name=name)
        else:
            script = await asyncio.to_thread(compile_script, content, resolve=resolve, name=name)
        if not missing:
            return script, octets
        for kept, wanted in missing:
            known[kept, wanted] = await read(kept, wanted)


def _size(contents: Iterable[bytes | None]) -> int:
    return sum(len(content) for content in contents if content is not None)
