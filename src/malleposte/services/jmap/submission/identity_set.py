"""Identity/set (RFC 8621 §6.3)."""

from functools import partial
from typing import Any, Final

import msgspec

from malleposte.services.jmap import patching, setting
from malleposte.services.jmap.arguments import Set
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.submission.identities import (
    DEFAULTS,
    PROPERTIES,
    identities,
    may_send_as,
    shown,
)
from malleposte.services.jmap.submission.identity_get import TABLE
from malleposte.services.jmap.submission.names import IDENTITY_LETTER, SUBMISSION
from malleposte.sieve.address import sendable
from malleposte.store.commands import DropIdentity, PutIdentity
from malleposte.store.ids import id_number
from malleposte.store.read import submissions
from malleposte.store.read.submissions import Identity

_done: Final = partial(
    setting.carried_out,
    refusals={
        "no-such-identity": setting.not_found,
        "limit": setting.OVER_QUOTA,
        "too-long": lambda _: SetError("tooLarge", "The identity holds too much"),
    },
)
MOST_ADDRESSES: Final = 100
MOST_NAME: Final = 500
MOST_SIGNATURE: Final = 100_000
"""Characters."""


async def set_(context: Context, arguments: Set) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    setting.check(arguments, context.settings)
    known = {one.n: one for one in await identities(context, account)}
    reader = context.store.reader
    old = str(await submissions.modseq(reader, TABLE, account))
    setting.check_state(arguments.if_in_state, old)
    outcome = Outcome()
    for id_, properties in (arguments.create or {}).items():
        try:
            made = await _create(context, account, properties)
        except (SetError, *filing.FAILURES) as error:
            outcome.not_created[id_] = filing.failure(error)
        else:
            context.created[id_] = made["id"]
            outcome.created[id_] = made
    for id_, patch in (arguments.update or {}).items():
        try:
            one = _of(context, known, id_)
            await _update(context, account, one, patch)
        except (SetError, *filing.FAILURES) as error:
            outcome.not_updated[id_] = filing.failure(error)
        else:
            outcome.updated[id_] = None
    for id_ in arguments.destroy or ():
        try:
            one = _of(context, known, id_)
            if one.address == context.account.address:
                raise SetError("forbidden", "The identity of the account's own address stays")
            await _done(context, DropIdentity(account=account, n=one.n))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_destroyed[id_] = filing.failure(error)
        else:
            outcome.destroyed.append(id_)
    new = str(await submissions.modseq(reader, TABLE, account))
    return outcome.answer(arguments.account_id, old, new)


def _of(context: Context, known: dict[int, Identity], id_: str) -> Identity:
    one = known.get(id_number(IDENTITY_LETTER, context.id_of(id_)))
    if one is None:
        raise SetError("notFound")
    return one


async def _create(context: Context, account: int, properties: dict[str, Any]) -> dict[str, Any]:
    """Make one; what the client did not say of it."""
    unknown = [name for name in properties if name != "email" and name not in DEFAULTS]
    if unknown:
        raise invalid("There are no such properties to give", *unknown[:20])
    email = properties.get("email")
    if not isinstance(email, str) or sendable(email) != email:
        raise invalid("email is one address", "email")
    if not await may_send_as(context, account, email):
        raise SetError("forbiddenFrom", f"You may not send as {email[:300]}")
    state = _checked({name: value for name, value in properties.items() if name != "email"})
    octets = msgspec.json.encode(state)
    n = await _done(context, PutIdentity(account=account, address=email, state=octets))
    made = shown(context, Identity(n, email, octets))
    return {name: made[name] for name in PROPERTIES if name not in properties}


async def _update(context: Context, account: int, one: Identity, patch: dict[str, Any]) -> None:
    now = shown(context, one)
    wanted = {"id": now["id"], "email": now["email"], "mayDelete": now["mayDelete"]}
    wanted |= patching.applied(patch, now)
    fixed = [name for name in ("id", "email", "mayDelete") if wanted.pop(name) != now[name]]
    unknown = [name for name in wanted if name not in DEFAULTS]
    if fixed or unknown:
        raise invalid("That cannot be changed", *fixed, *unknown[:20])
    octets = msgspec.json.encode(_checked(wanted))
    await _done(context, PutIdentity(account=account, n=one.n, state=octets))


def _checked(properties: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an identity. Raises ``SetError``."""
    found: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None:
            continue
        if name in ("replyTo", "bcc"):
            found[name] = _addresses(name, value)
            continue
        most = MOST_NAME if name == "name" else MOST_SIGNATURE
        if not isinstance(value, str) or len(value) > most:
            raise invalid(f"{name} is a text of at most {most:,} characters", name)
        if name == "name" and not value.isprintable():
            raise invalid("name is one line", name)
        found[name] = value
    return found


def _addresses(name: str, value: Any) -> list[dict[str, str | None]]:
    if not isinstance(value, list) or len(value) > MOST_ADDRESSES:
        raise invalid(f"{name} is a list of at most {MOST_ADDRESSES} addresses", name)
    found = []
    for one in value:
        if not isinstance(one, dict) or not one.keys() <= {"name", "email"}:
            raise invalid(f"{name} has a name and an email for each", name)
        who, email = one.get("name"), one.get("email")
        if who is not None and not (isinstance(who, str) and len(who) <= MOST_NAME):
            raise invalid(f"{name} has a name that is too long, or no text", name)
        if not isinstance(email, str) or sendable(email) != email:
            raise invalid(f"{name} has an email that is no address", name)
        found.append({"name": who, "email": email})
    return found


METHODS: Final = {"Identity/set": Method(SUBMISSION, Set, set_)}
