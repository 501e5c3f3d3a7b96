"""Filing a copy where its scripts say: in the account's mailboxes, or in others' that it may use.

What cannot be filed there (no such mailbox, no right, no room at somebody else's) is kept in INBOX.
"""

import msgspec

from malleposte.directory.book import Account
from malleposte.sieve import FileInto
from malleposte.store import Store
from malleposte.store.commands import Filing
from malleposte.store.flags import SEEN, split
from malleposte.store.ids import mailbox_id
from malleposte.store.read import usage
from malleposte.store.results import Created

from .chain import Decided
from .copies import Copy
from .matter import Matter
from .places import Place
from .plan import IN
from .surroundings import Surroundings


async def file(
    store: Store,
    matter: Matter,
    copy: Copy,
    account: Account,
    decided: Decided,
    around: Surroundings,
) -> bool:
    """Add the copies that are filed; whether there are any. Raises what the store raises."""
    placed: dict[int, tuple[Place, Filing]] = {}
    inbox = Place(mailbox_id(copy.account, 1), name="INBOX")
    for action in decided.filings:
        place = inbox
        if isinstance(action, FileInto):
            place = await _place(store, matter, copy, action, around) or inbox
        if place.mailbox in placed and action.flags is None:
            continue
        flags, keywords = split(action.flags or ())
        deleted = any(flag.lower() == "\\deleted" for flag in action.flags or ())
        lines, variant = await matter.variants.changed(
            account, tuple(decided.edits[: action.edits])
        )
        filing = msgspec.structs.replace(
            copy.filing,
            account=place.owner,
            mailbox=0 if place == inbox else place.mailbox,
            prefix=copy.filing.prefix + lines,
            flags=flags,
            keywords=tuple(keywords),
            deleted=deleted,
            variant=variant,
        )
        if place.owner != copy.account:
            filing = _allowed(filing, place.letters)
        placed[place.mailbox] = place, filing
    plan = matter.plan
    for place, filing in placed.values():
        if filing.account != copy.account:
            plan.lent[len(plan.filings)] = copy.account
        plan.filings.append(filing)
        if len(placed) > 1 or place != inbox:
            plan.became(copy.account, IN, place.name)
    return bool(placed)


def _allowed(filing: Filing, letters: str) -> Filing:
    r"""Flags need rights of their own (RFC 4314 §4: what is not allowed is left out); ``\Seen`` is of who
    reads it, and nobody there has."""
    return msgspec.structs.replace(
        filing,
        flags=filing.flags & ~SEEN if "w" in letters else 0,
        keywords=filing.keywords if "w" in letters else (),
        deleted=filing.deleted and "t" in letters,
        exempt=False,
    )


async def _place(
    store: Store, matter: Matter, copy: Copy, action: FileInto, around: Surroundings
) -> Place | None:
    """The mailbox of an action, None where the message cannot get there."""
    name = action.mailbox
    found = await around.places.find(name, action.special_use, action.mailbox_id)
    why = f"there is no mailbox {name!r}, or none that it may put messages into"
    if found is None and action.create:
        answer = await store.submit(await around.places.to_make(name, action.special_use))
        why = f"{name!r} could not be made"
        if isinstance(answer, Created):
            found = await around.places.by_name(name)
        else:
            # Somebody was faster, or it cannot be.
            found = await around.places.find(name, action.special_use, action.mailbox_id)
    if found is not None and found.owner != copy.account:
        used, allowed = await usage.octets(store.reader, found.owner)
        if allowed and used + len(matter.arrival.buffer) + len(copy.filing.prefix) > allowed:
            why, found = f"{found.name!r} is full", None
    if found is None:
        matter.plan.notes.append(f"{copy.address}: {why}")
    return found
