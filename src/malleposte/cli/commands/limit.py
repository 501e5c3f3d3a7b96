"""``malleposte limit …``."""

from typing import Annotated

from cyclopts import App, Parameter

from malleposte.cli.caller import ask
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, moment, say, table
from malleposte.directory.addresses import shown_address, shown_domain
from malleposte.node.config_units import parse_duration
from malleposte.operations.sending import Limits, LimitShown, ListLimits, SetLimit, ShowLimit
from malleposte.policy.sending import UNSAID

limit = App(name="limit", help="How much an account or a domain may send to other servers.")


@limit.command
def show(whom: str = "", /, *, common: Common = DEFAULT) -> int:
    """Show what counts for an account or a domain, and what it has sent; without a name: who has limits of
    his own, or mail that is held for a limit.

    Parameters
    ----------
    whom
        An account's address, or a domain.
    """
    if not whom:
        return _listed(common)
    request = ShowLimit(whom=whom)
    return _told(ask(common.configuration(), "limit.show", request, LimitShown), common)


def _listed(common: Common) -> int:
    done = ask(common.configuration(), "limit.list", ListLimits(), Limits)
    if common.json:
        as_json(done)
        return OK
    if not done.limits:
        say("All have the limits of the configuration, and nothing is held for them.")
        return OK
    table(
        ("account or domain", "messages an hour", "recipients a day", "sent", "set by", "held"),
        [
            (
                shown_address(one.whom) if "@" in one.whom else shown_domain(one.whom),
                _most(one.messages),
                _most(one.recipients),
                f"{one.hour:,}, {one.day:,}",
                "`malleposte limit`" if one.own else "the configuration",
                f"{done.held.get(one.whom, 0):,}",
            )
            for one in done.limits
        ],
        right=(1, 2, 5),
    )
    return OK


@limit.command(name="set")
def set_(
    whom: str,
    /,
    *,
    messages: int | None = None,
    recipients: int | None = None,
    for_: Annotated[str, Parameter(name="--for")] = "",
    common: Common = DEFAULT,
) -> int:
    """Set limits in place of the configuration's; what exceeds them is held in the queue.

    Parameters
    ----------
    whom
        An account's address, or a domain: all of its accounts together.
    messages
        Messages in an hour; 0 for no limit.
    recipients
        Recipients in 24 hours; 0 for no limit.
    for_
        For so long, such as 7d or 12h; after it the configuration's count again. Without it: for good.
    """
    if messages is recipients is None:
        raise Trouble(USAGE, "nothing to set: give --messages or --recipients")
    try:
        seconds = parse_duration(for_) if for_ else 0
    except ValueError:
        raise Trouble(USAGE, f"{for_!r} is no length of time such as 7d or 12h") from None
    request = SetLimit(whom=whom, messages=messages, recipients=recipients, seconds=seconds)
    return _told(ask(common.configuration(), "limit.set", request, LimitShown), common)


@limit.command
def reset(whom: str, /, *, common: Common = DEFAULT) -> int:
    """Have the configuration's limits count again.

    Parameters
    ----------
    whom
        An account's address, or a domain.
    """
    request = SetLimit(whom=whom, messages=UNSAID, recipients=UNSAID)
    return _told(ask(common.configuration(), "limit.set", request, LimitShown), common)


def _told(done: LimitShown, common: Common) -> int:
    if common.json:
        as_json(done)
        return OK
    name = shown_address(done.whom) if "@" in done.whom else shown_domain(done.whom)
    table(
        ("", name),
        [
            ("messages an hour", _most(done.messages)),
            ("sent in this hour", f"{done.hour:,}"),
            ("recipients in 24 hours", _most(done.recipients)),
            ("sent to in that time", f"{done.day:,}"),
            ("sent on for others in this hour", f"{done.onward_hour:,}"),
            ("sent on to in 24 hours", f"{done.onward_day:,}"),
            ("set by", "`malleposte limit`" if done.own else "the configuration"),
            ("until", moment(done.until) if done.until else ""),
        ],
    )
    return OK


def _most(number: int) -> str:
    return f"{number:,}" if number else "no limit"
