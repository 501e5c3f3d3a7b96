"""PushSubscription/get and /set (RFC 8620 §7.2): of no account, and seen only by what made it.

What is pushed is told of in a code first, which must come back: so nobody has others' servers pushed to
(§8.6), and the number of those codes is bounded.
"""

import secrets
import time
from functools import partial
from typing import Any, Final

import msgspec

from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.egress.url import parsed_url
from malleposte.policy.hourly import Hourly
from malleposte.services.jmap import getting, patching, setting
from malleposte.services.jmap.arguments import Id, Reference
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.push.names import PUSH_LETTER
from malleposte.services.jmap.setting import Outcome
from malleposte.services.jmap.times import seconds_of, utc_date
from malleposte.services.jmap.webpush.encryption import AUTH, POINT, octets_of, public_key
from malleposte.services.web import credential
from malleposte.store.commands import LATEST, AddPush, ChangePush, DropPush
from malleposte.store.commands.push import MAX_TEXT, PROVED
from malleposte.store.ids import id_number
from malleposte.store.read.push import Push, subscriptions

_done: Final = partial(
    setting.carried_out,
    refusals={
        "no-such-push": setting.not_found,
        "limit": setting.OVER_QUOTA,
        "wrong-code": lambda _: invalid("That is not the code that was pushed", "verificationCode"),
        "too-long": partial(SetError, "tooLarge"),
    },
)
PROPERTIES: Final = ("id", "deviceClientId", "verificationCode", "expires", "types")
HIDDEN: Final = ("url", "keys")
"""Set, and never shown (§7.2.1)."""
LASTS: Final = 30 * 86_400
"""Seconds until one ends that is not renewed, where what made it does not end by itself (§7.2)."""
NEVER: Final = LATEST
"""When one ends that ends with its session."""
MOST_TYPES: Final = 100
MOST_DEVICE: Final = 255
EACH_HOUR: Final = 60
"""Codes that an account may have pushed."""

_POLICY: Final = EgressPolicy(plain_http=False, ports=frozenset(range(1, 65_536)))
"""Of the address as it is written; where it may lead to is judged when something is pushed."""
_made = Hourly(EACH_HOUR)


class Get(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """§7.2.1."""

    ids: list[Id] | None = None
    properties: list[str] | None = None


class Set(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """§7.2.2."""

    create: dict[Id, dict[str, Any]] | None = None
    update: dict[Reference, dict[str, Any]] | None = None
    destroy: list[Reference] | None = None


async def _own(context: Context) -> dict[int, Push]:
    found = await subscriptions(
        context.store.reader, context.actor, await context.credential(), int(time.time())
    )
    return {one.n: one for one in found}


def _id(n: int) -> str:
    return f"{PUSH_LETTER}{n:x}"


def _shown(one: Push) -> dict[str, Any]:
    return {
        "id": _id(one.n),
        "deviceClientId": one.device,
        "verificationCode": one.code if one.stage == PROVED else None,
        "expires": _expiry(one.expires_at),
        "types": msgspec.json.decode(one.types) if one.types else None,
    }


def _expiry(at: int) -> str | None:
    return None if at >= NEVER else utc_date(at)


async def get(context: Context, arguments: Get) -> Answer:
    """PushSubscription/get."""
    for name in arguments.properties or ():
        if name in HIDDEN:
            raise MethodError("forbidden", f"{name} is not told again")
    names = getting.properties(arguments.properties, PROPERTIES)
    known = await _own(context)
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: known.get(id_number(PUSH_LETTER, text)),
        known.values(),
    )
    objects = map(_shown, chosen)
    return {"list": [{name: one[name] for name in names} for one in objects], "notFound": missing}


async def set_(context: Context, arguments: Set) -> Answer:
    """PushSubscription/set."""
    count = sum(map(len, (arguments.create or {}, arguments.update or {}, arguments.destroy or ())))
    setting.check_count(count, context.settings)
    known = await _own(context)
    outcome = Outcome()
    for creation, properties in (arguments.create or {}).items():
        try:
            made = await _create(context, properties)
        except (SetError, *filing.FAILURES) as error:
            outcome.not_created[creation] = filing.failure(error)
        else:
            context.created[creation] = made["id"]
            outcome.created[creation] = made
            known = await _own(context)
    for text, patch in (arguments.update or {}).items():
        try:
            outcome.updated[text] = await _update(context, _of(context, known, text), patch)
        except (SetError, *filing.FAILURES) as error:
            outcome.not_updated[text] = filing.failure(error)
    for text in arguments.destroy or ():
        try:
            one = _of(context, known, text)
            await _done(context, DropPush(account=one.account, n=one.n, credential=one.credential))
        except (SetError, *filing.FAILURES) as error:
            outcome.not_destroyed[text] = filing.failure(error)
        else:
            outcome.destroyed.append(text)
    answer = outcome.answer("", "", "")
    return {
        name: value
        for name, value in answer.items()
        if name not in ("accountId", "oldState", "newState")
    }


def _of(context: Context, known: dict[int, Push], text: str) -> Push:
    one = known.get(id_number(PUSH_LETTER, context.id_of(text)))
    if one is None:
        raise SetError("notFound")
    return one


async def _create(context: Context, properties: dict[str, Any]) -> dict[str, Any]:
    """Make one; what the client did not say of it."""
    unknown = [name for name in properties if name not in (*PROPERTIES[1:], *HIDDEN)]
    if unknown:
        raise invalid("There are no such properties to give", *unknown[:20])
    if properties.get("verificationCode") is not None:
        raise invalid("The code comes with the first push", "verificationCode")
    device, url = properties.get("deviceClientId"), properties.get("url")
    if not isinstance(device, str) or not 0 < len(device) <= MOST_DEVICE:
        raise invalid(f"deviceClientId has 1 to {MOST_DEVICE} characters", "deviceClientId")
    if not isinstance(url, str) or len(url) > MAX_TEXT or not url.lower().startswith("https://"):
        raise invalid("url is the https: address that the push service gave", "url")
    try:
        parsed_url(url, _POLICY)
    except EgressError as error:
        raise invalid(f"url: {error}", "url") from None
    p256dh, auth = _keys(properties.get("keys"))
    by = await context.credential()
    types, expires = _types(properties.get("types")), _expires(properties.get("expires"), by)
    if not _made.take(context.actor):
        raise SetError("rateLimit", "Too many were made within the hour; try again later")
    n = secrets.randbits(62) | 1
    await _done(
        context,
        AddPush(
            account=context.actor,
            n=n,
            credential=by,
            device=device,
            url=url,
            p256dh=p256dh,
            auth=auth,
            code=secrets.token_urlsafe(24),
            types=types,
            expires_at=expires,
        ),
    )
    made: dict[str, Any] = {"id": _id(n), "expires": _expiry(expires)}
    left = {"keys": None, "verificationCode": None, "types": None}
    return made | {name: value for name, value in left.items() if name not in properties}


async def _update(context: Context, one: Push, patch: dict[str, Any]) -> dict[str, Any] | None:
    """Change one; what came out otherwise than was asked for."""
    now = _shown(one)
    wanted = dict.fromkeys(PROPERTIES) | patching.applied(patch, now)
    unknown = [name for name in patch if name.partition("/")[0] not in PROPERTIES]
    fixed = [name for name in ("id", "deviceClientId") if wanted[name] != now[name]]
    if unknown or fixed:
        raise invalid("That cannot be changed", *fixed, *unknown[:20])
    code = wanted["verificationCode"]
    if code == now["verificationCode"]:
        code = None
    elif not isinstance(code, str):
        raise invalid("That is not the code that was pushed", "verificationCode")
    expires = one.expires_at
    if wanted["expires"] != now["expires"]:
        expires = _expires(wanted["expires"], one.credential)
    await _done(
        context,
        ChangePush(
            account=one.account,
            n=one.n,
            credential=one.credential,
            types=_types(wanted["types"]),
            expires_at=expires,
            code=code,
        ),
    )
    came = _expiry(expires)
    return {"expires": came} if "expires" in patch and patch["expires"] != came else None


def _keys(value: Any) -> tuple[bytes, bytes]:
    """RFC 8291 §3.1 and §3.2. Raises ``SetError``."""
    if value is None:
        return b"", b""
    if not isinstance(value, dict) or value.keys() != {"p256dh", "auth"}:
        raise invalid("keys are p256dh and auth", "keys")
    try:
        p256dh, auth = (octets_of(value[name]) for name in ("p256dh", "auth"))
        if len(p256dh) != POINT or len(auth) != AUTH:
            raise ValueError("they have other lengths")
        public_key(p256dh)
    except (ValueError, TypeError) as error:
        raise invalid(f"keys are no keys of RFC 8291: {error}", "keys") from None
    return p256dh, auth


def _types(value: Any) -> str:
    """As they are kept. Raises ``SetError``."""
    if value is None:
        return ""
    if (
        not isinstance(value, list)
        or not 0 < len(value) <= MOST_TYPES
        or not all(isinstance(one, str) and 0 < len(one) < 256 for one in value)
    ):
        raise invalid(f"types are 1 to {MOST_TYPES} names, or null for all", "types")
    text = msgspec.json.encode(list(dict.fromkeys(value))).decode()
    if len(text) > MAX_TEXT:
        raise invalid("types are too many", "types")
    return text


def _expires(value: Any, by: str) -> int:
    """When one ends that is made by a credential. Raises ``SetError``."""
    now = int(time.time())
    most = NEVER if credential.ends_by_itself(by) else now + LASTS
    if value is None:
        return most
    try:
        expires = seconds_of(value)
    except (ValueError, TypeError) as error:
        raise invalid(f"expires: {error}", "expires") from None
    if expires <= now:
        raise invalid("expires is over already", "expires")
    return min(expires, most)


METHODS: Final = {
    "PushSubscription/get": Method(CORE, Get, get),
    "PushSubscription/set": Method(CORE, Set, set_),
}
