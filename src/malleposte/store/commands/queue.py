"""Commands of the queue: what leaves, who tries it, what became of it."""

from typing import ClassVar, Final

import msgspec

from malleposte.store.commands.base import Command

EIGHTBIT, SMTPUTF8 = 1, 2
"""Bits of ``Handing.needs``: what the next server must know."""

SUSPENDED: Final = "the account is suspended"
"""Why its mail is held."""
WAITS: Final = 0
HELD: Final = 1
DELIVERED: Final = 2
FAILED: Final = 3
"""States of a recipient in the queue."""


class Relay(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One recipient elsewhere. ``route``: the domain (A-labels) or relay it goes to; ``due_at``: not
    before (0: at once); ``notify`` and ``original`` as NOTIFY and ORCPT came."""

    address: str
    route: str
    notify: str = ""
    original: str = ""
    due_at: int = 0


ACCOUNT: Final = 1
DOMAIN: Final = 2
"""Kinds of senders whose mail is counted."""
ACCOUNT_ONWARD: Final = 3
DOMAIN_ONWARD: Final = 4
"""What an account, and a whole domain, sends on for others (forwards, scripts, aliases, groups): counted
apart, so that strangers who write much to one take nothing from what people write."""


class Allowance(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """How much a sender may send: ``messages`` an hour, to ``recipients`` a day, 0 without a limit.
    ``name``: an address or a domain, as people are told."""

    kind: int
    id: int
    name: str
    messages: int
    recipients: int


class Handing(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A copy of a message that goes to other servers, in the transaction that files its local ones.

    ``account``: who sends; a domain's id, negative, for what its aliases and groups send on; 0 for the
    server itself. ``held``: why nothing is tried until it is released; so is what exceeds one of
    ``allowances``. ``by``: our address by which it goes on, '' where ``account`` wrote it.
    """

    organisation: int
    account: int
    sender: str
    relays: tuple[Relay, ...]
    expires_at: int
    prefix: bytes = b""
    needs: int = 0
    ret: str = ""
    envelope: str = ""
    held: str = ""
    allowances: tuple[Allowance, ...] = ()
    by: str = ""


class TakeQueued(Command, frozen=True, array_like=True, kw_only=True):
    """Take recipients that are due, for ``seconds``: up to ``each`` of up to ``routes`` routes, none of
    those in ``skip``, and of those in ``only`` where any is given. Answer: ``Taken``.

    A lease is a due time in the future: whoever dies with it leaves what is due again then. What became
    of a try is taken from the holder of the last one only.
    """

    leases: ClassVar[bool] = True
    routes: int
    each: int
    seconds: int
    skip: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What became of one try for one recipient. ``state``: ``WAITS`` to be tried again at ``due_at``,
    ``DELIVERED``, ``FAILED``. ``said``: in words; ``host``: whom we spoke with, and how.

    One that waits and of which nothing is said was not tried: it is given back, its last words stay.
    """

    message: int
    n: int
    attempt: int
    state: int
    due_at: int = 0
    said: str = ""
    host: str = ""
    warned: bool = False
    """Its sender is told with this that it takes long."""
    route: str = ""
    """Of one that waits: by which it goes from now on, '' as before."""


class Closing(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """How a route itself is: ``until`` 0 where it works, else nothing is tried before."""

    route: str
    until: int = 0
    said: str = ""


class Report(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Work that follows from outcomes, as a job: under one key once, whatever happens. ``tries``: those it
    follows from (message, n, attempt); where none of them is taken any more, there is nothing to tell."""

    kind: str
    key: str
    payload: bytes
    tries: tuple[tuple[int, int, int], ...] = ()


class RecordOutcomes(Command, frozen=True, array_like=True, kw_only=True):
    """Keep what became of tries; messages without a recipient left leave the queue. Answer: ``Done``,
    whose ``count`` says for how many recipients it was taken."""

    leases: ClassVar[bool] = True
    outcomes: tuple[Outcome, ...]
    routes: tuple[Closing, ...] = ()
    reports: tuple[Report, ...] = ()


MOST_CHANGED: Final = 500
"""Messages of an account that one ``ChangeQueued`` changes."""


class Rerouted(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """By which route a recipient goes from now on."""

    message: int
    n: int
    route: str


class ChangeQueued(Command, frozen=True, array_like=True, kw_only=True):
    """What a person does with queued messages. Answer: ``Done``, whose ``count`` is that of recipients.

    ``act``: ``hold``, ``release``, ``retry`` (at once, the route too), ``remove`` (without a report),
    ``redirect`` (``address`` by ``route``). ``n`` names one recipient, -1 all of them. ``said``: by whom
    and why, for the trace. ``account``: in place of ``messages`` those that it sent (as ``Handing`` has
    it), ``MOST_CHANGED`` at a time: ``more`` of the answer says whether there may be more. ``domain``: only
    recipients of it. ``routes``: of those that are retried, where they go another way from now on.
    """

    messages: tuple[int, ...]
    act: str
    n: int = -1
    address: str = ""
    route: str = ""
    said: str = ""
    account: int = 0
    domain: str = ""
    routes: tuple[Rerouted, ...] = ()


MOST_REROUTED: Final = 1_000
"""Recipients that one ``Reroute`` moves."""


class Reroute(Command, frozen=True, array_like=True, kw_only=True):
    """Have recipients go by other routes, held ones too; one that waits for its turn after a failure is
    tried at once, one that is sent later waits on. Answer: ``Done``; its ``count`` is of recipients."""

    moves: tuple[Rerouted, ...]
