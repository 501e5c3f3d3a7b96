"""What is told of each resource (RFC 4918 §15, RFC 3744 §5, RFC 6352 §6, RFC 6578 §4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from malleposte.directory.people import Person
from malleposte.services.dav.syncing import token_of
from malleposte.services.dav.tree import (
    Collection,
    Home,
    Member,
    Principal,
    Resource,
    Root,
    Tree,
)
from malleposte.services.dav.xml import card, dav, element, escaped, href, server
from malleposte.store.commands.contacts import MAX_CARD, MAX_MEDIA

VCARD: Final = "text/vcard; charset=utf-8"
MAX_RESOURCE: Final = 2 * (MAX_CARD + MAX_MEDIA)
"""Octets of a vCard that is taken; photos grow by a third on the way."""
DEAD: Final = "properties"
"""Under which name a book keeps what clients store about it."""

Properties = dict[str, Callable[[], str]]
"""What makes each property, by name."""


@dataclass(frozen=True, slots=True)
class Here:
    """A card in a collection: its tag, and its size unless nobody asked."""

    member: Member
    tag: str


def etag(modseq: int) -> str:
    """The tag of a card as it was at a modseq."""
    return f'"{modseq:x}"'


def person_tag(person: Person) -> str:
    """The tag of an entry of the directory."""
    return f'"{person.tag}"'


def state_of(collection: Collection) -> dict[str, Any]:
    """What is kept of a book."""
    assert collection.book is not None
    found: dict[str, Any] = msgspec.json.decode(collection.book.state)
    return found


def _privileges(letters: str) -> str:
    names = ["read", "read-current-user-privilege-set"]
    if "w" in letters:
        names += ["write-content", "bind", "unbind"]
    if "d" in letters:
        names += ["write", "write-properties"]
    return "".join(element(dav("privilege"), element(dav(name))) for name in names)


def of(tree: Tree, resource: Resource | Here) -> Properties:
    """What makes the properties of a resource."""
    found: Properties = {
        dav("current-user-principal"): lambda: href(tree.principal),
        dav("principal-collection-set"): lambda: href("/dav/principals/"),
    }
    match resource:
        case Root():
            found[dav("resourcetype")] = lambda: element(dav("collection"))
        case Principal():
            found |= _principal(tree)
        case Home():
            found |= _home(tree)
        case Collection():
            found |= _collection(tree, resource)
        case Here():
            found |= _member(tree, resource)
    return found


def _principal(tree: Tree) -> Properties:
    name = tree.account.name or tree.account.address
    return {
        dav("resourcetype"): lambda: element(dav("collection")) + element(dav("principal")),
        dav("displayname"): lambda: escaped(name),
        dav("principal-URL"): lambda: href(tree.principal),
        dav("alternate-URI-set"): lambda: "",
        dav("group-member-set"): lambda: "",
        dav("group-membership"): lambda: "",
        card("addressbook-home-set"): lambda: href(tree.home),
        card("principal-address"): lambda: "",
        server("email-address-set"): lambda: element(
            server("email-address"), escaped(tree.account.address)
        ),
    }


def _home(tree: Tree) -> Properties:
    return {
        dav("resourcetype"): lambda: element(dav("collection")),
        dav("displayname"): lambda: escaped(tree.account.name or tree.account.address),
        dav("owner"): lambda: href(tree.principal),
        dav("current-user-privilege-set"): lambda: _privileges("rwd"),
    }


def _collection(tree: Tree, one: Collection) -> Properties:
    found: Properties = {
        dav("resourcetype"): lambda: element(dav("collection")) + element(card("addressbook")),
        dav("displayname"): lambda: escaped(one.name),
        dav("current-user-privilege-set"): lambda: _privileges(one.letters),
        dav("supported-report-set"): _reports,
        dav("sync-token"): lambda: escaped(token_of(one)),
        server("getctag"): lambda: escaped(token_of(one)),
        card("supported-address-data"): lambda: "".join(
            element(
                card("address-data-type"),
                attributes={"content-type": "text/vcard", "version": version},
            )
            for version in ("3.0", "4.0")
        ),
        card("supported-collation-set"): lambda: "".join(
            element(card("supported-collation"), name)
            for name in ("i;ascii-casemap", "i;unicode-casemap", "i;octet")
        ),
        card("max-resource-size"): lambda: str(MAX_RESOURCE),
    }
    if not one.shared and one.book is not None:
        # Others' principals are nothing that is found here.
        found[dav("owner")] = lambda: href(tree.principal)
    if one.book is not None:
        state = state_of(one)
        if state.get("description"):
            found[card("addressbook-description")] = lambda: escaped(state["description"])
        for name, value in dead(state).items():
            found.setdefault(name, lambda value=value: escaped(value))  # type: ignore[misc]
    return found


def dead(state: Mapping[str, Any]) -> dict[str, str]:
    """What clients store about a book: texts by the names of properties."""
    kept = state.get(DEAD)
    return dict(kept) if isinstance(kept, dict) else {}


def _reports() -> str:
    names = (
        card("addressbook-query"),
        card("addressbook-multiget"),
        dav("sync-collection"),
    )
    return "".join(
        element(dav("supported-report"), element(dav("report"), element(name))) for name in names
    )


def _member(tree: Tree, here: Here) -> Properties:
    letters = here.member.collection.letters
    return {
        dav("resourcetype"): lambda: "",
        dav("getetag"): lambda: escaped(here.tag),
        dav("getcontenttype"): lambda: VCARD,
        dav("current-user-privilege-set"): lambda: _privileges(letters),
    }


UNASKED: Final = frozenset(
    (dav("resourcetype"), dav("displayname"), dav("getetag"), dav("getcontenttype"))
)
"""What ``allprop`` gives (RFC 4918 §9.1): all else is dear, or was asked not to be given so."""
