"""Folders and labels: made, named, filled and removed as people do it; filters made from a message."""

import re

import pytest
from playwright.sync_api import Locator, expect

from web.conftest import Visit

pytestmark = pytest.mark.interop
BOOKS = re.compile("Two books are due.*The Art of the Envelope")
JOURNEY = re.compile("A change to your journey")


@pytest.fixture
def inbox(visit: Visit) -> Visit:
    """The list is there. What a test does it takes back: the others find the same."""
    visit.sign_in()
    return visit


def folder(visit: Visit, name: str) -> Locator:
    return visit.page.get_by_role("navigation").get_by_role("link", name=name)


def choose(visit: Visit, name: str, item: str) -> None:
    """An item of the menu of a folder or label."""
    folder(visit, name).click(button="right")
    visit.page.get_by_role("menuitem", name=item, exact=True).click()


def test_a_folder_is_made_filled_renamed_and_removed(inbox: Visit) -> None:
    page = inbox.page
    page.get_by_role("button", name="New folder").click()
    page.get_by_role("textbox", name="Name").fill("Travel")
    page.get_by_role("button", name="Save").click()
    expect(folder(inbox, "Travel")).to_be_visible()
    choose(inbox, "Travel", "New folder within")
    page.get_by_role("textbox", name="Name").fill("Trains")
    page.get_by_role("button", name="Save").click()
    expect(folder(inbox, "Trains")).to_have_attribute("data-depth", "1")
    page.get_by_role("row", name=JOURNEY).click()
    page.keyboard.press("v")
    page.keyboard.type("trav")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 message moved to Travel")).to_be_visible()
    choose(inbox, "Travel", "Rename or move")
    page.get_by_role("textbox", name="Name").fill("Journeys")
    page.get_by_role("button", name="Save").click()
    folder(inbox, "Journeys").click()
    expect(page.get_by_role("row", name=JOURNEY)).to_be_visible()
    page.reload()
    page.get_by_role("row", name=JOURNEY).drag_to(folder(inbox, "Inbox"))
    expect(page.get_by_text("1 message moved to Inbox")).to_be_visible()
    choose(inbox, "Journeys", "Delete")
    expect(page.get_by_text("The folder “Journeys” was moved to trash.")).to_be_visible()
    expect(folder(inbox, "Journeys")).to_have_attribute("data-depth", "1")
    page.get_by_role("button", name="Undo").last.click()
    expect(folder(inbox, "Journeys")).to_have_attribute("data-depth", "0")
    # Into the trash first; from there for ever, with what is in it, and not without a question.
    choose(inbox, "Journeys", "Delete")
    expect(folder(inbox, "Journeys")).to_have_attribute("data-depth", "1")
    choose(inbox, "Journeys", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(folder(inbox, "Journeys")).to_have_count(0)
    expect(folder(inbox, "Trains")).to_have_count(0)


def test_a_label_has_a_colour_and_its_messages(inbox: Visit) -> None:
    page = inbox.page
    page.get_by_role("button", name="New label").click()
    page.get_by_role("textbox", name="Name").fill("Reading")
    page.get_by_role("radio", name="Purple").check(force=True)
    page.get_by_role("button", name="Save").click()
    expect(folder(inbox, "Reading")).to_be_visible()
    page.get_by_role("row", name=BOOKS).click()
    page.keyboard.press("l")
    page.get_by_role("menuitem", name="Reading").click()
    expect(page.get_by_text("1 message labelled “Reading”")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Two books.*Reading"))).to_be_visible()
    page.get_by_role("row", name=JOURNEY).drag_to(folder(inbox, "Reading"))
    folder(inbox, "Reading").click()
    expect(page.locator("[role=row][data-id]")).to_have_count(2)
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Two books.*Reading"))).to_be_visible()
    page.get_by_role("row", name=JOURNEY).click()
    page.keyboard.press("l")
    page.get_by_role("menuitem", name="Reading").click()
    expect(page.get_by_text("Label “Reading” taken from 1 message")).to_be_visible()
    expect(page.get_by_role("row", name=JOURNEY)).to_be_hidden()
    choose(inbox, "Reading", "Remove the label")
    expect(page.get_by_text(re.compile("The label “Reading” was removed"))).to_be_visible()
    expect(folder(inbox, "Reading")).to_have_count(0)


def test_a_filter_is_made_from_a_message_and_shows_what_it_would_have_caught(inbox: Visit) -> None:
    page = inbox.page
    page.get_by_role("row", name=BOOKS).click(button="right")
    page.get_by_role("menuitem", name="Filter messages like this").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Two books are due").first).to_be_visible()
    dialog.get_by_label("Folder").select_option(label="Archive")
    dialog.get_by_role("button", name="Save the filter").click()
    expect(page.get_by_text("The filter is on for mail that comes from now on.")).to_be_visible()
    inbox.open("/settings/filters")
    rules = page.get_by_role("list", name="Filters").get_by_role("listitem")
    expect(rules).to_have_count(1)
    expect(rules.first).to_contain_text("Archive")
    rules.first.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.get_by_text("No filters yet")).to_be_visible()


def test_who_is_blocked_goes_to_junk_and_comes_back(inbox: Visit) -> None:
    page = inbox.page
    row = page.get_by_role("row", name=JOURNEY)
    row.click(button="right")
    page.get_by_role("menuitem", name=re.compile("^Block ")).click()
    expect(page.get_by_text(re.compile("goes to junk from now on"))).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_role("button", name="Undo").last.click()
    folder(inbox, "Junk").click()
    page.get_by_role("row", name=JOURNEY).drag_to(folder(inbox, "Inbox"))
    inbox.open("/settings/filters")
    expect(page.get_by_text("No filters yet")).to_be_visible()


def test_a_list_is_left_by_the_server_not_the_browser(inbox: Visit) -> None:
    page = inbox.page
    message = (
        "DKIM-Signature: v=1; a=rsa-sha256; d=lists.invalid; s=x; bh=x; b=x;\r\n"
        " h=From:List-Unsubscribe:List-Unsubscribe-Post\r\n"
        "List-Unsubscribe: <https://lists.invalid/leave/1>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "From: Seeds <news@lists.invalid>\r\nSubject: Seeds of the month\r\n\r\nPeas.\r\n"
    )
    inbox.open("/settings/transfer")
    page.get_by_label("Files of mail").set_input_files(
        {"name": "seeds.eml", "mimeType": "message/rfc822", "buffer": message.encode()}
    )
    expect(page.get_by_text("1 message imported into Inbox")).to_be_visible()
    page.get_by_role("button", name="Back to the mail").click()
    page.get_by_role("row", name=re.compile("Seeds of the month")).click()
    page.get_by_role("button", name="Unsubscribe").click()
    # There is no such server. A request of the page to it would fail the test.
    expect(page.get_by_text("The list could not be told.")).to_be_visible()
    expect(page.get_by_role("button", name="Open the page")).to_be_visible()
    page.keyboard.press("#")
    expect(page.get_by_text("1 message moved to trash")).to_be_visible()
