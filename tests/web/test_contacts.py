"""Contacts as a person has them: made, found, changed, deleted and had back; groups, directory, files."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from web.conftest import PHONE, Visit
from web.test_access import violations

pytestmark = pytest.mark.interop

VCARDS = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:grace\r\nFN:Grace Hopper\r\nN:Hopper;Grace;;;\r\n"
    "EMAIL:grace@example.net\r\nTEL;TYPE=CELL:+1 555 0100\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:zola\r\nFN:Émile Zola\r\nEMAIL:emile@example.net\r\n"
    "END:VCARD\r\n"
)


def contacts(visit: Visit) -> Page:
    """The page after going to contacts by the button in the bar."""
    visit.sign_in()
    visit.page.get_by_role("button", name="Contacts", exact=True).click()
    expect(visit.page.get_by_role("heading", name="All contacts")).to_be_visible()
    return visit.page


def test_a_contact_is_made_changed_found_deleted_and_had_back(visit: Visit) -> None:
    page = contacts(visit)
    page.get_by_role("button", name="New contact").first.click()
    page.get_by_role("menuitem", name="A person").click()
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_role("button", name="Add a mail address").click()
    page.get_by_role("textbox", name="Mail address").fill("ada@example.net")
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    card = page.get_by_role("region", name="Contact Ada Lovelace")
    expect(card.get_by_role("link", name="ada@example.net")).to_be_visible()
    expect(page.get_by_role("row")).to_contain_text(["Ada Lovelace"])
    assert violations(page) == []

    card.get_by_role("button", name="Edit").click()
    page.get_by_label("Organisation").fill("Analytical Engines")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(card).to_contain_text("Analytical Engines")
    page.get_by_role("button", name="Undo").last.click()
    expect(card).not_to_contain_text("Analytical Engines")

    page.keyboard.press("/")
    page.keyboard.type("nobody at all")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("searchbox", name="Search contacts").fill("lovel")
    expect(page.get_by_role("row")).to_have_count(1)
    card.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row")).to_have_count(0)
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("row")).to_contain_text(["Ada Lovelace"])


def test_what_was_typed_outlives_a_form_that_was_closed(visit: Visit) -> None:
    page = contacts(visit)
    page.get_by_role("button", name="New contact").first.click()
    page.get_by_role("menuitem", name="A person").click()
    page.get_by_label("First name").fill("Half")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("First name")).to_have_value("Half")


def test_files_come_in_and_go_out_and_a_group_is_written_to(visit: Visit, tmp_path: Path) -> None:
    page = contacts(visit)
    file = tmp_path / "cards.vcf"
    file.write_text(VCARDS, newline="")
    page.get_by_label("Files of contacts").set_input_files(file)
    expect(page.get_by_text("2 contacts imported")).to_be_visible()
    page.get_by_role("row", name=re.compile("Grace Hopper")).click()
    expect(page.get_by_role("link", name="+1 555 0100")).to_be_visible()
    expect(page.get_by_text("Mobile")).to_be_visible()
    with page.expect_download() as coming:
        page.get_by_role("button", name="Save as vCard").click()
    assert "FN:Grace Hopper" in coming.value.path().read_text()

    page.get_by_role("button", name="New contact").first.click()
    page.get_by_role("menuitem", name="A group").click()
    page.get_by_label("Name of the group").fill("Writers")
    for typed, name in (("hopp", "Grace Hopper"), ("zola", "Émile Zola")):
        page.get_by_label("Add somebody by name or address").fill(typed)
        page.get_by_role("list", name="Suggestions").get_by_role("button", name=name).click()
    page.get_by_role("button", name="Save", exact=True).click()
    members = page.get_by_role("region", name="Members")
    expect(members).to_contain_text("2 members")
    page.get_by_role("button", name="Write to the group").click()
    composer = page.get_by_role("dialog").or_(page.get_by_role("region", name="New message"))
    expect(composer.first).to_contain_text("Grace Hopper")
    expect(composer.first).to_contain_text("Émile Zola")


def test_the_directory_is_read_and_not_changed(visit: Visit) -> None:
    page = contacts(visit)
    page.get_by_role("link", name="Directory").click()
    page.get_by_role("row").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name=re.compile("^Contact "))).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("link", name="Mail", exact=True).click()
    visit.listed()


@pytest.mark.parametrize("size", [PHONE])
@pytest.mark.parametrize("colours", ["dark"])
def test_in_french_on_a_phone_one_after_the_other(visit: Visit) -> None:
    visit.sign_in()
    page = visit.page
    page.evaluate("localStorage.setItem('malleposte.locale', 'fr')")
    visit.open("/contacts/groups")
    expect(page.get_by_role("heading", name="Groupes")).to_be_visible()
    page.get_by_role("button", name="Carnets d’adresses").click()
    page.get_by_role("link", name="Annuaire").click()
    page.get_by_role("row").first.click()
    expect(page.get_by_role("button", name="Écrire").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Retour à la liste").click()
    expect(page.get_by_role("heading", name="Annuaire")).to_be_visible()
    assert violations(page) == []
