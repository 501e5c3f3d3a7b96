"""What signs in to an account beside its main password, and where it is signed in, as administrators
see to it."""

import time
from typing import cast

from malleposte.directory.app_passwords import SCOPES, written
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.runtime.passwords_generate import readable_password
from malleposte.store.commands import (
    AddAppPassword,
    CloseWebSessions,
    DropAppPassword,
    DropSecondStep,
)
from malleposte.store.commands.sessions import MAX_SESSIONS
from malleposte.store.read.credentials import AppPasswordRow, app_passwords
from malleposte.store.read.web_sessions import web_sessions
from malleposte.store.results import Created, Done

MAX_LABEL = 60


class ResetSecondFactor(OfAccount, frozen=True, kw_only=True):
    """For who has lost phone and recovery codes."""


class SecondFactorReset(Response, frozen=True, kw_only=True):
    """``was_on``: whether a second step was asked for."""

    address: str
    was_on: bool


@operation("account.reset-second-factor", ResetSecondFactor, SecondFactorReset)
async def reset(
    context: Context, request: ResetSecondFactor, progress: Progress
) -> SecondFactorReset:
    """Ask an account for its password alone, forget one-time codes, recovery codes and passkeys, and
    end its sessions of the web. Again: nothing changes."""
    account = await account_id(context.store.reader, request.address)
    done = accepted(await context.carry_out(DropSecondStep(account=account, passkeys=True)))
    return SecondFactorReset(
        address=request.address, was_on=isinstance(done, Done) and bool(done.count)
    )


class ListAppPasswords(OfAccount, frozen=True, kw_only=True):
    """All of an account's."""


class AppPasswordShown(Response, frozen=True, kw_only=True):
    """``protocols``: what it is for; ``last_used_at``: 0 never."""

    id: int
    label: str
    protocols: tuple[str, ...]
    created_at: int
    last_used_at: int


class AppPasswords(Response, frozen=True, kw_only=True):
    """Oldest first."""

    app_passwords: tuple[AppPasswordShown, ...]


@operation("account.app-passwords", ListAppPasswords, AppPasswords, audit="refused")
async def list_app_passwords(
    context: Context, request: ListAppPasswords, progress: Progress
) -> AppPasswords:
    """The app passwords of an account, without themselves."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    return AppPasswords(app_passwords=tuple(map(_shown, await app_passwords(reader, account))))


def _shown(row: AppPasswordRow) -> AppPasswordShown:
    return AppPasswordShown(
        id=row.id,
        label=row.label,
        protocols=tuple(row.scope.split()) or SCOPES,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


class MakeAppPassword(OfAccount, frozen=True, kw_only=True):
    """``label``: what it is for; ``protocols``: none for all."""

    label: str
    protocols: tuple[str, ...] = ()

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"label": self.label, "protocols": " ".join(self.protocols) or "all"}


class AppPasswordMade(Response, frozen=True, kw_only=True):
    """``password``: for the operator's eyes once."""

    id: int
    password: str


@operation("account.add-app-password", MakeAppPassword, AppPasswordMade)
async def add_app_password(
    context: Context, request: MakeAppPassword, progress: Progress
) -> AppPasswordMade:
    """Make an app password. Again: another one."""
    label = request.label.strip()
    if not 0 < len(label) <= MAX_LABEL or not label.isprintable():
        raise invalid(f"the label has 1 to {MAX_LABEL} characters, as “Phone”")
    unknown = sorted(set(request.protocols) - set(SCOPES))
    if unknown:
        raise invalid(f"there is no protocol {unknown[0]!r}; protocols are {', '.join(SCOPES)}")
    account = await account_id(context.store.reader, request.address)
    secret = readable_password()
    act = AddAppPassword(
        account=account,
        password_hash=await context.passwords.hash(secret),
        label=label,
        scope=" ".join(one for one in SCOPES if one in request.protocols),
    )
    made = cast("Created", accepted(await context.carry_out(act)))
    return AppPasswordMade(id=made.id, password=written(made.id, secret))


class RemoveAppPassword(OfAccount, frozen=True, kw_only=True):
    """One, by its number."""

    id: int

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"id": self.id}


class Removed(Response, frozen=True, kw_only=True):
    """``count``: how many there were."""

    count: int


@operation("account.remove-app-password", RemoveAppPassword, Removed)
async def remove_app_password(
    context: Context, request: RemoveAppPassword, progress: Progress
) -> Removed:
    """Take an app password back; what it signed in ends within the minute. Again: there is none, nothing
    changes."""
    account = await account_id(context.store.reader, request.address)
    act = DropAppPassword(account=account, id=request.id)
    done = accepted(await context.carry_out(act))
    return Removed(count=done.count if isinstance(done, Done) else 0)


class ListSessions(OfAccount, frozen=True, kw_only=True):
    """All of an account's on the web."""


class SessionShown(Response, frozen=True, kw_only=True):
    """``way``: the last step of signing in; ``agent``: what the browser said of itself."""

    id: int
    created_at: int
    used_at: int
    way: str
    agent: str
    address: str


class Sessions(Response, frozen=True, kw_only=True):
    """Last used first."""

    sessions: tuple[SessionShown, ...]


@operation("account.sessions", ListSessions, Sessions, audit="refused")
async def list_sessions(context: Context, request: ListSessions, progress: Progress) -> Sessions:
    """Where an account is signed in on the web."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    return Sessions(
        sessions=tuple(
            SessionShown(
                id=one.id,
                created_at=one.created_at,
                used_at=one.used_at,
                way=one.way,
                agent=one.agent,
                address=one.address,
            )
            for one in await web_sessions(reader, account, time.time())
        )
    )


class RevokeSessions(OfAccount, frozen=True, kw_only=True):
    """``ids``: none for all."""

    ids: tuple[int, ...] = ()

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"ids": " ".join(map(str, self.ids)) or "all"}


@operation("account.revoke-sessions", RevokeSessions, Removed)
async def revoke_sessions(context: Context, request: RevokeSessions, progress: Progress) -> Removed:
    """End sessions of an account on the web. Again: nothing changes."""
    if len(request.ids) > MAX_SESSIONS:
        raise invalid(f"name at most {MAX_SESSIONS} sessions, or none for all")
    account = await account_id(context.store.reader, request.address)
    done = accepted(await context.carry_out(CloseWebSessions(account=account, ids=request.ids)))
    return Removed(count=done.count if isinstance(done, Done) else 0)
