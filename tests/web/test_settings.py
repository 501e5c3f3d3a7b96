"""What signs in and what is set: what a person does on these pages is what the server does, and stays."""

import mailbox
import re
import time
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect

from web.conftest import USER, Visit

pytestmark = pytest.mark.interop
BOX = """\
From ada@example.org Tue Dec  1 10:20:30 2026
From: Ada <ada@example.org>
Subject: Brought along
Message-ID: <1@example.org>
Status: RO

Hello
>From afar

From ada@example.org Tue Dec  1 10:20:31 2026
From: Ada <ada@example.org>
Subject: Brought along, too
Message-ID: <2@example.org>

Hello
"""


def settings(visit: Visit, page: str) -> None:
    visit.open(f"/settings/{page}")
    visit.page.get_by_role("heading", level=2).wait_for()


def begin(visit: Visit) -> None:
    """Name and password, up to the second step."""
    page = visit.page
    page.context.clear_cookies(name="malleposte")
    visit.open()
    page.get_by_label("Mail address").fill(USER)
    page.get_by_label("Password", exact=True).fill(visit.demo.passwords[USER])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()


def switch_off(visit: Visit) -> None:
    settings(visit, "security")
    visit.page.get_by_role("button", name="Turn it off").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Turn it off").click()
    expect(visit.page.get_by_text("The second step is off.")).to_be_visible()


def test_a_second_step_from_the_first_to_the_last(visit: Visit) -> None:
    page = visit.page
    visit.sign_in()
    settings(visit, "security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_alt_text("QR code for the app")).to_be_visible()
    page.get_by_text("I cannot scan it").click()
    seed = page.get_by_role("dialog").locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code of your app").fill("000000")
    page.get_by_role("button", name="Turn the second step on").click()
    expect(page.get_by_role("alert")).to_contain_text("The code is not right")
    page.get_by_label("Code of your app").fill(pyotp.TOTP(seed).now())
    page.get_by_role("button", name="Turn the second step on").click()
    # The codes are shown once, and until they are kept nothing goes on.
    dialog = page.get_by_role("dialog", name="Your recovery codes")
    expect(dialog.get_by_role("listitem")).to_have_count(10)
    code = dialog.get_by_role("listitem").first.inner_text()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    assert code in download.value.path().read_text(encoding="utf-8")
    go_on = dialog.get_by_role("button", name="Go on to app passwords")
    expect(go_on).to_be_disabled()
    dialog.get_by_text("I have kept these codes").click()
    go_on.click()
    # What programs need comes next.
    page.get_by_role("button", name="New app password").click()
    page.get_by_label("What it is for").fill("Thunderbird")
    page.get_by_text("Fetching mail (POP3)").click()
    page.get_by_role("button", name="Make the password").click()
    expect(page.get_by_text(re.compile(r"^app\d+-[a-z]{5}(-[a-z]{5})+$"))).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("listitem").filter(has_text="Thunderbird")).to_contain_text("not used")
    try:
        begin(visit)
        page.get_by_label("Code of your app").fill("123")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The code is not right")
        page.get_by_role("button", name="Use a recovery code").click()
        page.get_by_label("Recovery code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text(re.compile("9 recovery codes are left"))).to_be_visible()
        page.get_by_role("button", name="Go to my mail").click()
        visit.listed()
        begin(visit)
        page.get_by_role("button", name="Use a recovery code").click()
        page.get_by_label("Recovery code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("The code is not right")
        page.get_by_role("button", name="Use a code of my app").click()
        # The one that switched it on was used: the next one is taken already.
        page.get_by_label("Code of your app").fill(
            pyotp.TOTP(seed).generate_otp(int(time.time()) // 30 + 1)
        )
        page.get_by_role("button", name="Sign in", exact=True).click()
        visit.listed()
    finally:
        switch_off(visit)


def test_a_passkey_is_made_signs_in_alone_and_as_the_second_step_and_goes(visit: Visit) -> None:
    page = visit.page
    visit.open()
    devices = visit.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    visit.sign_in()
    settings(visit, "security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Chrome, Linux")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Rename Chrome, Linux").click()
    page.get_by_role("textbox", name="Name").fill("Blue key")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Blue key")).to_be_visible()
    # The same device again is told in words.
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("This device has a passkey")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.context.clear_cookies(name="malleposte")
    visit.open()
    page.get_by_role("button", name="Sign in with a passkey").click()
    visit.listed()
    # It serves as the second step, too.
    settings(visit, "security")
    page.get_by_role("button", name="Ask for a passkey").click()
    page.get_by_text("I have kept these codes").click()
    page.get_by_role("button", name="Go on to app passwords").click()
    expect(page.get_by_role("heading", name="App passwords")).to_be_visible()
    try:
        begin(visit)
        page.get_by_role("button", name="Show a passkey").click()
        visit.listed()
    finally:
        switch_off(visit)
    page.get_by_role("button", name="Remove Blue key").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The passkey was removed.")).to_be_visible()
    expect(page.get_by_text("Blue key")).to_have_count(0)


def test_other_browsers_are_signed_out_from_here(visit: Visit) -> None:
    page = visit.page
    visit.sign_in()
    page.evaluate(
        "async ([name, password]) => fetch('/auth/sign-in', {method: 'POST', credentials: 'omit',"
        " headers: {'Content-Type': 'application/json'}, body: JSON.stringify({name, password})})",
        [USER, visit.demo.passwords[USER]],
    )
    settings(visit, "sessions")
    rows = page.get_by_role("list", name="Signed in").get_by_role("listitem")
    expect(rows.filter(has_text="This browser")).to_have_count(1)
    assert rows.count() > 1
    page.get_by_role("button", name="Sign out everywhere else").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere else").click()
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)


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
    # The caret is back a frame later.
    expect(text).to_be_focused()
    page.keyboard.type("Claire")
    page.get_by_role("button", name="Link").click()
    page.get_by_label("Address of the link").fill("https://claire.example.org")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The identity was saved.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name=re.compile("^Change user@")).click()
    expect(text.locator("strong").first).to_have_text("Claire")
    expect(text.get_by_role("link")).to_have_attribute("href", "https://claire.example.org")
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
    # The same once more: nothing is doubled.
    page.get_by_label("Files of mail").set_input_files([box])
    expect(page.get_by_text("2 were there")).to_be_visible()
    page.get_by_label("The folder", exact=True).select_option(label="Trash")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with closing(mailbox.mbox(download.value.path())) as found:
        subjects = {str(one["subject"]): one for one in found}
    assert subjects["Brought along"].get_payload() == "Hello\n>From afar\n"
    assert "R" in subjects["Brought along"].get_flags()
    assert "R" not in subjects["Brought along, too"].get_flags()
