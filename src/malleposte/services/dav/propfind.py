"""PROPFIND (RFC 4918 §9.1)."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final
from urllib.parse import quote

from malleposte.services.dav import properties
from malleposte.services.dav.answers import XML, failed, multistatus, response, status
from malleposte.services.dav.answers import properties as told
from malleposte.services.dav.properties import UNASKED, Here, etag, person_tag
from malleposte.services.dav.tree import Collection, Home, Member, Principal, Resource, Root, Tree
from malleposte.services.dav.xml import BEGIN, END, Element, dav, element
from malleposte.services.jmap.contacts.names import person_number, person_text
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store.read import contacts

SLICE: Final = 500
"""Cards told in one piece."""
MOST_NAMES: Final = 100
"""Properties asked for."""


def asked(body: Element | None) -> list[str] | None:
    """The names of the properties asked for; None: whatever there is. Raises ``Refused``."""
    if body is None:
        return None
    wanted = body.child(dav("prop"))
    if wanted is None:
        return None
    names = list(dict.fromkeys(one.name for one in wanted.children))
    if len(names) > MOST_NAMES:
        raise Refused(413, f"At most {MOST_NAMES} properties are asked for at once.")
    return names


def minimal(request: Request) -> bool:
    """Whether what is not there is better left out (RFC 8144)."""
    return "return=minimal" in request.field(b"prefer").replace(" ", "")


async def propfind(
    tree: Tree, resource: Resource, request: Request, body: Element | None
) -> Response:
    """The answer. Raises ``Refused``."""
    if body is not None and body.name != dav("propfind"):
        raise Refused(400, "A PROPFIND is expected.")
    depth = request.field(b"depth") or "infinity"
    if depth not in ("0", "1"):
        return failed(403, dav("propfind-finite-depth"))
    names = asked(body)
    bare = body is not None and body.child(dav("propname")) is not None
    if isinstance(resource, Member):
        here = await here_of(tree, resource)
        if here is None:
            raise Refused(404, "There is no such card.")
        return multistatus([_one(tree, here, names, bare, request)], "dav-propfind")
    if depth == "1" and isinstance(resource, Collection):
        pieces = _members(tree, resource, names, bare, request)
        return Response(207, kind=XML, route="dav-propfind", pieces=pieces)
    parts = [_one(tree, resource, names, bare, request)]
    if depth == "1":
        parts += [_one(tree, one, names, bare, request) for one in await _within(tree, resource)]
    return multistatus(parts, "dav-propfind")


async def _within(tree: Tree, resource: Resource) -> Sequence[Resource]:
    match resource:
        case Root():
            return [Principal(tree.principal), Home(tree.home)]
        case Home():
            return await tree.collections()
    return []


def _one(
    tree: Tree,
    resource: Resource | Here,
    names: list[str] | None,
    bare: bool,
    request: Request,
) -> str:
    known = properties.of(tree, resource)
    path = resource.member.path if isinstance(resource, Here) else resource.path
    if bare:
        found = element(dav("prop"), *map(element, known))
        return response(path, element(dav("propstat"), found, status(200)))
    wanted = [name for name in known if name in UNASKED] if names is None else names
    return told(path, known, wanted, minimal=minimal(request))


async def _members(
    tree: Tree, one: Collection, names: list[str] | None, bare: bool, request: Request
) -> AsyncGenerator[bytes]:
    yield (BEGIN + _one(tree, one, names, bare, request)).encode()
    async for some in slices(tree, one):
        parts = "".join(_one(tree, here, names, bare, request) for here in some)
        yield parts.encode("utf-8", "replace")
    yield END.encode()


async def slices(tree: Tree, one: Collection) -> AsyncGenerator[list[Here]]:
    """All cards of a collection, some at a time."""
    if one.people is not None:
        every = list(one.people.entries.values())
        for start in range(0, len(every), SLICE):
            yield [
                Here(at(one, f"{person_text(person.id)}.vcf"), person_tag(person))
                for person in every[start : start + SLICE]
            ]
        return
    assert one.book is not None
    after = 0
    while True:
        rows = await contacts.placed(tree.store.reader, one.book.id, after, SLICE)
        yield [Here(at(one, row.path), etag(row.modseq)) for row in rows]
        if len(rows) < SLICE:
            return
        after = rows[-1].card


def at(one: Collection, name: str) -> Member:
    """A name in a collection."""
    return Member(one.path + quote(name), one, name)


async def here_of(tree: Tree, member: Member) -> Here | None:
    """The card of a name; None: there is none."""
    one = member.collection
    if one.people is not None:
        person = one.people.entries.get(person_number(member.name.removesuffix(".vcf")))
        return Here(member, person_tag(person)) if person is not None else None
    assert one.book is not None
    found = await contacts.by_path(tree.store.reader, one.book.id, [member.name])
    placed = found.get(member.name)
    return Here(member, etag(placed.modseq)) if placed is not None else None
