"""What an email must be to be in a list: conditions as values, and as SQL over ``email e``.

A condition is hashable, so that a list can be kept under it. Texts of messages are looked through
elsewhere: SQL says of a ``Text`` only that it may be (``where``), and what each condition without one is
(``leaves``), so that whoever has looked can say what the whole is (``holds``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from malleposte.store.dialect import Dialect, any_of
from malleposte.store.flags import SEEN


@dataclass(frozen=True, slots=True)
class InMailbox:
    """It is in a mailbox, and not marked to be deleted there."""

    mailbox: int


@dataclass(frozen=True, slots=True)
class NotOnlyIn:
    """It is in a mailbox that is none of these (RFC 8621 §4.4.1 ``inMailboxOtherThan``)."""

    mailboxes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """It was received before a time, or else then or later."""

    at: int
    before: bool


@dataclass(frozen=True, slots=True)
class Sized:
    """It has so many octets or more, or else fewer."""

    octets: int
    less: bool


@dataclass(frozen=True, slots=True)
class Keyword:
    """It has a flag, by bit, or another keyword (lower case); or so have all or some of its thread."""

    bit: int
    word: str = ""
    of: Literal["email", "all", "some"] = "email"


@dataclass(frozen=True, slots=True)
class Attachment:
    """It has one."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """It is one of these, by number."""

    emails: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A part of the message holds a text: ``where`` as ``from``, ``subject``, ``body``, or ``header`` with
    the ``name`` of a field. ``words``: as whole words next to each other."""

    where: str
    text: str
    name: str = ""
    words: bool = False

    @property
    def field(self) -> str:
        """The header field, lower case, where it is one."""
        return self.name or self.where


@dataclass(frozen=True, slots=True)
class And:
    """All of these; none: everything."""

    of: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these; none: nothing."""

    of: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """None of these."""

    of: tuple["Condition", ...]


Leaf = InMailbox | NotOnlyIn | Received | Sized | Keyword | Attachment | Numbers | Text
Condition = Leaf | And | Or | Not
EVERYTHING: Final = And()


class Parameters:
    """Values of a statement, by the order in which its text names them first."""

    __slots__ = ("values",)

    def __init__(self, *values: Any) -> None:
        self.values = list(values)

    def add(self, value: Any) -> str:
        """The placeholder of a value."""
        self.values.append(value)
        return f"${len(self.values)}"


class Writer:
    """Writes conditions in a dialect, as a reader sees them: ``reader`` 0 is the owner; another one sees
    what is in ``mailboxes`` alone, and has a ``\\Seen`` of its own."""

    __slots__ = ("_dialect", "_mailboxes", "_parameters", "_reader")

    def __init__(
        self,
        dialect: Dialect,
        parameters: Parameters,
        reader: int = 0,
        mailboxes: tuple[int, ...] | None = None,
    ) -> None:
        self._dialect = dialect
        self._parameters = parameters
        self._reader = reader
        self._mailboxes = mailboxes

    def where(self, condition: Condition, *, maybe: bool = True) -> str:
        """The condition; in place of a ``Text`` stands what keeps all that it may be true of."""
        match condition:
            case And(of):
                return self._joined(" AND ", of, maybe, "1 = 1")
            case Or(of):
                return self._joined(" OR ", of, maybe, "1 = 0")
            case Not(of):
                return f"NOT {self._joined(' OR ', of, not maybe, '1 = 0')}"
            case Text():
                return "1 = 1" if maybe else "1 = 0"
            case _:
                return self.leaf(condition)

    def _joined(self, word: str, of: tuple[Condition, ...], maybe: bool, none: str) -> str:
        if not of:
            return f"({none})"
        return f"({word.join(self.where(one, maybe=maybe) for one in of)})"

    def visible(self, table: str = "e") -> str:
        """It is in a mailbox that is there, and not marked to be deleted in it."""
        return (
            "EXISTS (SELECT 1 FROM membership x JOIN mailbox b ON b.id = x.mailbox"
            f" WHERE x.email = {table}.id AND x.deleted = 0{self._seen_in()})"
        )

    def _seen_in(self) -> str:
        if self._mailboxes is None:
            return ""
        return f" AND {self._among('x.mailbox', self._mailboxes)}"

    def leaf(self, condition: Leaf) -> str:
        """A condition that is no other's."""
        add = self._parameters.add
        match condition:
            case InMailbox(mailbox):
                if self._mailboxes is not None and mailbox not in self._mailboxes:
                    return "1 = 0"
                return (
                    "EXISTS (SELECT 1 FROM membership x WHERE x.email = e.id AND x.deleted = 0"
                    f" AND x.mailbox = {add(mailbox)})"
                )
            case NotOnlyIn(mailboxes):
                return (
                    "EXISTS (SELECT 1 FROM membership x WHERE x.email = e.id AND x.deleted = 0"
                    f" AND NOT {self._among('x.mailbox', mailboxes)}{self._seen_in()})"
                )
            case Received(at, before):
                return f"e.received_at {'<' if before else '>='} {add(at)}"
            case Sized(octets, less):
                return f"e.size {'<' if less else '>='} {add(octets)}"
            case Keyword(of="email"):
                return self.has(condition, "e")
            case Keyword(of=which):
                some = which == "some"
                has = self.has(condition, "t")
                # What a reader does not see says nothing of a thread.
                seen = f" AND {self.visible('t')}" if self._mailboxes is not None else ""
                return (
                    f"{'' if some else 'NOT '}EXISTS (SELECT 1 FROM email t WHERE t.thread = e.thread"
                    f" AND t.mailboxes > 0 AND {'' if some else 'NOT '}{has}{seen})"
                )
            case Attachment():
                return "e.attachment = 1"
            case Numbers(emails):
                return self._among("e.id", emails)
            case Text():
                raise ValueError("texts are not looked through in SQL")

    def has(self, condition: Keyword, table: str) -> str:
        """Whether an email has a keyword."""
        add = self._parameters.add
        if condition.bit == SEEN and self._reader:
            return (
                f"(coalesce((SELECT s.seen FROM reader_seen s WHERE s.email = {table}.id"
                f" AND s.reader = {add(self._reader)}), {table}.flags & 1) = 1)"
            )
        if condition.bit:
            return f"({table}.flags & {condition.bit} <> 0)"
        find = "instr" if self._dialect == "sqlite" else "strpos"
        return f"({find}(' ' || coalesce({table}.keywords, '') || ' ', {add(f' {condition.word} ')}) > 0)"

    def _among(self, column: str, numbers: tuple[int, ...]) -> str:
        return among(self._dialect, column, self._parameters.add(list(numbers)))


def among(dialect: Dialect, column: str, placeholder: str) -> str:
    """A column is one of a list, the value of a placeholder."""
    found = any_of(column, int(placeholder[1:]))
    return found.sqlite if dialect == "sqlite" else found.postgres


def leaves(condition: Condition) -> Iterator[Leaf]:
    """All leaves, each time they stand."""
    if isinstance(condition, And | Or | Not):
        for one in condition.of:
            yield from leaves(one)
    else:
        yield condition


def texts(condition: Condition) -> tuple[Text, ...]:
    """Its texts, each once."""
    return tuple(dict.fromkeys(leaf for leaf in leaves(condition) if isinstance(leaf, Text)))


def mailbox_of(condition: Condition) -> int:
    """A mailbox that everything which matches is in; 0: there is none such."""
    match condition:
        case InMailbox(mailbox):
            return mailbox
        case And(of):
            return next((found for one in of if (found := mailbox_of(one))), 0)
        case _:
            return 0


def holds(condition: Condition, known: Mapping[Leaf, bool] | Callable[[Leaf], bool]) -> bool:
    """Whether the whole holds, from what each leaf is."""
    of = known if callable(known) else known.__getitem__
    match condition:
        case And(parts):
            return all(holds(one, of) for one in parts)
        case Or(parts):
            return any(holds(one, of) for one in parts)
        case Not(parts):
            return not any(holds(one, of) for one in parts)
        case _:
            return of(condition)


def truth(condition: Condition, known: Mapping[Leaf, bool]) -> bool | None:
    """Whether the whole holds, as far as what is known of leaves tells; None where it does not."""
    match condition:
        case And(parts):
            found = [truth(one, known) for one in parts]
            return False if False in found else (None if None in found else True)
        case Or(parts):
            found = [truth(one, known) for one in parts]
            return True if True in found else (None if None in found else False)
        case Not(parts):
            found = [truth(one, known) for one in parts]
            return False if True in found else (None if None in found else True)
        case _:
            return known.get(condition)
