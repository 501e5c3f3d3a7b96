"""The search program as a tree (RFC 9051 §6.4.4), in a normal form for whoever evaluates it.

UNSEEN is `Not(HasFlag(\\Seen))`, NEW is recent and unseen, FROM is a header: few kinds of node
stand for the many words of the grammar. A tree is at most `Limits.search_depth` deep. Texts are
decoded; how they are compared (case, substring) is the evaluator's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.sets import MessageSet


class SearchKey:
    """A node of the tree."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Everything(SearchKey):
    """ALL."""


@dataclass(frozen=True, slots=True)
class And(SearchKey):
    """All of `keys`, of which there are two or more."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Or(SearchKey):
    """Any of `keys`, of which there are two or more: `OR a OR b c` is one node of three."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Not(SearchKey):
    key: SearchKey


@dataclass(frozen=True, slots=True)
class Numbers(SearchKey):
    """Sequence numbers, or `$`."""

    messages: MessageSet


@dataclass(frozen=True, slots=True)
class Uids(SearchKey):
    messages: MessageSet


@dataclass(frozen=True, slots=True)
class HasFlag(SearchKey):
    """A system flag or keyword; compare by `flags.fold`."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class IsRecent(SearchKey):
    """RECENT of RFC 3501; a server without it matches nothing."""


class When(Enum):
    """How a day is compared, without time and zone (§6.4.4 BEFORE)."""

    BEFORE = b"BEFORE"
    ON = b"ON"
    SINCE = b"SINCE"


@dataclass(frozen=True, slots=True)
class InternalDate(SearchKey):
    when: When
    day: date


@dataclass(frozen=True, slots=True)
class SentDate(SearchKey):
    """By the Date header."""

    when: When
    day: date


@dataclass(frozen=True, slots=True)
class SavedDate(SearchKey):
    """RFC 8514 §4.2."""

    when: When
    day: date


@dataclass(frozen=True, slots=True)
class SaveDateSupported(SearchKey):
    """RFC 8514 §4.2."""


@dataclass(frozen=True, slots=True)
class Larger(SearchKey):
    octets: int


@dataclass(frozen=True, slots=True)
class Smaller(SearchKey):
    octets: int


@dataclass(frozen=True, slots=True)
class Older(SearchKey):
    """Received `seconds` ago or longer (RFC 5032 §3)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Younger(SearchKey):
    """Received `seconds` ago or less (RFC 5032 §3)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Header(SearchKey):
    """HEADER, and FROM, TO, CC, BCC, SUBJECT. `name` in lower case; an empty `text` asks whether
    the header is there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class BodyText(SearchKey):
    """BODY."""

    text: str


@dataclass(frozen=True, slots=True)
class AnyText(SearchKey):
    """TEXT: header or body."""

    text: str


@dataclass(frozen=True, slots=True)
class ModSeq(SearchKey):
    """RFC 7162 §3.1.5: changed at `modseq` or later. `entry` is the flag asked for (`\\Seen`),
    where the client named one; a server with one modseq a message may ignore it."""

    modseq: int
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class EmailId(SearchKey):
    """RFC 8474 §6."""

    object_id: str


@dataclass(frozen=True, slots=True)
class ThreadId(SearchKey):
    """RFC 8474 §6."""

    object_id: str


@dataclass(frozen=True, slots=True)
class Unreadable(SearchKey):
    """In place of a whole program: its texts are in a charset that is not known, or are not valid
    in it. The command is to be answered NO [BADCHARSET] with `words`; that is left to the service,
    since the answer also decides what `$` is (RFC 5182 §2.1)."""

    words: str


def uses_mod_sequence(key: SearchKey) -> bool:
    """Whether MODSEQ stands anywhere in the tree: the answer then carries the highest
    mod-sequence (RFC 7162 §3.1.5)."""
    return any(isinstance(leaf, ModSeq) for leaf in _leaves(key))


def longest_text(key: SearchKey) -> int:
    """The length of the longest text that stands in the tree."""
    texts = (x.text for x in _leaves(key) if isinstance(x, Header | BodyText | AnyText))
    return max(map(len, texts), default=0)


def _leaves(key: SearchKey) -> Iterator[SearchKey]:
    """Nodes that hold no other."""
    waiting = [key]
    while waiting:
        node = waiting.pop()
        if isinstance(node, And | Or):
            waiting.extend(node.keys)
        elif isinstance(node, Not):
            waiting.append(node.key)
        else:
            yield node
