"""vCard 3 (RFC 2426) as lines of vCard 4, and back: what phones and Macs read and write still."""

import base64
import binascii
import re
from typing import Final

from malleposte.groupware.content_lines import Line, Parameters

_BINARY: Final = ("PHOTO", "LOGO", "SOUND", "KEY")
_OF_URI: Final = (*_BINARY, "URL", "SOURCE", "IMPP", "FBURL", "CALURI", "CALADRURI")
"""Whose value is a URI in vCard 4 unless it is said otherwise."""
_DATES: Final = ("BDAY", "ANNIVERSARY", "DEATHDATE", "REV", "CREATED")
_DASHED: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(T.*)?")
_BARE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(.*))?")
_YEARLY: Final = re.compile(r"--(\d{2})(\d{2})")
_PLACE: Final = re.compile(r"[-+0-9.]+;[-+0-9.]+")
_GEO: Final = re.compile(r"geo:[-+0-9.]+,[-+0-9.]+")
_NO_YEAR: Final = "1604"
"""The year that Apple's programs write where there is none."""
_GROUPS: Final = {
    "X-ADDRESSBOOKSERVER-KIND": "KIND",
    "X-ADDRESSBOOKSERVER-MEMBER": "MEMBER",
}
_THEIRS: Final = {ours: theirs for theirs, ours in _GROUPS.items()}
_FAMILY: Final = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}
_DATA: Final = re.compile(
    r"data:([a-z0-9.+/-]*)((?:;[^,;]*)*?);base64,(.*)", re.IGNORECASE | re.DOTALL
)


def name(theirs: str) -> str:
    """The name that a property has in vCard 4."""
    return _GROUPS.get(theirs, theirs)


def risen(line: Line) -> Line:
    """A line of vCard 3 as one of vCard 4."""
    named, value = name(line.name), line.value
    parameters = _without_pref(line)
    if named in _BINARY and line.one("ENCODING").upper() in ("B", "BASE64"):
        value, parameters = _from_binary(named, value, parameters)
    elif named in _OF_URI and line.one("VALUE").lower() == "uri":
        parameters = tuple(one for one in parameters if one[0] != "VALUE")
    elif named in _DATES:
        value, parameters = _from_date(value, parameters)
    elif named == "GEO" and _PLACE.fullmatch(value):
        value = f"geo:{value.replace(';', ',')}"
    return Line(named, value, parameters, line.group)


def fallen(line: Line) -> Line:
    """A line of vCard 4 as one of vCard 3."""
    named, value, parameters = _THEIRS.get(line.name, line.name), line.value, line.parameters
    if line.one("PREF") == "1":
        parameters = _with_type(line.without("PREF"), "pref")
    data = _DATA.fullmatch(value) if named in _BINARY else None
    if data is not None:
        # Whatever else it says of its type stands in no parameter of vCard 3.
        kind = data[1].partition("/")[2].upper()
        value = data[3]
        parameters = (("ENCODING", ("b",)), *((("TYPE", (kind,)),) if kind else ()), *parameters)
    elif named in _BINARY and not line.one("VALUE"):
        parameters = (("VALUE", ("uri",)), *parameters)
    elif named in _DATES and not line.one("VALUE"):
        value, parameters = _to_date(value, parameters)
    elif named == "GEO" and _GEO.fullmatch(value):
        value = value[4:].replace(",", ";")
    return Line(named, value, parameters, line.group)


def _without_pref(line: Line) -> Parameters:
    """The type ``pref`` is a parameter of its own in vCard 4 (RFC 6350 §5.3)."""
    found: list[tuple[str, tuple[str, ...]]] = []
    preferred = False
    for name, values in line.parameters:
        kept = values
        if name == "TYPE":
            kept = tuple(one for one in values if one.lower() != "pref")
            preferred = preferred or kept != values
        if kept or not values:
            found.append((name, kept))
    if preferred and not line.all("PREF"):
        found.append(("PREF", ("1",)))
    return tuple(found)


def _with_type(parameters: Parameters, kind: str) -> Parameters:
    found, put = [], False
    for name, values in parameters:
        if name == "TYPE" and not put:
            values, put = (*values, kind), True
        found.append((name, values))
    return tuple(found) if put else (*found, ("TYPE", (kind,)))


def _from_binary(name: str, value: str, parameters: Parameters) -> tuple[str, Parameters]:
    """A data URI. What is no base64 stays as it is."""
    packed = re.sub(r"\s", "", value)
    try:
        base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return value, parameters
    rest = tuple(one for one in parameters if one[0] not in ("ENCODING", "TYPE", "VALUE"))
    given = [one for name_, values in parameters if name_ == "TYPE" for one in values]
    kind = given[0].lower() if given else ""
    if kind and "/" not in kind:
        kind = f"{_FAMILY[name]}/{'jpeg' if kind == 'jpg' else kind}"
    if given[1:]:
        rest = (*rest, ("TYPE", tuple(given[1:])))
    return f"data:{kind};base64,{packed}", rest


def _from_date(value: str, parameters: Parameters) -> tuple[str, Parameters]:
    kept = tuple(
        one for one in parameters if one != ("VALUE", ("date",)) and one[0] != "X-APPLE-OMIT-YEAR"
    )
    found = _DASHED.fullmatch(value)
    if found is None:
        return value, kept
    year, month, day, time = found.groups()
    if ("X-APPLE-OMIT-YEAR", (year,)) in parameters and not time:
        return f"--{month}{day}", kept
    return f"{year}{month}{day}{(time or '').replace(':', '')}", kept


def _to_date(value: str, parameters: Parameters) -> tuple[str, Parameters]:
    found = _YEARLY.fullmatch(value)
    if found is not None:
        return (
            f"{_NO_YEAR}-{found[1]}-{found[2]}",
            (*parameters, ("X-APPLE-OMIT-YEAR", (_NO_YEAR,))),
        )
    found = _BARE.fullmatch(value)
    if found is None:
        return value, parameters
    year, month, day, hour, minute, second, rest = found.groups()
    time = f"T{hour}:{minute}:{second}{rest}" if hour else ""
    return f"{year}-{month}-{day}{time}", parameters
