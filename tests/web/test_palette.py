"""The palette, the keys that are told of, and what a newcomer is shown."""

import re

import pytest
from playwright.sync_api import expect

from web.conftest import PHONE, Visit
from web.test_access import violations

pytestmark = pytest.mark.interop
JOURNEY = re.compile("A change to your journey")


def test_everything_is_reached_by_a_few_letters(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    expect(palette.get_by_role("combobox")).to_be_focused()
    assert violations(page) == []
    page.keyboard.type("draf")
    expect(palette.get_by_role("option").first).to_contain_text("Drafts")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("springfield")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=springfield"))
    # What is done by it is done to what is open, and taken back by a key.
    page.keyboard.press("g")
    page.keyboard.press("i")
    row = page.get_by_role("row", name=JOURNEY)
    row.click()
    page.keyboard.press("Control+k")
    page.keyboard.type("archi")
    expect(palette.get_by_role("option").first).to_contain_text("Archive")
    page.keyboard.press("Enter")
    expect(row).to_be_hidden()
    page.keyboard.press("z")
    expect(row).to_be_visible()
    # From the contacts as well.
    page.keyboard.press("Control+k")
    page.keyboard.type("contacts")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/contacts/all$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("app pass")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/app-passwords$"))


def test_the_keys_that_are_told_of_are_those_that_work(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="What keys do")
    expect(keys.get_by_role("row", name="G S Go to what is starred")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("starred"))
    page.evaluate("localStorage.setItem('malleposte.prefs', '{\"shortcuts\": false}')")
    page.reload()
    visit.listed()
    page.keyboard.press("?")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(keys).to_be_hidden()


@pytest.mark.parametrize("newcomer", [True])
def test_a_newcomer_is_welcomed_once(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    welcome = page.get_by_role("dialog")
    expect(welcome.get_by_text("1 of 3")).to_be_visible()
    assert violations(page) == []
    welcome.get_by_text("Compact").click()
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    page.get_by_role("button", name="Next").click()
    expect(welcome.get_by_text("2 of 3")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Next").click()
    expect(welcome.get_by_role("switch", name="Mail without a connection")).to_be_visible()
    page.get_by_role("button", name="To the mail").click()
    expect(welcome).to_be_hidden()
    page.reload()
    visit.listed()
    page.wait_for_timeout(900)
    expect(welcome).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE], ids=["phone"])
@pytest.mark.parametrize("newcomer", [True])
def test_a_phone_has_no_keys_to_tell_of_and_the_welcome_can_be_skipped(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    welcome = page.get_by_role("dialog")
    expect(welcome.get_by_text("1 of 2")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Skip").last.click()
    expect(welcome).to_be_hidden()
