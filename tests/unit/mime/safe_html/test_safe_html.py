"""What becomes of HTML: nothing that acts or loads is left, and what is harmless looks as it did."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.mime.safe_html import Picture, safe_html
from malleposte.mime.safe_html.lists import ATTRIBUTES, GONE_WHOLE, PROPERTIES, TAGS
from support.payloads import payloads

_ALWAYS = {"rel", "target"}
_LOADS = {"src", "srcset", "background", "poster", "data", "action", "formaction", "xlink:href"}


class Found(HTMLParser):
    """Tags and attributes, as a third parser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def harmless(html: str) -> None:
    """Every tag, attribute and property is one of the lists, and no address would load anything."""
    for tag, attributes in Found(html).tags:
        assert tag in TAGS, html
        for name, value in attributes.items():
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()) | _ALWAYS, html
            assert name not in _LOADS, html
            if name == "href":
                assert re.match(r"(?:https?|mailto|tel):|#m-", value or ""), html
            if name == "style":
                for one in (value or "").split(";"):
                    assert one.partition(":")[0] in PROPERTIES, html
                assert not re.search(r"url|expression|\\|@|/\*", value or "", re.IGNORECASE), html


def test_no_payload_leaves_anything_that_acts_or_loads() -> None:
    for payload in payloads():
        found = safe_html(payload)
        harmless(found.html)
        # Twice is once: what is safe reads the same to the next parser.
        again = safe_html(found.html)
        harmless(again.html)


@pytest.mark.parametrize(
    "sent",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><animate onbegin=alert(1) attributeName=x></svg>",
        "<math><mtext><table><mglyph><style><img src onerror=alert(1)></style></mglyph></table></math>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<object data='data:text/html,x'></object><embed src=x>",
        "<form action=https://evil.example><input name=p autofocus onfocus=alert(1)></form>",
        "<base href=https://evil.example/><a href=x>y</a>",
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<link rel=stylesheet href=https://evil.example/a.css>",
        "<style>@import 'https://evil.example/a.css'; p{background:url(https://evil.example/b)}</style>",
        "<video src=https://evil.example/v poster=https://evil.example/p></video>",
        "<p style=\"background:url('https://evil.example/a')\">x",
        "<p style='width:expression(alert(1))'>x",
        "<p style='behavior:url(x.htc)'>x",
        "<p style='b\\61 ckground:u\\72l(https://evil.example)'>x",
        "<p style='position:fixed;top:0;left:0;z-index:9'>x",
        "<div style='background-image:image-set(\"https://evil.example/a\" 1x)'>x</div>",
        "<div style='--a:url(https://evil.example);background:var(--a)'>x</div>",
        "<input type=image src=https://evil.example/a>",
        "<img srcset='https://evil.example/a 2x'>",
        "<table background=https://evil.example/a><td>x</table>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='&#1;javascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='vbscript:x'>x</a><a href='file:///etc/passwd'>y</a>",
        "<div data-picture=0 data-background=1 data-quote data-warn=x>x</div>",
    ],
    ids=range(27),
)
def test_what_acts_or_loads_is_gone(sent: str) -> None:
    found = safe_html(sent)
    harmless(found.html)
    assert "alert" not in found.html
    assert "evil.example" not in found.html


def test_text_within_what_is_taken_out_stays_unless_it_is_no_text() -> None:
    assert safe_html("<article><form>a<button>b</button></form></article>").html == (
        "<article>ab</article>"
    )
    assert "nothing" not in safe_html("<style>nothing{}</style><title>nothing</title>x").html


# Styles -------------------------------------------------------------------------------------------


def style_of(html: str, tag: str = "p") -> str:
    return next(a.get("style") or "" for name, a in Found(safe_html(html).html).tags if name == tag)


def test_rules_of_a_sheet_are_laid_upon_elements_by_their_weight() -> None:
    sheet = (
        "<style>p{color:red;margin:1px} #one{color:green} .two{color:blue;padding:2px}"
        "td p{color:gray} .two{margin:3px !important}</style>"
    )
    assert style_of(f"{sheet}<p>x") == "color:red;margin:1px"
    assert style_of(f"{sheet}<p class='two a'>x") == "color:blue;padding:2px;margin:3px"
    assert style_of(f"{sheet}<p id=one class=two>x").startswith("padding:2px;color:green")
    assert "color:gray" in style_of(f"{sheet}<table><td><p>x</table>")
    # What the element says itself is stronger, but for what is important.
    assert style_of(f"{sheet}<p class=two style='color:black;margin:9px'>x") == (
        "padding:2px;color:black;margin:3px"
    )


def test_a_later_shorthand_takes_back_what_was_said_before() -> None:
    assert style_of("<style>p{border-top:1px solid red}p{border:0}</style><p>x") == (
        "border-top:1px solid red;border:0"
    )


def test_only_what_holds_on_every_screen_is_taken_of_media() -> None:
    sheet = (
        "<style>@media screen{p{color:red}} @media only screen and (max-width:600px)"
        "{p{color:blue} td{color:blue}} @media print{p{color:gray}} @font-face{font-family:x}"
        "p{margin:1px}</style>"
    )
    assert style_of(f"{sheet}<p>x") == "color:red;margin:1px"


def test_the_bodys_own_looks_go_on_around_it() -> None:
    found = safe_html("<style>body{font-family:Georgia}</style><body bgcolor=#eeeeee><p>x")
    assert found.html == '<div bgcolor="#eeeeee" style="font-family:Georgia"><p>x</p></div>'


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("font-family:'Segoe UI',Arial,sans-serif", "font-family:'Segoe UI',Arial,sans-serif"),
        ("color:rgb(1, 2, 3);background:#fff", "color:rgb(1, 2, 3);background:#fff"),
        ("width:calc(100% - 20px)", "width:calc(100% - 20px)"),
        ("mso-hide:all;mso-line-height-rule:exactly", "display:none"),
        ("background:linear-gradient(90deg, #fff, rgba(0,0,0,0.5))",) * 2,
        ("color:red;;;:;x;margin:0", "color:red;margin:0"),
        ("color:red/*;*/;margin:0", "color:red;margin:0"),
        ("margin:-5px auto 0 .5em", "margin:-5px auto 0 .5em"),
        ("content:'x';cursor:wait;float:left", "float:left"),
        ("font:italic bold .8em/1 Arial, serif", "font:italic bold .8em/1 Arial, serif"),
    ],
    ids=range(10),
)
def test_declarations_are_kept_as_far_as_they_are_of_the_list(sent: str, kept: str) -> None:
    assert style_of(f'<p style="{sent}">x').replace(" ", "") == kept.replace(" ", "")


# Pictures -----------------------------------------------------------------------------------------

PNG = "data:image/png;base64,iVBORw0KGgo="


def test_pictures_are_numbers_and_their_addresses_stand_beside() -> None:
    found = safe_html(
        "<img src=https://a.example/1.png alt=One width=600><img src=cid:two%40x>"
        f"<img src={PNG}><img src=https://a.example/1.png><td>"
        "<div style=\"background:#fff url('//b.example/3.png') no-repeat\">x</div>",
        {"two@x": "E1-2"},
    )
    assert found.pictures == (
        Picture(remote="https://a.example/1.png"),
        Picture(blob="E1-2"),
        Picture(data=PNG),
        Picture(remote="https://b.example/3.png"),
    )
    assert re.findall(r'data-picture="(\d)"', found.html) == ["0", "1", "2", "0"]
    assert 'data-background="3"' in found.html
    assert 'alt="One"' in found.html
    assert "a.example" not in found.html


def test_a_picture_of_nothing_leaves_its_words() -> None:
    found = safe_html("<img src=cid:missing alt=Logo><img src=cid:missing><img src=file:///x>")
    assert found.html == '<img alt="Logo">'
    assert found.pictures == ()


def test_a_drawing_within_the_message_is_not_shown() -> None:
    for source in ("data:image/svg+xml;base64,PHN2Zz4=", "data:text/html,x", "data:image/png,raw"):
        assert safe_html(f"<img src='{source}'>").pictures == ()


@pytest.mark.parametrize(
    "how",
    ["width=1 height=1", "width='0'", "style='display:none'", "style='width:1px;height:1px'"],
)
def test_a_picture_that_nobody_would_see_is_gone_and_counted(how: str) -> None:
    found = safe_html(f"<p>x</p><img src=https://t.example/p.gif {how}>")
    assert found.trackers == 1
    assert found.pictures == ()
    assert "img" not in found.html


# Links --------------------------------------------------------------------------------------------


def warned(link: str) -> str | None:
    return next(a.get("data-warn") for name, a in Found(safe_html(link).html).tags if name == "a")


@pytest.mark.parametrize(
    "link",
    [
        "<a href=https://evil.example/login>https://bank.example/login</a>",
        "<a href=https://evil.example>www.bank.de</a>",
        "<a href=https://evil.example> <b>bank</b>.com </a>",
        "<a href=https://bank.com.evil.example>bank.com</a>",
        "<a href=https://bank.com@evil.example/>Sign in</a>",
        "<a href=mailto:thief@evil.example>help@bank.com</a>",
        "<a href=https://xn--bnk-dma.com>bank.com</a>",
        "<a href='https://one.co.uk'>two.co.uk</a>",
        "<a href='https:\\\\evil.example\\bank.com'>bank.com</a>",
    ],
)
def test_a_link_that_says_another_place_is_marked_with_where_it_leads(link: str) -> None:
    assert warned(link)


@pytest.mark.parametrize(
    "link",
    [
        "<a href=https://www.bank.com/a>bank.com</a>",
        "<a href=https://login.bank.com>https://bank.com/login</a>",
        "<a href=https://evil.example>Click here</a>",
        "<a href=https://host.example>readme.md</a>",
        "<a href=https://host.example>Node.js 24</a>",
        "<a href=mailto:ada@example.org>ada@example.org</a>",
        "<a href=https://x.example>At 9.30 in room 4.2</a>",
        "<a href=tel:+331234>+33 1 234</a>",
        "<a href=https://b\u00fccher.de>b\u00fccher.de</a>",
    ],
)
def test_a_link_that_says_where_it_leads_or_nothing_about_it_is_not(link: str) -> None:
    assert warned(link) is None


def test_a_link_opens_elsewhere_and_says_where_it_leads() -> None:
    (_, link), *_ = Found(safe_html("<a href=' HTTP://x.example/a b ' target=_top>y</a>").html).tags
    assert link["href"] == link["title"] == "http://x.example/a%20b"
    assert link["target"] == "_blank"
    assert "noopener" in (link["rel"] or "")


def test_ids_and_links_within_are_the_messages_own() -> None:
    found = safe_html("<a href=#top>Up</a><h1 id=top>x</h1><a name=end>y</a><p id='a b'>z")
    assert 'href="#m-top"' in found.html
    assert '<h1 id="m-top">' in found.html
    assert '<a id="m-end"' in found.html
    assert "a b" not in found.html


# Quotations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quote",
    [
        "<div class='gmail_quote'>x</div>",
        "<blockquote type=cite>x</blockquote>",
        "<div class='yahoo_quoted a'>x</div>",
        "<div id=divRplyFwdMsg>x</div>",
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Ada</p></div>",
    ],
    ids=range(5),
)
def test_what_programs_mark_as_quoted_is_marked(quote: str) -> None:
    found = safe_html(f"<p>Yes.</p>{quote}<p>After</p>")
    assert "data-quote" in found.html
    assert "<p data-quote" not in found.html.partition("Yes.")[0]


def test_a_quotation_without_an_end_goes_on_to_the_end() -> None:
    html = safe_html("<p>Yes.</p><div id=appendonsend></div><hr><p>On Monday</p>").html
    assert html.count("data-quote") == 3


# Bounds -------------------------------------------------------------------------------------------

NASTY = {
    "deep": "<div>" * 60_000,
    "deep by tricks": "<div><object></div></object>" * 10_000,
    "deep by buttons": "<div><button></div></button><p></p>" * 9_000,
    "deep inline": "<b>" * 60_000,
    "deep tables": "<table><tr><td>" * 20_000,
    "formatting": "<b><i><a href=x><font>" * 15_000,
    "misnested": "<a><b></a>" * 20_000,
    "many attributes": "<p " + " ".join(f"a{n}=1" for n in range(30_000)) + ">",
    "values": "".join(f"<p style='font:{'1ab #abcdef ' * 300}{n}!'>" for n in range(50)),
    "brackets in styles": "".join(f"<p style='{'a:(;' * 900}{n}'>" for n in range(50)),
    "gradients": "<p style='background:linear-gradient(" + "rgb(1) " * 500 + "!'>",
    "one style": "<p style='" + "color:red;" * 20_000 + "'>",
    "open quotes": "<p style='" + "\"'(" * 40_000,
    "open brackets": "<p style='width:" + "(" * 100_000 + "'>x",
    "braces": "<style>" + "a{" * 60_000 + "</style><a>",
    "many rules": "<style>" + "p{color:red}" * 10_000 + "</style>" + "<p>x" * 5_000,
    "selectors": "<style>" + "a b c d e f g h{color:red}" * 2_000 + "</style>" + "<a><b>" * 5_000,
    "attribute selectors": "<style>"
    + "[a*='x'] [b]{color:red}" * 3_000
    + "</style>"
    + "<i>" * 9_000,
    "commas": "<style>" + "p," * 50_000 + "p{color:red}</style>" + "<p>" * 5_000,
    "comments": "<style>" + "/*" * 80_000 + "</style>",
    "links": "<a href=https://x.example/>" + "y" * 50 + "<table><td>" * 3_000,
    "link texts": "<a href=https://x.example/>a.b.c.d.e.f.g.h.i.j.k-" * 4_000,
    "quotes": "<div id=divRplyFwdMsg>x</div>" * 5_000,
    "outlook": "<div style='border-top:solid red'>From: x" * 3_000,
    "entities": "&lt;" * 50_000,
    "data": "<img src='data:image/png;base64," + "A" * 190_000 + "'>",
    "many pictures": "".join(f"<img src=https://x.example/{n}>" for n in range(6_000)),
}


@pytest.mark.parametrize("name", sorted(NASTY))
def test_200_kb_of_anything_take_a_moment(name: str) -> None:
    began = time.process_time()
    found = safe_html(NASTY[name][:200_000])
    harmless(found.html[:100_000].rpartition("<")[0])
    assert time.process_time() - began < 3
    assert len(found.html) < 8_000_000


@given(
    st.text(
        alphabet="<>/='\"abs :;{}()#.!-&\\\n\0\x0b\u2028\U0001f600",
        max_size=400,
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_sent_is_harmless_and_raises_nothing(text: str) -> None:
    harmless(safe_html(f"<p>{text}<a href={text}>x</a><b style='{text}'>").html)


def test_a_tag_is_never_both_kept_and_taken_out_whole() -> None:
    assert TAGS.isdisjoint(GONE_WHOLE)
