"""``SetRights``: who may do what in a mailbox from now on (RFC 4314 §3.1)."""

from malleposte.store.commands import SetRights
from malleposte.store.execute import notifying, parting, readers_names
from malleposte.store.execute.listed_names import SEPARATOR, path_of
from malleposte.store.execute.rights import MAX_GRANTS, SET, no_room, opened
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read.rights import ALL, ANYONE, grants, ordered
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_TAKE = "DELETE FROM mailbox_right WHERE mailbox = $1 AND grantee = $2"
_ORGANISATION = "SELECT organisation FROM account WHERE id = $1 AND status <> 'deleted'"


async def set_rights(work: Work, command: SetRights) -> Done | Refused:
    """Execute ``SetRights``."""
    mailbox, grantee = command.mailbox, command.grantee
    owner = account_of(mailbox)
    place = await opened(work, command.actor, mailbox, "a")
    if isinstance(place, Refused):
        return place
    head, row, _ = place
    if grantee == owner:
        return Done()
    listed = await grants(work.tx, mailbox)
    own = listed.mailbox == mailbox
    known = {grant.grantee: grant.letters for grant in listed.entries}
    before = known.get(grantee, "")
    after = _changed(before, command)
    work.remarks.update(before=before, after=after)
    if after == before:
        return Done()
    if after and grantee != ANYONE:
        account = await work.tx.row(_ORGANISATION, grantee)
        if account is None or account[0] != head.organisation:
            return Refused(
                reason="no-such-account", text="there is nobody of this name to share with"
            )
    if after and grantee not in known and len(known) >= MAX_GRANTS:
        return Refused(
            reason="limit", text=f"a mailbox is shared with at most {MAX_GRANTS} accounts"
        )
    rows = [(mailbox, grantee, after)] if after else []
    if not own:
        # From now on it has a list of its own, which begins as the one it had from above.
        rows += [(mailbox, other, text) for other, text in known.items() if other != grantee]
    refused = await no_room(work, owner, len(rows) - (own and grantee in known))
    if refused is not None:
        return refused
    if not own:
        rows.append((mailbox, owner, ALL))
    await _subscriptions(work, command, known, after)
    if rows:
        await work.tx.many(SET, rows)
    if own and not after:
        await work.tx.run(_TAKE, mailbox, grantee)
    modseq = head.bump()
    row.modseq = modseq
    row.dirty = True
    if grantee != ANYONE:
        await notifying.notify(
            work, grantee, command.actor, mailbox, name=row.name, had=before, has=after
        )
    if ("w" in before) != ("w" in after):
        await parting.begin(work, mailbox, modseq)
    return Done(modseq=modseq)


async def _subscriptions(work: Work, command: SetRights, known: dict[int, str], after: str) -> None:
    """Who is named and sees a mailbox from now on is subscribed to it, for many programs show nothing else;
    what was brought so goes with the right. ``known``: the letters of each grantee until now."""
    mailbox, grantee = command.mailbox, command.grantee
    everyone = "l" in known.get(ANYONE, "")
    saw, sees = "l" in known.get(grantee, ""), "l" in after
    if saw and not sees and (grantee == ANYONE or not everyone):
        seeing = {who for who, text in known.items() if "l" in text and who != grantee}
        await readers_names.withdraw(work, mailbox, seeing)
    elif sees and not (saw or everyone) and grantee != ANYONE and command.owner_shown:
        name = command.owner_shown
        if mailbox != mailbox_id(account_of(mailbox), 1):  # INBOX stands under the owner's name
            name += SEPARATOR + await path_of(work, mailbox)
        await readers_names.bring(work, grantee, name, mailbox)


def _changed(before: str, command: SetRights) -> str:
    """A grantee's letters after the command (RFC 4314 §3.1)."""
    match command.mode:
        case "=":
            return ordered(command.letters)
        case "+":
            return ordered(before + command.letters)
        case "-":
            return "".join(letter for letter in before if letter not in command.letters)
    raise ValueError(f"no such way to set rights: {command.mode!r}")
