"""Keywords an account uses beyond the well-known flags: each named once, with how it was first written."""

import re
from collections.abc import Iterable

from malleposte.store.flags import (
    BITS,
    MAX_KEYWORD_LENGTH,
    MAX_KEYWORDS_ACCOUNT,
    MAX_KEYWORDS_EMAIL,
)
from malleposte.store.work import Head, Work

_KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+").fullmatch
"""What IMAP and JMAP can both write (RFC 9051 §9 flag-keyword, RFC 8621 §4.1.1): an atom, no space."""


async def admit_keywords(
    work: Work, head: Head, names: Iterable[str], *, most: int = MAX_KEYWORDS_EMAIL
) -> tuple[str, ...]:
    """Lower-case keywords a new email may carry, remembered for the account; at most ``most``.

    What is too long, too many, no atom, or a flag of another kind is left out: mail that comes with a
    thousand keywords keeps those that fit (RFC 9051 §7.1 PERMANENTFLAGS lets a server do so).
    """
    shown, _ = _fitting(names, most)
    new, room = await _places(work, head, shown)
    for low in new[room:]:
        del shown[low]
    await _remember(work, head, {low: shown[low] for low in new[:room]})
    return tuple(shown)


async def admit_all_keywords(
    work: Work, head: Head, names: Iterable[str]
) -> tuple[str, ...] | None:
    """``admit_keywords`` of all or of none: None, with nothing changed, where one has no place."""
    shown, unfit = _fitting(names, MAX_KEYWORDS_EMAIL)
    if unfit:
        return None
    new, room = await _places(work, head, shown)
    if len(new) > room:
        return None
    await _remember(work, head, {low: shown[low] for low in new})
    return tuple(shown)


def _fitting(names: Iterable[str], most: int) -> tuple[dict[str, str], bool]:
    """Keywords by their lower-case names, at most ``most``; whether one did not fit."""
    shown: dict[str, str] = {}
    unfit = False
    for name in names:
        low = name.lower()
        if low in BITS:
            continue
        if len(name) > MAX_KEYWORD_LENGTH or not _KEYWORD(name):
            unfit = True
        elif low in shown or len(shown) < most:
            shown.setdefault(low, name)
        else:
            unfit = True
    return shown, unfit


async def _places(work: Work, head: Head, shown: dict[str, str]) -> tuple[list[str], int]:
    """Which keywords are new to the account, and how many new ones it has room for."""
    if not shown:
        return [], 0
    rows = await work.tx.rows("SELECT name FROM keyword WHERE account = $1", head.account)
    known = {row[0] for row in rows}
    return [low for low in shown if low not in known], max(0, MAX_KEYWORDS_ACCOUNT - len(known))


async def _remember(work: Work, head: Head, new: dict[str, str]) -> None:
    if new:
        modseq = head.bump()
        for low, name in new.items():
            await work.tx.run(
                "INSERT INTO keyword (account, name, shown, modseq) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                head.account,
                low,
                name,
                modseq,
            )
