"""``malleposte fsck``."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import DAMAGE, LEFT_OUT, OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.cli.progress import Shown, shown
from malleposte.operations.store_fsck import Examined, Found, Fsck
from malleposte.operations.store_render import MailRendered, NotRendered, RenderMail
from malleposte.operations.store_renew import RenewUids, UidsRenewed


def fsck(
    *addresses: str,
    deep: Annotated[bool, Parameter(negative="")] = False,
    repair: Annotated[bool, Parameter(negative="")] = False,
    render: Annotated[bool, Parameter(negative="")] = False,
    renew_uids: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Check every invariant of the store; with --repair put right what is derived.

    It can run while the server serves. Lost or damaged content is named and never removed.

    Parameters
    ----------
    addresses
        Only the mail of these accounts.
    deep
        Also read all content back and compare it with its digest.
    repair
        Put right what can be put right without a guess.
    render
        Instead of checking: make anew what is kept of each message for lists and searches (envelope,
        body structure, preview, address texts) and write it where it differs, as after an update whose
        notes say so. Messages themselves stay as they are. Broken off, it can be run again.
    renew_uids
        After PostgreSQL was put back from a copy: give every mailbox (of the accounts named, or of all)
        a new UIDVALIDITY, so that no UID names another message than before. A server on
        SQLite that finds its data folder or database put back does this by itself, and says so in its log.
    """
    if render and (deep or repair or renew_uids):
        raise Trouble(USAGE, "--render goes alone")
    if render:
        return _render(addresses, common)
    if renew_uids:
        return _renew(addresses, common, alone=not (deep or repair))
    found: list[Found] = []

    async def work(caller: Caller) -> Examined:
        return await _examined(caller, addresses, deep, repair, found, bar)

    with shown("fsck", quiet=common.json) as bar:
        done = run(common.configuration(), work)
    first = [one for one in found if not one.remains]
    left = [one for one in found if one.remains]
    if common.json:
        as_json({"summary": done, "findings": first, "remaining": left if repair else first})
    else:
        _told(first)
        say(
            f"{done.found:,} found"
            + (f", {done.repaired:,} repaired, {done.remaining:,} remain" if repair else "")
            + f" ({done.seconds:.1f} s{'' if deep else '; --deep also reads all content back'})"
        )
        if not repair and any(one.repairable for one in first):
            say("`malleposte fsck --repair` puts right what is marked repairable.")
        if left and repair:
            say("What remains:")
            _told(left)
    return DAMAGE if done.remaining else OK


async def _examined(
    caller: Caller,
    addresses: tuple[str, ...],
    deep: bool,
    repair: bool,
    found: list[Found],
    bar: Shown,
) -> Examined:
    async def take(head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
        found.append(msgspec.json.decode(head, type=Found))

    request = Fsck(deep=deep, repair=repair, addresses=addresses)
    return await caller.call("store.fsck", request, Examined, progress=bar, take=take)


def _told(found: list[Found]) -> None:
    if found:
        table(
            ("kind", "where", "account", "", "what"),
            [
                (
                    one.kind,
                    one.object,
                    one.address,
                    "repairable" if one.repairable else "",
                    one.text,
                )
                for one in found
            ],
        )


def _render(addresses: tuple[str, ...], common: Common) -> int:
    left_out: list[NotRendered] = []

    async def take(head: msgspec.Raw, pieces: AsyncIterator[bytes] | None) -> None:
        left_out.append(msgspec.json.decode(head, type=NotRendered))

    async def work(caller: Caller) -> MailRendered:
        request = RenderMail(addresses=addresses)
        return await caller.call("store.render", request, MailRendered, progress=bar, take=take)

    with shown("fsck", quiet=common.json) as bar:
        done = run(common.configuration(), work)
    if common.json:
        as_json({"summary": done, "left_out": left_out})
    else:
        if left_out:
            table(
                ("where", "account", "not rendered, since"),
                [(one.object, one.address, one.text) for one in left_out],
            )
        lost = f" ({done.restored:,} of them had been lost)" if done.restored else ""
        damaged = f", {done.left_out:,} left out" if done.left_out else ""
        say(
            f"{done.looked:,} messages looked at, {done.changed:,} changed{lost}{damaged}"
            f" ({done.seconds:.1f} s)"
        )
    return LEFT_OUT if done.left_out else OK


def _renew(addresses: tuple[str, ...], common: Common, *, alone: bool) -> int:
    if not alone:
        raise Trouble(USAGE, "--renew-uids goes alone")

    async def work(caller: Caller) -> list[UidsRenewed]:
        requests = [RenewUids(address=address) for address in addresses] or [RenewUids()]
        return [await caller.call("store.renew-uids", one, UidsRenewed) for one in requests]

    done = run(common.configuration(), work)
    accounts, mailboxes = sum(d.accounts for d in done), sum(d.mailboxes for d in done)
    if common.json:
        as_json({"accounts": accounts, "mailboxes": mailboxes})
    else:
        say(f"{mailboxes:,} mailboxes of {accounts:,} accounts have a new UIDVALIDITY")
    return OK
