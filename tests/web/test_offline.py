"""Without a connection: the client opens, mail of the last weeks is read, what is done is kept and sent
later; and notices of new mail by its service worker."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from web.conftest import DESKTOP, Demo, Visit

pytestmark = pytest.mark.interop

SHELVED = """async () => {
  const open = indexedDB.open("malleposte-shelf", 1);
  const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
  const count = database.transaction("bodies").objectStore("bodies").count();
  return new Promise((done) => { count.onsuccess = () => { database.close(); done(count.result); }; });
}"""


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Iterator[Visit]:
    """With a service worker, which other tests go without."""
    context = browser.new_context(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        locale="en-GB",
        reduced_motion="reduce",
        service_workers="allow",
        permissions=["notifications"],
    )
    context.set_default_timeout(15_000)
    context.add_cookies(demo.known)
    visit = Visit(context, context.new_page(), demo)
    yield visit
    context.close()


def ready(visit: Visit) -> None:
    """Signed in, the client kept by its worker and the mail on its shelf."""
    page = visit.page
    page.clock.install()
    visit.sign_in()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    # What is gathered waits until the page has nothing else to do.
    page.clock.fast_forward(9_000)
    page.clock.resume()
    for _ in range(100):
        if page.evaluate(SHELVED) >= 10:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.evaluate(SHELVED)} messages are on the shelf")


def test_mail_is_read_and_put_away_without_a_connection(visit: Visit) -> None:
    ready(visit)
    page = visit.page
    visit.context.set_offline(True)
    page.reload()
    visit.listed()
    expect(page.get_by_text("No connection.")).to_be_visible()
    # A list and a text that were not looked at before.
    page.get_by_role("link", name="Sent").click()
    visit.listed()
    page.get_by_role("link", name=re.compile("^Inbox")).click()
    row = page.get_by_role("row", name=re.compile("The second address"))
    row.click()
    expect(page.get_by_role("article")).to_contain_text("reaches you as well")
    page.keyboard.press("e")
    expect(row).to_have_count(0)
    # What was done outlives the page.
    page.wait_for_timeout(300)
    page.reload()
    visit.listed()
    expect(row).to_have_count(0)
    visit.context.set_offline(False)
    expect(page.get_by_text("No connection.")).to_have_count(0)
    page.get_by_role("link", name="Archive").click()
    expect(row).to_be_visible()


def worker(visit: Visit) -> tuple[CDPSession, str]:
    """What speaks to the service worker, and the number of its registration."""
    session = visit.context.new_cdp_session(visit.page)
    found: list[str] = []

    def updated(event: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in event["registrations"])

    session.on("ServiceWorker.workerRegistrationUpdated", updated)
    session.send("ServiceWorker.enable")
    for _ in range(50):
        if found:
            return session, found[0]
        visit.page.wait_for_timeout(100)
    raise AssertionError("no service worker")


NOTICES = """async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body }) => [title, body]);
}"""


def test_new_mail_is_told_of_by_sender_and_subject(visit: Visit) -> None:
    """The push says only that there is mail; the worker asks what."""
    visit.sign_in()
    page = visit.page
    session, registration = worker(visit)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto("about:blank")  # nobody looks at the mail
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": visit.demo.url,
            "registrationId": registration,
            "data": json.dumps({"@type": "StateChange", "changed": {}}),
        },
    )
    visit.open("/mail")
    for _ in range(100):
        if notices := page.evaluate(NOTICES):
            break
        page.wait_for_timeout(100)
    assert len(notices) >= 1
    title, body = notices[0]
    assert title
    assert body
