"""Commands about TLS towards other servers: policies that were fetched, exceptions, how it went."""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command

MOST_FAILURES: Final = 100
"""Different failures of one domain and day that are told apart; more are counted together."""


class PutStsPolicy(Command, frozen=True, array_like=True, kw_only=True):
    """Keep a policy of MTA-STS that was fetched just now, for ``seconds``. Answer: ``Done``."""

    domain: str
    id: str
    policy: str
    seconds: int


class MarkStsPolicy(Command, frozen=True, array_like=True, kw_only=True):
    """Note of a kept policy that mail went by it (``used``), or that it could not be fetched again
    (``failed``). Answer: ``Done``."""

    domain: str
    used: bool = False
    failed: str = ""


class SetTlsException(Command, frozen=True, array_like=True, kw_only=True):
    """Have mail to a domain, or to a server, leave whatever its policies of TLS want, until a moment;
    0: no more. Answer: ``Done``, whose ``count`` says whether anything was there to change."""

    destination: str
    until: int = 0
    why: str = ""
    by: str = ""


class TlsCount(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Sessions with servers of a domain that ended alike. ``key``: digest of ``policy`` and ``failure``;
    ``rest``: the failure with less in it, for where there are too many of them, and its key."""

    domain: str
    key: str
    policy: str
    failure: str
    sessions: int
    rest_key: str = ""
    rest: str = ""


class AddTlsResults(Command, frozen=True, array_like=True, kw_only=True):
    """Add to what is known of a day (days since 1970, UTC). Answer: ``Done``."""

    day: int
    counts: tuple[TlsCount, ...]


class DropTlsResults(Command, frozen=True, array_like=True, kw_only=True):
    """Forget the results of a day for one domain: they were reported. Answer: ``Done``."""

    day: int
    domain: str


class SweepTls(Command, frozen=True, array_like=True, kw_only=True):
    """Forget policies and exceptions whose time is over, and results of days before one. Answer:
    ``Done``."""

    before: int
