"""Filters: rules that file, mark, send on or refuse what matches.

A rule that this version does not understand is kept as its octets in its place; what it does goes on, if
who wrote it put the Sieve of it beside (member `sieve`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from malleposte.sieve.address import sendable
from malleposte.sieve.header_names import is_field_name

from . import kept
from .kept import FormError
from .words import listed, literally, quoted, require

MOST_RULES: Final = 500
MOST_PARTS: Final = 50
"""Conditions, and actions, of a rule."""
MOST_VALUE: Final = 2_000
"""Characters of a text in a rule."""

Field = Literal[
    "from", "to", "cc", "recipient", "subject", "list", "body", "header", "size", "attachment"
]
Relation = Literal["contains", "is", "begins", "ends", "exists", "larger", "smaller"]
Does = Literal["move", "copy", "mark", "forward", "reject", "discard", "keep"]


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a message must have. `recipient`: To, Cc or Bcc; `list`: List-Id; `header`: the field of that
    `name`. `value` of `larger` and `smaller` is in octets. `negated`: it must not have it."""

    field: Field
    relation: Relation = "contains"
    value: str = ""
    name: str = ""
    negated: bool = False


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done. `move` and `copy` into the mailbox of an id (`mailbox`, as IMAP's MAILBOXID), or where
    there is none of the name; `mark` with `flags`; `forward` to an address, with a copy kept here or not;
    `reject` with a `text`."""

    does: Does
    mailbox: str = ""
    name: str = ""
    flags: tuple[str, ...] = ()
    address: str = ""
    text: str = ""
    keeps: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. `match`: all of its conditions, or any. `stop`: later ones are not looked at then."""

    id: str
    name: str = ""
    enabled: bool = True
    match: Literal["all", "any"] = "all"
    conditions: tuple[Condition, ...] = ()
    actions: tuple[Action, ...] = ()
    stop: bool = True


class _Sieve(msgspec.Struct, frozen=True):
    sieve: str = ""
    requires: tuple[str, ...] = ()


class _Fields(msgspec.Struct, frozen=True, kw_only=True):
    rules: tuple[msgspec.Raw, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """The form: rules in their order; octets are those that are not understood."""

    rules: tuple[Rule | bytes, ...] = ()
    rest: kept.Rest = field(default=())

    @classmethod
    def read(cls, octets: bytes) -> Filters:
        """A form as it was kept. Raises `FormError`."""
        fields, rest = kept.read(octets, _Fields)
        return cls(tuple(map(_rule, fields.rules)), rest)

    def write(self) -> bytes:
        """The form to be kept."""
        rules = [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in self.rules]
        return kept.write(_Fields(), self.rest, rules=b"[" + b",".join(rules) + b"]")

    def script(self) -> bytes:
        """The Sieve made of it, b"" where nothing is done. Raises `FormError`."""
        if len(self.rules) > MOST_RULES:
            raise FormError(f"there are more than {MOST_RULES} rules")
        extensions: set[str] = set()
        blocks = [block for one in self.rules if (block := _block(one, extensions))]
        if not blocks:
            return b""
        return (require(extensions) + "\r\n".join(blocks)).encode()


def _rule(raw: msgspec.Raw) -> Rule | bytes:
    try:
        return msgspec.json.decode(raw, type=Rule)
    except (msgspec.DecodeError, RecursionError):
        return bytes(raw)


def _block(rule: Rule | bytes, extensions: set[str]) -> str:
    if isinstance(rule, bytes):
        try:
            given = msgspec.json.decode(rule, type=_Sieve)
        except (msgspec.DecodeError, RecursionError):
            return ""
        extensions.update(given.requires)
        return f"{given.sieve}\r\n" if given.sieve else ""
    if not rule.enabled:
        return ""
    try:
        test = _test(rule, extensions)
        done = [line for action in rule.actions for line in _action(action, extensions)]
    except FormError as error:
        raise FormError(f"rule {rule.name or rule.id!r}: {error}") from None
    if rule.stop:
        done.append("stop;")
    lines = "".join(f"    {line}\r\n" for line in done)
    name = " ".join("".join(c for c in rule.name if c.isprintable()).split())[:100]
    return f"# {name}\r\nif {test} {{\r\n{lines}}}\r\n"


# Tests --------------------------------------------------------------------------------------------


def _test(rule: Rule, extensions: set[str]) -> str:
    if max(len(rule.conditions), len(rule.actions)) > MOST_PARTS:
        raise FormError(f"it has more than {MOST_PARTS} conditions or actions")
    if not rule.conditions:
        return "true"
    tests = [
        ("not " if one.negated else "") + _condition(one, extensions) for one in rule.conditions
    ]
    if len(tests) == 1:
        return tests[0]
    return f"{'allof' if rule.match == 'all' else 'anyof'} ({', '.join(tests)})"


_HEADERS: Final = {"subject": "subject", "list": "list-id"}
_ADDRESSES: Final = {
    "from": ("from",),
    "to": ("to",),
    "cc": ("cc",),
    "recipient": ("to", "cc", "bcc"),
}


def _condition(one: Condition, extensions: set[str]) -> str:
    _bounded(one.value)
    if one.field == "size":
        if one.relation not in ("larger", "smaller") or not one.value.isascii():
            raise FormError("a size is larger or smaller than a number of octets")
        if not one.value.isdigit() or not 0 < int(one.value) < 1 << 31:
            raise FormError(f"{one.value[:40]!r} is no number of octets")
        return f"size :{'over' if one.relation == 'larger' else 'under'} {int(one.value)}"
    if one.relation in ("larger", "smaller"):
        raise FormError("only a size is larger or smaller")
    if one.field == "attachment":
        return 'header :contains "content-type" "multipart/mixed"'
    if one.field == "body":
        extensions.add("body")
        return f"body :text :{_relation(one)} {quoted(_pattern(one))}"
    if one.field in _ADDRESSES:
        names = listed(_ADDRESSES[one.field])
        if one.relation == "exists":
            return f"exists {names}"
        # What people look for may be the name or the address.
        return f"header :{_relation(one)} {names} {quoted(_pattern(one))}"
    name = _HEADERS.get(one.field, one.name)
    if not is_field_name(name):
        raise FormError(f"{name[:60]!r} is no name of a header field")
    if one.relation == "exists":
        return f"exists {quoted(name)}"
    return f"header :{_relation(one)} {quoted(name)} {quoted(_pattern(one))}"


def _relation(one: Condition) -> str:
    return {"contains": "contains", "is": "is"}.get(one.relation, "matches")


def _pattern(one: Condition) -> str:
    if one.relation == "begins":
        return literally(one.value) + "*"
    if one.relation == "ends":
        return "*" + literally(one.value)
    return one.value


# Actions ------------------------------------------------------------------------------------------


def _action(one: Action, extensions: set[str]) -> list[str]:
    for text in (one.name, one.address, one.text, *one.flags):
        _bounded(text)
    match one.does:
        case "move" | "copy":
            return [_filed(one, extensions)]
        case "mark":
            if not one.flags:
                raise FormError("it marks with nothing")
            extensions.add("imap4flags")
            return [f"addflag {listed(one.flags)};"]
        case "forward":
            if sendable(one.address) is None:
                raise FormError(f"{one.address[:100]!r} is no mail address")
            copy = ""
            if one.keeps:
                extensions.add("copy")
                copy = ":copy "
            return [f"redirect {copy}{quoted(one.address)};"]
        case "reject":
            extensions.add("reject")
            return [f"reject {quoted(one.text or 'This message was refused by its recipient.')};"]
        case "discard":
            return ["discard;"]
        case "keep":
            return ["keep;"]


def _filed(one: Action, extensions: set[str]) -> str:
    extensions.add("fileinto")
    words = ["fileinto"]
    if one.does == "copy":
        extensions.add("copy")
        words.append(":copy")
    if one.mailbox:
        extensions.add("mailboxid")
        words.append(f":mailboxid {quoted(one.mailbox)}")
    if not one.name.isprintable() or not (one.name or one.mailbox):
        raise FormError("it names no mailbox to file into")
    words.append(quoted(one.name or "INBOX"))
    return " ".join(words) + ";"


def _bounded(text: str) -> None:
    if len(text) > MOST_VALUE:
        raise FormError(f"a text in it has more than {MOST_VALUE:,} characters")
