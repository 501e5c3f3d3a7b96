"""What HTML of a message may have. Whatever is not here is taken out."""

from typing import Final


def words(text: str) -> frozenset[str]:
    """Those of a text."""
    return frozenset(text.split())


TAGS: Final = words(
    """a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col
    colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header
    hr i img ins kbd li main mark menu nav ol p pre q rp rt ruby s samp section small span strike strong
    sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr"""
)
"""Any other tag goes, what is in it stays."""
GONE_WHOLE: Final = words(
    """applet audio base canvas embed head iframe link math meta noembed noframes noscript object option
    script select style svg template textarea title video xmp"""
)
"""These go with what is in them."""

_EVERY: Final = "align bgcolor dir height id lang style title valign width"
_OWN: Final = {
    "a": "href data-warn",
    "col": "span",
    "colgroup": "span",
    "br": "clear",
    "details": "open",
    "font": "color face size",
    "hr": "color noshade size",
    "img": "alt border data-picture hspace vspace",
    "li": "type value",
    "ol": "reversed start type",
    "table": "border cellpadding cellspacing frame rules",
    "td": "abbr colspan nowrap rowspan",
    "th": "abbr colspan nowrap rowspan scope",
    "ul": "type",
}
ATTRIBUTES: Final = {"*": set(f"{_EVERY} data-background data-quote".split())} | {
    tag: set(names.split()) for tag, names in _OWN.items()
}
"""By tag; ``data-`` ones are ours alone."""
SCHEMES: Final = frozenset(("http", "https", "mailto", "tel"))
"""Of what a link leads to. Nothing is loaded by an address: see ``pictures``."""

PROPERTIES: Final = words(
    """align-content align-items align-self background background-color background-position
    background-repeat background-size border border-bottom border-bottom-color
    border-bottom-left-radius border-bottom-right-radius border-bottom-style border-bottom-width
    border-collapse border-color border-left border-left-color border-left-style border-left-width
    border-radius border-right border-right-color border-right-style border-right-width border-spacing
    border-style border-top border-top-color border-top-left-radius border-top-right-radius
    border-top-style border-top-width border-width box-shadow box-sizing caption-side clear color
    column-gap direction display empty-cells flex flex-basis flex-direction flex-flow flex-grow
    flex-shrink flex-wrap float font font-family font-size font-stretch font-style font-variant
    font-weight gap height justify-content letter-spacing line-height list-style list-style-position
    list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width
    min-height min-width object-fit opacity order outline overflow overflow-wrap overflow-x overflow-y
    padding padding-bottom padding-left padding-right padding-top row-gap table-layout text-align
    text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style
    text-indent text-overflow text-shadow text-transform unicode-bidi vertical-align visibility
    white-space width word-break word-spacing word-wrap"""
)
"""Of styles: none that moves a thing over another, shows text of its own, or loads by itself."""
