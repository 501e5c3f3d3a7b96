"""What the harness needs of a server that is measured, and nothing else.

A subject is prepared once (folder, configuration, accounts), then started and stopped once a
repetition; its data stays. The work-list talks to it only by network, by process ids (CPU and
memory) and, for the cold cases and the disk figures, by its data folders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Service = Literal["smtp", "submission", "lmtp", "imap", "imaps", "http", "metrics"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service listens. `url` is set for `metrics` only."""

    host: str
    port: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who receives and reads mail; address and password are plain ASCII, no quotes."""

    address: str
    password: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who plays which part. A subject made for the bench has separate accounts for each."""

    receiving: tuple[Account, ...]
    reading: Account
    idle: tuple[Account, ...]
    small: Account
    huge: Account
    many: Account

    @classmethod
    def made(cls, password: str, domain: str = "example.test") -> "Accounts":
        """The accounts of a subject that the bench sets up itself (10 + 1 + 10 + 3)."""

        def account(name: str) -> Account:
            return Account(f"{name}@{domain}", password)

        return cls(
            receiving=tuple(account(f"u{number}") for number in range(10)),
            reading=account("reader"),
            idle=tuple(account(f"idle{number}") for number in range(10)),
            small=account("small"),
            huge=account("huge"),
            many=account("many"),
        )

    def everyone(self) -> tuple[Account, ...]:
        """Each account once."""
        every = (*self.receiving, self.reading, *self.idle, self.small, self.huge, self.many)
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True, slots=True)
class Index:
    """A search index that was built: seconds it took, bytes it has, what it is."""

    seconds: float
    octets: int
    kind: str


class Subject(Protocol):
    """A server under measurement."""

    @property
    def name(self) -> str:
        """Short name, as given on the command line: `sdbox`, `malleposte-sqlite`."""

    @property
    def label(self) -> str:
        """Program and version, for tables; known after `prepare`."""

    @property
    def durability(self) -> str:
        """What is flushed to the disk when it says OK, in one or two sentences."""

    @property
    def ours(self) -> bool:
        """True for Malleposte, False for a peer."""

    @property
    def remembers_sign_in(self) -> bool:
        """True when the first LOGIN costs a password hash and later ones do not.

        Then `forget_memory` would make every "cold" opening pay that hash: the harness signs in
        once before the clock starts, and gives the first sign-in apart.
        """

    @property
    def accounts(self) -> Accounts:
        """Who can be written to and sign in."""

    def prepare(self) -> None:
        """Make folder, configuration and accounts; `Unavailable` with the reason if impossible."""

    def start(self) -> None:
        """Start and return when all services answer; `BenchTrouble` when they do not in time."""

    def stop(self) -> None:
        """End all processes that `start` began, by id, and return when they are gone."""

    def endpoint(self, service: Service) -> Endpoint | None:
        """Where the service listens without TLS (`imaps`: with it), None when not offered."""

    def roots(self) -> Sequence[int]:
        """Process ids whose trees are the server; empty when unknown (no CPU, no memory)."""

    def data_folders(self) -> Sequence[Path]:
        """Folders that hold the mail, for D1 and for dropping caches; empty when unknown."""

    def forget_memory(self) -> str:
        """Drop what the server keeps in its own memory (views), by a restart if need be.

        Returns "" when that was done or there is nothing to drop, else why it was not.
        """

    def forget_message_cache(self, account: Account, mailbox: str) -> str:
        """Remove the server's cache of what it read from messages; answers as above."""

    def build_index(self, account: Account, mailbox: str) -> Index | None:
        """Build a full-text index over one mailbox; None when the subject has none."""

    def preload(self, sink: Endpoint, count: int, octets: int, waiting: int) -> str:
        """While it is stopped: queue so many messages for the sink, over 20 connections at the most,
        and `waiting` more that are due tomorrow. Returns "", else why it was not done."""

    def queued(self) -> int:
        """Messages in its queue that are due."""
