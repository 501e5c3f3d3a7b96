"""Lines of vCard 4 to JSContact (RFC 9555 §2)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from malleposte.groupware.content_lines import Line
from malleposte.groupware.vcard.names import (
    ADDRESS,
    ADDRESS_SHORT,
    ADDRESS_TYPES,
    ANNIVERSARIES,
    FEATURES,
    HELD,
    JSPROP,
    LEVELS,
    NAME,
    PLACES,
    SIMPLE,
    TYPES,
    Simple,
)
from malleposte.groupware.vcard.values import date, listed, split, stamp, structure, text

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LABEL: Final = "X-ABLABEL"
MAX_UID: Final = 500
"""Characters."""
_APPLE: Final = re.compile(r"_\$!<(.*)>!\$_")
"""How Apple's programs write labels that they translate."""

Map = dict[str, Any]


def read(lines: Sequence[Line]) -> Map:
    """The card of the lines between BEGIN and END, without VERSION."""
    reading = _Reading(_labels(lines))
    for line in lines:
        if line.name == _LABEL and reading.labels.get(line.group.lower()) == line.value:
            continue  # it is the label of what has the same group
        if not reading.line(line):
            reading.card.setdefault("vCardProps", []).append(jcard(line))
    return reading.card


def _labels(lines: Sequence[Line]) -> dict[str, str]:
    """The label of each group that has one, and one line that takes it."""
    count: dict[str, int] = {}
    for line in lines:
        if line.group and line.name in _LABELLED:
            group = line.group.lower()
            count[group] = count.get(group, 0) + 1
    found: dict[str, str] = {}
    for line in lines:
        group = line.group.lower()
        if line.name == _LABEL and count.get(group) == 1 and not line.parameters:
            found.setdefault(group, line.value)
    return found


def jcard(line: Line) -> list[Any]:
    """A line as jCard has it (RFC 7095 §3.3), its value as it is written and of a
    type nobody knows (§5.1) unless the line names one."""
    parameters: Map = {"group": line.group} if line.group else {}
    for name, values in line.parameters:
        one: Any = values[0] if len(values) == 1 else list(values)
        parameters[name.lower()] = one
    kind = parameters.pop("value", "unknown")
    if not isinstance(kind, str):
        parameters["value"], kind = kind, "unknown"
    kind = kind.lower()
    return [line.name.lower(), parameters, kind, text(line.value) if kind == "text" else line.value]


@dataclass(slots=True)
class _Reading:
    labels: dict[str, str]
    card: Map = field(default_factory=lambda: {"@type": "Card", "version": "1.0"})
    numbers: dict[str, int] = field(default_factory=dict)

    def line(self, line: Line) -> bool:
        """Whether a line has its place in the card."""
        simple = SIMPLE.get(line.name)
        if simple is not None:
            return self._simple(line, simple)
        handler = _HANDLERS.get(line.name)
        return handler is not None and handler(self, line)

    def _simple(self, line: Line, simple: Simple) -> bool:
        value = line.value if simple.uri else text(line.value)
        if not value or line.one("VALUE"):
            return False
        used = ["TYPE", "PREF"]
        found: Map = {"@type": simple.type, simple.member: value}
        if simple.kind:
            found["kind"] = simple.kind
        if simple.resource and line.one("MEDIATYPE"):
            found["mediaType"] = line.one("MEDIATYPE")
            used.append("MEDIATYPE")
        if simple.within == "media" and (data := re.match(r"data:([^;,]+)[;,]", value)):
            found.setdefault("mediaType", data[1].lower())
        if line.name == "IMPP":
            found["vCardName"] = "impp"
            used += _service(line, found)
        if line.name == "NOTE":
            used += _author(line, found)
        if simple.within == "personalInfo":
            used += _level(line, found)
        self._put(simple.within, line, found, used, TYPES)
        return True

    def _put(
        self,
        within: str,
        line: Line,
        found: Map,
        used: Sequence[str],
        types: dict[str, str],
        features: dict[str, str] | None = None,
    ) -> None:
        """Put an object into a map of the card, with what all of them have in common."""
        rest = [one for one in line.without(*used, "PROP-ID") if one[1]]
        others = []
        if "TYPE" in used:
            for kind in line.all("TYPE"):
                for member, known in (("contexts", types), ("features", features or {})):
                    name = next((key for key, value in known.items() if value == kind.lower()), "")
                    if name:
                        found.setdefault(member, {})[name] = True
                        break
                else:
                    others.append(kind)
        pref = line.one("PREF") if "PREF" in used else ""
        if pref:
            if pref.isascii() and pref.isdigit() and 1 <= int(pref[:4]) <= 100:
                found["pref"] = int(pref)
            else:
                rest.append(("PREF", (pref,)))
        if others:
            rest.append(("TYPE", tuple(others)))
        parameters: Map = {
            name.lower(): values[0] if len(values) == 1 else list(values) for name, values in rest
        }
        if line.group:
            parameters["group"] = line.group
            label = self.labels.get(line.group.lower())
            if label is not None and line.name in _LABELLED:
                label = text(label)
                apple = _APPLE.fullmatch(label)
                found["label"] = apple[1] if apple else label
        if parameters:
            found["vCardParams"] = parameters
        place = self.card
        for step in within.split("/"):
            place = place.setdefault(step, {})
        place[self._id(line, place)] = found

    def _id(self, line: Line, place: Map) -> str:
        given = line.one("PROP-ID")
        if _ID.fullmatch(given) and given not in place:
            return given
        while True:
            n = self.numbers[line.name] = self.numbers.get(line.name, 0) + 1
            if f"{line.name}-{n}" not in place:
                return f"{line.name}-{n}"

    # Properties with a form of their own ---------------------------------------------------------

    def _once(self, member: str, line: Line, value: str) -> bool:
        if member in self.card or line.parameters or line.group or not value:
            return False
        self.card[member] = value
        return True

    def uid(self, line: Line) -> bool:
        value = text(line.value).strip()
        # What is none stays in the card as it is, and another is made.
        return len(value) <= MAX_UID and self._once("uid", line, value)

    def kind(self, line: Line) -> bool:
        return self._once("kind", line, text(line.value).lower())

    def prodid(self, line: Line) -> bool:
        return self._once("prodId", line, text(line.value))

    def language(self, line: Line) -> bool:
        return self._once("language", line, line.value)

    def rev(self, line: Line) -> bool:
        return self._once("updated", line, stamp(line.value))

    def created(self, line: Line) -> bool:
        return self._once("created", line, stamp(line.value))

    def _name(self) -> Map:
        found: Map = self.card.setdefault("name", {"@type": "Name"})
        return found

    def fn(self, line: Line) -> bool:
        value = text(line.value)
        if not value:
            return True  # it is written where there is no name
        if "full" in self.card.get("name", {}):
            return False
        # Parameters of a name have no place of their own; ``whole`` keeps the line.
        self._name()["full"] = value
        return True

    def n(self, line: Line) -> bool:
        parts = structure(line.value)
        there = "components" in self.card.get("name", {})
        if not any(parts) or there or len(parts) > len(NAME):
            return False
        # The older places hold the newer components as well (RFC 9554 §2.2).
        newer = [*parts, *([[]] * (len(NAME) - len(parts)))]
        parts[0] = [one for one in parts[0] if one not in newer[5]]
        if len(parts) > 4:
            parts[4] = [one for one in parts[4] if one not in newer[6]]
        components = [
            {"kind": kind, "value": value}
            for kind, values in zip(NAME, parts, strict=False)
            for value in values
        ]
        name = self._name()
        name["components"] = components
        sort = listed(line.one("SORT-AS"))
        if sort:
            keys = ("surname", "given")
            name["sortAs"] = {key: one for key, one in zip(keys, sort, strict=False) if one}
        return True

    def nickname(self, line: Line) -> bool:
        return self._each(line, "nicknames", "Nickname", "name")

    def _each(self, line: Line, within: str, type_: str, member: str) -> bool:
        values = listed(line.value)
        for value in values:
            self._put(within, line, {"@type": type_, member: value}, ("TYPE", "PREF"), TYPES)
        return bool(values)

    def categories(self, line: Line) -> bool:
        if line.parameters or line.group:
            return False
        words = listed(line.value)
        self.card.setdefault("keywords", {}).update(dict.fromkeys(words, True))
        return bool(words)

    def org(self, line: Line) -> bool:
        parts = [text(one) for one in split(line.value, ";")]
        if not any(parts):
            return False
        found: Map = {"@type": "Organization"}
        if parts[0]:
            found["name"] = parts[0]
        sort = listed(line.one("SORT-AS"))
        if sort and parts[0]:
            found["sortAs"] = sort[0]
        units = [{"name": one} for one in parts[1:] if one]
        for unit, key in zip(units, sort[1:], strict=False):
            unit["sortAs"] = key
        if units:
            found["units"] = units
        self._put("organizations", line, found, ("TYPE", "PREF", "SORT-AS"), TYPES)
        return True

    def tel(self, line: Line) -> bool:
        value = line.value if line.one("VALUE").lower() == "uri" else text(line.value)
        if not value or line.one("VALUE").lower() not in ("", "uri", "text"):
            return False
        found: Map = {"@type": "Phone", "number": value}
        self._put("phones", line, found, ("TYPE", "PREF", "VALUE"), TYPES, FEATURES)
        return True

    def socialprofile(self, line: Line) -> bool:
        value = line.value
        if not value:
            return False
        found: Map = {"@type": "OnlineService"}
        if line.one("VALUE").lower() == "text":
            found["user"] = text(value)
        else:
            found["uri"] = value
        used = _service(line, found)
        self._put("onlineServices", line, found, ("TYPE", "PREF", "VALUE", *used), TYPES)
        return True

    def adr(self, line: Line) -> bool:
        parts = structure(line.value)
        if len(parts) > len(ADDRESS):
            return False
        if any(parts[ADDRESS_SHORT:]):
            # The older places say the same again (RFC 9554 §2.1).
            newer = {ADDRESS[at] for at in range(ADDRESS_SHORT, len(parts)) if parts[at]}
            again = newer | ({"name"} if newer & {"number", "room", "floor", "building"} else set())
            parts = [
                [] if at < ADDRESS_SHORT and ADDRESS[at] in again else part
                for at, part in enumerate(parts)
            ]
        components = [
            {"kind": kind, "value": value}
            for kind, values in zip(ADDRESS, parts, strict=False)
            for value in values
        ]
        found: Map = {"@type": "Address"}
        if components:
            found["components"] = components
        members = {"LABEL": "full", "CC": "countryCode", "GEO": "coordinates", "TZ": "timeZone"}
        for name, member in members.items():
            if line.one(name):
                found[member] = line.one(name)
        if len(found) == 1:
            return False
        self._put("addresses", line, found, ("TYPE", "PREF", *members), ADDRESS_TYPES)
        return True

    def anniversary(self, line: Line) -> bool:
        found = date(line.value) if line.one("VALUE") in ("", "date", "date-and-or-time") else None
        kind = ANNIVERSARIES[line.name]
        if found is None or self._anniversary(kind, "date") is not None:
            return False
        scale = line.one("CALSCALE")
        if scale:
            if found["@type"] != "PartialDate":
                return False
            found["calendarScale"] = scale
        whole: Map = self._of_kind(kind) or {"@type": "Anniversary", "kind": kind}
        whole["date"] = found
        if self._of_kind(kind) is None:
            self._put("anniversaries", line, whole, ("CALSCALE", "VALUE"), {})
        return True

    def _of_kind(self, kind: str) -> Map | None:
        every = self.card.get("anniversaries", {}).values()
        return next((one for one in every if one["kind"] == kind), None)

    def _anniversary(self, kind: str, member: str) -> Any:
        found = self._of_kind(kind)
        return found.get(member) if found is not None else None

    def place(self, line: Line) -> bool:
        kind = PLACES[line.name]
        found = self._of_kind(kind)
        value = text(line.value)
        # Without a date there is no anniversary in JSContact (RFC 9553 §2.8.1).
        if found is None or "place" in found or line.parameters or line.group or not value:
            return False
        found["place"] = {"@type": "Address", "full": value}
        return True

    def related(self, line: Line) -> bool:
        value = line.value if line.one("VALUE") in ("", "uri") else text(line.value)
        every = self.card.setdefault("relatedTo", {})
        if not value or value in every or line.group or line.without("TYPE", "VALUE"):
            if not every:
                del self.card["relatedTo"]
            return False
        relation = {one.lower(): True for one in line.all("TYPE") if one}
        every[value] = {"@type": "Relation"} | ({"relation": relation} if relation else {})
        return True

    def member(self, line: Line) -> bool:
        if line.parameters or line.group or not line.value:
            return False
        self.card.setdefault("members", {})[line.value] = True
        return True

    def jsprop(self, line: Line) -> bool:
        pointer = line.one("JSPTR")
        name = pointer.replace("~1", "/").replace("~0", "~")
        # Within a member, nobody knows what else is there.
        if "/" in pointer or not name or name in HELD or name in self.card:
            return False
        if line.without("JSPTR") or line.group:
            return False
        try:
            found = msgspec.json.decode(text(line.value))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return False
        if name == "localizations" and not _patches(found):
            return False
        self.card[name] = found
        return True

    def gramgender(self, line: Line) -> bool:
        place = self.card.get("speakToAs", {})
        if line.parameters or line.group or not line.value or "grammaticalGender" in place:
            return False
        self.card.setdefault("speakToAs", {})["grammaticalGender"] = line.value.lower()
        return True


def _patches(found: Any) -> bool:
    """Whether it is a map of patches (RFC 9553 §2.7.1)."""
    return isinstance(found, dict) and all(isinstance(one, dict) for one in found.values())


def _service(line: Line, found: Map) -> list[str]:
    for name, member in (("SERVICE-TYPE", "service"), ("USERNAME", "user")):
        if line.one(name) and member not in found:
            found[member] = line.one(name)
    return ["SERVICE-TYPE", "USERNAME"]


def _author(line: Line, found: Map) -> list[str]:
    used = []
    author = {"uri": line.one("AUTHOR"), "name": line.one("AUTHOR-NAME")}
    if any(author.values()):
        found["author"] = {"@type": "Author"} | {key: one for key, one in author.items() if one}
        used += ["AUTHOR", "AUTHOR-NAME"]
    created = stamp(line.one("CREATED"))
    if created:
        found["created"] = created
        used.append("CREATED")
    return used


def _level(line: Line, found: Map) -> list[str]:
    used = []
    level = line.one("LEVEL").lower()
    if level:
        found["level"] = LEVELS.get((line.name, level), level)
        used.append("LEVEL")
    index = line.one("INDEX")
    if index.isascii() and index.isdigit() and int(index[:6]) > 0:
        found["listAs"] = int(index[:6])
        used.append("INDEX")
    return used


_HANDLERS: Final[dict[str, Callable[[_Reading, Line], bool]]] = {
    "UID": _Reading.uid,
    "KIND": _Reading.kind,
    "PRODID": _Reading.prodid,
    "LANGUAGE": _Reading.language,
    "REV": _Reading.rev,
    "CREATED": _Reading.created,
    "FN": _Reading.fn,
    "N": _Reading.n,
    "NICKNAME": _Reading.nickname,
    "CATEGORIES": _Reading.categories,
    "ORG": _Reading.org,
    "TEL": _Reading.tel,
    "SOCIALPROFILE": _Reading.socialprofile,
    "ADR": _Reading.adr,
    "BDAY": _Reading.anniversary,
    "DEATHDATE": _Reading.anniversary,
    "ANNIVERSARY": _Reading.anniversary,
    "BIRTHPLACE": _Reading.place,
    "DEATHPLACE": _Reading.place,
    "RELATED": _Reading.related,
    "MEMBER": _Reading.member,
    JSPROP: _Reading.jsprop,
    "GRAMGENDER": _Reading.gramgender,
}
_LABELLED: Final = frozenset(("EMAIL", "TEL", "ADR", "URL", "IMPP", "SOCIALPROFILE", "CALURI"))
"""Whose objects have a label (RFC 9553 §1.5.4), by X-ABLabel of the same group."""
