"""Accounts, one at a time: add, show, list, settings, password, disable and enable, delete."""

import zoneinfo
from typing import Literal, cast

from malleposte.directory.addresses import new_address
from malleposte.i18n.locales import is_locale
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import (
    AccountShown,
    account_id,
    account_shown,
    accounts_shown,
    own_domain,
)
from malleposte.operations.password_rules import check_password
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.permissions import Role
from malleposte.runtime.passwords_generate import readable_password
from malleposte.store.commands import (
    SUSPENDED,
    ChangeQueued,
    CreateAccount,
    DeleteAccount,
    SetAccount,
    SetPassword,
)
from malleposte.store.read import queue
from malleposte.store.results import Created, Done

MAX_QUOTA = 1 << 50
MAX_NAME = 200
"""Characters of a person's name."""
MAX_PAGE = 500
"""Accounts in one answer."""
ROLES = ("", *(role.value for role in Role if role is not Role.USER))


class OfAccount(Request, frozen=True, kw_only=True):
    """A request about one account."""

    address: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account", self.address)


class AddAccount(OfAccount, frozen=True, kw_only=True):
    """``password`` empty: nobody can sign in until one is set; ``generate``: make one. ``quota`` in
    octets, None: the configuration's, 0: no limit."""

    name: str = ""
    password: str = ""
    generate: bool = False
    quota: int | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    role: str = ""
    kind: Literal["person", "shared", "resource"] = "person"

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"name": self.name, "quota": self.quota, "role": self.role or None}


class AccountAdded(Response, frozen=True, kw_only=True):
    """``password``: the one that was generated, for the operator's eyes once."""

    id: int
    address: str
    password: str = ""


@operation("account.add", AddAccount, AccountAdded)
async def add(context: Context, request: AddAccount, progress: Progress) -> AccountAdded:
    """Make an account. Again: refused, the address is in use; nothing changes."""
    address = new_address(request.address)
    password = readable_password() if request.generate else request.password
    if request.generate and request.password:
        raise invalid("give a password or have one generated, not both")
    if password and not request.generate:
        check_password(password, address)
    hashed = await context.passwords.hash(password) if password else ""
    created = await context.carry_out(command_for(context, address, request, hashed))
    return AccountAdded(
        id=cast("Created", accepted(created)).id,
        address=address,
        password=password if request.generate else "",
    )


def command_for(context: Context, address: str, request: AddAccount, hashed: str) -> CreateAccount:
    """The store's command; the request's settings are looked at. Raises ``OperationError``."""
    _check_settings(request.name, request.locale, request.time_zone, request.quota)
    if request.role not in ROLES:
        raise invalid(f"there is no role {request.role!r}; roles are {', '.join(ROLES[1:])}")
    return CreateAccount(
        address=address,
        name=request.name.strip(),
        password_hash=hashed,
        kind=request.kind,
        locale=request.locale,
        time_zone=request.time_zone,
        quota_bytes=context.settings.quota if request.quota is None else request.quota,
        role=request.role,
    )


def _check_settings(
    name: str | None, locale: str | None, time_zone: str | None, quota: int | None
) -> None:
    if name is not None and (len(name) > MAX_NAME or not name.isprintable()):
        raise invalid(f"a name has at most {MAX_NAME} visible characters")
    # English, the default, needs no table of languages.
    if locale is not None and locale != "en" and not is_locale(locale):
        raise invalid(f"{locale!r} is no language such as en, fr or de-CH")
    if quota is not None and not 0 <= quota <= MAX_QUOTA:
        raise invalid("a quota is 0 (no limit) to 1,125 TB")
    # UTC works also on a machine without a time zone database.
    if time_zone is not None and time_zone != "UTC":
        try:
            zoneinfo.ZoneInfo(time_zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise invalid(f"{time_zone!r} is no time zone such as Europe/Paris") from None


class ShowAccount(OfAccount, frozen=True, kw_only=True):
    """One account in full."""


class OneAccount(Response, frozen=True, kw_only=True):
    """What there is to see of it."""

    account: AccountShown


@operation("account.show", ShowAccount, OneAccount, audit="refused")
async def show(context: Context, request: ShowAccount, progress: Progress) -> OneAccount:
    """One account with its roles, aliases and usage."""
    reader = context.store.reader
    found = await account_id(reader, request.address)
    return OneAccount(account=await account_shown(reader, found))


class ListAccounts(Request, frozen=True, kw_only=True):
    """Accounts after an address, of one domain or of all; at most ``limit``."""

    after: str = ""
    domain: str = ""
    limit: int = MAX_PAGE


class AccountPage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last address."""

    accounts: tuple[AccountShown, ...]
    more: bool


@operation("account.list", ListAccounts, AccountPage, audit="refused")
async def list_(context: Context, request: ListAccounts, progress: Progress) -> AccountPage:
    """A page of accounts in the order of their addresses."""
    limit = max(1, min(request.limit, MAX_PAGE))
    domain = await own_domain(context.store.reader, request.domain)
    found = await accounts_shown(context.store.reader, request.after, domain, limit + 1)
    return AccountPage(accounts=tuple(found[:limit]), more=len(found) > limit)


class ChangeAccount(OfAccount, frozen=True, kw_only=True):
    """What is None stays as it is."""

    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    quota: int | None = None
    internal: bool | None = None

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {
            "name": self.name,
            "locale": self.locale,
            "time_zone": self.time_zone,
            "quota": self.quota,
            "internal": self.internal,
        }


@operation("account.set", ChangeAccount, OneAccount)
async def set_(context: Context, request: ChangeAccount, progress: Progress) -> OneAccount:
    """Change settings. Again: the same values, nothing else happens."""
    reader = context.store.reader
    found = await account_id(reader, request.address)
    _check_settings(request.name, request.locale, request.time_zone, request.quota)
    accepted(
        await context.carry_out(
            SetAccount(
                account=found,
                name=request.name,
                locale=request.locale,
                time_zone=request.time_zone,
                quota_bytes=request.quota,
                internal=request.internal,
            )
        )
    )
    return OneAccount(account=await account_shown(reader, found))


class ChangePassword(OfAccount, frozen=True, kw_only=True):
    """A new main password, given or generated."""

    password: str = ""
    generate: bool = False


class PasswordChanged(Response, frozen=True, kw_only=True):
    """``password``: the one that was generated; ``others``: app passwords and passkeys, which go on."""

    address: str
    password: str = ""
    others: int = 0


@operation("account.passwd", ChangePassword, PasswordChanged)
async def passwd(context: Context, request: ChangePassword, progress: Progress) -> PasswordChanged:
    """Replace the main password; the old one no longer signs in. Again: replaced again."""
    if bool(request.password) == request.generate:
        raise invalid("give a password, or have one generated")
    found = await account_id(context.store.reader, request.address)
    password = readable_password() if request.generate else request.password
    if not request.generate:
        check_password(password, request.address)
    hashed = await context.passwords.hash(password)
    accepted(await context.carry_out(SetPassword(account=found, password_hash=hashed)))
    shown = await account_shown(context.store.reader, found)
    return PasswordChanged(
        address=request.address,
        password=password if request.generate else "",
        others=shown.app_passwords + shown.passkeys,
    )


class DisableAccount(OfAccount, frozen=True, kw_only=True):
    """No more sign-ins; mail still arrives, nothing is lost."""


class EnableAccount(OfAccount, frozen=True, kw_only=True):
    """Sign-ins again."""


class AccountStatus(OneAccount, frozen=True, kw_only=True):
    """``held``: how many recipients of its mail are held in the queue."""

    held: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"held": self.held or None}


@operation("account.disable", DisableAccount, AccountStatus)
async def disable(context: Context, request: DisableAccount, progress: Progress) -> AccountStatus:
    """Suspend an account: nobody signs in to it, its mail still comes, what it has in the queue is held.
    Again: nothing changes."""
    reader = context.store.reader
    found = await account_id(reader, request.address)
    if (await account_shown(reader, found)).status != "suspended":
        await context.begin()
        accepted(await context.store.submit(SetAccount(account=found, status="suspended")))
    more = True
    while more:
        # What it queues from now on is held as it comes.
        hold = ChangeQueued(messages=(), act="hold", account=found, said=SUSPENDED)
        done = accepted(await context.store.submit(hold))
        more = isinstance(done, Done) and done.more and bool(done.count)
    return await _shown_status(context, found)


async def _shown_status(context: Context, account: int) -> AccountStatus:
    reader = context.store.reader
    _, held = await queue.totals_of(reader, account)
    return AccountStatus(account=await account_shown(reader, account), held=held)


@operation("account.enable", EnableAccount, AccountStatus)
async def enable(context: Context, request: EnableAccount, progress: Progress) -> AccountStatus:
    """Undo ``disable``; what is held in the queue is released by ``queue.release``. Again: nothing
    changes."""
    reader = context.store.reader
    found = await account_id(reader, request.address)
    if (await account_shown(reader, found)).status != "active":
        accepted(await context.carry_out(SetAccount(account=found, status="active")))
    return await _shown_status(context, found)


class RemoveAccount(OfAccount, frozen=True, kw_only=True):
    """The account, its aliases and all its mail."""


class AccountRemoved(Response, frozen=True, kw_only=True):
    """``emails``: how many are being removed."""

    address: str
    emails: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"emails": self.emails}


@operation("account.delete", RemoveAccount, AccountRemoved)
async def delete(context: Context, request: RemoveAccount, progress: Progress) -> AccountRemoved:
    """Stop an account at once and have its mail removed by a job. Again: refused, it is gone."""
    reader = context.store.reader
    found = await account_id(reader, request.address)
    shown = await account_shown(reader, found)
    accepted(await context.carry_out(DeleteAccount(account=found), emails=shown.emails))
    return AccountRemoved(address=shown.address, emails=shown.emails)
