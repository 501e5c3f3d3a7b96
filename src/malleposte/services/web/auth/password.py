"""One's password: shown once more, and changed."""

import msgspec

from malleposte.directory.app_passwords import WEB
from malleposte.operations.errors import OperationError
from malleposte.operations.password_rules import check_password
from malleposte.runtime.passwords import TooBusyError, UnfitPasswordError
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.auth.second_steps import shown
from malleposte.services.web.auth.signing_in import refused
from malleposte.services.web.authentication import SignedIn
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import SetPassword, UseWebSession


class ProveForm(msgspec.Struct, frozen=True, kw_only=True):
    """The password; where there is a second step, a code besides."""

    password: str
    code: str = ""


class ChangeForm(msgspec.Struct, frozen=True, kw_only=True):
    """``old`` is asked for however fresh the session is."""

    old: str
    new: str


async def prove(context: Context, request: Request) -> Response:
    """POST /auth/prove."""
    found, form = await context.signed_in(request), await read(request, ProveForm)
    await _check(context, request, found, form.password)
    await shown(context, request, found.account, form.code)
    await _proved(context, found)
    return answer({"proved": True})


async def change(context: Context, request: Request) -> Response:
    """POST /auth/password. Other sessions end, and programs that signed in with it."""
    found, form = await context.signed_in(request), await read(request, ChangeForm)
    account = found.account
    await _check(context, request, found, form.old)
    try:
        check_password(form.new, account.address)
        hashed = await context.passwords.hash(form.new)
    except OperationError as error:
        raise Problem(422, "weak-password", _sentence(str(error))) from None
    except UnfitPasswordError as error:
        raise Problem(422, "weak-password", _sentence(str(error))) from None
    except TooBusyError:
        raise Problem(503, "away", "Too much at a time; try again in a moment.") from None
    act = SetPassword(account=account.id, password_hash=hashed, but=found.session.token)
    await context.carry_out(account, "account.passwd", act)
    if not account.second_step:
        await _proved(context, found)
    return answer({"changed": True})


async def _proved(context: Context, found: SignedIn) -> None:
    """Not by the password alone where there is a second step: it would take that away."""
    command = UseWebSession(token=found.session.token, proved=True)
    await context.authentication.store.submit(command)


async def _check(context: Context, request: Request, found: SignedIn, password: str) -> None:
    """By the door, so that whoever has an open page guesses no faster than others. Raises ``Problem``."""
    door = context.authentication.door
    outcome = await door.sign_in(found.account.address, password, request.peer, protocol=WEB)
    if outcome.account is None:
        raise refused(outcome)
    if outcome.account.id != found.account.id:
        raise Problem(401, "wrong", "The password is wrong.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
