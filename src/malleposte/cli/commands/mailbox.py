"""``malleposte mailbox …``."""

from cyclopts import App

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import LEFT_OUT, OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, printable, say, size, table
from malleposte.cli.progress import shown
from malleposte.directory.addresses import shown_address
from malleposte.operations.mailbox_merge import MailboxesMerged, MergeMailboxes
from malleposte.operations.mailboxes import (
    GiveRights,
    ListMailboxes,
    MailboxPage,
    MailboxShown,
    RightsShown,
    ShowRights,
    TakeRights,
)

mailbox = App(name="mailbox", help="Mailboxes of an account, and who else may use them.")

_KEPT = {
    "inbox": "it always stays",
    "has-children": "it stays, empty, for there are mailboxes below it",
    "not-empty": "it stays, for mail keeps coming into it: run this again",
}


@mailbox.command(name="list")
def list_(address: str, /, *, common: Common = DEFAULT) -> int:
    """List the mailboxes of an account.

    Parameters
    ----------
    address
        The account.
    """

    async def all_of_them(caller: Caller) -> list[MailboxShown]:
        found: list[MailboxShown] = []
        while True:
            request = ListMailboxes(address=address, after=found[-1].path if found else "")
            page = await caller.call("mailbox.list", request, MailboxPage)
            found += page.mailboxes
            if not page.more:
                return found

    found = run(common.configuration(), all_of_them)
    if common.json:
        as_json({"mailboxes": found})
        return OK
    table(
        ("mailbox", "use", "messages", "unseen", "size", "shared with", "by"),
        [
            (
                one.path,
                one.role,
                f"{one.messages:,}",
                f"{one.unseen:,}",
                size(one.size),
                f"{one.shared:,}" if one.rights_from else "",
                one.rights_from if one.rights_from != one.path else "",
            )
            for one in found
        ],
        right=(2, 3, 4, 5),
    )
    return OK


@mailbox.command
def rights(address: str, name: str, /, *, common: Common = DEFAULT) -> int:
    """Show who may use a mailbox beside its owner.

    Parameters
    ----------
    address
        The account that owns it.
    name
        Its full name, such as Projects/2027.
    """
    request = ShowRights(address=address, mailbox=name)
    return _told(
        ask(common.configuration(), "mailbox.rights", request, RightsShown),
        common,
    )


@mailbox.command
def give(address: str, name: str, who: str, letters: str, /, *, common: Common = DEFAULT) -> int:
    """Give somebody rights on a mailbox, in place of those given before.

    Parameters
    ----------
    address
        The account that owns it.
    name
        Its full name.
    who
        Address of an account, or anyone.
    letters
        Rights, such as lrs to read and lrswite to work in it.
    """
    request = GiveRights(address=address, mailbox=name, who=who, rights=letters)
    return _told(ask(common.configuration(), "mailbox.give", request, RightsShown), common)


@mailbox.command
def take(
    address: str, name: str, who: str, letters: str = "", /, *, common: Common = DEFAULT
) -> int:
    """Take rights on a mailbox away from somebody.

    Parameters
    ----------
    address
        The account that owns it.
    name
        Its full name.
    who
        Address of an account, or anyone.
    letters
        Only these rights; without them all.
    """
    request = TakeRights(address=address, mailbox=name, who=who, rights=letters)
    return _told(ask(common.configuration(), "mailbox.take", request, RightsShown), common)


def _told(done: RightsShown, common: Common) -> int:
    if common.json:
        as_json(done)
        return OK
    if done.granted:
        table(("who", "rights"), [(shown_address(one.who), one.rights) for one in done.granted])
    if not done.granted:
        say(f"nobody but its owner may use {printable(done.mailbox)}")
    elif done.rights_from != done.mailbox:
        say(f"by the list of {printable(done.rights_from)}")
    else:
        say(f"others see it as {printable(done.seen_as)}")
    return OK


@mailbox.command
def merge(
    address: str, source: str, target: str, /, *, keep: bool = False, common: Common = DEFAULT
) -> int:
    """Move all messages of one mailbox into another, and remove the empty one.

    Broken off, run it again: what was moved is moved.

    Parameters
    ----------
    address
        The account.
    source
        Full name of the mailbox that is emptied.
    target
        Full name of the one that gets its messages.
    keep
        Leave the empty mailbox there.
    """
    request = MergeMailboxes(address=address, source=source, target=target, keep=keep)

    async def work(caller: Caller) -> MailboxesMerged:
        return await caller.call("mailbox.merge", request, MailboxesMerged, progress=bar)

    with shown("merge", quiet=common.json) as bar:
        done = run(common.configuration(), work)
    if common.json:
        as_json(done)
    else:
        words = "" if done.kept == "asked" else _KEPT.get(done.kept, "")
        say(
            f"{done.moved:,} messages were moved; {printable(target)} has {done.messages:,} now"
            + ("" if done.kept else f", and {printable(source)} was removed")
        )
        if words:
            say(f"{printable(source)}: {words}")
    return LEFT_OUT if done.kept == "not-empty" else OK
