"""SEARCH and UID SEARCH: which messages, told how (RFC 9051 §6.4.4; RFC 4731, 5182, 7162 §3.1.5, 9394).

What SORT shares with it stands here: finding the messages, and answering with ESEARCH and `$`.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd.replies import Refuse, done
from malleposte.services.imapd.search_program import CHUNK, Evaluation, Positions, content_keys
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.search import Search, SearchReturn
from malleposte.wire.imap.commands.search_keys import (
    SearchKey,
    Unreadable,
    longest_text,
    uses_mod_sequence,
)
from malleposte.wire.imap.commands.sort import Sort
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


CONTENT_KEYS: Final = 100
"""Keys that read messages: each costs some 50 us a message. People search for one or two."""

TEXT_CHARACTERS: Final = 1_000
"""Of one text that is searched for. A line of a header has at most 998 octets (RFC 5322 §2.1.1); nobody
types more, and making it comparable must not hold the loop."""

_ALL: Final = frozenset({SearchReturn.ALL})
_WHOLE: Final = frozenset({SearchReturn.ALL, SearchReturn.COUNT})
"""Options with which ``$`` stands for all that was found, whatever else was asked for."""


async def search(session: "Session", command: Search) -> bytes:
    """RFC 9051 §6.4.4."""
    with Saving(session, command):
        evaluation, hits = await find(session, command.tag, command.key)
        if command.returns is None and not session.engine.rev2:
            await plain(session, b"SEARCH", command, evaluation, hits)
        else:
            await extended(session, command, evaluation, hits)
    return searched(session, command.tag)


def searched(session: "Session", tag: bytes) -> bytes:
    """The tagged response of commands that search.

    A message that is gone and that the client still counts matches nothing: whoever wonders learns
    why (RFC 5530 §3 EXPUNGEISSUED).
    """
    if session.mailbox.ghosts:
        return responses.ok(tag, "Done, as far as messages are there", codes.EXPUNGEISSUED)
    return done(tag)


async def find(session: "Session", tag: bytes, key: SearchKey) -> tuple[Evaluation, Positions]:
    """The messages that a program matches. Raises ``Refuse``."""
    if isinstance(key, Unreadable):
        raise Refuse(key.words, codes.BADCHARSET)
    if content_keys(key) > CONTENT_KEYS:
        raise Refuse(f"A search takes at most {CONTENT_KEYS} texts of messages", codes.LIMIT)
    if longest_text(key) > TEXT_CHARACTERS:
        words = f"A text to search for has at most {TEXT_CHARACTERS} characters"
        raise Refuse(words, codes.LIMIT)
    if uses_mod_sequence(key):
        session.enable_condstore()
    evaluation = Evaluation(session, tag)
    return evaluation, await evaluation.run(key, range(len(evaluation)))


class Saving:
    """Keeps the rule of RFC 5182 §2.1 around a command: with SAVE, what ends in NO leaves ``$`` empty;
    what ends in BAD, and what saves nothing, leaves it alone."""

    __slots__ = ("_saves", "_selected")

    def __init__(self, session: "Session", command: Search | Sort) -> None:
        self._selected = session.mailbox
        self._saves = command.returns is not None and SearchReturn.SAVE in command.returns

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if error is not None and self._saves and not (isinstance(error, Refuse) and error.bad):
            self._selected.saved = NumberSet()


async def send(session: "Session", pieces: Iterable[bytes]) -> None:
    """Send a response that may be long, piece by piece; nothing else comes between."""
    for piece in pieces:
        session.send(piece)
        await session.relieve()


async def plain(
    session: "Session",
    word: bytes,
    command: Search | Sort,
    evaluation: Evaluation,
    hits: Sequence[int],
) -> None:
    """SEARCH or SORT with the numbers of the hits, in their order."""
    numbers = await evaluation.numbers(hits, uid=command.uid)
    modseq = None
    if hits and uses_mod_sequence(command.key):
        modseq = await evaluation.highest_modseq(hits)
    await send(session, responses.numbers_pieces(word, numbers, modseq))


async def extended(
    session: "Session", command: Search | Sort, evaluation: Evaluation, hits: Sequence[int]
) -> None:
    """ESEARCH (RFC 9051 §7.3.4) and what it saves; ``hits`` in the order of the result."""
    wanted = command.returns or _ALL
    ends: list[int] = []
    minimum = maximum = count = modseq = None
    all_: Sequence[int] | None = None
    page = None
    if hits and SearchReturn.MIN in wanted:
        ends.append(hits[0])
        minimum = evaluation.number(hits[0], uid=command.uid)
    if hits and SearchReturn.MAX in wanted:
        ends.append(hits[-1])
        maximum = evaluation.number(hits[-1], uid=command.uid)
    if SearchReturn.COUNT in wanted:
        count = len(hits)
    if SearchReturn.ALL in wanted:
        all_ = await evaluation.numbers(hits, uid=command.uid)
    if command.page is not None:
        start, stop = command.page.cut(len(hits))
        shown = hits[start:stop]
        ends.extend(shown)
        page = command.page, await evaluation.numbers(shown, uid=command.uid)
    # RFC 4731 §3.2, RFC 5182 §2.4, RFC 9394 §3.2: of the messages that are named.
    named = hits if wanted & _WHOLE or not ends else ends
    if uses_mod_sequence(command.key) and named:
        modseq = await evaluation.highest_modseq(named)
    if SearchReturn.SAVE in wanted:
        whole = wanted & _WHOLE or wanted == {SearchReturn.SAVE}
        session.mailbox.saved = await _saved(evaluation, hits if whole else ends)
    if wanted != {SearchReturn.SAVE}:
        found = responses.Found(minimum, maximum, count, all_, page, modseq)
        await send(session, responses.esearch_pieces(command.tag, command.uid, found))


async def _saved(evaluation: Evaluation, hits: Sequence[int]) -> NumberSet:
    """What ``$`` stands for from now on: the UIDs of these."""
    if isinstance(hits, range):
        return NumberSet.from_sorted(evaluation.uids[hits.start : hits.stop])
    marks = bytearray(len(evaluation))
    for start in range(0, len(hits), CHUNK):
        for at in hits[start : start + CHUNK]:
            marks[at] = 1
        await evaluation.pause()
    return NumberSet.from_sorted(array("I", compress(evaluation.uids, marks)))


HANDLERS: Final = {Search: search}
