"""An email as a client describes it (RFC 8621 §4.6), looked through and put in order.

What comes out can be written without another question: header fields are finished lines, parts form a
tree, and only the content of blobs is still to be read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from malleposte.mime import compose
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.mail import plans
from malleposte.services.jmap.mail.header_writing import Headers

PARTS: Final = 1_000
DEPTH: Final = 20
"""Levels of multiparts; mail programs make four."""
METADATA: Final = frozenset(("mailboxIds", "keywords", "receivedAt"))
BODIES: Final = ("textBody", "htmlBody", "attachments")
SERVER_SET: Final = frozenset(("id", "blobId", "threadId", "size", "hasAttachment", "preview"))
_MEDIA: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$&'^_.+-]{1,60}")
_CID: Final = re.compile(r"[!-;=?-~]{1,900}")
_PART: Final = frozenset(
    ("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language")
    + ("location", "subParts", "headers")
)


@dataclass(slots=True)
class Leaf:
    """A part with content: ``text``, or that of a blob. ``fields`` are lines but the encoding's."""

    media: str
    fields: list[bytes]
    text: str | None = None
    blob: str = ""
    inline: bool = False
    """Shown within the HTML, by its Content-ID."""


@dataclass(slots=True)
class Branch:
    """Parts together."""

    subtype: str
    parts: list["Node"]
    fields: list[bytes] = field(default_factory=list)


Node = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be written; ``given``: names of its header fields, in lower case."""

    fields: list[bytes]
    given: frozenset[str]
    root: Node
    blobs: tuple[str, ...]


def described(properties: Mapping[str, Any]) -> Draft:
    """The message of an Email object; what is beside it (``METADATA``) is others' business. Raises
    ``SetError``."""
    headers = Headers()
    for name, value in properties.items():
        if name in METADATA or name in BODIES or name in ("bodyValues", "bodyStructure"):
            continue
        if name in SERVER_SET:
            raise invalid("The server sets this", name)
        if name == "headers":
            raise invalid("Header fields are given one by one, as header:Name", name)
        if not headers.put(name, value):
            known = name in plans.KNOWN or name.startswith("header:")
            raise invalid("This cannot be set" if known else "There is no such property", name)
    for one in headers.names:
        if one.startswith("content-"):
            raise invalid(f"The header field {one} belongs to a part", *_of(properties, one))
    reader = _Reader(_values(properties.get("bodyValues")))
    root = reader.root(properties)
    if not headers.names.isdisjoint(reader.root_names):
        twice = sorted(headers.names & reader.root_names)[0]
        raise invalid(f"The header field {twice} is given twice", "bodyStructure")
    return Draft(headers.fields, frozenset(headers.names), root, tuple(reader.blobs))


def _of(properties: Mapping[str, Any], name: str) -> list[str]:
    return [one for one in properties if one.lower().startswith(f"header:{name}")]


def _values(given: Any) -> dict[str, str]:
    """The texts by part id."""
    found: dict[str, str] = {}
    if given is None:
        return found
    if not isinstance(given, dict):
        raise invalid("This is no object of texts", "bodyValues")
    for name, one in given.items():
        match one:
            case {"value": str(value)}:
                pass
            case _:
                raise invalid("A body value has a value", f"bodyValues/{name}")
        for problem in ("isEncodingProblem", "isTruncated"):
            if one.get(problem, False) is not False:
                raise invalid("A text that is not whole cannot be sent", f"bodyValues/{name}")
        if extra := one.keys() - {"value", "isEncodingProblem", "isTruncated"}:
            raise invalid(f"There is no property {sorted(extra)[0]!r}", f"bodyValues/{name}")
        found[name] = value
    return found


class _Reader:
    """Parts of one object."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._count = 0
        self.blobs: list[str] = []
        self.root_names: set[str] = set()

    def root(self, properties: Mapping[str, Any]) -> Node:
        """The tree: as it is given, or put together."""
        structure = properties.get("bodyStructure")
        lists = [name for name in BODIES if properties.get(name) is not None]
        if structure is not None:
            if lists:
                raise invalid("Either the structure or the lists are given", *lists)
            return self._node(structure, "bodyStructure", "text/plain", 0)
        text = self._only(properties, "textBody", "text/plain")
        html = self._only(properties, "htmlBody", "text/html")
        attached = self._attached(properties.get("attachments"))
        inline = [one for one in attached if html is not None and one.inline]
        if html is not None and inline:
            html = Branch("related", [html, *inline])
        bodies: list[Node] = [one for one in (text, html) if one is not None]
        rest: list[Node] = [one for one in attached if one not in inline]
        # Plain before HTML: the last is the one that is shown (RFC 2046 §5.1.4).
        body = Branch("alternative", bodies) if len(bodies) > 1 else None
        root: Node
        if body is not None:
            root = body
        elif bodies:
            root = bodies[0]
        elif rest:
            return Branch("mixed", rest)
        else:
            root = Leaf("text/plain", _type("text/plain", charset="utf-8"), text="")
        return Branch("mixed", [root, *rest]) if rest else root

    def _only(self, properties: Mapping[str, Any], name: str, media: str) -> Node | None:
        given = properties.get(name)
        if given is None or given == []:
            return None
        if not isinstance(given, list) or len(given) != 1:
            raise invalid(f"One part of type {media} is given here", name)
        leaf = self._node(given[0], name, media, 0)
        if not isinstance(leaf, Leaf) or leaf.media.lower() != media:
            raise invalid(f"One part of type {media} is given here", name)
        return leaf

    def _attached(self, given: Any) -> list[Leaf]:
        if given is None:
            return []
        if not isinstance(given, list):
            raise invalid("This is a list of parts", "attachments")
        found: list[Leaf] = []
        for number, one in enumerate(given):
            leaf = self._node(one, f"attachments/{number}", "application/octet-stream", 0)
            if not isinstance(leaf, Leaf):
                raise invalid("An attachment is no multipart", f"attachments/{number}")
            found.append(leaf)
        return found

    def _node(self, given: Any, path: str, default: str, depth: int) -> Node:
        if not isinstance(given, dict):
            raise invalid("A part is an object", path)
        self._count += 1
        if self._count > PARTS or depth > DEPTH:
            raise invalid(f"A message has at most {PARTS} parts, {DEPTH} levels deep", path)
        media = given.get("type")
        media = default if media is None else media
        if not isinstance(media, str) or _MEDIA.fullmatch(media) is None:
            raise invalid("A type is written as type/subtype", f"{path}/type")
        headers = self._headers(given, path)
        if depth == 0 and path == "bodyStructure":
            self.root_names = headers.names
        if media.lower().startswith("multipart/"):
            return self._branch(given, path, media, headers, depth)
        if given.get("subParts"):
            raise invalid("Only a multipart has parts", f"{path}/subParts")
        return self._leaf(given, path, media, headers)

    def _headers(self, given: dict[str, Any], path: str) -> Headers:
        headers = Headers()
        for name, value in given.items():
            if name == "headers":
                raise invalid(
                    "Header fields are given one by one, as header:Name", f"{path}/{name}"
                )
            if name in _PART:
                continue
            try:
                known = name.startswith("header:") and headers.put(name, value)
            except SetError as error:
                raise invalid(error.description, f"{path}/{name}") from None
            if not known:
                raise invalid("There is no such property of a part", f"{path}/{name}")
        for one in headers.names:
            if one in ("content-transfer-encoding", "content-type", "mime-version"):
                raise invalid(f"The header field {one} is the server's", path)
        for name, one in _SAID.items():
            if given.get(name) is not None and one in headers.names:
                raise invalid(f"The header field {one} is given twice", f"{path}/{name}")
        return headers

    def _branch(
        self, given: dict[str, Any], path: str, media: str, headers: Headers, depth: int
    ) -> Branch:
        for name in ("partId", "blobId", "charset"):
            if given.get(name) is not None:
                raise invalid("A multipart has parts only", f"{path}/{name}")
        parts = given.get("subParts")
        if not isinstance(parts, list) or not parts:
            raise invalid("A multipart has parts", f"{path}/subParts")
        found = [
            self._node(one, f"{path}/subParts/{number}", "text/plain", depth + 1)
            for number, one in enumerate(parts)
        ]
        subtype = media.partition("/")[2].lower()
        return Branch(subtype, found, [*_details(given, path), *headers.fields])

    def _leaf(self, given: dict[str, Any], path: str, media: str, headers: Headers) -> Leaf:
        part, blob = given.get("partId"), given.get("blobId")
        if (part is None) == (blob is None):
            raise invalid("A part has either a partId or a blobId", f"{path}/partId")
        name, charset = _name(given, path), given.get("charset")
        if charset is not None and (
            not isinstance(charset, str) or _TOKEN.fullmatch(charset) is None
        ):
            raise invalid("This is the name of no charset", f"{path}/charset")
        if part is None:
            if not isinstance(blob, str):
                raise invalid("This is the id of no blob", f"{path}/blobId")
            self.blobs.append(blob)
            text = None
        else:
            for one in ("charset", "size"):
                if given.get(one) is not None:
                    raise invalid("Of a text that is given the server says this", f"{path}/{one}")
            if not isinstance(part, str) or part not in self._values:
                raise invalid("There is no body value of this id", f"{path}/partId")
            if not media.lower().startswith("text/"):
                raise invalid("Only text is given as a body value", f"{path}/type")
            text, charset, blob = self._values[part], "utf-8", ""
        fields = [*_type(media, charset=charset, name=name), *_details(given, path)]
        inline = given.get("cid") is not None and given.get("disposition") != "attachment"
        return Leaf(media, [*fields, *headers.fields], text, blob, inline)


_SAID: Final[Mapping[str, str]] = {
    "disposition": "content-disposition",
    "name": "content-disposition",
    "cid": "content-id",
    "language": "content-language",
    "location": "content-location",
}


def _type(media: str, *, charset: str | None = None, name: str | None = None) -> list[bytes]:
    said = (("charset", charset), ("name", name))
    return [compose.field("Content-Type", media, [(one, value) for one, value in said if value])]


def _name(given: dict[str, Any], path: str) -> str | None:
    name = given.get("name")
    if name is not None and (not isinstance(name, str) or len(name) > 1_000):
        raise invalid("A name is a text of at most 1,000 characters", f"{path}/name")
    return name


def _details(given: dict[str, Any], path: str) -> list[bytes]:
    """Fields of a part but its type."""
    fields: list[bytes] = []
    name, disposition = _name(given, path), given.get("disposition")
    if disposition is not None:
        if not isinstance(disposition, str) or _TOKEN.fullmatch(disposition) is None:
            raise invalid("This is no disposition", f"{path}/disposition")
        parameters = [("filename", name)] if name else []
        fields.append(compose.field("Content-Disposition", disposition, parameters))
    cid = given.get("cid")
    if cid is not None:
        if not isinstance(cid, str) or _CID.fullmatch(cid) is None:
            raise invalid("A Content-ID is ASCII without spaces", f"{path}/cid")
        fields.append(compose.message_ids("Content-ID", [cid]))
    languages = given.get("language")
    if languages is not None:
        if not isinstance(languages, list) or not all(
            isinstance(one, str) and _TOKEN.fullmatch(one) for one in languages
        ):
            raise invalid("These are no tags of languages", f"{path}/language")
        if languages:
            fields.append(compose.field("Content-Language", ", ".join(languages)))
    location = given.get("location")
    if location is not None:
        if not isinstance(location, str) or _CID.fullmatch(location) is None:
            raise invalid("A location is ASCII without spaces", f"{path}/location")
        fields.append(compose.field("Content-Location", location))
    return fields
