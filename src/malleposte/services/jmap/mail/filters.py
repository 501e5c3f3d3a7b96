"""Filters and comparators of Email/query (RFC 8621 §4.4.1, §4.4.2), to the store's conditions."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from malleposte.search.phrases import terms
from malleposte.services.jmap.arguments import Comparator
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import keywords
from malleposte.services.jmap.times import seconds_of
from malleposte.store import matching as m
from malleposte.store.ids import MAILBOX_LETTER, id_number
from malleposte.store.queries import By, Value

MOST: Final = 200
"""Conditions of a filter; a person's have ten."""
MOST_LEAVES: Final = 1_000
"""The same with every place in which a word is looked for."""
DEPTH: Final = 20
TEXT: Final = 1_000
"""Characters of one text that is looked for."""
TERMS: Final = 50
"""Words and phrases that are looked for; making them comparable takes up to 3 ms each."""
COLLATIONS: Final = frozenset(("i;ascii-casemap", "i;unicode-casemap"))


class _Wrong(Exception):
    pass


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("a text is wanted")
    if len(value) > TEXT:
        raise _Wrong(f"a text has at most {TEXT} characters")
    return value


def _mailbox(value: Any) -> int:
    # An id that no mailbox has is one in which nothing is.
    return id_number(MAILBOX_LETTER, _text(value)) or -1


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise _Wrong("a whole number is wanted")
    return value


def _time(value: Any) -> int:
    try:
        return seconds_of(_text(value))
    except ValueError as error:
        raise _Wrong(str(error)) from None


def _keyword(value: Any, of: Literal["email", "all", "some"] = "email") -> m.Keyword:
    try:
        found = keywords.parsed(_text(value))
    except ValueError as error:
        raise _Wrong(str(error)) from None
    return m.Keyword(found.bit, found.word, of)


def _other_than(value: Any) -> m.Condition:
    if not isinstance(value, list) or len(value) > 1_000:
        raise _Wrong("a list of mailbox ids is wanted")
    return m.NotOnlyIn(tuple(sorted(map(_mailbox, value))))


def _attachment(value: Any) -> m.Condition:
    if not isinstance(value, bool):
        raise _Wrong("true or false is wanted")
    return m.Attachment() if value else m.Not((m.Attachment(),))


def _header(value: Any) -> m.Condition:
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise _Wrong("a list of a field's name and perhaps a text is wanted")
    name = _text(value[0]).lower()
    if len(value) == 1 or not value[1]:
        return m.Text("header", "", name)  # it is there
    return _all_in(("header",), _text(value[1]), name)


ANYWHERE: Final = ("subject", "from", "to", "cc", "bcc", "file", "body")
"""Where ``text`` looks, the quickest to look through first."""


def _all_in(where: tuple[str, ...], text: str, name: str = "") -> m.Condition:
    """Each word and phrase of a text is in one of these places (RFC 8621 §4.4.1)."""
    found = [
        m.Or(tuple(m.Text(place, term.text, name, term.words) for place in where))
        for term in terms(text)
    ]
    parts = tuple(one.of[0] if len(one.of) == 1 else one for one in found)
    return parts[0] if len(parts) == 1 else m.And(parts)


def _in(*where: str) -> Callable[[Any], m.Condition]:
    return lambda value: _all_in(where, _text(value))


_CONDITIONS: Final[Mapping[str, Callable[[Any], m.Condition]]] = {
    "inMailbox": lambda value: m.InMailbox(_mailbox(value)),
    "inMailboxOtherThan": _other_than,
    "before": lambda value: m.Received(_time(value), before=True),
    "after": lambda value: m.Received(_time(value), before=False),
    "minSize": lambda value: m.Sized(_number(value), less=False),
    "maxSize": lambda value: m.Sized(_number(value), less=True),
    "allInThreadHaveKeyword": lambda value: _keyword(value, "all"),
    "someInThreadHaveKeyword": lambda value: _keyword(value, "some"),
    "noneInThreadHaveKeyword": lambda value: m.Not((_keyword(value, "some"),)),
    "hasKeyword": _keyword,
    "notKeyword": lambda value: m.Not((_keyword(value),)),
    "hasAttachment": _attachment,
    "text": _in(*ANYWHERE),
    "from": _in("from"),
    "to": _in("to"),
    "cc": _in("cc"),
    "bcc": _in("bcc"),
    "subject": _in("subject"),
    "body": _in("body"),
    "header": _header,
}


def condition(given: dict[str, Any] | None) -> m.Condition:
    """The condition of a ``filter``. Raises ``MethodError``."""
    if given is None:
        return m.EVERYTHING
    found = _parsed(given, DEPTH)
    leaves = list(m.leaves(found))
    looked_for = {(leaf.text, leaf.words) for leaf in leaves if isinstance(leaf, m.Text)}
    if len(looked_for) > TERMS:
        raise MethodError(
            "unsupportedFilter", f"A filter looks for at most {TERMS} words and phrases"
        )
    if sum(not isinstance(leaf, m.Text) for leaf in leaves) > MOST or len(leaves) > MOST_LEAVES:
        raise MethodError("unsupportedFilter", f"A filter has at most {MOST} conditions")
    return found


def _parsed(given: Any, depth: int) -> m.Condition:
    if not isinstance(given, dict):
        raise MethodError("invalidArguments", "A filter is an object")
    if "operator" not in given:
        parts = tuple(_leaf(name, value) for name, value in given.items())
        return parts[0] if len(parts) == 1 else m.And(parts)
    if not depth:
        raise MethodError("unsupportedFilter", f"Filters are nested at most {DEPTH} deep")
    of = given.get("conditions")
    if not isinstance(of, list) or len(of) > MOST or given.keys() != {"operator", "conditions"}:
        raise MethodError("invalidArguments", "A filter operator has a list of conditions")
    parts = tuple(_parsed(one, depth - 1) for one in of)
    match given["operator"]:
        case "AND":
            return m.And(parts)
        case "OR":
            return m.Or(parts)
        case "NOT":
            return m.Not(parts)
    raise MethodError("invalidArguments", "A filter operator is AND, OR or NOT")


def _leaf(name: str, value: Any) -> m.Condition:
    make = _CONDITIONS.get(name)
    if make is None:
        raise MethodError("unsupportedFilter", f"There is no condition {name!r}")
    try:
        return make(value)
    except _Wrong as error:
        raise MethodError("invalidArguments", f"{name}: {error}") from None


# Sorting ------------------------------------------------------------------------------------------

_VALUES: Final[Mapping[str, Value]] = {
    "receivedAt": "received",
    "sentAt": "sent",
    "size": "size",
    "from": "from",
    "to": "to",
    "subject": "subject",
}
_KEYWORDS: Final[Mapping[str, Literal["email", "all", "some"]]] = {
    "hasKeyword": "email",
    "allInThreadHaveKeyword": "all",
    "someInThreadHaveKeyword": "some",
}
SORTED_BY: Final = (*_VALUES, *_KEYWORDS)
MOST_COMPARATORS: Final = 10


def sort(given: list[Comparator] | None) -> tuple[By, ...]:
    """What a list is sorted by: the newest first unless told otherwise. Raises ``MethodError``."""
    if not given:
        return (By("received"),)
    if len(given) > MOST_COMPARATORS:
        raise MethodError("unsupportedSort", f"At most {MOST_COMPARATORS} comparators are taken")
    return tuple(dict.fromkeys(map(_by, given)))


def _by(given: Comparator) -> By:
    if given.collation is not None and given.collation not in COLLATIONS:
        raise MethodError("unsupportedSort", f"There is no collation {given.collation!r}")
    if given.property in _VALUES:
        return By(_VALUES[given.property], given.is_ascending)
    if given.property in _KEYWORDS:
        if given.keyword is None:
            raise MethodError("invalidArguments", f"{given.property} goes with a keyword")
        try:
            of = _KEYWORDS[given.property]
            return By(_keyword(given.keyword, of), given.is_ascending)
        except _Wrong as error:
            raise MethodError("invalidArguments", str(error)) from None
    raise MethodError("unsupportedSort", f"Nothing is sorted by {given.property!r}")
