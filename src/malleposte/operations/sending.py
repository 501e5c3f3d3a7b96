"""How much may be sent, and who may send from whose address: show, set, give, take."""

import time
from typing import Literal

import msgspec

from malleposte.directory.addresses import normalise, normalise_domain
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.sending import UNSAID, SendLimit
from malleposte.store.commands import (
    ACCOUNT,
    ACCOUNT_ONWARD,
    DOMAIN,
    DOMAIN_ONWARD,
    SetSendLimit,
    SetSendRight,
)
from malleposte.store.dialect import Reader
from malleposte.store.sent import HOURS

MOST: int = 100_000_000
"""The largest limit; 0 is none at all."""
LONGEST: int = 366 * 86_400
"""Seconds that a limit for some time counts at most."""
MAX_PAGE = 1_000


# Limits --------------------------------------------------------------------------------------------


class OfSender(Request, frozen=True, kw_only=True):
    """``whom``: an account's address, or a domain."""

    whom: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account" if "@" in self.whom else "domain", self.whom)


class SetLimit(OfSender, frozen=True, kw_only=True):
    """``messages`` an hour, ``recipients`` a day: 0 without a limit, -1 the configuration's, None as it is.
    ``seconds``: for so long, 0 for good."""

    messages: int | None = None
    recipients: int | None = None
    seconds: int = 0

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {
            "messages": self.messages,
            "recipients": self.recipients,
            "seconds": self.seconds or None,
        }


class ShowLimit(OfSender, frozen=True, kw_only=True):
    """What counts for one, and what it has sent."""


class LimitShown(Response, frozen=True, kw_only=True):
    """``messages`` and ``recipients``: what counts now, 0 without a limit; ``own``: whether either is its
    own; ``until``: Unix seconds, 0 for good. ``hour`` and ``day``: what was sent of them, ``onward_hour``
    and ``onward_day``: what was sent on for others, which is counted apart."""

    whom: str
    messages: int
    recipients: int
    own: bool
    until: int
    hour: int
    day: int
    onward_hour: int = 0
    onward_day: int = 0


@operation("limit.show", ShowLimit, LimitShown, audit="refused")
async def show_limit(context: Context, request: ShowLimit, progress: Progress) -> LimitShown:
    """The limits of an account or a domain."""
    return await _shown(context, *await _sender(context.store.reader, request.whom))


class ListLimits(Request, frozen=True, kw_only=True):
    """Those that have limits of their own, or mail that is held for a limit."""


class Limits(Response, frozen=True, kw_only=True):
    """In the order of their names; at most ``MAX_PAGE``. ``held``: how many recipients of each are held for
    a limit."""

    limits: tuple[LimitShown, ...]
    held: dict[str, int]


_HELD = (
    "SELECT m.account, count(*) FROM queue_message m JOIN queue_recipient r ON r.message = m.id"
    " WHERE r.state = 1 AND substr(m.held, 1, 14) = 'sending limit:' AND m.account <> 0"
    " GROUP BY m.account ORDER BY m.account LIMIT $1"
)


@operation("limit.list", ListLimits, Limits, audit="refused")
async def list_limits(context: Context, request: ListLimits, progress: Progress) -> Limits:
    """Who has limits of his own, or mail that is held for a limit."""
    reader = context.store.reader
    own = await reader.rows(
        "SELECT kind, id FROM send_limit WHERE (kind = $1 OR kind = $2) AND (until = 0 OR until > $3)"
        " ORDER BY kind, id LIMIT $4",
        ACCOUNT,
        DOMAIN,
        int(time.time()),
        MAX_PAGE,
    )
    counts = {int(row[0]): int(row[1]) for row in await reader.rows(_HELD, MAX_PAGE)}
    wanted = dict.fromkeys((int(kind), int(id_)) for kind, id_ in own)
    wanted.update(dict.fromkeys((ACCOUNT if n > 0 else DOMAIN, abs(n)) for n in counts))
    found: list[LimitShown] = []
    held: dict[str, int] = {}
    for kind, id_ in wanted:
        column, table = ("address", "account") if kind == ACCOUNT else ("name", "domain")
        row = await reader.row(f"SELECT {column} FROM {table} WHERE id = $1", id_)
        if row is None:
            continue
        found.append(await _shown(context, kind, id_, row[0]))
        if count := counts.get(id_ if kind == ACCOUNT else -id_):
            held[row[0]] = count
    found.sort(key=lambda one: one.whom)
    return Limits(limits=tuple(found[:MAX_PAGE]), held=held)


@operation("limit.set", SetLimit, LimitShown)
async def set_limit(context: Context, request: SetLimit, progress: Progress) -> LimitShown:
    """Set limits. Again: the same ones, for so long from now on."""
    wanted = (request.messages, request.recipients)
    if wanted == (None, None):
        raise invalid("say how many messages an hour, or how many recipients a day")
    if any(number is not None and not UNSAID <= number <= MOST for number in wanted):
        raise invalid(f"a limit is 1 to {MOST:,}, 0 for none, or that of the configuration")
    if not 0 <= request.seconds <= LONGEST:
        raise invalid("a limit counts for good, or for up to a year")
    kind, id_, name = await _sender(context.store.reader, request.whom)
    known = await _own(context.store.reader, kind, id_)
    await context.carry_out(
        SetSendLimit(
            kind=kind,
            id=id_,
            messages=known.messages if request.messages is None else request.messages,
            recipients=known.recipients if request.recipients is None else request.recipients,
            until=int(time.time()) + request.seconds if request.seconds else 0,
        )
    )
    return await _shown(context, kind, id_, name)


async def _sender(reader: Reader, whom: str) -> tuple[int, int, str]:
    """Kind, id and name. Raises ``OperationError`` and ``BadAddressError``."""
    if "@" in whom:
        return ACCOUNT, await account_id(reader, whom), normalise(whom)
    name = normalise_domain(whom)
    row = await reader.row("SELECT id FROM domain WHERE name = $1", name)
    if row is None:
        raise refusal("no-such-domain", f"there is no domain {name}: see `malleposte domain list`")
    return DOMAIN, int(row[0]), name


async def _own(reader: Reader, kind: int, id_: int) -> SendLimit:
    row = await reader.row(
        "SELECT messages, recipients, until FROM send_limit WHERE kind = $1 AND id = $2", kind, id_
    )
    if row is None or (row[2] and row[2] <= time.time()):
        return SendLimit()
    return SendLimit(*row)


async def _shown(context: Context, kind: int, id_: int, name: str) -> LimitShown:
    reader = context.store.reader
    known = await _own(reader, kind, id_)
    usual = context.settings.send_limits
    now = time.time()
    counts = known.over(usual.account if kind == ACCOUNT else usual.domain, now)
    sent = await _sent(reader, kind, id_, now)
    onward = await _sent(reader, ACCOUNT_ONWARD if kind == ACCOUNT else DOMAIN_ONWARD, id_, now)
    return LimitShown(
        whom=name,
        messages=counts.messages,
        recipients=counts.recipients,
        own=known.messages >= 0 or known.recipients >= 0,
        until=known.until,
        hour=sent[0],
        day=sent[1],
        onward_hour=onward[0],
        onward_day=onward[1],
    )


async def _sent(reader: Reader, kind: int, id_: int, now: float) -> tuple[int, int]:
    """Messages of this hour, and recipients of the last ones."""
    hour = int(now) // 3600
    row = await reader.row(
        "SELECT coalesce(sum(CASE WHEN hour = $1 THEN messages END), 0), coalesce(sum(recipients), 0)"
        " FROM sent WHERE kind = $2 AND id = $3 AND hour > $4",
        hour,
        kind,
        id_,
        hour - HOURS,
    )
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


# Rights --------------------------------------------------------------------------------------------

SendWay = Literal["as", "behalf"]


class OfSendAddress(OfAccount, frozen=True, kw_only=True):
    """``address``: from which is sent; ``who``: the account that may."""

    who: str

    def details(self) -> dict[str, Detail]:
        """See ``Request``. What was and what is, the store adds."""
        return {"who": self.who}


class GiveSendRight(OfSendAddress, frozen=True, kw_only=True):
    """``way``: ``as`` in its name, ``behalf`` with Sender."""

    way: SendWay


class TakeSendRight(OfSendAddress, frozen=True, kw_only=True):
    """Not any more, in either way."""


class SendRightChanged(Response, frozen=True, kw_only=True):
    """``changed``: whether it was otherwise before."""

    address: str
    who: str
    changed: bool


@operation("sendas.give", GiveSendRight, SendRightChanged)
async def give(context: Context, request: GiveSendRight, progress: Progress) -> SendRightChanged:
    """Let an account send from an address. Again: nothing changes."""
    return await _change(context, request, request.way)


@operation("sendas.take", TakeSendRight, SendRightChanged)
async def take(context: Context, request: TakeSendRight, progress: Progress) -> SendRightChanged:
    """Take the right away. Again: there is none, nothing changes."""
    return await _change(context, request, "")


async def _change(context: Context, request: OfSendAddress, way: str) -> SendRightChanged:
    reader = context.store.reader
    address = normalise(request.address)
    who = await account_id(reader, request.who)
    local, _, domain = address.rpartition("@")
    if way and who in (await context.book.resolve(local, domain)).owners:
        raise refusal(
            "exists", f"{address} is {request.who}'s own: no right is needed to send from it"
        )
    done = accepted(
        await context.carry_out(
            SetSendRight(address=address, account=who, way=way, by=context.actor.name)
        )
    )
    return SendRightChanged(
        address=address, who=normalise(request.who), changed=bool(getattr(done, "count", 0))
    )


class ListSendRights(Request, frozen=True, kw_only=True):
    """All, or those on an ``address``, or of an account (``who``)."""

    address: str = ""
    who: str = ""
    limit: int = MAX_PAGE


class SendRightShown(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: when it was given, Unix seconds; ``by``: by whom."""

    address: str
    who: str
    way: str
    at: int
    by: str


class SendRights(Response, frozen=True, kw_only=True):
    """``more``: there are more than asked for."""

    rights: tuple[SendRightShown, ...]
    more: bool


@operation("sendas.list", ListSendRights, SendRights, audit="refused")
async def list_(context: Context, request: ListSendRights, progress: Progress) -> SendRights:
    """Who may send from whose address."""
    reader = context.store.reader
    limit = max(1, min(request.limit, MAX_PAGE))
    rows = await reader.rows(
        "SELECT r.address, a.address, r.way, r.granted_at, r.granted_by FROM send_right r"
        " JOIN account a ON a.id = r.account WHERE ($1 = '' OR r.address = $1)"
        " AND ($2 = 0 OR r.account = $2) ORDER BY r.address, a.address LIMIT $3",
        normalise(request.address) if request.address else "",
        await account_id(reader, request.who) if request.who else 0,
        limit + 1,
    )
    rights = tuple(
        SendRightShown(address=address, who=who, way=way, at=at, by=by)
        for address, who, way, at, by in rows[:limit]
    )
    return SendRights(rights=rights, more=len(rows) > limit)
