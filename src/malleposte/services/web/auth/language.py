"""The language that the server writes to an account in."""

import msgspec

from malleposte.i18n.locales import available_locales
from malleposte.services.web.auth.context import Context
from malleposte.services.web.auth.forms import Problem, answer, read
from malleposte.services.web.messages import Request, Response
from malleposte.store.commands import SetAccount


class LanguageForm(msgspec.Struct, frozen=True, kw_only=True):
    """A language tag."""

    locale: str


async def choose(context: Context, request: Request) -> Response:
    """POST /auth/language."""
    account = (await context.signed_in(request)).account
    form = await read(request, LanguageForm)
    if form.locale not in available_locales():
        raise Problem(422, "language", f"Languages are {', '.join(available_locales())}.")
    if form.locale != account.locale:
        act = SetAccount(account=account.id, locale=form.locale)
        await context.carry_out(account, "account.set", act, locale=form.locale)
    return answer({"locale": form.locale})
