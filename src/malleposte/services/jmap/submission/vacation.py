"""VacationResponse/get and /set (RFC 8621 §8), over the form that becomes Sieve."""

from dataclasses import replace
from typing import Any, Final

from malleposte.services.jmap import getting, patching, setting
from malleposte.services.jmap.arguments import Get, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.submission.names import VACATION
from malleposte.services.jmap.times import seconds_of, utc_date
from malleposte.sieve.forms import FormError, Vacation
from malleposte.store.commands import PutForm
from malleposte.store.read import sieve
from malleposte.store.results import Done, Refused

ID: Final = "singleton"
KIND: Final = "vacation"
NO_TEXT: Final = "I am away at present, and will read your message when I am back.\r\n"
TRIES: Final = 3
"""Times that it is saved, where somebody else saves it meanwhile."""
PROPERTIES: Final = ("id", "isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody")
_MOMENTS: Final = {"fromDate": "start", "toDate": "end"}
_TEXTS: Final = {"subject": "subject", "textBody": "text", "htmlBody": "html"}


async def _kept(context: Context, account: int) -> tuple[int, Vacation]:
    """The form with its version, 0 where there is none. Raises ``MethodError``."""
    form = await sieve.form(context.store.reader, account, KIND)
    if form is None:
        return 0, Vacation()
    try:
        return form.version, Vacation.read(form.state)
    except FormError as error:
        raise MethodError("serverFail", f"What is kept of it cannot be read: {error}") from None


def _shown(form: Vacation) -> dict[str, Any]:
    found: dict[str, Any] = {"id": ID, "isEnabled": form.enabled}
    for name, member in _MOMENTS.items():
        moment = getattr(form, member)
        found[name] = None if moment is None else utc_date(moment)
    for name, member in _TEXTS.items():
        found[name] = getattr(form, member) or None
    return found


async def get(context: Context, arguments: Get) -> Answer:
    """VacationResponse/get."""
    account = context.own(arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    version, form = await _kept(context, account)
    whole = _shown(form)
    objects, missing = getting.chosen(
        arguments.ids, context.settings, lambda id_: whole if id_ == ID else None, (whole,)
    )
    return getting.answer(arguments, str(version), names, objects, missing)


async def set_(context: Context, arguments: Set) -> Answer:
    """VacationResponse/set."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    version, _ = await _kept(context, account)
    old = str(version)
    setting.check_state(arguments.if_in_state, old)
    outcome = Outcome()
    single = SetError("singleton", "There is one reply of an account, always")
    outcome.not_created = dict.fromkeys(arguments.create or (), single)
    outcome.not_destroyed = {
        id_: single if id_ == ID else SetError("notFound") for id_ in arguments.destroy or ()
    }
    expected = None if arguments.if_in_state is None else version
    for id_, patch in (arguments.update or {}).items():
        if id_ != ID:
            outcome.not_updated[id_] = SetError("notFound")
            continue
        try:
            await _update(context, account, patch, expected)
        except SetError as error:
            outcome.not_updated[id_] = error
        except filing.FAILURES as error:
            outcome.not_updated[id_] = filing.failure(error)
        else:
            outcome.updated[id_] = None
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
    before = _shown(form)
    wanted = patching.applied(patch, before)
    unknown = [name for name in wanted if name not in PROPERTIES]
    if unknown or wanted.get("id", ID) != ID:
        raise invalid("There are no such properties to change", *(unknown[:20] or ["id"]))
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
