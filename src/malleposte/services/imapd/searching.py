"""SEARCH and UID SEARCH: which messages, told how (RFC 9051 §6.4.4; RFC 4731, RFC 7162 §3.1.5)."""

from array import array
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd.replies import Refuse, done
from malleposte.services.imapd.search_program import Evaluation, content_keys
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.search import Search, SearchReturn
from malleposte.wire.imap.commands.search_keys import uses_mod_sequence
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


CONTENT_KEYS: Final = 100
"""Keys that read messages: each costs some 50 us a message. People search for one or two."""


async def search(session: "Session", command: Search) -> bytes:
    """RFC 9051 §6.4.4."""
    selected = session.mailbox
    returns = command.returns
    saves = returns is not None and SearchReturn.SAVE in returns
    with_modseq = uses_mod_sequence(command.key)
    if with_modseq:
        session.enable_condstore()
    if content_keys(command.key) > CONTENT_KEYS:
        raise Refuse(f"A search takes at most {CONTENT_KEYS} texts of messages", codes.LIMIT)
    evaluation = Evaluation(session)
    if saves:
        # A search that fails leaves nothing behind (§6.4.4.1); `$` in the key is the one before.
        selected.saved = NumberSet()
    hits = await evaluation.run(command.key, range(len(evaluation)))
    uids = array("I", [evaluation.uids[at] for at in hits])
    # Numbers as the client counts now: it was told of no EXPUNGE meanwhile.
    numbers = uids if command.uid else array("I", selected.seqs(uids))
    modseqs = [evaluation.modseqs[at] for at in hits] if with_modseq and hits else []
    if returns is None and not session.engine.rev2:
        session.send(responses.search(numbers, max(modseqs) if modseqs else None))
        return done(command.tag)
    wanted = returns or frozenset({SearchReturn.ALL})
    if saves:
        selected.saved = _saved(wanted, uids)
    if wanted != {SearchReturn.SAVE}:
        _send_extended(session, command, wanted, numbers, modseqs)
    return done(command.tag)


def _saved(wanted: frozenset[SearchReturn], uids: "array[int]") -> NumberSet:
    """What ``$`` stands for from now on: all, unless only the ends were asked for (§6.4.4.1)."""
    ends = wanted & {SearchReturn.MIN, SearchReturn.MAX}
    if ends and not wanted & {SearchReturn.ALL, SearchReturn.COUNT} and uids:
        kept = {uids[0]} if SearchReturn.MIN in ends else set()
        if SearchReturn.MAX in ends:
            kept.add(uids[-1])
        return NumberSet.from_sorted(sorted(kept))
    return NumberSet.from_sorted(uids)


def _send_extended(
    session: "Session",
    command: Search,
    wanted: frozenset[SearchReturn],
    numbers: "array[int]",
    modseqs: list[int],
) -> None:
    """ESEARCH (RFC 9051 §7.3.4)."""
    first = numbers[0] if numbers and SearchReturn.MIN in wanted else None
    last = numbers[-1] if numbers and SearchReturn.MAX in wanted else None
    modseq = None
    if modseqs:
        if wanted & {SearchReturn.ALL, SearchReturn.COUNT}:
            modseq = max(modseqs)
        else:
            # RFC 4731 §3.2: of the messages that are named.
            modseq = max(
                modseqs[0] if first is not None else 0, modseqs[-1] if last is not None else 0
            )
    session.send(
        responses.esearch(
            command.tag,
            command.uid,
            minimum=first,
            maximum=last,
            count=len(numbers) if SearchReturn.COUNT in wanted else None,
            all_=numbers if SearchReturn.ALL in wanted else None,
            modseq=modseq,
        )
    )


HANDLERS: Final = {Search: search}
