"""One's app passwords: made, shown once, removed."""

from typing import Final

import msgspec

from malleposte.directory.app_passwords import SCOPES, written
from malleposte.runtime.passwords import TooBusyError
from malleposte.runtime.passwords_generate import readable_password
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.opening import readable
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import AddAppPassword, DropAppPassword
from malleposte.store.results import Created, Done

MAX_LABEL: Final = 60


class AddForm(msgspec.Struct, frozen=True, kw_only=True):
    """``protocols``: what it is for, none for all."""

    label: str
    protocols: tuple[str, ...] = ()


class RemoveForm(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    id: int


async def add(context: Context, request: Request) -> Response:
    """POST /auth/app-passwords/add."""
    account = (await context.fresh(request)).account
    form = await read(request, AddForm)
    label = readable(form.label)[:MAX_LABEL]
    if not label:
        raise Problem(422, "label", "Say what it is for, as “Phone” or “Thunderbird”.")
    if not set(form.protocols) <= set(SCOPES):
        raise Problem(422, "protocols", f"Protocols are {', '.join(SCOPES)}.")
    scope = " ".join(one for one in SCOPES if one in form.protocols)
    secret = readable_password()
    try:
        hashed = await context.passwords.hash(secret)
    except TooBusyError:
        raise Problem(503, "away", "Too much at a time; try again in a moment.") from None
    act = AddAppPassword(account=account.id, password_hash=hashed, label=label, scope=scope)
    done = await context.carry_out(
        account, "account.add-app-password", act, label=label, protocols=scope or "all"
    )
    assert isinstance(done, Created)
    return answer({"id": done.id, "label": label, "password": written(done.id, secret)})


async def remove(context: Context, request: Request) -> Response:
    """POST /auth/app-passwords/remove. Without a fresh proof: it takes access away."""
    found, form = await context.signed_in(request), await read(request, RemoveForm)
    account = found.account
    act = DropAppPassword(account=account.id, id=form.id)
    done = await context.carry_out(account, "account.remove-app-password", act, id=form.id)
    return answer({"removed": isinstance(done, Done) and bool(done.count)})
