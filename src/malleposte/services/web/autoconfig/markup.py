"""XML, written and read.

What is read came from strangers: expat is given no document type, so that there are no entities (which
multiply, or name files), and a document has bounds. Only leaves are kept.
"""

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

MAX_DEPTH: Final = 10
MAX_ELEMENTS: Final = 50
MAX_TEXT: Final = 1_000
"""Characters of all texts together; an address has 254 at most."""
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class BadXml(Exception):
    """Not XML, or not XML of the kind that is read here."""


class Element:
    """An element to be written: text or elements in it."""

    __slots__ = ("_attributes", "_children", "_name", "_text")

    def __init__(self, name: str, text: str | int = "", /, **attributes: str) -> None:
        self._name = name
        self._text = str(text)
        self._attributes = attributes
        self._children: list[Element] = []

    def add(self, name: str, text: str | int = "", /, **attributes: str) -> "Element":
        """A further element in this one."""
        child = Element(name, text, **attributes)
        self._children.append(child)
        return child

    def _lines(self, depth: int) -> list[str]:
        begin = "  " * depth
        given = "".join(f" {key}={quoteattr(value)}" for key, value in self._attributes.items())
        if not self._children:
            return [f"{begin}<{self._name}{given}>{escape(self._text)}</{self._name}>"]
        inside = [line for child in self._children for line in child._lines(depth + 1)]
        return [f"{begin}<{self._name}{given}>", *inside, f"{begin}</{self._name}>"]

    def document(self) -> bytes:
        """All of it as a document."""
        return (DECLARATION + "\n".join(self._lines(0)) + "\n").encode()


def leaves(document: bytes) -> Mapping[str, str]:
    """The texts of a document's elements by their names without namespace; of several of one name the
    first. Raises ``BadXml``."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # also of an encoding it names
        raise BadXml("this is no XML") from error
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._depth = self._elements = self._characters = 0
        self._text = ""

    def refuse(self, *_: object) -> None:
        raise BadXml("a document type is not read")

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise BadXml("too much in it")
        self._text = ""

    def text(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > MAX_TEXT:
            raise BadXml("too much in it")
        self._text += text

    def end(self, name: str) -> None:
        self._depth -= 1
        bare = name.rpartition(":")[2]
        if self._text.strip():
            self.found.setdefault(bare, self._text.strip())
        self._text = ""
