"""Hostile messages in real Chromium: no script of theirs runs, and nothing is asked for."""

import base64
import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, Route, expect

from malleposte.mime.safe_html import safe_html
from support.payloads import payloads
from web.conftest import Visit
from web.messages import message, of_parts, put

pytestmark = pytest.mark.interop

WATCHED = """
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => console.error("RAN " + name);
window.print = () => { document.documentElement.dataset.printed = "yes"; };
window.shown = 0;
if (parent === window) {
    addEventListener("message", ({data}) => { if (data?.kind === "shown") window.shown += 1; });
}
const ACTS = /^(?:SCRIPT|STYLE|LINK|META|BASE|IFRAME|OBJECT|EMBED|FORM|INPUT|VIDEO|AUDIO|SVG|MATH)$/i;
function look() {
    for (const one of document.querySelectorAll("#mail *")) {
        const left = [...one.attributes].filter(({name, value}) =>
            /^(?:on|src|background$|action|formaction|xlink)/i.test(name) ||
            (name !== "title" && /^\\W*(?:java|vb)script:/i.test(value)));
        if (ACTS.test(one.tagName) || left.length) console.error("LEFT " + one.outerHTML.slice(0, 200));
    }
}
if (parent !== window) {
    addEventListener("message", ({data}) => { if (data?.kind === "show") setTimeout(look, 0); });
}
addEventListener("securitypolicyviolation", (event) =>
    console.error(`TRIED ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
"""In every page and frame: what a payload would do, and what it would do if the policy let it."""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def watched(visit: Visit) -> Visit:
    visit.context.add_init_script(WATCHED)
    return visit


def read(page: Page, id_: str) -> None:
    """Open a message at its address."""
    page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }",
        f"/mail/inbox/{id_}",
    )


def choose(page: Page, what: str) -> None:
    """Something in the menu of the message that is open."""
    page.get_by_role("article").last.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=what).click()


def shown(page: Page, count: int) -> None:
    """So many frames have shown what they were handed, since it was last asked."""
    page.wait_for_function("count => window.shown >= count", arg=count, timeout=60_000)
    # What would be late, such as what follows a timer or an animation.
    page.wait_for_timeout(500)
    page.evaluate("window.shown = 0")


def test_no_payload_does_anything_in_reading_printing_and_preview(watched: Visit) -> None:
    watched.sign_in()
    page = watched.page
    hostile = payloads()
    tens = ["<hr>".join(hostile[start : start + 10]) for start in range(0, len(hostile), 10)]
    outer = message("Attached payloads")
    outer.set_content("See what is attached.")
    outer.add_attachment(of_parts("Payloads within", tens))
    ids = put(page, of_parts("Payloads", tens)), put(page, outer)
    read(page, ids[0])
    shown(page, len(tens))
    choose(page, "Print")
    expect(page.locator("[aria-hidden=true] > iframe")).to_have_count(1)
    shown(page, 1)
    read(page, ids[1])
    page.get_by_role("list", name="Attachments").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    shown(page, len(tens))


FRAMES = """async (texts) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts allow-popups allow-popups-to-escape-sandbox";
    frame.src = "/frame.html";
    const told = (kind) => new Promise((done) => {
        addEventListener("message", function heard({source, data}) {
            if (source !== frame.contentWindow || data.kind !== kind) return;
            removeEventListener("message", heard);
            done();
        });
    });
    const ready = told("ready");
    document.body.append(frame);
    await ready;
    for (const html of texts) {
        const shown = told("shown");
        frame.contentWindow.postMessage({kind: "show", html, dark: false, fold: "x"}, "*");
        await shown;
        await new Promise((done) => setTimeout(done, 10));
    }
    await new Promise((done) => setTimeout(done, 500));
}"""


READ = re.compile(
    r"TRIED (?:script-src-attr|base-uri)|Executing inline event|Setting the document's base"
)


def test_no_payload_does_anything_one_by_one(watched: Visit) -> None:
    """As the server gives each; and as it was sent, if the server let it through."""
    watched.open()
    watched.page.evaluate(FRAMES, [safe_html(one).html for one in payloads()])
    assert watched.wrong == []
    watched.page.evaluate(FRAMES, list(payloads()))
    # What the frame's own sanitiser reads is told of as if it were to run; it is read where nothing does.
    watched.wrong[:] = [one for one in watched.wrong if not READ.match(one)]


def test_pictures_of_the_web_are_shown_when_asked_for_and_always_for_a_sender(
    watched: Visit,
) -> None:
    watched.sign_in()
    page = watched.page
    asked: list[str] = []

    def fetched(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=PNG, content_type="image/png")

    page.route("**/jmap/image/**", fetched)
    html = "<p>Look</p><img src=https://img.example/1.png width=40><img src=https://t.example/ width=1>"
    id_ = put(page, message("Holiday pictures", html))
    read(page, id_)
    picture = page.frame_locator("article iframe:not([data-spare])").locator("img")
    expect(page.get_by_text("A picture from the web is not shown.")).to_be_visible()
    expect(picture).to_have_count(1)
    expect(picture).not_to_have_attribute("src", re.compile("."))
    assert asked == []
    page.get_by_role("button", name="Show", exact=True).click()
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1
    assert len(asked) == 1

    page.reload()
    page.get_by_role("button", name="Always from this sender").click()
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    page.reload()
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    choose(page, "No pictures from this sender")
    page.reload()
    expect(page.get_by_text("A picture from the web is not shown.")).to_be_visible()


def test_a_link_that_says_another_place_is_asked_about(watched: Visit) -> None:
    watched.sign_in()
    page = watched.page
    html = (
        "<p><a href=https://thief.example/in>https://bank.example/in</a></p><p>Yes, that is mine.</p>"
        "<div class=gmail_quote>On Monday Bo wrote: <blockquote>Is it yours?</blockquote></div>"
    )
    read(page, put(page, message("Your account", html)))
    frame = page.frame_locator("article iframe:not([data-spare])")
    frame.get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("https://bank.example/in")
    expect(dialog).to_contain_text("thief.example")
    dialog.get_by_role("button", name="Do not open").click()
    expect(dialog).to_be_hidden()
    assert len(watched.context.pages) == 1
    # What is quoted is folded, and can be had.
    expect(frame.get_by_text("Is it yours?")).to_be_hidden()
    frame.get_by_role("button", name="Show what is quoted").click()
    expect(frame.get_by_text("Is it yours?")).to_be_visible()


CALENDAR = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
DTSTART:20261204T120000Z\r
DTEND:20261204T130000Z\r
SUMMARY:Lunch by the river\r
LOCATION:Quay 3\r
END:VEVENT\r
END:VCALENDAR\r
"""
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>"
    b"endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def with_attachments() -> EmailMessage:
    inner = message("What I said before", "<p>Within <b>another</b></p><script>alert(1)</script>")
    found = message("With attachments")
    found.set_content("Here they are.")
    found.add_attachment(PNG, "image", "png", filename="dot.png")
    found.add_attachment(b"one\ntwo\n", "text", "plain", filename="notes.txt", cte="base64")
    found.add_attachment(PDF, "application", "pdf", filename="plan.pdf")
    found.add_attachment(
        b"<script>alert(1)</script>", "text", "html", filename="page.html", cte="base64"
    )
    found.add_attachment(CALENDAR.encode(), "text", "calendar", filename="lunch.ics", cte="base64")
    found.add_attachment(inner)
    return found


def test_attachments_are_looked_at_without_leaving_the_page(watched: Visit) -> None:
    watched.sign_in()
    page = watched.page
    read(page, put(page, with_attachments()))
    card = page.get_by_role("region", name="Event")
    expect(card).to_contain_text("Lunch by the river")
    expect(card).to_contain_text("Quay 3")
    files = page.get_by_role("list", name="Attachments")
    dialog = page.get_by_role("dialog")
    files.get_by_role("button", name=re.compile("dot.png")).click()
    assert dialog.get_by_role("img", name="dot.png").evaluate(
        "one => one.decode().then(() => one.naturalWidth)"
    )
    page.get_by_role("button", name="The next file").click()
    expect(dialog).to_contain_text("one\ntwo")
    page.get_by_role("button", name="The next file").click()
    expect(dialog.locator("iframe[title='plan.pdf']")).to_have_attribute(
        "src", re.compile("^blob:")
    )
    page.get_by_role("button", name="The next file").click()
    expect(dialog.get_by_role("heading", name="What I said before")).to_be_visible()
    expect(dialog.frame_locator("iframe").get_by_text("another")).to_be_visible()
    page.keyboard.press("Escape")
    # A page is saved, and never shown.
    expect(files.get_by_role("link", name=re.compile("page.html"))).to_have_attribute(
        "download", "page.html"
    )


def test_a_message_is_printed_with_who_wrote_it_and_nothing_folded(watched: Visit) -> None:
    watched.sign_in()
    page = watched.page
    html = "<p>Yes.</p><div class=gmail_quote>Is it yours?</div>"
    read(page, put(page, message("On paper", html)))
    choose(page, "Print")
    frame = page.frame_locator("[aria-hidden=true] > iframe")
    expect(frame.locator("html[data-printed=yes]")).to_have_count(1)
    expect(frame.locator("#head")).to_contain_text("Ada <ada@far.example>")
    expect(frame.get_by_text("Is it yours?")).to_have_css("display", "block")
