"""VacationResponse/get and /set (RFC 8621 §8), over the form that becomes Sieve."""

from dataclasses import replace
from typing import Any, Final

from malleposte.services.jmap import setting, singleton
from malleposte.services.jmap.arguments import Get, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.submission.names import VACATION
from malleposte.services.jmap.times import seconds_of, utc_date
from malleposte.sieve.forms import FormError, Vacation
from malleposte.store.commands import PutForm
from malleposte.store.results import Done, Refused

KIND: Final = "vacation"
NO_TEXT: Final = "I am away at present, and will read your message when I am back.\r\n"
TRIES: Final = 3
"""Times that it is saved, where somebody else saves it meanwhile."""
PROPERTIES: Final = ("id", "isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody")
_MOMENTS: Final = {"fromDate": "start", "toDate": "end"}
_TEXTS: Final = {"subject": "subject", "textBody": "text", "htmlBody": "html"}


async def _kept(context: Context, account: int) -> tuple[int, Vacation]:
    return await singleton.kept(context, account, KIND, Vacation, Vacation.read)


def _shown(form: Vacation) -> dict[str, Any]:
    found: dict[str, Any] = {"id": singleton.ID, "isEnabled": form.enabled}
    for name, member in _MOMENTS.items():
        moment = getattr(form, member)
        found[name] = None if moment is None else utc_date(moment)
    for name, member in _TEXTS.items():
        found[name] = getattr(form, member) or None
    return found


async def get(context: Context, arguments: Get) -> Answer:
    """VacationResponse/get."""
    account = context.own(arguments.account_id)
    version, form = await _kept(context, account)
    return singleton.given(context, arguments, PROPERTIES, version, _shown(form))


async def set_(context: Context, arguments: Set) -> Answer:
    """VacationResponse/set."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    version, _ = await _kept(context, account)
    old = str(version)
    setting.check_state(arguments.if_in_state, old)
    expected = None if arguments.if_in_state is None else version

    async def update(patch: dict[str, Any]) -> None:
        await _update(context, account, patch, expected)

    words = "There is one reply of an account, always"
    outcome = await singleton.changed(arguments, words, update)
    version, _ = await _kept(context, account)
    return outcome.answer(arguments.account_id, old, str(version))


async def _update(
    context: Context, account: int, patch: dict[str, Any], expected: int | None
) -> None:
    for _ in range(TRIES):
        version, before = await _kept(context, account)
        if expected is not None and version != expected:
            break
        form = _changed(before, patch)
        try:
            state, script = form.write(), _with_text(form).script()
        except FormError as error:
            raise invalid(f"{str(error)[:1].upper()}{str(error)[1:]}") from None
        result = await context.submit(
            PutForm(account=account, kind=KIND, state=state, content=script, expected=version)
        )
        if isinstance(result, Done):
            return
        assert isinstance(result, Refused), result
        if result.reason != "changed":
            raise invalid(result.text)
    raise SetError("serverUnavailable", "It was changed meanwhile; try again")


def _with_text(form: Vacation) -> Vacation:
    """RFC 8621 §8: who wrote no reply has one that says the least."""
    if form.text.strip() or form.html.strip():
        return form
    return replace(form, text=NO_TEXT)


def _changed(form: Vacation, patch: dict[str, Any]) -> Vacation:
    """The form with the changes of a patch. Raises ``SetError``."""
    wanted = singleton.patched(patch, _shown(form), PROPERTIES)
    members: dict[str, Any] = {"enabled": wanted.get("isEnabled", False)}
    if not isinstance(members["enabled"], bool):
        raise invalid("isEnabled is true or false", "isEnabled")
    for name, member in _MOMENTS.items():
        value = wanted.get(name)
        try:
            members[member] = None if value is None else seconds_of(value)
        except (ValueError, TypeError) as error:
            raise invalid(str(error), name) from None
    for name, member in _TEXTS.items():
        value = wanted.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"{name} is a text", name)
        members[member] = value or ""
    return replace(form, **members)


METHODS: Final = {
    "VacationResponse/get": Method(VACATION, Get, get),
    "VacationResponse/set": Method(VACATION, Set, set_),
}
