"""``malleposte trace``: what became of a message."""

import re
import time
from typing import Final

from malleposte.cli.caller import Caller, run
from malleposte.cli.commands.queue import when
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, size
from malleposte.directory.addresses import shown_address
from malleposte.operations.traces import FindTraces, Traced, TracedRecipient, TracePage

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_SPAN: Final = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)


def trace(
    id_: str = "",
    /,
    *,
    sender: str = "",
    recipient: str = "",
    message_id: str = "",
    since: str = "2d",
    until: str = "",
    limit: int = 20,
    common: Common = DEFAULT,
) -> int:
    """Show what became of messages, the newest first: who brought them, whom they reached, what each
    attempt to send them on came to.

    Parameters
    ----------
    id_
        One message, by the number behind «id» in its Received line, in what its sender was answered, or in
        the log.
    sender
        The sender's address or the account that had signed in, or a part of it.
    recipient
        A recipient's address, or a part of it.
    message_id
        The Message-ID, or a part of it.
    since
        How far back: 20s, 30m, 12h, 2d, 3w.
    until
        Nothing younger than this, as since.
    limit
        At most so many messages.
    """
    back, to, now = seconds(since), seconds(until) if until else 0, int(time.time())

    async def pages(caller: Caller) -> tuple[list[Traced], bool]:
        found: list[Traced] = []
        below = ""
        while True:
            request = FindTraces(
                id=id_,
                sender=sender,
                recipient=recipient,
                message_id=message_id,
                since=max(0, now - back),
                until=now - to if to else 0,
                below=below,
                limit=max(1, min(100, limit - len(found))),
            )
            page = await caller.call("trace.find", request, TracePage)
            found += page.traces
            below = page.below
            if not below or len(found) >= limit:
                return found, bool(below)

    found, more = run(common.configuration(), pages)
    if common.json:
        as_json({"traces": found, "more": more})
        return OK
    for one in found:
        _show(one)
    if not found:
        say("No such message. Traces are kept for some days; --since looks further back.")
    elif more:
        say(f"There are more; --limit shows up to so many (now {limit}).")
    return OK


def seconds(text: str) -> int:
    """A length of time as people type it. Raises ``Trouble``."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise Trouble(USAGE, f"{text} is no length of time: write 20s, 30m, 12h, 2d or 3w")
    return int(found[1]) * _UNITS[found[2]]


def _show(one: Traced) -> None:
    written = "(a notice)" if one.protocol == "notice" else "(a report)"
    sender = shown_address(one.sender) if one.sender else written
    say(f"{when(one.at)}  {one.id}  from {sender}, {size(one.size)}")
    brought = one.peer or "this machine"
    if one.login:
        brought += f", signed in as {shown_address(one.login)}"
    elif one.hello:
        brought += f", which said it was {one.hello}"
    # What was written here has come over no wire that could have been secured.
    how = [one.protocol] if one.protocol else []
    if one.peer and one.protocol:
        how.append(one.tls or "in the clear")
    say(f"    by    {brought} ({', '.join(how)})" if how else f"    by    {brought}")
    if one.message_id:
        say(f"    id    <{one.message_id}>")
    for recipient in one.recipients:
        of = f" (forwarded by {shown_address(recipient.by)})" if recipient.by else ""
        say(f"    to    {shown_address(recipient.address)}{of}: {_became(recipient)}")
        for attempt in recipient.attempts:
            place = f" by {attempt.host}" if attempt.host else ""
            words = f": {attempt.said}" if attempt.said else ""
            say(f"          {when(attempt.at)}  {attempt.outcome}{place}{words}")
    for note in one.notes:
        say(f"    note  {note}")
    say()


def _became(one: TracedRecipient) -> str:
    if one.state == "filed" and one.copies:
        return _by_scripts(one)
    if one.state == "filed":
        own = one.accounts == (one.address.lower(),)
        return "in the mailbox" if own else f"in {', '.join(map(shown_address, one.accounts))}"
    if one.state == "waits":
        return f"waits, tried again {when(one.next)} (message {one.message} of the queue)"
    if one.state == "held":
        why = f": {one.said}" if one.said else ""
        return f"held{why}: malleposte queue release {one.message}"
    if one.state == "redirected" and one.said.startswith("to "):
        return f"redirected {one.said}"
    if one.state == "removed":
        return f"removed from the queue by {one.said}"
    return one.state


_FATES: Final = {
    "filed": "in the mailbox {where}",
    "sent on": "sent on to {where} by a script",
    "discarded": "discarded by a script",
    "rejected": "rejected by a script, its sender was told by mail",
}


def _by_scripts(one: TracedRecipient) -> str:
    """What scripts did with the copies; of an account that is not named it is in INBOX."""
    named = {copy.account for copy in one.copies}
    several = len(one.accounts) > 1 or one.accounts != (one.address.lower(),)
    found = [f"in {shown_address(name)}" for name in one.accounts if name not in named]
    for copy in one.copies:
        where = copy.where if copy.what == "filed" else shown_address(copy.where)
        words = _FATES.get(copy.what, copy.what).format(where=where)
        found.append(f"{words} ({shown_address(copy.account)})" if several else words)
    return ", ".join(found)
