"""What keeps people out is looked for on every screen, in every colour (axe-core: WCAG 2.2 A and AA)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from web.conftest import DESKTOP, PHONE, ROOT, Visit

pytestmark = pytest.mark.interop
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


OF_WHOLE_PAGES = {"landmark-one-main", "page-has-heading-one"}


def violations(page: Page) -> list[str]:
    """What axe finds. What is behind a dialog is out of reach, as it should be, also to rules of whole
    pages: axe knows that of most dialogs itself."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    passed = OF_WHOLE_PAGES if page.get_by_role("dialog").count() else set()
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found["violations"]
        if one["id"] not in passed
        for node in one["nodes"]
    ]


def sign_in_page(visit: Visit) -> None:
    visit.open()
    visit.page.locator("form").wait_for()


def the_list(visit: Visit) -> None:
    visit.sign_in()


def marked_rows(visit: Visit) -> None:
    visit.sign_in()
    visit.page.locator("[role=row][data-id]").first.focus()
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("Space")


def a_conversation(visit: Visit) -> None:
    visit.sign_in()
    visit.page.locator("[role=row][aria-label*='4 messages']").first.click()
    visit.page.locator("article").nth(3).wait_for()


def a_search(visit: Visit) -> None:
    visit.sign_in()
    field = visit.page.get_by_role("combobox")
    field.fill('from:martin "kick-off"')
    field.press("Enter")
    visit.page.locator("mark").first.wait_for()
    field.fill("is:")
    visit.page.get_by_role("option").first.wait_for()


def the_settings(visit: Visit) -> None:
    visit.sign_in()
    visit.open("/settings/appearance")
    visit.page.get_by_role("radio").first.wait_for()


def the_keys(visit: Visit) -> None:
    visit.sign_in()
    visit.open("/settings/keyboard")
    visit.page.get_by_role("table").first.wait_for()


def the_security(visit: Visit) -> None:
    visit.sign_in()
    visit.open("/settings/security")
    visit.page.get_by_role("button", name="Add a passkey").wait_for()


def a_new_filter(visit: Visit) -> None:
    visit.sign_in()
    visit.open("/settings/filters")
    visit.page.get_by_role("button", name="New filter").click()
    visit.page.get_by_role("dialog").wait_for()


def where_to(visit: Visit) -> None:
    marked_rows(visit)
    visit.page.keyboard.press("v")
    visit.page.get_by_role("menuitem").first.wait_for()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    "screen",
    [
        sign_in_page,
        the_list,
        marked_rows,
        a_conversation,
        a_search,
        the_settings,
        the_keys,
        the_security,
        a_new_filter,
        where_to,
    ],
)
def test_nothing_keeps_people_out(visit: Visit, screen: Callable[[Visit], None]) -> None:
    screen(visit)
    assert violations(visit.page) == []


def test_what_would_keep_people_out_is_found(visit: Visit) -> None:
    visit.open()
    visit.page.locator("form").wait_for()
    visit.page.evaluate("document.querySelector('label').remove()")
    assert any(line.startswith("label: ") for line in violations(visit.page))
