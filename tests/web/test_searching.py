"""Searching: words and operators, what is offered, what is found and where."""

import re

import pytest
from playwright.sync_api import Page, expect

from web.conftest import PHONE, Visit

pytestmark = pytest.mark.interop


def looked_for(visit: Visit, text: str) -> Page:
    """The page after a search by keyboard."""
    page = visit.page
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search mail")
    expect(field).to_be_focused()
    field.fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search results")).to_be_attached()
    return page


def test_a_word_of_a_body_is_found_and_marked_with_its_folder(visit: Visit) -> None:
    visit.sign_in()
    page = looked_for(visit, "banners")
    row = page.locator("[role=row][data-id]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Notes from the kick-off")
    expect(row.locator("mark")).to_have_text(["banners"])
    expect(row).to_contain_text("Website")
    row.click()
    expect(page.get_by_role("article", name="Message from Martin Okafor")).to_be_visible()
    page.get_by_role("button", name="End the search").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_operators_are_chips_that_can_be_taken_out(visit: Visit) -> None:
    visit.sign_in()
    page = looked_for(visit, 'from:martin subject:"budget 2026" has:attachment -is:unread')
    chips = page.get_by_role("list", name="What is looked for")
    for words in ("From: martin", "Subject: budget 2026", "With attachments", "Not: Unread"):
        expect(chips).to_contain_text(words)
    rows = page.locator("[role=row][data-id]")
    expect(rows).to_have_count(1)
    chips.get_by_role("button", name=re.compile("With attachments")).click()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("combobox", name="Search mail")).to_have_value(
        'from:martin subject:"budget 2026" -is:unread'
    )


def test_the_box_offers_operators_values_and_old_searches_by_keyboard(visit: Visit) -> None:
    visit.sign_in()
    looked_for(visit, "tarte")
    page = visit.page
    page.get_by_role("button", name="End the search").click()
    page.keyboard.press("/")
    offered = page.get_by_role("listbox", name="Suggestions")
    expect(offered.get_by_role("option").first).to_have_text("tarte")
    page.keyboard.type("fr")
    expect(offered.get_by_role("option")).to_contain_text(["from:"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Search mail")
    expect(field).to_have_value("from:")
    page.keyboard.type("helene in:")
    expect(offered).to_contain_text("in:Archive")
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(offered).to_be_visible()


def test_nothing_found_says_what_to_do(visit: Visit) -> None:
    visit.sign_in()
    page = looked_for(visit, "winner@lucky.example.net")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("button", name="Look in junk and trash as well").click()
    rows = page.locator("[role=row][data-id]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Junk")


@pytest.mark.parametrize("size", [PHONE])
def test_in_french_on_a_phone(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.evaluate("localStorage.setItem('malleposte.locale', 'fr')")
    page.reload()
    visit.listed()
    field = page.get_by_role("combobox", name="Rechercher dans les messages")
    field.fill("de:noël imprimeur")
    field.press("Enter")
    expect(page.get_by_role("list", name="Ce qui est cherché")).to_contain_text("De : noël")
    expect(page.locator("[role=row][data-id]").first).to_contain_text("Facture de l'imprimeur")
