"""``malleposte recover``."""

import re
import time
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import LEFT_OUT, OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, moment, printable, say, size, table
from malleposte.node.config_units import parse_duration
from malleposte.operations.mail_recover import (
    ListRecoverable,
    MailRecovered,
    Recoverable,
    RecoverablePage,
    RecoverMail,
)


def recover(
    address: str,
    /,
    *numbers: int,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    since: str | None = None,
    mailbox: str = "",
    into: str = "",
    common: Common = DEFAULT,
) -> int:
    """List expunged mail that can be brought back, or bring it back.

    Without numbers and without --all it only lists. Each message goes where it was; a mailbox that was
    deleted is made again.

    Parameters
    ----------
    address
        The account.
    numbers
        Numbers of the messages to bring back, as the list shows them.
    every
        Bring all of the list back.
    since
        Only what was expunged within this time, such as 2d or 3h.
    mailbox
        Only what was in this mailbox, there or deleted, and below it.
    into
        Mailbox to put it all into; it is made if there is none.
    """
    configuration = common.configuration()
    earliest = 0 if since is None else int(time.time()) - _seconds(since)
    if numbers and every:
        raise Trouble(USAGE, "give numbers, or --all")
    if not numbers and not every:
        found = run(configuration, lambda c: _all_of_them(c, address, earliest, mailbox))
        _listed(found, common)
        return OK
    request = RecoverMail(
        address=address,
        numbers=numbers,
        every=every,
        since=earliest,
        mailbox=mailbox,
        into=into,
    )
    done = ask(configuration, "mail.recover", request, MailRecovered)
    if common.json:
        as_json(done)
    else:
        missing = f"; {done.missing:,} are not there to be brought back" if done.missing else ""
        say(f"{done.recovered:,} messages were brought back{missing}")
        if done.made:
            say(f"made for them: {printable(', '.join(done.made))}")
    return LEFT_OUT if done.missing else OK


def _seconds(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError:
        raise Trouble(USAGE, f"{text!r} is no duration such as 2d or 3h") from None


async def _all_of_them(caller: Caller, address: str, since: int, mailbox: str) -> list[Recoverable]:
    found: list[Recoverable] = []
    while True:
        request = ListRecoverable(
            address=address,
            since=since,
            mailbox=mailbox,
            after=found[-1].number if found else 0,
        )
        page = await caller.call("mail.recoverable", request, RecoverablePage)
        found += page.emails
        if not page.more:
            return found


def _listed(found: list[Recoverable], common: Common) -> None:
    if common.json:
        as_json({"emails": found})
        return
    table(
        ("number", "expunged", "from", "subject", "was in", "size", "until"),
        [
            (
                str(one.number),
                moment(one.expunged_at),
                re.sub(r"\s+", " ", one.sender)[:40],
                one.subject[:60],
                f"{one.mailbox} (deleted)".strip() if one.gone else one.mailbox,
                size(one.size),
                moment(one.until),
            )
            for one in found
        ],
        right=(0, 5),
    )
    say(f"{len(found):,} messages; bring back with their numbers, or --all [--mailbox NAME]")
