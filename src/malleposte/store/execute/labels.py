"""Labels: what a keyword is shown as."""

from typing import Final

from malleposte.store.commands.labels import MAX_LABELS, MAX_TITLE, DropLabel, PutLabel
from malleposte.store.flags import MAX_KEYWORDS_ACCOUNT
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_NONE: Final = Refused(reason="no-such-label", text="there is no such label")


async def put_label(work: Work, command: PutLabel) -> Done | Refused:
    """Execute ``PutLabel``."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    if not command.title or len(command.title) > MAX_TITLE:
        return Refused(reason="bad-name", text=f"a label has a name of 1 to {MAX_TITLE} characters")
    rows = await work.tx.rows("SELECT name, title FROM keyword WHERE account = $1", head.account)
    titles: dict[str, str] = dict(rows)
    known = titles.get(command.keyword)
    if not command.new and not known:
        return _NONE
    if command.new and known:
        return Refused(reason="exists", text="there is such a label already")
    if any(
        title.casefold() == command.title.casefold()
        for name, title in titles.items()
        if name != command.keyword
    ):
        return Refused(reason="exists", text="there is a label of that name already")
    full = sum(map(bool, titles.values())) >= MAX_LABELS
    if command.new and (full or (known is None and len(titles) >= MAX_KEYWORDS_ACCOUNT)):
        return Refused(reason="limit", text=f"an account has at most {MAX_LABELS} labels")
    modseq = head.bump()
    await work.tx.run(
        "INSERT INTO keyword (account, name, shown, title, colour, sort_order, modseq)"
        " VALUES ($1, $2, $2, $3, $4, $5, $6) ON CONFLICT (account, name) DO UPDATE SET"
        " title = excluded.title, colour = excluded.colour, sort_order = excluded.sort_order,"
        " modseq = excluded.modseq",
        head.account,
        command.keyword,
        command.title,
        command.colour,
        command.sort_order,
        modseq,
    )
    return Done(modseq=modseq)


async def drop_label(work: Work, command: DropLabel) -> Done | Refused:
    """Execute ``DropLabel``."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    row = await work.tx.row(
        "SELECT title FROM keyword WHERE account = $1 AND name = $2", head.account, command.keyword
    )
    if row is None or not row[0]:
        return _NONE
    modseq = head.bump()
    await work.tx.run(
        "UPDATE keyword SET title = '', colour = '', sort_order = 0, modseq = $1"
        " WHERE account = $2 AND name = $3",
        modseq,
        head.account,
        command.keyword,
    )
    return Done(modseq=modseq)
