"""MKCOL (RFC 5689), PROPPATCH (RFC 4918 §9.2) and DELETE of address books."""

from typing import Any, Final

import msgspec

from malleposte.services.dav.answers import failed, multistatus, propstat, response
from malleposte.services.dav.properties import DEAD, dead, state_of
from malleposte.services.dav.tree import DIRECTORY, NAME, Collection, Tree
from malleposte.services.dav.xml import Element, card, dav, element, readable
from malleposte.services.web.messages import Refused, Response
from malleposte.store.commands import DropBook, PutBook
from malleposte.store.commands.contacts import MAX_NAME
from malleposte.store.results import Done
from malleposte.store.results import Refused as CommandRefused

MOST_DEAD: Final = 32
"""Properties that clients store about a book."""
MOST_TEXT: Final = 1_000
"""Characters of one, and of a description 10,000."""
MOST_DESCRIPTION: Final = 10_000
_DESCRIPTION: Final = card("addressbook-description")
_LIVE: Final = frozenset(
    (
        dav("resourcetype"),
        dav("getetag"),
        dav("sync-token"),
        dav("owner"),
        dav("current-user-principal"),
        dav("current-user-privilege-set"),
        dav("supported-report-set"),
        card("supported-address-data"),
        card("max-resource-size"),
        "{http://calendarserver.org/ns/}getctag",
    )
)
"""What the server alone says (RFC 4918 §15)."""


class _Wished:
    """What properties shall be; ``refused``: names of those that cannot be so."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.name: str | None = None
        self.state = state
        self.names: list[str] = []
        self.refused: list[str] = []

    def wish(self, one: Element, *, remove: bool) -> None:
        """One property to be set, or removed."""
        self.names.append(one.name)
        text = one.text.strip()
        if one.name == dav("displayname"):
            if remove or not 0 < len(text.encode()) <= MAX_NAME:
                self.refused.append(one.name)
            self.name = text
        elif one.name == _DESCRIPTION:
            if len(text) > MOST_DESCRIPTION:
                self.refused.append(one.name)
            self.state["description"] = text
            if remove or not text:
                del self.state["description"]
        elif one.name in _LIVE or one.children or len(text) > MOST_TEXT or not readable(one.name):
            self.refused.append(one.name)
        else:
            kept = dead(self.state)
            kept.pop(one.name, None)
            if not remove:
                kept[one.name] = text
            if len(kept) > MOST_DEAD:
                self.refused.append(one.name)
            self.state[DEAD] = kept


async def mkcol(tree: Tree, path: str, body: Element | None) -> Response:
    """Make an address book. Raises ``Refused``."""
    names = path.removeprefix(tree.home).strip("/")
    if not path.startswith(tree.home) or NAME.fullmatch(names) is None:
        return failed(403, card("addressbook-collection-location-ok"))
    if names == DIRECTORY or await tree.collection(names) is not None:
        raise Refused(405, "There is such a collection already.")
    wished = _Wished({})
    kinds: list[str] = []
    for prop in _props(body, dav("set")):
        for one in prop.children:
            if one.name == dav("resourcetype"):
                kinds += [kind.name for kind in one.children]
            else:
                wished.wish(one, remove=False)
    if card("addressbook") not in kinds:
        return failed(403, dav("valid-resourcetype"))
    if wished.refused:
        return failed(403, dav("cannot-modify-protected-property"))
    result = await tree.store.submit(
        PutBook(
            account=tree.account.id,
            actor=tree.account.id,
            path=names,
            name=wished.name or names,
            state=msgspec.json.encode(wished.state),
        )
    )
    if isinstance(result, CommandRefused):
        if result.reason == "exists":
            raise Refused(405, "There is such a collection already.")
        if result.reason == "limit":
            return failed(507, dav("quota-not-exceeded"))
        raise Refused(403, f"{result.text[:1].upper()}{result.text[1:]}.")
    return Response(201, fields=(("Cache-Control", "no-cache"),), route="dav-mkcol")


def _props(body: Element | None, act: str) -> list[Element]:
    if body is None:
        return []
    return [prop for one in body.every(act) for prop in one.every(dav("prop"))]


async def proppatch(tree: Tree, one: Collection, body: Element | None) -> Response:
    """Change properties: all that are named, or none (RFC 4918 §9.2). Raises ``Refused``."""
    if body is None or body.name != dav("propertyupdate"):
        raise Refused(400, "A PROPPATCH is expected.")
    book = one.book
    if book is None or "d" not in one.letters:
        return failed(403, dav("need-privileges"))
    wished = _Wished(state_of(one))
    for act in body.children:
        for prop in act.every(dav("prop")):
            for wish in prop.children:
                wished.wish(wish, remove=act.name == dav("remove"))
    if not wished.refused:
        result = await tree.store.submit(
            PutBook(
                account=book.account,
                actor=tree.account.id,
                book=book.id,
                name=wished.name,
                state=msgspec.json.encode(wished.state),
            )
        )
        if isinstance(result, CommandRefused):
            raise Refused(403, f"{result.text[:1].upper()}{result.text[1:]}.")
    codes: dict[int, list[str]] = {}
    for name in dict.fromkeys(wished.names):
        if readable(name):
            code = 403 if name in wished.refused else 424 if wished.refused else 200
            codes.setdefault(code, []).append(element(name))
    stats = [propstat(elements, code) for code, elements in codes.items()]
    return multistatus([response(one.path, *stats)], "dav-proppatch")


async def delete(tree: Tree, one: Collection) -> Response:
    """Remove an address book with what is in no other. Raises ``Refused``."""
    book = one.book
    if book is None or "d" not in one.letters:
        return failed(403, dav("need-privileges"))
    more = True
    while more:
        result = await tree.store.submit(
            DropBook(account=book.account, actor=tree.account.id, book=book.id, contents=True)
        )
        if isinstance(result, CommandRefused):
            raise Refused(404, "There is no such address book any more.")
        more = isinstance(result, Done) and result.more
    return Response(204, route="dav-delete")
