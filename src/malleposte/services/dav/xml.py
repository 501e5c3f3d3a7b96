"""XML bodies, read without trust and written.

Read by expat, which the interpreter brings: a document type is refused, so that there are no entities to
expand and nothing outside to fetch (just what ``defusedxml`` adds to the standard library), and depth and
number of elements are bounded. Names are written as ``{namespace}name``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

DAV: Final = "DAV:"
CARD: Final = "urn:ietf:params:xml:ns:carddav"
SERVER: Final = "http://calendarserver.org/ns/"
_PREFIXES: Final = {DAV: "d", CARD: "card", SERVER: "cs"}
DEPTH: Final = 24
ELEMENTS: Final = 30_000
"""A multiget of 5,000 cards has some 5,010."""
NAMESPACE: Final = 200
NAME: Final = 300
"""Characters of a name, its namespace among them."""
_BAD: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no place for."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")


class NotXmlError(ValueError):
    """A body that is not read; the words say why."""


@dataclass(slots=True)
class Element:
    """``text``: what stands in it before its first child and between them."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> "Element | None":
        """The first child of a name."""
        return next(self.every(name), None)

    def every(self, name: str) -> Iterator["Element"]:
        """All children of a name."""
        return (one for one in self.children if one.name == name)


def parsed(octets: bytes) -> Element:
    """The root of a body. Raises ``NotXmlError``."""
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.StartNamespaceDeclHandler = reading.namespace
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.characters
    try:
        parser.Parse(octets, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, NotXmlError):
            raise
        raise NotXmlError(f"The body is no XML: {error}") from None
    if reading.root is None:
        raise NotXmlError("The body is empty")
    return reading.root


class _Reading:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._pieces: list[list[str]] = []
        self._count = 0

    def doctype(self, *_: object) -> None:
        raise NotXmlError("A document type is not read here")

    def namespace(self, _: str | None, uri: str | None) -> None:
        # Each name of it holds it again.
        if uri is not None and len(uri) > NAMESPACE:
            raise NotXmlError(f"A namespace has {NAMESPACE} characters at most")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if any(len(one) > NAME for one in (name, *attributes)):
            raise NotXmlError(f"A name has {NAME} characters at most, with its namespace")
        if self._count > ELEMENTS or len(self._open) >= DEPTH:
            raise NotXmlError("The body has too many elements, or too deep ones")
        element = Element(_clark(name), {_clark(key): one for key, one in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._pieces.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._pieces.pop())

    def characters(self, text: str) -> None:
        self._pieces[-1].append(text)


def _clark(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def dav(name: str) -> str:
    """A name of WebDAV."""
    return f"{{{DAV}}}{name}"


def card(name: str) -> str:
    """A name of CardDAV."""
    return f"{{{CARD}}}{name}"


def server(name: str) -> str:
    """A name of what Apple's server began with and all have."""
    return f"{{{SERVER}}}{name}"


def escaped(text: str) -> str:
    """Text as it stands in an element or attribute."""
    text = _BAD.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("\r", "&#13;")


def element(name: str, *within: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around what is written already."""
    namespace, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
    if _NAME.fullmatch(local) is None:
        raise ValueError(name)
    prefix, declared = _PREFIXES.get(namespace, ""), ""
    if not prefix:
        declared = f' xmlns="{escaped(namespace)}"'
    tag = f"{prefix}:{local}" if prefix else local
    shown = "".join(f' {key}="{escaped(value)}"' for key, value in (attributes or {}).items())
    inside = "".join(within)
    if not inside:
        return f"<{tag}{declared}{shown}/>"
    return f"<{tag}{declared}{shown}>{inside}</{tag}>"


def readable(name: str) -> bool:
    """Whether a name that was read can be written by ``element``."""
    return _NAME.fullmatch(name.rpartition("}")[2]) is not None


def href(path: str) -> str:
    """A path that is escaped as URLs are."""
    return element(dav("href"), escaped(path))


BEGIN: Final = (
    '<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="DAV:"'
    f' xmlns:card="{CARD}" xmlns:cs="{SERVER}">'
)
END: Final = "</d:multistatus>\n"


def document(root: str, *within: str) -> bytes:
    """A whole document of one element of WebDAV."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<d:{root} xmlns:d="DAV:"'
        f' xmlns:card="{CARD}" xmlns:cs="{SERVER}">{"".join(within)}</d:{root}>\n'
    )
    return body.encode("utf-8", "replace")
