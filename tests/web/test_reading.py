"""From the sign-in page to a message that is read, and back."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from web.conftest import PHONE, USER, Visit
from web.messages import message, put

pytestmark = pytest.mark.interop


def test_a_wrong_password_is_said_and_the_right_one_opens_the_list(visit: Visit) -> None:
    page = visit.page
    visit.open()
    page.get_by_label("Mail address").fill(USER)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("The address or the password is not right.")
    page.get_by_label("Password", exact=True).fill(visit.demo.passwords[USER])
    page.keyboard.press("Enter")
    visit.listed()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_who_signed_in_stays_so_until_signing_out(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.reload()
    visit.listed()
    page.get_by_role("button", name=f"Account {USER}").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Mail address")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Mail address")).to_be_visible()


def test_an_address_within_leads_there_after_signing_in(visit: Visit) -> None:
    visit.sign_in()
    visit.page.get_by_role("link", name="Archive").click()
    address = visit.page.url
    visit.context.clear_cookies(name="malleposte")
    visit.page.goto(address)
    visit.page.get_by_label("Mail address").fill(USER)
    visit.page.get_by_label("Password", exact=True).fill(visit.demo.passwords[USER])
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", name="Archive")).to_be_visible()


def test_a_message_is_read_and_the_way_back_leads_to_the_list(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.get_by_role("row", name=re.compile("The second address")).click()
    expect(page.get_by_role("heading", name="The second address")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("reaches you as well")
    expect(page.get_by_role("link", name="info@example.test")).to_have_attribute(
        "href", "mailto:info@example.test"
    )
    page.go_back()
    expect(page.get_by_text("No message is open")).to_be_visible()


def test_a_conversation_is_one_row_and_is_read_as_a_whole(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    row = page.get_by_role("row", name=re.compile("Jardin partagé, samedi.*4 messages"))
    row.click()
    articles = page.get_by_role("article")
    expect(articles).to_have_count(4)
    # The newest is open; the others are a line each until they are asked for.
    expect(articles.nth(3)).to_contain_text("What a day!")
    articles.nth(0).get_by_role("button").click()
    expect(articles.nth(0).get_by_text("to me").first).to_be_visible()


def test_keys_lead_through_the_messages(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    rows = page.locator("[role=row][data-id]")
    for key, index in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(rows.nth(index)).to_have_attribute("aria-current", "true")
    page.keyboard.press("u")
    expect(page.get_by_text("No message is open")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Archive")).to_be_visible()


def test_the_list_is_walked_by_arrows_and_marked_by_space(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    rows = page.locator("[role=row][data-id]")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("2 marked")).to_be_visible()
    expect(rows.nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_text("2 marked")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.locator("[role=row]:focus")).to_be_in_viewport()


def test_it_speaks_french_at_once_and_again_next_time(visit: Visit) -> None:
    page = visit.page
    visit.open()
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="Connectez-vous à votre messagerie")).to_be_visible()
    visit.sign_in()
    expect(page.get_by_role("heading", name="Boîte de réception")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Corbeille")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "fr"


def test_colours_and_density_are_chosen_and_kept(visit: Visit) -> None:
    visit.sign_in()
    page, root = visit.page, visit.page.locator("html")
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Settings").click()
    page.get_by_text("Dark", exact=True).click()
    page.get_by_text("Compact", exact=True).click()
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-density", "compact")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_role("button", name="Back to the mail").click()
    visit.listed()
    box = page.locator("[role=row]").first.bounding_box()
    assert box is not None
    assert box["height"] < 45


@pytest.mark.parametrize("size", [PHONE])
def test_on_a_phone_one_pane_follows_the_other(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.get_by_role("button", name="Mailboxes").tap()
    page.get_by_role("link", name="Projects").tap()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.get_by_role("button", name="Mailboxes").tap()
    page.get_by_role("link", name="Inbox").tap()
    page.get_by_role("row", name=re.compile("The second address")).tap()
    expect(page.get_by_role("article")).to_contain_text("reaches you as well")
    expect(page.locator("[role=grid]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_role("button", name="Back to the list").tap()
    visit.listed()


KEPT = """() => new Promise(done => {
    const asked = indexedDB.open("malleposte");
    asked.onsuccess = () => {
        const base = asked.result;
        const all = base.transaction("kept").objectStore("kept").count();
        all.onsuccess = () => { base.close(); done(all.result); };
    };
})"""
BASES = "indexedDB.databases().then(all => all.length)"


def soon(page: Page, script: str, wanted: int) -> None:
    """Until a script says so."""
    until = time.monotonic() + 20
    while page.evaluate(script) != wanted:
        assert time.monotonic() < until, script
        page.wait_for_timeout(100)


def test_mail_is_kept_for_the_next_visit_and_forgotten_on_signing_out(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    soon(page, KEPT, 1)
    # The list is there before the server has said a word about it.
    held: list[Route] = []
    page.route("**/jmap/api", lambda route: held.append(route))
    page.reload()
    visit.listed()
    expect(page.get_by_role("row", name=re.compile("The second address"))).to_be_visible()
    for route in held:
        route.continue_()
    page.unroute("**/jmap/api")
    page.get_by_role("button", name=f"Account {USER}").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Mail address")).to_be_visible()
    soon(page, BASES, 0)
    assert USER not in str(page.evaluate("Object.entries(localStorage)"))


# What keeps a browser from one way to hear of news: then there is the other.
NO_SOCKETS = "window.WebSocket = class { constructor() { throw new Error('not here'); } };"


@pytest.mark.parametrize("without", ["", NO_SOCKETS], ids=["socket", "event source"])
def test_new_mail_shows_as_it_comes(visit: Visit, without: str) -> None:
    """Nobody asks for it: the server tells (RFC 8887, RFC 8620 §7.3)."""
    visit.context.add_init_script(without)
    visit.sign_in()
    page, asked = visit.page, list[str]()
    page.wait_for_timeout(1_500)
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_000)
    assert not [url for url in asked if "/jmap/" in url]
    other = visit.context.new_page()
    other.goto(visit.demo.url)
    subject = f"As it comes, {'by events' if without else 'by a socket'}"
    put(other, message(subject))
    expect(page.get_by_role("row", name=re.compile(subject))).to_be_visible(timeout=10_000)
