"""``malleposte queue …``."""

import datetime
import time

from cyclopts import App

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import OK, REFUSED, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, size, table
from malleposte.cli.queue_advice import advice
from malleposte.directory.addresses import shown_address
from malleposte.operations.queue import ListQueue, QueuedMessage, QueuedRecipient, QueuePage
from malleposte.operations.queue_acts import (
    HoldQueued,
    OfQueued,
    QueueChanged,
    RedirectQueued,
    ReleaseQueued,
    RemoveQueued,
    RetryQueued,
)

RESTS = "This server does not send (sending.enabled): what is queued rests."

RESTING = ("queue.release", "queue.retry", "queue.redirect")
"""What is asked for and not done while nothing is sent."""

queue = App(name="queue", help="Mail on its way to other servers.")


@queue.command(name="list")
def list_(
    *,
    sender: str = "",
    domain: str = "",
    held: bool = False,
    limit: int = 1_000,
    common: Common = DEFAULT,
) -> int:
    """Show what waits: for whom, since when, why, and when it is tried next.

    Parameters
    ----------
    sender
        Only what this account sent, or sends on; a domain: what its aliases and groups send on.
    domain
        Only what goes to this domain.
    held
        Only what is held until somebody releases it.
    limit
        At most so many messages.
    """

    async def pages(caller: Caller) -> tuple[list[QueuedMessage], QueuePage]:
        found: list[QueuedMessage] = []
        while True:
            request = ListQueue(
                after=found[-1].id if found else 0,
                sender=sender,
                domain=domain,
                held=held,
                limit=min(200, max(1, limit - len(found))),
            )
            page = await caller.call("queue.list", request, QueuePage)
            found += page.messages
            if not page.more or len(found) >= limit:
                return found, page

    found, last = run(common.configuration(), pages)
    if common.json:
        as_json(
            {
                "messages": found,
                "waiting": last.waiting,
                "held": last.held,
                "rests": last.rests,
            }
        )
        return OK
    if found:
        _table(found)
    if last.more:
        say(f"There are more; --limit shows up to so many messages (now {limit}).")
    one = last.waiting == 1
    words = f"{last.waiting:,} recipient{'' if one else 's'} wait{'s' if one else ''}"
    if last.held:
        are = "is" if last.held == 1 else "are"
        words += f", {last.held:,} {are} held: malleposte queue release MESSAGE …"
    say(words if last.waiting or last.held else "Nothing waits.")
    if last.rests and last.waiting:
        say(RESTS)
    return OK


def _table(found: list[QueuedMessage]) -> None:
    now = time.time()
    table(
        ("message", "from", "to", "size", "since", "tries", "next", "why"),
        [
            (
                str(message.id),
                shown_address(message.sender) if message.sender else "(a report)",
                shown_address(one.address),
                size(message.size),
                ago(now - message.created_at),
                str(one.attempts),
                _next(one, now),
                _why(message, one),
            )
            for message in found
            for one in message.recipients
        ],
        right=(3, 5),
    )


def _next(one: QueuedRecipient, now: float) -> str:
    if one.state == "held":
        return "held"
    left = one.due_at - now
    return "now" if left <= 0 else f"in {span(left)}"


def _why(message: QueuedMessage, one: QueuedRecipient) -> str:
    if one.state == "held":
        return message.held
    return (
        one.way
        or one.said
        or ("sent later" if not one.attempts and one.due_at > time.time() else "")
    )


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def ago(seconds: float) -> str:
    """How long ago."""
    return f"{span(seconds)} ago"


def when(seconds: int) -> str:
    """A moment in this machine's zone."""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _by(route: str) -> str:
    """A route in words."""
    if route == "here:":
        return "filed here"
    if route.startswith("relay:"):
        server, _, rule = route.removeprefix("relay:").partition("/")
        return f"by the relay {server}" + (f" ({rule.replace(':', ' ')})" if rule else "")
    if route.startswith("host:"):
        return f"by {route.removeprefix('host:')}"
    return f"by the servers of {route.removeprefix('opportunistic:')}"


@queue.command
def show(message: int, /, *, common: Common = DEFAULT) -> int:
    """Show one message with all that is known of it.

    Parameters
    ----------
    message
        Its number in the list.
    """

    async def one(caller: Caller) -> QueuePage:
        request = ListQueue(after=message - 1, limit=1)
        return await caller.call("queue.list", request, QueuePage)

    page = run(common.configuration(), one)
    found = [each for each in page.messages if each.id == message]
    if not found:
        raise Trouble(
            REFUSED,
            f"no message {message} is in the queue (any more); what became of it, `malleposte trace` tells",
            "no-such-message",
        )
    if common.json:
        as_json({"messages": found})
        return OK
    (shown,) = found
    say(f"message     {shown.id}, in logs and Received lines {shown.trace}")
    say(f"from        {shown_address(shown.sender) if shown.sender else '(a report)'}")
    say(f"size        {size(shown.size)}")
    say(f"came        {when(shown.created_at)}")
    say(f"given up    {when(shown.expires_at)}")
    if shown.held:
        say(f"held        {shown.held}")
    for each in shown.recipients:
        say()
        say(f"to          {shown_address(each.address)}, {_by(each.route)}")
        say(
            f"tries       {each.attempts}, next {when(each.due_at)}"
            if each.state == "waits"
            else "held"
        )
        if each.said:
            say(f"last said   {each.said}")
        if each.way:
            say(f"the way     {each.way}")
        say(f"what to do  {advice(shown, each, rests=page.rests)}")
    return OK


def _act(name: str, request: OfQueued, words: str, common: Common) -> int:
    done = ask(common.configuration(), name, request, QueueChanged)
    if common.json:
        as_json(done)
    else:
        say(f"{words} {done.recipients:,} recipient{'' if done.recipients == 1 else 's'}")
        if done.rests and name in RESTING:
            say(RESTS)
    return OK


@queue.command
def hold(
    *messages: int,
    recipient: str = "",
    sender: str = "",
    domain: str = "",
    why: str = "",
    common: Common = DEFAULT,
) -> int:
    """Try nothing until it is released.

    Parameters
    ----------
    messages
        Their numbers in the list.
    recipient
        Only this recipient of the message.
    sender
        All messages that this account sent, in place of numbers; or a domain, as in the list.
    domain
        All that goes to this domain, in place of numbers; with sender: what he sent there.
    why
        Shown in the list.
    """
    request = HoldQueued(
        messages=messages, recipient=recipient, sender=sender, domain=domain, why=why
    )
    return _act("queue.hold", request, "Held:", common)


@queue.command
def release(
    *messages: int,
    recipient: str = "",
    sender: str = "",
    domain: str = "",
    common: Common = DEFAULT,
) -> int:
    """Send what is held.

    Parameters
    ----------
    messages
        Their numbers in the list.
    recipient
        Only this recipient of the message.
    sender
        All that this account has held, in place of numbers; or a domain, as in the list.
    domain
        All that goes to this domain, in place of numbers; with sender: what he sent there.
    """
    request = ReleaseQueued(messages=messages, recipient=recipient, sender=sender, domain=domain)
    return _act("queue.release", request, "Released:", common)


@queue.command
def retry(
    *messages: int,
    recipient: str = "",
    sender: str = "",
    domain: str = "",
    common: Common = DEFAULT,
) -> int:
    """Try again at once, by the way that it has now.

    Parameters
    ----------
    messages
        Their numbers in the list.
    recipient
        Only this recipient of the message.
    sender
        All messages that this account sent, in place of numbers; or a domain, as in the list.
    domain
        All that goes to this domain, in place of numbers; with sender: what he sent there.
    """
    request = RetryQueued(messages=messages, recipient=recipient, sender=sender, domain=domain)
    return _act("queue.retry", request, "Tried at once:", common)


@queue.command(name=["remove", "delete"])
def remove(
    *messages: int,
    recipient: str = "",
    sender: str = "",
    domain: str = "",
    common: Common = DEFAULT,
) -> int:
    """Remove from the queue. Nobody is told: use it for what must not go out.

    Parameters
    ----------
    messages
        Their numbers in the list.
    recipient
        Only this recipient of the message.
    sender
        All messages that this account sent, held or not, in place of numbers; or a domain.
    domain
        All that goes to this domain, in place of numbers; with sender: what he sent there.
    """
    request = RemoveQueued(messages=messages, recipient=recipient, sender=sender, domain=domain)
    return _act("queue.remove", request, "Removed:", common)


@queue.command
def redirect(message: int, recipient: str, to: str, /, *, common: Common = DEFAULT) -> int:
    """Send a recipient's copy to another address, elsewhere or here.

    Parameters
    ----------
    message
        Its number in the list.
    recipient
        Whose copy.
    to
        Where it goes instead.
    """
    request = RedirectQueued(messages=(message,), recipient=recipient, to=to)
    return _act("queue.redirect", request, f"Goes to {shown_address(to)}:", common)
