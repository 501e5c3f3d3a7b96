"""What is set is what the server does, and stays: replies, language, identities, mail in files."""

import mailbox
import re
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from web.conftest import Visit

pytestmark = pytest.mark.interop
BOX = """\
From ada@example.org Tue Dec  1 10:20:30 2026
From: Ada <ada@example.org>
Subject: Brought along
Status: RO

Hello
>From afar

From ada@example.org Tue Dec  1 10:20:31 2026
From: Ada <ada@example.org>
Subject: Brought along, too

Hello
"""


def settings(visit: Visit, page: str) -> None:
    visit.open(f"/settings/{page}")
    visit.page.get_by_role("heading", level=2).wait_for()


def test_the_reply_of_who_is_away(visit: Visit) -> None:
    page = visit.page
    visit.sign_in()
    settings(visit, "vacation")
    page.get_by_text("Answer for me while I am away").click()
    page.get_by_label("First day").fill("2026-12-24")
    page.get_by_label("Last day").fill("2026-12-01")
    expect(page.get_by_text("The last day is before the first.")).to_be_visible()
    page.get_by_label("Last day").fill("2099-01-02")
    page.get_by_label("Text", exact=True).fill("Back in January.")
    expect(page.get_by_label("What people get")).to_contain_text("Back in January.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your reply is on.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Last day")).to_have_value("2099-01-02")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Back in January.")
    page.get_by_text("Answer for me while I am away").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your reply is off.")).to_be_visible()


def test_the_language_goes_with_the_account(visit: Visit) -> None:
    page = visit.page
    visit.sign_in()
    settings(visit, "language")
    with page.expect_response("**/auth/language"):
        page.get_by_text("Français").click()
    expect(page.get_by_role("heading", name="Paramètres")).to_be_visible()
    # Another browser, whose person chose nothing there.
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.get_by_role("heading", name="Paramètres")).to_be_visible()
    settings(visit, "vacation")
    expect(page.get_by_label("Texte")).to_have_value("Back in January.")
    settings(visit, "language")
    with page.expect_response("**/auth/language"):
        page.get_by_text("English").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_signature_is_rich_text_and_stays_so(visit: Visit) -> None:
    page = visit.page
    visit.sign_in()
    settings(visit, "identities")
    page.get_by_role("button", name=re.compile("^Change user@")).click()
    text = page.get_by_role("textbox", name="Signature")
    text.click()
    page.keyboard.type("Kind regards, ")
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("Claire")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The identity was saved.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name=re.compile("^Change user@")).click()
    expect(text.locator("strong")).to_have_text("Claire")
    text.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The identity was saved.")).to_be_visible()


def test_mail_comes_in_files_and_leaves_in_one(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.sign_in()
    settings(visit, "transfer")
    box, none = tmp_path / "old.mbox", tmp_path / "photo.jpg"
    box.write_text(BOX)
    none.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    page.get_by_label("Into the folder").select_option(label="Trash")
    page.get_by_label("Files of mail").set_input_files([box, none])
    expect(page.get_by_text("2 messages imported into Trash")).to_be_visible()
    expect(page.get_by_role("list", name="What was not imported")).to_contain_text("photo.jpg")
    page.get_by_label("The folder", exact=True).select_option(label="Trash")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with closing(mailbox.mbox(download.value.path())) as found:
        subjects = {str(one["subject"]): one for one in found}
    assert subjects["Brought along"].get_payload() == "Hello\n>From afar\n"
    assert "R" in subjects["Brought along"].get_flags()
    assert "R" not in subjects["Brought along, too"].get_flags()
