"""What operators do: domains, accounts, aliases, roles, secrets, and the audit of it."""

from malleposte.store.commands.base import Command
from malleposte.store.commands.contacts import PutBook
from malleposte.store.commands.credentials import (
    AddAppPassword,
    AddPasskey,
    ConfirmTotp,
    DropAppPassword,
    DropPasskey,
    DropSecondStep,
    DropTotp,
    PutRecoveryCodes,
    RenamePasskey,
    RequireSecondStep,
    StartTotp,
)
from malleposte.store.commands.mailboxes import SetRights
from malleposte.store.commands.queue import ChangeQueued
from malleposte.store.commands.relays import DropRelay, PutRelay
from malleposte.store.commands.routing import (
    DeleteGroup,
    PutGroup,
    SetCatchAll,
    SetDomain,
    SetForward,
    SetMembers,
    SetOrganisation,
    SetRelayed,
)
from malleposte.store.commands.senders import SetNetworks, SetSendLimit, SetSendRight
from malleposte.store.commands.sessions import CloseWebSessions
from malleposte.store.commands.sieve import (
    ActivateScript,
    DeleteScript,
    PutForm,
    PutScript,
    RenameScript,
)
from malleposte.store.commands.tls import SetTlsException


class CreateDomain(Command, frozen=True, array_like=True, kw_only=True):
    """Make a domain, and postmaster@ and abuse@ in it. Answer: ``Created``."""

    name: str
    organisation: str = ""


class DeleteDomain(Command, frozen=True, array_like=True, kw_only=True):
    """Remove a domain that no account or alias uses any more, and its keys. Answer: ``Done``."""

    name: str


class CreateAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Make an account with its address, credential and six mailboxes; ``networks`` as in ``SetNetworks``.
    Answer: ``Created``."""

    address: str
    name: str
    password_hash: str
    kind: str = "person"
    locale: str = "en"
    time_zone: str = "UTC"
    quota_bytes: int = 0
    role: str = ""
    networks: tuple[str, ...] = ()


class SetPassword(Command, frozen=True, array_like=True, kw_only=True):
    """Replace an account's main password, and end its sessions of the web, but for one where ``but`` is its
    token. Answer: ``Done``."""

    account: int
    password_hash: str
    but: bytes = b""


class SetAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Change an account's settings; None leaves one as it is. Answer: ``Done``."""

    account: int
    status: str | None = None
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    quota_bytes: int | None = None
    internal: bool | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DeleteAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Stop an account receiving and signing in, and have its mail removed by a job. Answer: ``Done``."""

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class PurgeAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Remove up to ``MAX_ROWS`` emails of a deleted account, at last the account. Answer: ``Done``,
    whose ``more`` says whether something is left."""

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class GrantRole(Command, frozen=True, array_like=True, kw_only=True):
    """Give an account a role, or take it away. Answer: ``Done``."""

    account: int
    role: str
    granted: bool = True
    by: str = ""


class SetAlias(Command, frozen=True, array_like=True, kw_only=True):
    """Make, change or (without targets) remove an alias. Answer: ``Done``."""

    address: str
    accounts_: tuple[int, ...] = ()
    remotes: tuple[str, ...] = ()


class PutSecret(Command, frozen=True, array_like=True, kw_only=True):
    """Keep a sealed value under a name; empty bytes remove it. ``fresh``: refused (``exists``) where
    there is one of that name. Answer: ``Done``; its ``count`` says whether there was one to remove."""

    name: str
    sealed: bytes
    key_id: str
    fresh: bool = False


class RetireKey(Command, frozen=True, array_like=True, kw_only=True):
    """Destroy a pair of DKIM keys, the secret ``name``, and remember its ``records`` (selector, value):
    they are needed until ``until``. Answer: ``Done``; its ``count`` says whether there was one."""

    name: str
    domain: str
    records: tuple[tuple[str, str], ...]
    until: int


class RecordAudit(Command, frozen=True, array_like=True, kw_only=True):
    """Add a line to the audit. Answer: ``Done``."""

    actor: str
    operation: str
    target: str
    outcome: str
    details: str = "{}"


Act = (
    CreateDomain
    | DeleteDomain
    | CreateAccount
    | SetPassword
    | SetAccount
    | DeleteAccount
    | GrantRole
    | SetAlias
    | SetDomain
    | SetOrganisation
    | SetCatchAll
    | SetRelayed
    | SetForward
    | PutGroup
    | DeleteGroup
    | SetMembers
    | PutSecret
    | RetireKey
    | SetRights
    | PutBook
    | ChangeQueued
    | PutForm
    | PutScript
    | ActivateScript
    | DeleteScript
    | RenameScript
    | SetSendLimit
    | SetSendRight
    | SetNetworks
    | SetTlsException
    | PutRelay
    | DropRelay
    | CloseWebSessions
    | StartTotp
    | ConfirmTotp
    | RequireSecondStep
    | DropSecondStep
    | DropTotp
    | PutRecoveryCodes
    | AddPasskey
    | DropPasskey
    | RenamePasskey
    | AddAppPassword
    | DropAppPassword
)
"""What an operator does by one command; and what users do that stands in the audit."""


class Audited(Command, frozen=True, array_like=True, kw_only=True):
    """An act and its line in the audit, both or neither; no line where the act is refused. What only the
    act can tell (the rights before and after) is added to the line. Answer: the act's."""

    act: Act
    line: RecordAudit

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return self.act.accounts()
