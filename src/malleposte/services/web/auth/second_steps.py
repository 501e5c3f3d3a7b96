"""The second step of signing in: a one-time code, or one of the codes kept for the day the phone is
lost."""

import hashlib
import hmac
from typing import Final

import msgspec
import pyotp
import structlog

from malleposte.directory.book import Account
from malleposte.runtime.passwords_generate import readable_password
from malleposte.secrets.sealing import SealError
from malleposte.services.web.auth import steps
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.opening import open_session
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import TrySecondStep, UseRecoveryCode, UseTotp
from malleposte.store.commands.credentials import seed_name
from malleposte.store.read import credentials
from malleposte.store.results import Done, Refused

log = structlog.get_logger(__name__)

SECONDS: Final = 30
"""Of a step of time (RFC 6238 §4.1)."""
AROUND: Final = 1
"""Steps before and after now that are taken: clocks and fingers differ (RFC 6238 §5.2)."""
CODES: Final = 10
"""Recovery codes at a time."""
_WRONG: Final = "The code is wrong."
_BESIDES: Final = "Type a code of your authenticator app besides, or a recovery code."
_USED: Final = "This code was used already; wait for the next one."
_UNREADABLE: Final = (
    "One-time codes cannot be checked now; use another way, or ask your administrator."
)
_TOO_MANY: Final = "Too many wrong codes for this account; try again in an hour, or use a passkey."


class CodeForm(msgspec.Struct, frozen=True, kw_only=True):
    """As it was typed."""

    code: str


async def asked_for(context: Context, account: Account) -> list[str]:
    """What an account can show as its second step, the handiest first."""
    reader = context.authentication.store.reader
    found = []
    if await credentials.totp_confirmed(reader, account.id):
        found.append("totp")
    if await credentials.passkeys(reader, account.id):
        found.append("passkey")
    return [*found, "recovery"]


async def totp(context: Context, request: Request) -> Response:
    """POST /auth/totp."""
    step, form = steps.wanted(context, request), await read(request, CodeForm)
    account = await _whose(context, step)
    await _try(context, account)
    at = await matching(context, account.id, form.code)
    if at is None:
        raise _wrong(context, request)
    used = await context.authentication.store.submit(UseTotp(account=account.id, step=at))
    if isinstance(used, Refused):
        raise Problem(401, "used", _USED)
    fields = await open_session(context, request, account, "totp", passing=step.passing)
    return answer({"signedIn": True}, *fields, steps.dropped(context, request))


async def recovery(context: Context, request: Request) -> Response:
    """POST /auth/recovery."""
    step, form = steps.wanted(context, request), await read(request, CodeForm)
    account = await _whose(context, step)
    await _try(context, account)
    command = UseRecoveryCode(account=account.id, digest=code_digest(account.id, form.code))
    used = await context.authentication.store.submit(command)
    if not isinstance(used, Done):
        raise _wrong(context, request)
    fields = await open_session(context, request, account, "recovery", passing=step.passing)
    content: dict[str, object] = {"signedIn": True, "recoveryCodesLeft": used.count}
    return answer(content, *fields, steps.dropped(context, request))


async def shown(context: Context, request: Request, account: Account, code: str) -> None:
    """Of an account with a second step, a code beside the password: of the app, or a recovery code, which
    is used up by it. Raises ``Problem``."""
    if not account.second_step:
        return
    if not code.strip():
        raise Problem(401, "code", _BESIDES)
    await _try(context, account)
    store = context.authentication.store
    at = await matching(context, account.id, code)
    if at is None:
        command = UseRecoveryCode(account=account.id, digest=code_digest(account.id, code))
        if not isinstance(await store.submit(command), Done):
            raise _wrong(context, request)
    elif isinstance(await store.submit(UseTotp(account=account.id, step=at)), Refused):
        raise Problem(401, "used", _USED)


async def matching(context: Context, account: int, code: str) -> int | None:
    """The step of time that a code is of, if it is near now. Raises ``Problem``."""
    sealed = await credentials.totp_seed(context.authentication.store.reader, account)
    if sealed is None:
        return None
    try:
        seed = context.keys().unseal(seed_name(account), sealed)
    except SealError as error:
        log.error("totp_seed_unreadable", account=account, error=str(error))
        raise Problem(503, "away", _UNREADABLE) from None
    otp = pyotp.TOTP(seed.reveal().decode())
    digits = "".join(code.split())
    now = int(context.authentication.clock()) // SECONDS
    found = None
    for at in range(now - AROUND, now + AROUND + 1):
        right = otp.generate_otp(at).encode()
        if hmac.compare_digest(right, digits.encode("utf-8", "surrogatepass")):
            found = at
    return found


def new_codes(account: int) -> tuple[list[str], tuple[bytes, ...]]:
    """Recovery codes, and what is kept of them."""
    codes = [readable_password() for _ in range(CODES)]
    return codes, tuple(code_digest(account, code) for code in codes)


def code_digest(account: int, code: str) -> bytes:
    """What is kept of a recovery code: 80 bits of chance need no slow hash."""
    typed = "".join(one for one in code.lower() if one.isalpha())
    return hashlib.sha256(f"{account}:{typed}".encode("utf-8", "surrogatepass")).digest()


async def _whose(context: Context, step: steps.Step) -> Account:
    account = await context.authentication.book.account(step.account)
    if account is None or account.status != "active" or account.credential_version != step.version:
        raise Problem(401, "expired", "The account was changed meanwhile; sign in again.")
    return account


async def _try(context: Context, account: Account) -> None:
    command = TrySecondStep(account=account.id)
    if isinstance(await context.authentication.store.submit(command), Refused):
        raise Problem(429, "too-many", _TOO_MANY, (("Retry-After", "3600"),))


def _wrong(context: Context, request: Request) -> Problem:
    context.authentication.door.log.refused("web", request.peer, "second step")
    return Problem(401, "wrong", _WRONG)
