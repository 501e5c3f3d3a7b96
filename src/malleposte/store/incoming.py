"""Messages that are still coming in: how much of the disk they may take, all together and of one client.

Nobody was promised anything about them yet, and whoever sends them need not have signed in. Without a
bound some connections that never end their messages fill the disk up to where nothing works any more.
Counted is what stands in files; messages that are held in memory are bounded by the connections. In one
process: each worker counts its own, and all of them look at the same disk.
"""

import errno
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from malleposte.store.reserve import Reserve

LOOK_OCTETS: Final = 4 * 1024 * 1024
"""Octets written after which the disk is looked at again."""
LOOK_EVERY: Final = 1.0
"""Seconds after which it is."""

ANYBODY: Final = ""
"""A client that brings everybody's mail, such as a server before this one: not bounded by itself."""


@dataclass(frozen=True, slots=True)
class IncomingSettings:
    """Octets in files of all messages together and of one client's; ``seconds`` a message may take."""

    total: int = 4_000_000_000
    per_client: int = 500_000_000
    seconds: float = 7_200.0


class NoRoom(OSError):
    """A message cannot come in now; the text says why, for whoever sends it. ``full``: for want of room
    on the disk, and not because so much comes in at once, or takes so long."""

    def __init__(self, text: str, *, full: bool = False) -> None:
        super().__init__(errno.ENOSPC, text)
        self.text = text
        self.full = full


class Incoming:
    """Counts what comes in. ``folder``: where it stands. Until ``keep`` nothing but the total bounds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = IncomingSettings()
        self.octets = 0
        """In files, of all clients."""
        self._reserve: Reserve | None = None
        self._clients: dict[Hashable, int] = {}
        self._room = 0
        self._looked = float("-inf")
        self._written = 0

    def keep(self, settings: IncomingSettings, reserve: Reserve) -> None:
        """Bound it from now on, and leave a reserve of the disk alone."""
        self.settings = settings
        self._reserve = reserve if reserve.octets else None
        self._looked = float("-inf")

    def of(self, client: Hashable) -> int:
        """Octets of one client."""
        return self._clients.get(client, 0)

    def ask(self, client: Hashable | None, octets: int) -> None:
        """Raise ``NoRoom`` where so many octets more cannot be taken now.

        ``client``: an account, a network, ``ANYBODY``; None for what this server does by itself or for an
        operator: bounded by the reserve alone.
        """
        if self._reserve is not None:
            room = self._free(self._reserve)
            # Half of what was free is left: to mail that fits in memory, whatever is held here.
            most = room if client is None else (room - self.octets) // 2
            if room < 0 or octets > max(0, most):
                raise NoRoom("The server is short of disk space; please try again later", full=True)
        if client is None or not octets:
            return
        if self.octets + octets > self.settings.total:
            raise NoRoom("Too much mail is coming in at once; please try again later")
        if client != ANYBODY and self.of(client) + octets > self.settings.per_client:
            raise NoRoom("Too much mail is coming in from you at once; please try again later")

    def take(self, client: Hashable | None, octets: int) -> None:
        """Count octets that are about to be written; ``give_back`` as many. Raises ``NoRoom``."""
        self.ask(client, octets)
        self.octets += octets
        self._written += octets
        self._clients[client] = self.of(client) + octets

    def give_back(self, client: Hashable | None, octets: int) -> None:
        """Octets of a message that was filed, refused or given up."""
        self.octets -= octets
        left = self.of(client) - octets
        if left:
            self._clients[client] = left
        else:
            self._clients.pop(client, None)

    def _free(self, reserve: Reserve) -> int:
        """Octets free above the reserve: as of the last look, less what was written since."""
        now = time.monotonic()
        if self._written >= LOOK_OCTETS or now - self._looked >= LOOK_EVERY:
            self._looked, self._written = now, 0
            self._room = reserve.room()
        return self._room - self._written
