"""Where mail goes on to: names of domains, forwards, groups."""

import msgspec

from malleposte.store.commands.base import Command

MAX_FORWARDS = 20
"""Addresses that one account's mail goes on to."""
MAX_MEMBERS = 2_000
"""Members of a group, and accounts and addresses that one message to it reaches: what is filed and queued
in one transaction."""
MAX_OWNERS = 20
MAX_RELAYED = 5_000
"""Addresses given to one ``SetRelayed``."""
SENDERS = ("anyone", "inside", "members", "owners")
"""Who may write to a group; ``inside``: whoever signed in to an account of its organisation."""


class SetDomain(Command, frozen=True, array_like=True, kw_only=True):
    """Change what a domain is; None leaves it as it is. Answer: ``Done``.

    ``alias_of``: the domain it is another name of, '' for none. ``relay``: ``host:port`` that mail for its
    relayed addresses goes to, '' for none. ``forwarding``: ``inside``, ``anywhere``, or '' as the
    organisation has it. ``mta_sts``: mode of its policy (RFC 8461); ``mta_sts_mx``: servers that the policy
    names beside this one.
    """

    name: str
    alias_of: str | None = None
    relay: str | None = None
    forwarding: str | None = None
    mta_sts: str | None = None
    mta_sts_mx: tuple[str, ...] | None = None


class SetOrganisation(Command, frozen=True, array_like=True, kw_only=True):
    """Change what an organisation (0: the first) allows. Answer: ``Done``."""

    organisation: int
    forwarding: str


class SetCatchAll(Command, frozen=True, array_like=True, kw_only=True):
    """Have an account (0: none) get what comes to addresses of a domain that are not in use.
    Answer: ``Done``."""

    domain: str
    account: int


class SetRelayed(Command, frozen=True, array_like=True, kw_only=True):
    """The addresses of a domain that are at its relay. ``mode``: ``=``, ``+`` or ``-``. Answer: ``Done``,
    whose ``count`` is how many there are."""

    domain: str
    addresses: tuple[str, ...]
    mode: str = "="


class SetForward(Command, frozen=True, array_like=True, kw_only=True):
    """Where an account's mail goes on to; no addresses: nowhere. ``keep``: it has a copy besides.
    Answer: ``Done``."""

    account: int
    addresses: tuple[str, ...] = ()
    keep: bool = True


class PutGroup(Command, frozen=True, array_like=True, kw_only=True):
    """Make a group (``fresh``) or change one; None leaves a setting as it is. Answer: ``Done``.

    ``archive``: the account that keeps what the group gets, 0 for none; its direct members may read there.
    """

    address: str
    fresh: bool = False
    name: str | None = None
    senders: str | None = None
    archive: int | None = None
    archive_shown: str = ""
    """The name under which others see the archive (``SetRights.owner_shown``)."""


class DeleteGroup(Command, frozen=True, array_like=True, kw_only=True):
    """Remove a group, also from the groups it is in. Answer: ``Done``."""

    address: str


class GroupEntry(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Who is in a group: an account, or (0) an address elsewhere or of another group."""

    account: int = 0
    address: str = ""


class SetMembers(Command, frozen=True, array_like=True, kw_only=True):
    """Make somebody member or owner of a group, or no longer. Answer: ``Done``, whose ``count`` is that
    of those for whom something changed."""

    address: str
    entries: tuple[GroupEntry, ...]
    owner: bool = False
    present: bool = True
    archive_shown: str = ""
