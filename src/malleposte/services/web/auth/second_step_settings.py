"""The second step of one's own account: switched on and off, its one-time codes and recovery codes."""

from typing import Final

import msgspec
import pyotp
import segno

from malleposte.secrets.redaction import Secret
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.second_steps import CodeForm, matching, new_codes
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import (
    ConfirmTotp,
    DropSecondStep,
    DropTotp,
    PutRecoveryCodes,
    RequireSecondStep,
    StartTotp,
)
from malleposte.store.commands.credentials import seed_name
from malleposte.store.results import Done

ISSUER: Final = "Malleposte"
_WRONG: Final = "The code is wrong: look whether the clocks of both devices are right."


class NoForm(msgspec.Struct, frozen=True):
    """Nothing is said."""


async def start_totp(context: Context, request: Request) -> Response:
    """POST /auth/totp/start: the seed, for an authenticator app. Nothing is asked for yet."""
    account = (await context.fresh(request)).account
    await read(request, NoForm)
    seed = pyotp.random_base32()  # 160 bits
    ring = context.keys()
    act = StartTotp(
        account=account.id,
        sealed=ring.seal(seed_name(account.id), Secret(seed.encode())),
        key_id=ring.current.id.hex(),
    )
    await context.carry_out(account, "account.start-totp", act)
    uri = pyotp.TOTP(seed).provisioning_uri(name=account.address, issuer_name=ISSUER)
    picture = segno.make(uri, error="m", micro=False).svg_data_uri(scale=4, light="#fff")
    return answer({"secret": seed, "uri": uri, "qr": picture})


async def confirm_totp(context: Context, request: Request) -> Response:
    """POST /auth/totp/confirm: a code of the app shows that it has the seed."""
    found, form = await context.fresh(request), await read(request, CodeForm)
    account = found.account
    step = await matching(context, account.id, form.code)
    if step is None:
        raise Problem(422, "wrong", _WRONG)
    codes, digests = new_codes(account.id)
    act = ConfirmTotp(account=account.id, step=step, codes=digests, but=found.session.token)
    done = await context.carry_out(account, "account.confirm-totp", act)
    began = isinstance(done, Done) and bool(done.count)
    return answer({"recoveryCodes": codes if began else None})


async def remove_totp(context: Context, request: Request) -> Response:
    """POST /auth/totp/remove."""
    account = (await context.fresh(request)).account
    await read(request, NoForm)
    done = await context.carry_out(account, "account.remove-totp", DropTotp(account=account.id))
    return answer({"removed": isinstance(done, Done) and bool(done.count)})


async def switch_on(context: Context, request: Request) -> Response:
    """POST /auth/second-step/on: with passkeys alone; one-time codes switch it on by themselves."""
    found = await context.fresh(request)
    await read(request, NoForm)
    account = found.account
    codes, digests = new_codes(account.id)
    act = RequireSecondStep(account=account.id, codes=digests, but=found.session.token)
    await context.carry_out(account, "account.second-factor-on", act)
    return answer({"recoveryCodes": codes})


async def switch_off(context: Context, request: Request) -> Response:
    """POST /auth/second-step/off: the password is enough again. Passkeys stay, as a way to sign in."""
    found = await context.fresh(request)
    await read(request, NoForm)
    act = DropSecondStep(account=found.account.id, but=found.session.token)
    await context.carry_out(found.account, "account.second-factor-off", act)
    return answer({"off": True})


async def renew_codes(context: Context, request: Request) -> Response:
    """POST /auth/recovery-codes: new ones, in place of all before."""
    account = (await context.fresh(request)).account
    await read(request, NoForm)
    codes, digests = new_codes(account.id)
    act = PutRecoveryCodes(account=account.id, codes=digests)
    await context.carry_out(account, "account.renew-recovery-codes", act)
    return answer({"recoveryCodes": codes})
