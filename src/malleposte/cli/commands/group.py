"""``malleposte group …``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import OK, REFUSED, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.directory.addresses import shown_address
from malleposte.operations.groups import (
    AddGroup,
    ChangeGroup,
    GroupLine,
    GroupPage,
    GroupRemoved,
    GroupShown,
    JoinGroup,
    LeaveGroup,
    ListGroups,
    PeopleChanged,
    RemoveGroup,
    ShowGroup,
)

group = App(name="group", help="Groups: addresses whose mail is given to members.")

Senders = Literal["anyone", "inside", "members", "owners"]
_MAY = {
    "anyone": "anyone",
    "inside": "whoever signs in here",
    "members": "its members",
    "owners": "its owners",
}


@group.command
def add(
    address: str, /, *, name: str = "", senders: Senders = "inside", common: Common = DEFAULT
) -> int:
    """Make a group; who is in it is said by join.

    Parameters
    ----------
    address
        Its address.
    name
        As people read it.
    senders
        Who may write to it: anyone, inside (whoever signs in here), members or owners.
    """
    request = AddGroup(address=address, name=name, senders=senders)
    done = ask(common.configuration(), "group.add", request, GroupShown)
    return _shown(done, common)


@group.command(name="set")
def set_(
    address: str,
    /,
    *,
    name: str | None = None,
    senders: Senders | None = None,
    archive: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Change a group; what is not named stays.

    Parameters
    ----------
    address
        The group.
    name
        As people read it.
    senders
        Who may write to it: anyone, inside (whoever signs in here), members or owners.
    archive
        A shared account that keeps what the group gets, and that members may read; "" for none.
    """
    if name is senders is archive is None:
        raise Trouble(USAGE, "nothing to change: give --name, --senders or --archive")
    request = ChangeGroup(address=address, name=name, senders=senders, archive=archive)
    done = ask(common.configuration(), "group.set", request, GroupShown)
    return _shown(done, common)


@group.command
def show(address: str, /, *, common: Common = DEFAULT) -> int:
    """Show a group and who is in it.

    Parameters
    ----------
    address
        The group.
    """
    request = ShowGroup(address=address)
    done = ask(common.configuration(), "group.show", request, GroupShown)
    return _shown(done, common)


def _shown(done: GroupShown, common: Common) -> int:
    if common.json:
        as_json(done)
        return OK
    table(
        ("", shown_address(done.address)),
        [
            ("name", done.name),
            ("who may write", _MAY.get(done.senders, done.senders)),
            ("owners", ", ".join(map(shown_address, done.owners)) or "none: the administrators"),
            ("archive", shown_address(done.archive) if done.archive else "none"),
            ("members", f"{len(done.members):,}"),
            *(("", shown_address(member)) for member in done.members),
        ],
    )
    return OK


@group.command
def join(
    address: str,
    /,
    *who: str,
    owner: Annotated[bool, Parameter(negative="")] = False,
    from_file: Annotated[Path | None, Parameter(name="--from")] = None,
    common: Common = DEFAULT,
) -> int:
    """Add members to a group, or owners.

    Parameters
    ----------
    address
        The group.
    who
        Addresses of accounts or of other groups, or at other servers where mail may be forwarded there.
    owner
        As owners, who hear what comes back and may always write.
    from_file
        A file with further addresses, one a line.
    """
    request = JoinGroup(address=address, who=_named(who, from_file), owner=owner)
    return _changed(ask(common.configuration(), "group.join", request, PeopleChanged), common)


@group.command
def leave(
    address: str,
    /,
    *who: str,
    owner: Annotated[bool, Parameter(negative="")] = False,
    from_file: Annotated[Path | None, Parameter(name="--from")] = None,
    common: Common = DEFAULT,
) -> int:
    """Take members out of a group, or owners.

    Parameters
    ----------
    address
        The group.
    who
        Their addresses.
    owner
        As owners; as members they stay.
    from_file
        A file with further addresses, one a line.
    """
    request = LeaveGroup(address=address, who=_named(who, from_file), owner=owner)
    return _changed(
        ask(common.configuration(), "group.leave", request, PeopleChanged),
        common,
    )


def _named(who: tuple[str, ...], path: Path | None) -> tuple[str, ...]:
    return who if path is None else (*who, *lines_of(path))


def lines_of(path: Path) -> tuple[str, ...]:
    """The addresses in a file, one a line. Raises ``Trouble``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(REFUSED, f"{path} cannot be read: {error}") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _changed(done: PeopleChanged, common: Common) -> int:
    if common.json:
        as_json(done)
    else:
        say(f"{done.changed:,} changed; {shown_address(done.address)} has {done.members:,} members")
    return OK


@group.command
def delete(address: str, /, *, common: Common = DEFAULT) -> int:
    """Delete a group; its members and its archive stay.

    Parameters
    ----------
    address
        The group.
    """
    request = RemoveGroup(address=address)
    done = ask(common.configuration(), "group.delete", request, GroupRemoved)
    if common.json:
        as_json(done)
    else:
        say(f"{shown_address(done.address)} was deleted")
    return OK


@group.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List groups."""

    async def all_of_them(caller: Caller) -> list[GroupLine]:
        found: list[GroupLine] = []
        while True:
            request = ListGroups(after=found[-1].address if found else "")
            page = await caller.call("group.list", request, GroupPage)
            found += page.groups
            if not page.more:
                return found

    found = run(common.configuration(), all_of_them)
    if common.json:
        as_json({"groups": found})
        return OK
    table(
        ("group", "name", "who may write", "members", "archive"),
        [
            (
                shown_address(line.address),
                line.name,
                _MAY.get(line.senders, line.senders),
                f"{line.members:,}",
                shown_address(line.archive) if line.archive else "",
            )
            for line in found
        ],
        right=(3,),
    )
    return OK
