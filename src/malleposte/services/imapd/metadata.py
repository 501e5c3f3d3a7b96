r"""GETMETADATA, SETMETADATA, and METADATA as LIST returns it (RFC 5464, RFC 9590).

Entries are kept by the store, but for two: ``/private/specialuse`` of one's own mailbox is its special
use (RFC 6154 §4), and ``/shared/admin`` of the server leads to its administrators. A mailbox that the
session may look up and do anything with has entries for it (RFC 5464 §3.3). Nobody is told of changes
(§4.4.2) without asking.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names
from malleposte.services.imapd.replies import Refuse, done, refuse
from malleposte.services.imapd.special_use import ATTRIBUTES, ROLES
from malleposte.store import commands as c
from malleposte.store.execute.rights import no_rights
from malleposte.store.ids import account_of
from malleposte.store.read import annotations, mailboxes
from malleposte.store.read.annotations import MAX_VALUE, Annotation
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap import account_responses, codes, responses
from malleposte.wire.imap.commands.metadata import (
    INFINITE,
    PRIVATE,
    SHARED,
    GetMetadata,
    SetMetadata,
)

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

SPECIAL_USE: Final = "/specialuse"
ADMIN: Final = "/admin"
AT_ONCE: Final = 64 * 1024
"""Octets of values in one response; a client takes several as one (RFC 5464 §4.4.1)."""

Notes = Mapping[int, Mapping[tuple[str, bool], bytes | None]]
"""Entries of many mailboxes: mailbox to (name, private) to value, None where that is large."""


def _kept(entry: str) -> tuple[str, bool]:
    """The name of an entry as the store has it, and whether it is private."""
    entry = entry.lower()
    private = entry.startswith(PRIVATE)
    return entry[len(PRIVATE if private else SHARED) :], private


def full(name: str, private: bool) -> str:
    """An entry's name as clients have it."""
    return (PRIVATE if private else SHARED) + name


def noted(letters: str) -> bool:
    """Whether rights on a mailbox let its entries be seen and set (RFC 5464 §3.3)."""
    return "l" in letters and any(letter in letters for letter in "rswip")


async def _mailbox(session: "Session", name: str) -> int:
    """The mailbox of a command, 0 for the server. Raises ``Refuse``."""
    if not name:
        return 0
    place = await names.place(session, name)
    if not noted(place.letters):
        raise refuse(no_rights("r"))
    return place.mailbox


async def getmetadata(session: "Session", command: GetMetadata) -> bytes:
    """RFC 5464 §4.2."""
    mailbox = await _mailbox(session, command.mailbox)
    largest = MAX_VALUE if command.max_size is None else min(command.max_size, MAX_VALUE)
    reader = session.service.store.reader
    found = await session.reading(annotations.annotations(reader, session.actor, mailbox, largest))
    found += await _derived(session, mailbox, largest)
    known = {full(one.name, one.private): one for one in found}
    values: dict[str, bytes | None] = {}
    longest = 0
    for entry in command.entries:
        await session.pause()
        # What was asked for by name is told in the client's spelling, and as NIL where it is not there.
        exact = known.get(entry.lower())
        if exact is None and not command.depth:
            values[entry] = None
        chosen = [(entry, exact)] if exact is not None else []
        if command.depth:
            chosen += _below(known, entry.lower(), command.depth)
        for name, one in chosen:
            if one.value is None:
                longest = max(longest, one.size)
            else:
                values[name] = one.value
    await _send(session, command.mailbox, values)
    if longest:
        return responses.ok(command.tag, "Done", codes.metadata_long_entries(longest))
    return done(command.tag)


def _below(known: Mapping[str, Annotation], entry: str, depth: int) -> list[tuple[str, Annotation]]:
    """Entries below one: next to it, or all."""
    above = f"{entry}/"
    return sorted(
        (name, one)
        for name, one in known.items()
        if name.startswith(above) and (depth == INFINITE or "/" not in name[len(above) :])
    )


async def _derived(session: "Session", mailbox: int, largest: int) -> list[Annotation]:
    """What is not kept as an entry."""
    if not mailbox:
        assert session.account is not None
        domain = session.account.address.rpartition("@")[2]
        # RFC 5464 §6.2.1: a URI. The address leads to the administrators (RFC 2142 §7).
        name, private, value = ADMIN, False, f"mailto:postmaster@{domain}".encode()
    elif account_of(mailbox) == session.actor:
        reader = session.service.store.reader
        box = await session.reading(mailboxes.mailbox(reader, mailbox))
        use = None if box is None else ATTRIBUTES.get(box.role or "")
        if use is None:
            return []
        name, private, value = SPECIAL_USE, True, use
    else:
        return []
    return [Annotation(name, private, len(value), value if len(value) <= largest else None)]


async def _send(session: "Session", name: str, values: Mapping[str, bytes | None]) -> None:
    """METADATA, in as many responses as it takes."""
    utf8 = session.engine.utf8
    part: list[tuple[str, bytes | None]] = []
    size = 0
    for entry, value in values.items():
        part.append((entry, value))
        size += len(value or b"")
        if size >= AT_ONCE:
            session.send(account_responses.metadata(name, utf8, part))
            await session.relieve()
            part, size = [], 0
    if part:
        session.send(account_responses.metadata(name, utf8, part))


async def setmetadata(session: "Session", command: SetMetadata) -> bytes:
    """RFC 5464 §4.3: all entries or none."""
    mailbox = await _mailbox(session, command.mailbox)
    entries: list[c.Entry] = []
    role: str | None = None
    for entry, value in command.values:
        name, private = _kept(entry)
        if mailbox and private and name == SPECIAL_USE:
            role = _role(value)
        else:
            entries.append(c.Entry(name=name, private=private, value=value))
    await session.submit(
        c.SetMetadata(actor=session.actor, mailbox=mailbox, entries=tuple(entries), role=role)
    )
    return done(command.tag)


def _role(value: bytes | None) -> str:
    r"""The role that a value such as ``\Sent`` gives; '' for none. Raises ``Refuse``."""
    uses = (value or b"").decode("ascii", "replace").lower().split()
    if not uses:
        return ""
    role = ROLES.get(uses[0])
    if role is None or len(uses) > 1:
        known = ", ".join(use.decode("ascii") for use in ATTRIBUTES.values())
        raise Refuse(f"A mailbox has one of these uses: {known}", codes.CANNOT)
    return role


async def of_listed(session: "Session", boxes: Iterable[Mailbox], asked: tuple[str, ...]) -> Notes:
    """Entries of mailboxes for LIST, in one statement; none where none is asked for."""
    ids = [box.id for box in boxes]
    if not asked or not ids:
        return {}
    reader = session.service.store.reader
    wanted = {_kept(entry)[0] for entry in asked}
    return await session.reading(
        annotations.of_mailboxes(reader, session.actor, ids, sorted(wanted))
    )


async def listed(
    session: "Session", box: Mailbox, asked: Iterable[str], notes: Notes
) -> list[tuple[str, bytes | None]]:
    """The values of one of them, NIL for what it has not (RFC 9590 §3)."""
    there, reader = notes.get(box.id, {}), session.service.store.reader
    values: list[tuple[str, bytes | None]] = []
    for entry in asked:
        name, private = _kept(entry)
        value = there.get((name, private))
        if value is None and (name, private) in there:
            value = await session.reading(
                annotations.value(reader, session.actor, box.id, name, private)
            )
        if private and name == SPECIAL_USE and account_of(box.id) == session.actor:
            value = ATTRIBUTES.get(box.role or "")
        values.append((entry, value))
    return values


HANDLERS: Final = {GetMetadata: getmetadata, SetMetadata: setmetadata}
