"""A message's HTML from what was sent to what may be shown.

A tree is made of it, and styles, pictures, links and quotations are seen to there; the last word has
``nh3`` (Ammonia), another parser with lists of its own, so that nothing rests on the first one's reading.
"""

import html as markup
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from malleposte.mime.safe_html import links
from malleposte.mime.safe_html.lists import ATTRIBUTES, GONE_WHOLE, SCHEMES, TAGS, words
from malleposte.mime.safe_html.pictures import Picture, Pictures, is_remote
from malleposte.mime.safe_html.quotes import quoted
from malleposte.mime.safe_html.styles import declarations, merged
from malleposte.mime.safe_html.stylesheets import Layers, laid

MOST_ELEMENTS: Final = 40_000
MOST_OPEN: Final = 1_000
"""Elements within each other. Parsers look through those that are open, again for each tag."""
MOST_LINK_TEXT: Final = 2_000_000
"""Characters of all links' words that are looked at."""
PREFIX: Final = "m-"
"""Of every id: none is one that a page has."""
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)")
# They end by themselves, or where the next of their kind begins.
_NEVER_OPEN: Final = words(
    """a area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th
    thead tr wbr"""
)
_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_TINY: Final = re.compile(r"\s*[012](?:\.\d+)?\s*(?:px)?\s*", re.IGNORECASE)
_BLOCK: Final = frozenset(("body", "table", "td", "th", "tr", "div"))


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """``pictures`` by the number in ``data-picture`` and ``data-background``; ``trackers``: pictures
    that were there to tell that they are fetched, and are gone; ``cut``: it had more than is shown."""

    html: str
    pictures: tuple[Picture, ...] = ()
    trackers: int = 0
    cut: bool = False


def safe_html(html: str, parts: Mapping[str, str] | None = None) -> SafeHtml:
    """HTML that may be shown, of any that was sent. ``parts``: blobs of the message by Content-ID."""
    html, cut = _shallow(html)
    while True:
        tree = LexborHTMLParser(html)
        body = tree.body
        if body is None:
            return SafeHtml("", cut=cut)
        elements = _elements(body)
        if elements is not None:
            break
        html, cut = html[: len(html) // 2], True
    run = _Run(tree, Pictures(parts or {}))
    around = run.see_to([body, *elements])
    sealed = nh3.clean(
        f"<div{around}>{body.inner_html or ''}</div>" if around else body.inner_html or "",
        tags=set(TAGS),
        clean_content_tags=set(GONE_WHOLE),
        attributes=ATTRIBUTES,
        attribute_filter=_sealed,
        strip_comments=True,
        link_rel="noopener noreferrer",
        url_schemes=set(SCHEMES),
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return SafeHtml(sealed, tuple(run.pictures.found), run.trackers, cut)


def _shallow(html: str) -> tuple[str, bool]:
    """Up to where too many elements are open; whether that is not all."""
    open_: Counter[str] = Counter()
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _NEVER_OPEN:
            continue
        if not tag[1]:
            open_[name] += 1
            depth += 1
            if depth > MOST_OPEN:
                return html[: tag.start()], True
        elif open_[name]:
            open_[name] -= 1
            depth -= 1
    return html, False


def _elements(body: LexborNode) -> list[LexborNode] | None:
    """All in the body; None: too many."""
    found: list[LexborNode] = []
    for node in body.traverse(include_text=False):
        if node.tag == "-comment":
            continue
        found.append(node)
        if len(found) > MOST_ELEMENTS:
            return None
    return found[1:]  # the body itself is the first


class _Run:
    """One message."""

    def __init__(self, tree: LexborHTMLParser, pictures: Pictures) -> None:
        self._tree = tree
        self.pictures = pictures
        self.trackers = 0
        self._link_text = 0
        self._styles: dict[tuple[object, ...], tuple[str, str]] = {}

    def see_to(self, elements: list[LexborNode]) -> str:
        """Rewrite all that needs it; the attributes of the first, the body, as markup."""
        css = "\n".join(
            sheet.text(deep=True)
            for sheet in self._tree.css("style")
            if (sheet.attributes.get("media") or "all").strip().lower() in ("all", "screen", "")
        )
        layers = laid(self._tree, css, len(elements)) if css else {}
        quotations: dict[int, LexborNode] = {}
        gone: list[LexborNode] = []
        for node in elements:
            attributes = node.attributes
            if node.mem_id not in quotations:
                quotations |= {one.mem_id: one for one in quoted(node, attributes)}
            if not self._element(node, attributes, layers.get(node.mem_id)):
                gone.append(node)
        for node in quotations.values():
            node.attrs["data-quote"] = ""
        for node in gone:
            node.decompose()
        body = elements[0]
        kept = ("style", "data-background", "bgcolor", "dir", "lang")
        return "".join(
            f' {name}="{markup.escape(value or "")}"'
            for name, value in body.attributes.items()
            if name in kept
        )

    def _element(
        self, node: LexborNode, attributes: dict[str, str | None], layers: Layers | None
    ) -> bool:
        """See to one element; False: it goes."""
        tag = node.tag or ""
        if not attributes and not layers:
            return True
        for name in attributes:
            if name.startswith("data-"):
                del node.attrs[name]
        style, picture = self._style(attributes.get("style"), layers)
        if style:
            node.attrs["style"] = style
        elif "style" in attributes:
            del node.attrs["style"]
        picture = picture or (attributes.get("background") or "" if tag in _BLOCK else "")
        if picture and (number := self.pictures.number(picture)) is not None:
            node.attrs["data-background"] = str(number)
        self._named(node, attributes)
        if tag == "a":
            self._link(node, attributes)
        elif tag == "img":
            return self._picture(node, attributes, style)
        return True

    def _style(self, own: str | None, layers: Layers | None) -> tuple[str, str]:
        key = (own, *(rank for rank, _ in layers or ()))
        found = self._styles.get(key)
        if found is None:
            ordered = sorted(layers or (), key=lambda layer: layer[0])
            found = merged((*(one for _, one in ordered), declarations(own or "")))
            self._styles[key] = found
        return found

    def _named(self, node: LexborNode, attributes: dict[str, str | None]) -> None:
        name = attributes.get("id") or (attributes.get("name") if node.tag == "a" else None)
        if name and _ID.fullmatch(name) is not None:
            node.attrs["id"] = PREFIX + name
        elif "id" in attributes:
            del node.attrs["id"]

    def _link(self, node: LexborNode, attributes: dict[str, str | None]) -> None:
        if "href" not in attributes:
            return
        url = links.target(attributes["href"] or "")
        if url is None:
            del node.attrs["href"]
            return
        if url.startswith("#"):
            node.attrs["href"] = f"#{PREFIX}{url[1:]}"
            return
        node.attrs["href"] = url
        node.attrs["title"] = url[:300]
        if self._link_text < MOST_LINK_TEXT:
            text = node.text(deep=True)
            self._link_text += len(text)
            if links.deceives(text, url):
                node.attrs["data-warn"] = links.host(url)

    def _picture(self, node: LexborNode, attributes: dict[str, str | None], style: str) -> bool:
        source = attributes.get("src") or ""
        if is_remote(source) and _is_tracker(attributes, style):
            self.trackers += 1
            return False
        number = self.pictures.number(source)
        if number is None:
            # What it stands for can still be read.
            return bool((attributes.get("alt") or "").strip())
        node.attrs["data-picture"] = str(number)
        return True


def _is_tracker(attributes: Mapping[str, str | None], style: str) -> bool:
    """Whether nobody would see a picture."""
    sizes = (attributes.get("width"), attributes.get("height"))
    if any(size is not None and _TINY.fullmatch(size) for size in sizes):
        return True
    said = dict(one.partition(":")[::2] for one in style.split(";") if ":" in one)
    if said.get("display") == "none" or said.get("visibility") == "hidden":
        return True
    return any(_TINY.fullmatch(said.get(name, "-")) for name in ("width", "height"))


def _sealed(tag: str, name: str, value: str) -> str | None:
    """The last look at an attribute: what the tree was made to say, and nothing else."""
    match name:
        case "style":
            return merged((declarations(value),))[0] or None
        case "data-picture" | "data-background":
            return value if value.isdecimal() and value.isascii() else None
        case "id":
            return value if value.startswith(PREFIX) else None
        case _:
            return value
