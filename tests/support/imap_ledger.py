"""What several clients of one account were answered, so that nothing acknowledged is lost unseen.

Every change is noted before it is sent and again when it was answered OK. A message that somebody tried
to remove may be gone; one whose keyword was being changed when the connection broke may have it or not.
"""

from collections import Counter
from dataclasses import dataclass, field

Place = tuple[str, int]
"""A mailbox and a UID in it."""
Found = dict[Place, tuple[frozenset[bytes], bytes]]
"""What is there: flags and Message-ID."""


@dataclass(slots=True)
class Ledger:
    """Of one account; shared by its clients."""

    sent: set[bytes] = field(default_factory=set)
    """Message-IDs of all APPENDs, answered or not."""
    there: dict[Place, bytes | None] = field(default_factory=dict)
    """Where an APPEND, COPY or MOVE was answered to have put a message; its Message-ID if known."""
    doomed: set[Place] = field(default_factory=set)
    r"""What somebody tried to remove, or to mark \Deleted: anybody's EXPUNGE may have taken it."""
    gone: set[Place] = field(default_factory=set)
    """What was answered to be gone."""
    copied: set[Place] = field(default_factory=set)
    """What somebody tried to copy or move: its keywords may be set in the other place as well."""
    keywords: dict[tuple[Place, bytes], bool | None] = field(default_factory=dict)
    """A client's own keyword on a message; None: in doubt."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    named: dict[Place, bytes] = field(default_factory=dict)
    """What a UID ever named."""

    def put(self, place: Place, identity: bytes | None) -> None:
        """A message was answered to be in a place."""
        assert self.there.setdefault(place, identity) == identity, f"{place} was given twice"

    def alone(self) -> set[Place]:
        """Messages that no other mailbox ever showed: appended there, and never copied or moved."""
        appended = {place for place, identity in self.there.items() if identity is not None}
        return appended - self.copied

    def check(self, found: Found) -> None:
        """Hold what is there against what was answered."""
        for place, identity in self.there.items():
            if place in self.gone:
                continue
            assert place in found or place in self.doomed, f"{place} was acknowledged and is lost"
            if identity is not None and place in found:
                assert found[place][1] == identity, f"{place} holds another message"
        back = self.gone & found.keys()
        assert not back, f"acknowledged as removed, and there: {back}"
        for place, (_, identity) in found.items():
            assert identity in self.sent, f"nobody sent {identity!r}"
            known = self.named.setdefault(place, identity)
            assert known == identity, f"{place} names another message now"
        alone = self.alone()
        for (place, keyword), wanted in self.keywords.items():
            # Of what was copied the keyword may have been set in the other place.
            if wanted is not None and place in alone and place in found:
                assert (keyword in found[place][0]) is wanted, (
                    place,
                    keyword,
                    wanted,
                    found[place],
                )
        count = Counter(identity for _, identity in found.values())
        for place, identity in self.there.items():
            if identity is not None and place not in self.copied:
                assert count[identity] <= 1, f"{identity!r} was filed twice"
