"""A message as it came, and what becomes of it: plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from malleposte.delivery.verdict import FILED, Verdict
from malleposte.store.commands import AddJob, Deliver, Enclosed, Filing, Forward, Remember


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came.

    ``structure``: its parts, as ``mime.load_structure`` takes them; ``line``: Received; ``each``: every
    recipient is answered (LMTP); ``account``: who sent it, if he signed in; ``number``: of its trace;
    ``leaves``: other servers get it too; ``ret`` and ``envelope``: RET and ENVID (RFC 3461).
    """

    sender: str
    buffer: bytes | memoryview
    structure: bytes
    header_size: int
    line: bytes
    each: bool
    account: int
    number: int
    now: float
    leaves: bool = False
    ret: str = ""
    envelope: str = ""


FATES: Final = 1_000
"""Accounts of which a trace keeps what scripts did."""
OF_ONE: Final = 20
WHERE: Final = 300
"""Characters of a mailbox or an address."""

IN: Final = "filed"
ON: Final = "sent on"
GONE: Final = "discarded"
NOT_TAKEN: Final = "rejected"


class Fate(NamedTuple):
    """What a script did with a copy: ``filed`` in a mailbox, ``sent on`` to an address, ``discarded``, or
    ``rejected``, of which its sender hears by mail."""

    what: str
    where: str = ""


@dataclass(slots=True)
class Plan:
    """What becomes of it.

    ``filings``: in place of those there were. ``refused``: verdicts of accounts whose script rejects it.
    ``reached``: of an account that has no filing and took it all the same, the accounts that it was sent on
    to. ``lent``: of filings (by their place) into mailboxes of other accounts, whose copy each is.
    ``fates`` and ``notes`` are for the trace.
    """

    filings: list[Filing] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    variants: tuple[Enclosed, ...] = ()
    remembered: list[Remember] = field(default_factory=list)
    jobs: list[AddJob] = field(default_factory=list)
    refused: dict[int, Verdict] = field(default_factory=dict)
    reached: dict[int, tuple[int, ...]] = field(default_factory=dict)
    lent: dict[int, int] = field(default_factory=dict)
    fates: dict[int, list[Fate]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def became(self, account: int, what: str, where: str = "") -> None:
        """Say what scripts did with an account's copy."""
        self.fates.setdefault(account, []).append(Fate(what, where))

    def told(self) -> dict[int, list[tuple[str, str]]]:
        """``fates`` as the trace keeps them."""
        some = islice(self.fates.items(), FATES)
        return {
            account: [(one.what, one.where[:WHERE]) for one in fates[:OF_ONE]]
            for account, fates in some
        }

    @property
    def all_refused(self) -> bool:
        """Whether there is nothing to do but to say so."""
        rest = self.filings or self.forwards or self.remembered or self.jobs or self.reached
        return bool(self.refused) and not rest

    def applied(self, command: Deliver) -> Deliver:
        """The delivery with this in it. Variants of the command keep their numbers."""
        before = len(command.variants)
        replace = msgspec.structs.replace
        return replace(
            command,
            filings=tuple(
                replace(one, variant=one.variant + before) if one.variant else one
                for one in self.filings
            ),
            forwards=command.forwards
            + tuple(
                replace(one, variant=one.variant + before) if one.variant else one
                for one in self.forwards
            ),
            variants=command.variants + self.variants,
            remembered=command.remembered + tuple(self.remembered),
            jobs=command.jobs + tuple(self.jobs),
        )

    def verdicts(self, filed: Iterable[tuple[int, Verdict]]) -> dict[int, Verdict]:
        """What became of the accounts' copies, from what became of each filing, in their order: good where
        one of them is, or one that it was sent on to."""
        found = dict(self.refused)
        for at, (account, verdict) in enumerate(filed):
            account = self.lent.get(at, account)
            known = found.get(account)
            if known is None or (verdict.good and not known.good):
                found[account] = verdict
        for account in self.reached:
            found.setdefault(account, self._far_end(account, found))
        return found

    def _far_end(self, account: int, found: Mapping[int, Verdict]) -> Verdict:
        seen: set[int] = set()
        waiting = [account]
        bad = FILED
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            verdict = found.get(at)
            if verdict is None:
                if not self.reached.get(at):
                    return FILED
                waiting += self.reached[at]
            elif verdict.good:
                return verdict
            else:
                bad = verdict
        return bad

    def settled(self, account: int) -> bool:
        """Whether somebody has what came for an account: not where it is only handed round in a circle."""
        seen: set[int] = set()
        waiting = [account]
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            onward = self.reached.get(at, ())
            if not onward:
                return True
            waiting += onward
        return False
