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
    """Lower-case keywords an email may carry, remembered for the account; at most ``most``.

    What is too long, too many, no atom, or a flag of another kind is left out: a client that offers a
    thousand keywords gets those that fit (RFC 9051 §7.1 PERMANENTFLAGS lets a server do so).
    """
    shown: dict[str, str] = {}
    for name in names:
        low = name.lower()
        if len(name) > MAX_KEYWORD_LENGTH or low in BITS or not _KEYWORD(name):
            continue
        if len(shown) < most:
            shown.setdefault(low, name)
    if not shown:
        return ()
    known = {
        row[0]
        for row in await work.tx.rows("SELECT name FROM keyword WHERE account = $1", head.account)
    }
    new = [low for low in shown if low not in known]
    if new:
        room = max(0, MAX_KEYWORDS_ACCOUNT - len(known))
        for low in new[room:]:
            del shown[low]
        modseq = head.bump()
        for low in new[:room]:
            await work.tx.run(
                "INSERT INTO keyword (account, name, shown, modseq) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                head.account,
                low,
                shown[low],
                modseq,
            )
    return tuple(shown)
