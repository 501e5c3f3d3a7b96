"""Filters/get and Filters/set: the rules of an account, over the form that becomes Sieve.

All rules are one object, since their order matters. It is saved over the state that was read, or not at
all. A rule that this version does not know is shown as its text (``raw``) and may be kept, moved and
removed, never made.
"""

from typing import Any, Final

import msgspec

from malleposte.delivery.sieving.checking import Checker
from malleposte.services.jmap import setting, singleton
from malleposte.services.jmap.arguments import Get, Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError, invalid
from malleposte.services.jmap.own.names import FILTERS
from malleposte.sieve import SieveError
from malleposte.sieve.forms import Filters, FormError, Rule
from malleposte.sieve.forms.filters import MOST_RULES
from malleposte.store.commands import Audited, PutForm, RecordAudit
from malleposte.store.results import Done, Refused

KIND: Final = "filters"
PROPERTIES: Final = ("id", "rules")


async def _kept(context: Context, account: int) -> tuple[int, Filters]:
    return await singleton.kept(context, account, KIND, Filters, Filters.read)


def _raw(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _shown(form: Filters) -> dict[str, Any]:
    rules = [
        {"raw": _raw(one)} if isinstance(one, bytes) else msgspec.to_builtins(one)
        for one in form.rules
    ]
    return {"id": singleton.ID, "rules": rules}


async def get(context: Context, arguments: Get) -> Answer:
    """Filters/get."""
    account = context.own(arguments.account_id)
    version, form = await _kept(context, account)
    return singleton.given(context, arguments, PROPERTIES, version, _shown(form))


async def set_(context: Context, arguments: Set) -> Answer:
    """Filters/set. ``ifInState`` is wanted: whoever saves knows what they save over."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    if arguments.update and arguments.if_in_state is None:
        raise MethodError("invalidArguments", "ifInState says which rules were read")
    version, form = await _kept(context, account)
    old = str(version)
    setting.check_state(arguments.if_in_state, old)

    async def update(patch: dict[str, Any]) -> None:
        nonlocal version
        version = await _update(context, account, form, patch, version)

    words = "There is one set of filters of an account, always"
    outcome = await singleton.changed(arguments, words, update)
    return outcome.answer(arguments.account_id, old, str(version))


async def _update(
    context: Context, account: int, form: Filters, patch: dict[str, Any], version: int
) -> int:
    """The version that it has from now on. Raises ``MethodError``, ``SetError``."""
    changed = Filters(_changed(form, patch), form.rest)
    try:
        state, script = changed.write(), changed.script()
        if script:
            row = await context.store.reader.row(
                "SELECT organisation FROM account WHERE id = $1", account
            )
            await Checker(context.store.reader).check(
                script, owner=account, organisation=row[0] if row else 0
            )
    except (FormError, SieveError) as error:
        words = str(error)
        raise invalid(f"{words[:1].upper()}{words[1:]}", "rules") from None
    address = context.account.address
    details = msgspec.json.encode({"form": KIND, "rules": len(changed.rules)}).decode()
    line = RecordAudit(
        actor=address, operation="form.put", target=address, outcome="done", details=details
    )
    act = PutForm(account=account, kind=KIND, state=state, content=script, expected=version)
    result = await context.submit(Audited(act=act, line=line))
    if isinstance(result, Done):
        return result.modseq
    assert isinstance(result, Refused), result
    if result.reason == "changed":
        raise MethodError("stateMismatch")
    raise invalid(result.text, "rules")


def _changed(form: Filters, patch: dict[str, Any]) -> tuple[Rule | bytes, ...]:
    """The rules of a patch. Raises ``SetError``."""
    given = singleton.patched(patch, _shown(form), PROPERTIES).get("rules")
    if not isinstance(given, list) or len(given) > MOST_RULES:
        raise invalid(f"rules is a list of at most {MOST_RULES}", "rules")
    foreign = {_raw(one): one for one in form.rules if isinstance(one, bytes)}
    rules: list[Rule | bytes] = []
    for n, one in enumerate(given, 1):
        if isinstance(one, dict) and one.keys() == {"raw"}:
            kept = foreign.get(one["raw"]) if isinstance(one["raw"], str) else None
            if kept is None:
                raise invalid(f"Rule {n} is none of those that are kept", "rules")
            rules.append(kept)
            continue
        try:
            rules.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError as error:
            raise invalid(f"Rule {n}: {error}", "rules") from None
    ids = [one.id for one in rules if isinstance(one, Rule)]
    if len(set(ids)) < len(ids):
        raise invalid("Two rules have the same id", "rules")
    return tuple(rules)


__all__ = ["METHODS", "MOST_RULES"]

METHODS: Final = {
    "Filters/get": Method(FILTERS, Get, get),
    "Filters/set": Method(FILTERS, Set, set_),
}
