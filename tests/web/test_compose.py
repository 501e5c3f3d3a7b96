"""Mail is written in the browser, and is what its recipients get; no text is lost on the way."""

import email
import email.policy
import imaplib
import re
import smtplib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from web.conftest import PHONE, USER, ClientProgram, Demo, Visit, served
from web.test_access import violations

pytestmark = pytest.mark.interop
ADMIN = "admin@example.test"
HOSTILE = (
    '<style>@import url(http://evil.example/a.css)</style><p onclick="document.hit=1">Plans</p>'
    '<img src=x onerror="document.hit=1"><svg onload="document.hit=1"></svg>'
    '<a href="javascript:document.hit=1">here</a>'
    '<iframe srcdoc="<script>parent.hit=1</script>"></iframe>'
    '<b style="color:red;background:url(http://evil.example/b)">bold</b><form><input name=q></form>'
)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADAgH/p8nq9gAAAABJRU5ErkJggg=="
PASTE = """(editor, [html, png]) => {
  const given = new DataTransfer();
  if (html) { given.setData("text/html", html); given.setData("text/plain", "Plans"); }
  if (png) {
    const octets = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
    given.items.add(new File([octets], "dot.png", { type: "image/png" }));
  }
  const how = { clipboardData: given, bubbles: true, cancelable: true };
  editor.dispatchEvent(new ClipboardEvent("paste", how));
}"""


class SendingProgram(ClientProgram):
    """A server that sends, so that what is sent waits a moment; to other servers it has no way."""

    def environment(self) -> dict[str, str]:
        sending = {
            "MALLEPOSTE_SENDING_ENABLED": "true",
            "MALLEPOSTE_SENDING_SMART_HOST": "127.0.0.1:9",
        }
        return {**super().environment(), **sending}


@dataclass
class Post(Demo):
    """A demo, and how its mail is reached beside the web."""

    def port(self, service: str) -> int:
        return int(self.connect["services"][service]["port"])

    def messages(self, address: str, mailbox: str) -> list[EmailMessage]:
        """All of a mailbox, over IMAP."""
        trust = ssl.create_default_context(cafile=self.connect["ca"])
        with imaplib.IMAP4_SSL("localhost", self.port("imaps"), ssl_context=trust) as client:
            client.login(address, self.passwords[address])
            assert client.select(mailbox, readonly=True)[0] == "OK"
            _, rows = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            octets = [row[1] for row in rows if isinstance(row, tuple)]
        return [email.message_from_bytes(one, policy=email.policy.default) for one in octets]

    def wait(self, address: str, mailbox: str, subject: str, count: int = 1) -> list[EmailMessage]:
        """Those with a subject, once there are as many."""
        until = time.monotonic() + 25
        while True:
            found = [one for one in self.messages(address, mailbox) if one["Subject"] == subject]
            if len(found) == count or time.monotonic() > until:
                assert len(found) == count, f"{len(found)} messages {subject!r} in {mailbox}"
                return found
            time.sleep(0.2)


@pytest.fixture(scope="module")
def demo(built: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with served(browser, SendingProgram(tmp_path_factory.mktemp("w")), Post) as demo:
        yield demo


def editor(page: Page) -> Locator:
    return page.locator("[data-editor]")


def new_message(page: Page, to: str, subject: str) -> None:
    page.keyboard.press("c")
    field = page.get_by_role("combobox", name="To")
    expect(field).to_be_focused()
    page.keyboard.type(to)
    page.keyboard.press("Enter")
    page.locator("[data-field=subject]").fill(subject)
    editor(page).click()


def saved(page: Page) -> None:
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    text = found.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n").replace("\xa0", " ")


def test_what_is_written_is_what_arrives(visit: Visit, demo: Post, tmp_path: Path) -> None:
    visit.sign_in()
    page = visit.page
    new_message(page, "oliv", "Plans for spring")
    # Completed from the mail that is known.
    expect(page.get_by_role("button", name=f"Olivier Brandt <{ADMIN}>")).to_be_visible()
    page.keyboard.press("Control+Shift+B")
    expect(page.get_by_role("combobox", name="Bcc")).to_be_focused()
    page.keyboard.type(f"{USER},")
    editor(page).click()
    page.keyboard.type("Dear Olivier, ")
    page.keyboard.press("Control+b")
    page.keyboard.type("at last")
    page.keyboard.press("Control+b")
    page.keyboard.press("Enter")
    editor(page).evaluate(PASTE, [HOSTILE, None])
    expect(editor(page).get_by_text("Plans")).to_be_visible()
    editor(page).evaluate(PASTE, [None, PNG])
    expect(editor(page).locator("img[data-cid]")).to_have_js_property("naturalWidth", 1)
    assert page.evaluate("document.hit") is None
    assert (
        editor(page).locator("script,svg,iframe,form,input,style,[onclick],[onerror]").count() == 0
    )
    assert violations(page) == []
    # Asked before it goes, since the text says so; the answer is a file.
    file = tmp_path / "plan.txt"
    file.write_text("tulips")
    page.keyboard.type(" The plan is attached.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The text speaks of an attachment")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a file").click()
    chooser.value.set_files(file)
    expect(page.get_by_role("list", name="Attachments")).to_contain_text("plan.txt")
    saved(page)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo").last.click()
    expect(editor(page)).to_contain_text("Dear Olivier, at last")
    assert demo.wait(USER, "Sent", "Plans for spring", 0) == []
    editor(page).press("Control+Enter")
    expect(page.get_by_text("Message sent")).to_be_visible()
    (message,) = demo.wait(ADMIN, "INBOX", "Plans for spring")
    assert message["To"] == f"Olivier Brandt <{ADMIN}>"
    assert message["Bcc"] is None
    assert part(message, "plain").startswith("Dear Olivier, at last\nPlans")
    html = part(message, "html")
    assert "<b>at last</b>" in html
    assert not re.search(r"script|onclick|onerror|evil|<style|<form|<svg", html, re.IGNORECASE)
    files = {one.get_filename(): one for one in message.walk() if one.get_filename()}
    assert files["plan.txt"].get_content() == "tulips"
    shown = files["dot.png"]
    assert shown["Content-ID"].strip("<>") in html
    assert shown.get_content_disposition() == "inline"
    # Blind copies are the sender's to know.
    (kept,) = demo.wait(USER, "Sent", "Plans for spring")
    assert kept["Bcc"] == USER
    assert [one["Subject"] for one in demo.messages(USER, "Drafts")].count("Plans for spring") == 0


def test_a_tab_that_ends_loses_nothing_and_leaves_one_draft(visit: Visit, demo: Post) -> None:
    visit.sign_in()
    page = visit.page
    new_message(page, ADMIN, "Not lost")
    page.keyboard.type("The first line.")
    saved(page)

    def cut(route: Route) -> None:
        route.abort("internetdisconnected")

    visit.context.route("**/jmap/api", cut)
    page.keyboard.type(" And what nobody has saved.")
    page.wait_for_timeout(900)
    page.close(run_before_unload=False)
    visit.context.unroute("**/jmap/api")
    visit.page = page = visit.context.new_page()
    visit.watch()
    visit.open()
    expect(editor(page)).to_have_text("The first line. And what nobody has saved.")
    saved(page)
    (draft,) = demo.wait(USER, "Drafts", "Not lost")
    assert part(draft, "plain").strip() == "The first line. And what nobody has saved."
    page.get_by_role("button", name="Throw the draft away").click()
    demo.wait(USER, "Drafts", "Not lost", 0)
    visit.wrong[:] = [one for one in visit.wrong if "ERR_INTERNET_DISCONNECTED" not in one]


def test_two_windows_write_one_draft_and_no_text_is_lost(visit: Visit, demo: Post) -> None:
    visit.sign_in()
    page = visit.page
    new_message(page, ADMIN, "Twice")
    page.keyboard.type("Begun here.")
    saved(page)
    other = visit.context.new_page()
    other.goto(visit.demo.url)
    other.get_by_role("link", name="Drafts").click()
    other.get_by_role("row", name=re.compile("Twice")).click()
    expect(editor(other)).to_have_text("Begun here.")
    editor(other).press("Control+End")
    other.keyboard.type(" From there.")
    saved(other)
    editor(page).press("Control+End")
    page.keyboard.type(" From here.")
    expect(page.get_by_text("This draft was also written on another device")).to_be_visible()
    saved(page)
    (draft,) = demo.wait(USER, "Drafts", "Twice")
    text = part(draft, "plain")
    assert "Begun here. From here." in text
    assert "Begun here. From there." in text
    page.get_by_role("button", name="Throw the draft away").click()
    demo.wait(USER, "Drafts", "Twice", 0)


@pytest.mark.parametrize("colours", ["dark"])
def test_an_answer_joins_its_conversation_and_quotes_no_harm(visit: Visit, demo: Post) -> None:
    hostile = EmailMessage()
    hostile["From"], hostile["To"], hostile["Subject"] = "Eve <eve@evil.example>", USER, "A trap"
    hostile["Message-ID"] = "<trap@evil.example>"
    hostile["Cc"] = ADMIN
    hostile.set_content(HOSTILE, subtype="html")
    with smtplib.SMTP("127.0.0.1", demo.port("smtp")) as client:
        client.sendmail("eve@evil.example", [USER], hostile.as_bytes())
    visit.sign_in()
    page = visit.page
    page.get_by_role("row", name=re.compile("A trap")).click()
    articles = page.get_by_role("article")
    expect(articles).to_have_count(1)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Eve <eve@evil.example>")).to_be_visible()
    expect(page.get_by_role("button", name=ADMIN, exact=True)).to_be_visible()
    editor(page).click()
    page.keyboard.type("No, thank you.")
    saved(page)
    assert violations(page) == []
    page.get_by_role("button", name="Show and edit what is quoted").click()
    expect(editor(page)).to_contain_text("Eve wrote:")
    assert page.evaluate("document.hit") is None
    # To whom it need not go.
    page.get_by_role("button", name="Eve <eve@evil.example>").press("Delete")
    editor(page).press("Control+Enter")
    expect(articles).to_have_count(2)
    text = articles.nth(1).frame_locator("iframe").get_by_text("No, thank you.")
    expect(text).to_be_visible()
    (answer,) = demo.wait(USER, "Sent", "Re: A trap")
    assert answer["In-Reply-To"] == answer["References"] == "<trap@evil.example>"
    html = part(answer, "html")
    assert "bold" in html
    assert not re.search(
        r"script|onclick|onerror|evil\.example/|<style|<form|<svg", html, re.IGNORECASE
    )
    assert part(answer, "plain").startswith("No, thank you.\n\nOn ")
    # An answer to what one wrote oneself goes to whom that went.
    page.keyboard.press("r")
    expect(page.get_by_role("button", name=ADMIN, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(editor(page)).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE])
def test_on_a_phone_one_writes_over_the_whole_screen(visit: Visit, demo: Post) -> None:
    page = visit.page
    visit.open()
    page.get_by_role("button", name="Français").tap()
    visit.sign_in()
    page.get_by_role("button", name="Nouveau message").tap()
    field = page.get_by_role("combobox", name="À")
    field.fill("nobody at all")
    page.locator("[data-field=subject]").tap()
    box = page.locator("[data-composer]").bounding_box()
    assert box is not None
    assert [box["width"], box["height"]] == list(PHONE)
    page.get_by_role("button", name="Envoyer", exact=True).tap()
    expect(page.get_by_role("alert")).to_contain_text("On ne peut pas écrire")
    assert violations(page) == []
    page.locator("[data-composer]").get_by_role("button", name="Plus", exact=True).tap()
    page.get_by_role("menuitem", name="Supprimer le brouillon").tap()
    expect(page.locator("[data-composer]")).to_be_hidden()
