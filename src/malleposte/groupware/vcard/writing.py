"""JSContact to lines of vCard 4 (RFC 9555 §3). What vCard has no place for is left out."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from malleposte.groupware.content_lines import Line, Parameters
from malleposte.groupware.vcard.names import (
    ADDRESS,
    ADDRESS_SHORT,
    ADDRESS_TYPES,
    ANNIVERSARIES,
    BY_PLACE,
    FEATURES,
    HELD,
    JSPROP,
    LEVELS,
    NAME,
    NAME_SHORT,
    PLACES,
    SIMPLE,
    TYPES,
)
from malleposte.groupware.vcard.values import dated, escaped, stamped, structured

_MADE: Final = re.compile(r"[A-Z-]+-\d+")
"""Ids that reading made."""
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")

Map = dict[str, Any]
Pairs = list[tuple[str, tuple[str, ...]]]


def write(card: Map) -> list[Line]:
    """The lines between BEGIN and END, without VERSION."""
    found: list[Line] = []
    for part in (_head, _names, _simple, _phones, _services, _addresses, _organizations):
        found += part(card)
    for part in (_dates, _relations, _words, _others, _held_by_none):
        found += part(card)
    return _labelled(found)


def full_name(card: Map) -> str:
    """How a card is named to people; '' where nothing tells."""
    name = _map(card, "name")
    if _text(name, "full"):
        return _text(name, "full")
    order = ("title", "given", "given2", "surname", "surname2", "generation", "credential")
    parts = [one for one in _list(name, "components") if isinstance(one, dict)]
    if name.get("isOrdered") is not True:
        parts.sort(key=lambda one: order.index(one["kind"]) if one.get("kind") in order else 9)
    words = " ".join(_text(one, "value") for one in parts if _text(one, "value"))
    if words:
        return words
    for within, member in (
        ("nicknames", "name"),
        ("organizations", "name"),
        ("emails", "address"),
        ("phones", "number"),
    ):
        for _, one in _entries(card, within):
            if _text(one, member):
                return _text(one, member)
    return ""


# What cards are made of; of another type than it should be is as good as not there ----------------


def _map(card: Map, member: str) -> Map:
    found = card.get(member)
    return found if isinstance(found, dict) else {}


def _list(card: Map, member: str) -> list[Any]:
    found = card.get(member)
    return found if isinstance(found, list) else []


def _text(found: Map, member: str) -> str:
    value = found.get(member)
    return value if isinstance(value, str) else ""


def _entries(card: Map, within: str) -> Iterator[tuple[str, Map]]:
    for key, one in _map(card, within).items():
        if isinstance(one, dict):
            yield key, one


def _has(card: Map, name: str) -> bool:
    """Whether a property stands in it as vCard has it."""
    every = _list(card, "vCardProps")
    return any(isinstance(one, list) and one[:1] == [name] for one in every)


def _line(
    name: str,
    value: str,
    found: Map,
    key: str = "",
    types: dict[str, str] | None = None,
    more: Pairs | None = None,
) -> Line:
    """A line of an object, with the parameters that all have in common."""
    parameters: Pairs = list(more or ())
    kinds = [types[one] for one in _map(found, "contexts") if one in types] if types else []
    kinds += [FEATURES[one] for one in _map(found, "features") if one in FEATURES]
    group = ""
    for parameter, value_ in _map(found, "vCardParams").items():
        values = tuple(str(one) for one in (value_ if isinstance(value_, list) else [value_]))
        if parameter == "group":
            group = values[0] if _NAME.fullmatch(values[0]) else ""
        elif parameter == "type":
            kinds += values
        elif _NAME.fullmatch(parameter):
            parameters.append((parameter.upper(), values))
    if kinds:
        parameters.append(("TYPE", tuple(kinds)))
    pref = found.get("pref")
    if isinstance(pref, int) and 1 <= pref <= 100:
        parameters.append(("PREF", (str(pref),)))
    if _text(found, "label"):
        parameters.append((_LABEL, (_text(found, "label"),)))
    if key and not _MADE.fullmatch(key):
        parameters.append(("PROP-ID", (key,)))
    return Line(name, value, _each_once(parameters), group)


def _each_once(parameters: Pairs) -> Parameters:
    found: dict[str, tuple[str, ...]] = {}
    for name, values in parameters:
        found.setdefault(name, values)
    return tuple(found.items())


def _head(card: Map) -> Iterator[Line]:
    for member, name in (("uid", "UID"), ("prodId", "PRODID")):
        if _text(card, member):
            yield Line(name, escaped(_text(card, member)))
    if _text(card, "language"):
        yield Line("LANGUAGE", _text(card, "language"))
    if _text(card, "kind"):
        yield Line("KIND", _text(card, "kind"))
    for member, name in (("created", "CREATED"), ("updated", "REV")):
        if _text(card, member):
            yield Line(name, stamped(_text(card, member)))


def _names(card: Map) -> Iterator[Line]:
    name = _map(card, "name")
    # A vCard has always one (RFC 6350 §6.2.1).
    if _text(name, "full") or not _has(card, "fn"):
        yield Line("FN", escaped(full_name(card)))
    parts: dict[str, list[str]] = {}
    for one in _list(name, "components"):
        if isinstance(one, dict) and _text(one, "value"):
            parts.setdefault(_text(one, "kind"), []).append(_text(one, "value"))
    columns = [parts.get(kind, []) for kind in NAME]
    if any(columns):
        if not any(columns[NAME_SHORT:]):
            columns = columns[:NAME_SHORT]
        else:
            columns[0] = columns[0] + columns[5]
            columns[4] = columns[4] + columns[6]
        sort = _map(name, "sortAs")
        keys = [_text(sort, "surname"), _text(sort, "given")]
        more: Pairs = []
        if any(keys):
            more = [("SORT-AS", (",".join(map(escaped, keys)).rstrip(","),))]
        yield Line("N", structured(columns), tuple(more))
    yield from _together("NICKNAME", "nicknames", card)
    speak = _map(card, "speakToAs")
    if _text(speak, "grammaticalGender"):
        yield Line("GRAMGENDER", _text(speak, "grammaticalGender"))


def _together(name: str, within: str, card: Map) -> Iterator[Line]:
    """A line of all that have the same parameters."""
    lines: dict[tuple[str, Parameters], list[str]] = {}
    for key, one in _entries(card, within):
        if _text(one, "name"):
            line = _line(name, "", one, key, TYPES)
            lines.setdefault((line.group, line.parameters), []).append(_text(one, "name"))
    for (group, parameters), values in lines.items():
        yield Line(name, ",".join(map(escaped, values)), parameters, group)


def _simple(card: Map) -> Iterator[Line]:
    places = dict.fromkeys(one.within for one in SIMPLE.values())
    for within in places:
        outer, _, inner = within.rpartition("/")
        for key, one in _entries(_map(card, outer) if outer else card, inner):
            name = BY_PLACE.get((within, _text(one, "kind"))) or BY_PLACE.get((within, ""))
            if within == "onlineServices" and one.get("vCardName") != "impp":
                continue
            if name is None or not _text(one, SIMPLE[name].member):
                continue
            simple = SIMPLE[name]
            more: Pairs = []
            value = _text(one, simple.member)
            if simple.resource and not value.startswith("data:"):
                more += [("MEDIATYPE", (kind,)) for kind in (_text(one, "mediaType"),) if kind]
            if name == "NOTE":
                more += _author(one)
            if within == "personalInfo":
                more += _level(name, one)
            if name == "IMPP":
                more += _service(one)
            yield _line(name, value if simple.uri else escaped(value), one, key, TYPES, more)


def _author(one: Map) -> Pairs:
    author = _map(one, "author")
    pairs = (
        ("AUTHOR", _text(author, "uri")),
        ("AUTHOR-NAME", _text(author, "name")),
        ("CREATED", stamped(_text(one, "created"))),
    )
    return [(name, (value,)) for name, value in pairs if value]


def _level(name: str, one: Map) -> Pairs:
    theirs = {(name_, ours): level for (name_, level), ours in LEVELS.items()}
    level, index = _text(one, "level"), one.get("listAs")
    pairs: Pairs = [("LEVEL", (theirs.get((name, level), level),))] if level else []
    return [*pairs, ("INDEX", (str(index),))] if isinstance(index, int) else pairs


def _service(one: Map) -> Pairs:
    pairs = (("SERVICE-TYPE", _text(one, "service")), ("USERNAME", _text(one, "user")))
    return [(name, (value,)) for name, value in pairs if value]


def _phones(card: Map) -> Iterator[Line]:
    for key, one in _entries(card, "phones"):
        number = _text(one, "number")
        if number:
            uri = re.match(r"(tel|sips?):", number, re.IGNORECASE) is not None
            more: Pairs = [("VALUE", ("uri",))] if uri else []
            yield _line("TEL", number if uri else escaped(number), one, key, TYPES, more)


def _services(card: Map) -> Iterator[Line]:
    for key, one in _entries(card, "onlineServices"):
        uri, user = _text(one, "uri"), _text(one, "user")
        if one.get("vCardName") == "impp" and uri:
            continue
        more = _service(one)
        if uri:
            yield _line("SOCIALPROFILE", uri, one, key, TYPES, more)
        elif user:
            more = [("VALUE", ("text",)), *(pair for pair in more if pair[0] != "USERNAME")]
            yield _line("SOCIALPROFILE", escaped(user), one, key, TYPES, more)


def _addresses(card: Map) -> Iterator[Line]:
    for key, one in _entries(card, "addresses"):
        parts: dict[str, list[str]] = {}
        for component in _list(one, "components"):
            if isinstance(component, dict) and _text(component, "value"):
                parts.setdefault(_text(component, "kind"), []).append(_text(component, "value"))
        older = set(ADDRESS[:ADDRESS_SHORT])
        if parts.keys() & set(ADDRESS) <= older:
            columns = [parts.get(kind, []) for kind in ADDRESS[:ADDRESS_SHORT]]
        else:
            columns = [parts.get(kind, []) for kind in ADDRESS]
            street = [*parts.get("number", ()), *parts.get("name", ())]
            columns[2] = [" ".join(street)] if street else []
        pairs = (
            ("LABEL", _text(one, "full")),
            ("CC", _text(one, "countryCode")),
            ("GEO", _text(one, "coordinates")),
            ("TZ", _text(one, "timeZone")),
        )
        more: Pairs = [(name, (value,)) for name, value in pairs if value]
        if any(columns) or more:
            yield _line("ADR", structured(columns), one, key, ADDRESS_TYPES, more)


def _organizations(card: Map) -> Iterator[Line]:
    for key, one in _entries(card, "organizations"):
        units = [unit for unit in _list(one, "units") if isinstance(unit, dict)]
        names = [_text(one, "name"), *(_text(unit, "name") for unit in units)]
        keys = [_text(one, "sortAs"), *(_text(unit, "sortAs") for unit in units)]
        more: Pairs = []
        if any(keys):
            more = [("SORT-AS", (",".join(map(escaped, keys)).rstrip(","),))]
        if any(names):
            yield _line("ORG", ";".join(map(escaped, names)), one, key, TYPES, more)


def _dates(card: Map) -> Iterator[Line]:
    names = {kind: name for name, kind in ANNIVERSARIES.items()}
    places = {kind: name for name, kind in PLACES.items()}
    for key, one in _entries(card, "anniversaries"):
        kind, day = _text(one, "kind"), _map(one, "date")
        if kind in names and dated(day):
            scale = _text(day, "calendarScale")
            more: Pairs = [("CALSCALE", (scale,))] if scale else []
            yield _line(names[kind], dated(day), one, key, None, more)
        place = _text(_map(one, "place"), "full")
        if kind in places and place:
            yield Line(places[kind], escaped(place))


def _relations(card: Map) -> Iterator[Line]:
    for value, one in _entries(card, "relatedTo"):
        kinds = tuple(_map(one, "relation"))
        parameters: Pairs = [("TYPE", kinds)] if kinds else []
        if _URI.fullmatch(value):
            yield Line("RELATED", value, tuple(parameters))
        else:
            yield Line("RELATED", escaped(value), (("VALUE", ("text",)), *parameters))
    for member in _map(card, "members"):
        yield Line("MEMBER", member)


def _words(card: Map) -> Iterator[Line]:
    words = list(_map(card, "keywords"))
    if words:
        yield Line("CATEGORIES", ",".join(map(escaped, words)))


def _others(card: Map) -> Iterator[Line]:
    """What vCard alone knows (RFC 9555 §2.15)."""
    for one in _list(card, "vCardProps"):
        match one:
            case [str(name), dict(parameters), str(kind), *values] if (
                _NAME.fullmatch(name) and values
            ):
                pairs: Pairs = []
                group = ""
                for parameter, value in parameters.items():
                    given = tuple(map(str, value if isinstance(value, list) else [value]))
                    if parameter == "group":
                        group = given[0] if given and _NAME.fullmatch(given[0]) else ""
                    elif _NAME.fullmatch(parameter):
                        pairs.append((parameter.upper(), given))
                if kind != "unknown":
                    pairs.append(("VALUE", (kind,)))
                yield Line(name.upper(), _value(kind, values), _each_once(pairs), group)


def _held_by_none(card: Map) -> Iterator[Line]:
    """Members that no property holds (RFC 9555 §3)."""
    for name, value in card.items():
        if name not in HELD:
            pointer = name.replace("~", "~0").replace("/", "~1")
            text = msgspec.json.encode(value).decode()
            yield Line(JSPROP, escaped(text), (("JSPTR", (pointer,)),))


def _value(kind: str, values: list[Any]) -> str:
    """A value of jCard (RFC 7095 §3.5) as vCard has it."""
    if kind == "unknown":
        return str(values[0])
    shown = []
    for value in values:
        if isinstance(value, list):
            parts = [part if isinstance(part, list) else [part] for part in value]
            shown.append(structured([[str(one) for one in part] for part in parts]))
        else:
            shown.append(escaped(str(value)) if kind == "text" else str(value))
    return ",".join(shown)


_LABELLED: Final = frozenset(("EMAIL", "TEL", "ADR", "URL", "IMPP", "SOCIALPROFILE", "CALURI"))
_LABEL: Final = "X-ABLABEL"
"""Of an object, and until groups are known a parameter of its line."""


def _labelled(lines: list[Line]) -> list[Line]:
    """A label stands in a line of the same group."""
    groups = {line.group.lower() for line in lines}
    found: list[Line] = []
    n = 1
    for line in lines:
        label, group = line.one(_LABEL), line.group
        line = Line(line.name, line.value, line.without(_LABEL), group)
        if label and not group and line.name in _LABELLED:
            while f"item{n}" in groups:
                n += 1
            group = f"item{n}"
            groups.add(group)
            line = Line(line.name, line.value, line.parameters, group)
        found.append(line)
        if label and line.name in _LABELLED:
            found.append(Line(_LABEL, escaped(label), (), group))
    return found
