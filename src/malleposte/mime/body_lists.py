"""textBody, htmlBody and attachments of a message (RFC 8621 §4.1.4)."""

from __future__ import annotations

from typing import NamedTuple

from .part import Kind, Part


class BodyLists(NamedTuple):
    """Parts to show as text, to show as HTML, and to offer beside."""

    text: tuple[Part, ...]
    html: tuple[Part, ...]
    attachments: tuple[Part, ...]


def body_lists(parts: tuple[Part, ...], root: int = 0) -> BodyLists:
    """The three lists of the message whose root is `parts[root]`.

    Embedded messages are attachments; `root` may be the child of one.
    """
    text: list[Part] = []
    html: list[Part] = []
    attachments: list[Part] = []
    _collect(parts, (root,), "mixed", False, text, html, attachments)
    return BodyLists(tuple(text), tuple(html), tuple(attachments))


def has_attachment(lists: BodyLists) -> bool:
    """Whether a part should be offered for download: one that is not marked inline."""
    return any(part.disposition != "inline" for part in lists.attachments)


def _collect(
    parts: tuple[Part, ...],
    children: tuple[int, ...],
    multipart: str,
    alternative: bool,
    text: list[Part] | None,
    html: list[Part] | None,
    attachments: list[Part],
) -> None:
    """The RFC's own walk; as deep as the parser's limit on levels."""
    text_before = -1 if text is None else len(text)
    html_before = -1 if html is None else len(html)
    for place, index in enumerate(children):
        part = parts[index]
        if part.kind == Kind.MULTIPART:
            _collect(
                parts,
                part.children,
                part.subtype,
                alternative or part.subtype == "alternative",
                text,
                html,
                attachments,
            )
            continue
        media = part.type in ("image", "audio", "video")
        plain = part.type == "text" and part.subtype == "plain"
        is_html = part.type == "text" and part.subtype == "html"
        inline = (
            part.disposition != "attachment"
            and (plain or is_html or media)
            and (place == 0 or (multipart != "related" and (media or not part.name)))
        )
        if not inline:
            attachments.append(part)
            continue
        if multipart == "alternative":
            if plain and text is not None:
                text.append(part)
            elif is_html and html is not None:
                html.append(part)
            else:
                attachments.append(part)
            continue
        if alternative:
            if plain:
                html = None
            if is_html:
                text = None
        if text is not None:
            text.append(part)
        if html is not None:
            html.append(part)
        if (text is None or html is None) and media:
            attachments.append(part)
    if multipart == "alternative" and text is not None and html is not None:
        if len(text) == text_before and len(html) != html_before:
            text.extend(html[html_before:])
        elif len(html) == html_before and len(text) != text_before:
            html.extend(text[text_before:])
