"""What is done with messages shows at once, is told, is taken back, and is what the server has after it."""

import re

import pytest
from playwright.sync_api import Route, expect

from web.conftest import Visit

pytestmark = pytest.mark.interop
BOOKS = re.compile("Two books are due.*The Art of the Envelope")


@pytest.fixture
def inbox(visit: Visit) -> Visit:
    """The list is there. What a test does it takes back: the others find the same."""
    visit.sign_in()
    return visit


def count(visit: Visit) -> int:
    return int(visit.page.locator("[role=grid]").get_attribute("aria-rowcount") or "0")


def counts(visit: Visit, number: int) -> None:
    """Has so many rows, once what was kept of the last visit is brought up to date."""
    grid = visit.page.locator("[role=grid]")
    expect(grid).to_have_attribute("aria-rowcount", str(number))


def test_a_message_is_archived_found_there_and_brought_back(inbox: Visit) -> None:
    page, before = inbox.page, count(inbox)
    row = page.get_by_role("row", name=BOOKS)
    row.click()
    page.keyboard.press("e")
    expect(row).to_be_hidden()
    expect(page.get_by_text("1 message archived")).to_be_visible()
    counts(inbox, before - 1)
    # The next one is read.
    expect(page.locator("[role=row][aria-current=true]")).to_have_count(1)
    page.reload()
    inbox.listed()
    counts(inbox, before - 1)
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("row", name=BOOKS).click()
    page.get_by_role("button", name="Move to", exact=True).click()
    page.get_by_role("menuitem", name="Inbox").click()
    expect(page.get_by_text("1 message moved to Inbox")).to_be_visible()
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()
    counts(inbox, before)


def test_undo_puts_everything_back_where_it_was(inbox: Visit) -> None:
    page, before = inbox.page, count(inbox)
    rows = page.locator("[role=row][data-id]")
    names = [rows.nth(n).get_attribute("data-id") for n in range(4)]
    rows.nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    page.get_by_role("button", name="Move to trash").first.click()
    expect(page.get_by_text(re.compile(r"\d+ messages moved to trash"))).to_be_visible()
    expect(rows.nth(0)).to_have_attribute("data-id", names[2] or "")
    page.get_by_role("button", name="Undo").last.click()
    expect(rows.nth(0)).to_have_attribute("data-id", names[0] or "")
    page.reload()
    inbox.listed()
    counts(inbox, before)
    assert [rows.nth(n).get_attribute("data-id") for n in range(4)] == names


def test_what_is_read_is_no_longer_unread_anywhere(inbox: Visit) -> None:
    page = inbox.page
    unread = page.locator("[role=row][data-unread]")
    unread.first.wait_for()
    before = unread.count()
    unread.first.click()
    expect(unread).to_have_count(before - 1)
    page.keyboard.press("Shift+U")
    expect(unread).to_have_count(before)
    page.reload()
    inbox.listed()
    expect(unread).to_have_count(before)


def test_a_star_is_put_on_and_taken_off(inbox: Visit) -> None:
    page = inbox.page
    page.get_by_role("row", name=re.compile("Tarte du jour")).click()
    star = page.locator("section").get_by_role("button", name="Star", exact=True)
    star.click()
    expect(page.get_by_role("row", name=re.compile("Starred.*Tarte du jour"))).to_be_visible()
    page.reload()
    inbox.listed()
    page.keyboard.press("s")
    expect(page.get_by_role("row", name=re.compile("Starred.*Tarte du jour"))).to_be_hidden()


def test_an_action_on_a_conversation_leaves_its_messages_elsewhere_alone(inbox: Visit) -> None:
    page = inbox.page
    row = page.get_by_role("row", name=re.compile("Jardin partagé, samedi.*4 messages"))
    row.click()
    expect(page.get_by_role("article")).to_have_count(4)
    page.keyboard.press("e")
    # One of the four is what was sent, and stays there.
    expect(page.get_by_text(re.compile("[123] messages? archived"))).to_be_visible()
    page.get_by_role("link", name="Sent").click()
    expect(page.get_by_role("row", name=re.compile("Jardin partagé"))).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()


def test_what_is_done_without_a_connection_is_done_when_it_is_back(inbox: Visit) -> None:
    page = inbox.page
    before = count(inbox)

    def cut(route: Route) -> None:
        route.abort("internetdisconnected")

    page.route("**/jmap/api", cut)
    row = page.get_by_role("row", name=BOOKS)
    row.click()
    page.keyboard.press("e")
    expect(row).to_be_hidden()
    expect(page.get_by_text(re.compile("No connection"))).to_be_visible()
    page.unroute("**/jmap/api")
    expect(page.get_by_text(re.compile("No connection"))).to_be_hidden()
    page.reload()
    inbox.listed()
    counts(inbox, before - 1)
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("row", name=BOOKS).click()
    page.get_by_role("button", name="Move to", exact=True).click()
    page.get_by_role("menuitem", name="Inbox").click()
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()
    inbox.wrong[:] = [one for one in inbox.wrong if "ERR_INTERNET_DISCONNECTED" not in one]


def test_two_windows_show_the_same(inbox: Visit) -> None:
    page = inbox.page
    other = inbox.context.new_page()
    other.goto(inbox.demo.url)
    row = re.compile("A change to your journey")
    expect(other.get_by_role("row", name=row)).to_be_visible()
    page.get_by_role("row", name=row).click()
    page.keyboard.press("e")
    expect(page.get_by_role("row", name=row)).to_be_hidden()
    # By news of the server, or by looking now and then.
    expect(other.get_by_role("row", name=row)).to_be_hidden(timeout=60_000)
    page.get_by_role("button", name="Undo").last.click()
    expect(other.get_by_role("row", name=row)).to_be_visible(timeout=60_000)


def test_each_deed_has_its_own_way_back(inbox: Visit) -> None:
    page, before = inbox.page, count(inbox)
    tart = page.get_by_role("row", name=re.compile("Tarte du jour"))
    tart.hover()
    tart.locator("button[title=Archive]").click()
    books = page.get_by_role("row", name=BOOKS)
    books.hover()
    books.locator("button[title='Move to trash']").click()
    counts(inbox, before - 2)
    # The first of the two, and then the last by its key.
    page.get_by_role("button", name="Undo").first.click()
    expect(tart).to_be_visible()
    expect(books).to_be_hidden()
    page.keyboard.press("z")
    expect(books).to_be_visible()
    counts(inbox, before)


def test_what_is_no_junk_goes_back_to_the_inbox(inbox: Visit) -> None:
    page, before = inbox.page, count(inbox)
    row = page.get_by_role("row", name=BOOKS)
    row.click()
    page.keyboard.press("!")
    expect(page.get_by_text("1 message moved to junk")).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_role("link", name="Junk").click()
    row.click()
    page.get_by_role("button", name="Not junk").click()
    expect(page.get_by_text("1 message is no junk")).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()
    counts(inbox, before)


def test_what_was_deleted_for_good_is_brought_back(inbox: Visit) -> None:
    page = inbox.page
    row = page.get_by_role("row", name=BOOKS)
    row.click()
    page.keyboard.press("#")
    expect(row).to_be_hidden()
    page.get_by_role("link", name="Trash").click()
    row.click()
    page.get_by_role("toolbar").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("1 message deleted for good")).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_role("button", name="Undo").last.click()
    expect(row).to_be_visible()
    page.get_by_role("button", name="Empty", exact=True).click()
    page.get_by_role("button", name="Leave it as it is").click()
    page.get_by_role("button", name="Empty", exact=True).click()
    page.get_by_role("button", name="Empty it").click()
    expect(page.get_by_text("Nothing here")).to_be_visible()
    inbox.open("/settings/recovery")
    page.get_by_role("button", name=re.compile("^Bring back “Two books are due")).click()
    expect(page.get_by_text("1 message is back where it was")).to_be_visible()
    page.get_by_role("button", name="Back to the mail").click()
    page.get_by_role("link", name="Trash").click()
    row.click()
    page.get_by_role("button", name="Move to", exact=True).click()
    page.get_by_role("menuitem", name="Inbox").click()
    page.get_by_role("link", name="Inbox").click()
    expect(row).to_be_visible()
