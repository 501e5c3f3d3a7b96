"""Between two steps of signing in: what the first has shown stands sealed in a cookie, so that nobody's
half sign-ins fill the store. What may be used once, the store keeps when it was."""

import base64
import binascii
import secrets
from typing import Final, Literal

import msgspec

from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import SealError
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem
from malleposte.services.web.cookies import STEP, is_secure, removing, setting, value_of
from malleposte.services.web.messages import Request

_PURPOSE: Final = "web-step"
Of = Literal["sign-in", "prove", "enrol"]


class Step(msgspec.Struct, frozen=True, array_like=True):
    """``account``: whose password was right, 0 where none was asked for; ``version``: of its credentials;
    ``challenge``: what a passkey is to sign; ``of``: what it is a step of."""

    account: int
    version: int
    until: int
    passing: bool = False
    challenge: bytes = b""
    of: Of = "sign-in"


_decode = msgspec.msgpack.Decoder(Step).decode


def new_challenge() -> bytes:
    """What a passkey is to sign."""
    return secrets.token_bytes(32)


def kept(context: Context, request: Request, step: Step) -> tuple[str, str]:
    """The field that gives it to the browser."""
    sealed = context.keys().seal(_PURPOSE, Secret(msgspec.msgpack.encode(step)))
    value = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    secure = is_secure(request, context.authentication.settings)
    return setting(STEP, value, secure=secure, seconds=context.settings.step)


def dropped(context: Context, request: Request) -> tuple[str, str]:
    """The field that takes it away."""
    return removing(STEP, secure=is_secure(request, context.authentication.settings))


def until(context: Context) -> int:
    """When a step that is made now ends."""
    return int(context.authentication.clock()) + context.settings.step


def read(context: Context, request: Request) -> Step | None:
    """What a browser has, if we gave it and it holds."""
    value = value_of(request, STEP, context.authentication.settings)
    if not value:
        return None
    try:
        sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        step = _decode(context.keys().unseal(_PURPOSE, sealed).reveal())
    except (binascii.Error, ValueError, SealError, msgspec.DecodeError):
        return None
    return step if context.authentication.clock() < step.until else None


def wanted(context: Context, request: Request) -> Step:
    """The same where the password was right. Raises ``Problem``."""
    step = read(context, request)
    if step is None or not step.account or step.of != "sign-in":
        raise Problem(401, "expired", "That took too long; sign in with your password again.")
    return step
