"""What the web client takes, in Debian's Chromium beside a server with one processor: `make measure-web`.

A mailbox of 100,000 made-up messages; prints the table of docs/web-figures.md. Not a test: a time is never
one (machines are noisy).
"""

import argparse
import itertools
import ssl
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
from playwright.sync_api import Browser, Page

from malleposte.bench.imap_client import ImapClient
from malleposte.bench.subject import Account, Endpoint
from measure.mail import messages
from web.conftest import BUILT, DESKTOP, USER, ClientProgram, Demo, Visit, chromium, served

PAGE: Final = Path(__file__).with_name("page.js").read_text()
BATCH: Final = 200
ACTIONS: Final = 200
GLANCE: Final = 250
"""Milliseconds that a message is looked at before the next act; nobody reads quicker."""


class Table:
    """Figures as they come, each a row of Markdown."""

    def __init__(self) -> None:
        self.rows = ["| what | unit | median | p95 | must |", "| --- | --- | --- | --- | --- |"]

    def add(self, what: str, unit: str, must: str, *values: float) -> None:
        ordered = sorted(values)
        p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        last = f"{p95:,.1f}" if len(ordered) > 1 else "–"
        self.rows.append(
            f"| {what} | {unit} | {statistics.median(ordered):,.1f} | {last} | {must} |"
        )
        print(self.rows[-1], flush=True)


def fill(imaps: dict[str, Any], password: str, count: int) -> None:
    """Put so many messages into the INBOX, many in a command (RFC 3502)."""
    context = ssl.create_default_context()
    # A certificate that the demo made itself.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ImapClient(Endpoint(imaps["host"], imaps["port"]), context) as client:
        client.login(Account(USER, password))
        texts, done = messages(count), 0
        while part := list(itertools.islice(texts, BATCH)):
            literals = b"".join(
                b' "%b" {%d+}\r\n%b'
                % (came.strftime("%d-%b-%Y %H:%M:%S +0000").encode(), len(text), text)
                for came, text in part
            )
            client.command(b"APPEND INBOX" + literals)
            done += len(part)
            print(f"\r{done:,} of {count:,} messages", end="", flush=True)
        print()


def first_load(browser: Browser, demo: Demo, table: Table) -> None:
    """From nothing in the browser's cache, signed in already."""
    with browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}) as context:
        context.add_cookies(demo.known)
        context.add_init_script(PAGE)
        page = context.new_page()
        Visit(context, page, demo).sign_in()
        kept = context.cookies()
    cold: list[float] = []
    warm: list[float] = []
    octets = 0.0
    for _ in range(10):
        with browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}) as context:
            context.add_cookies(kept)  # type: ignore[arg-type]
            context.add_init_script(PAGE)
            page = context.new_page()
            sizes: dict[str, float] = {}
            watcher = context.new_cdp_session(page)
            watcher.send("Network.enable")
            kinds: dict[str, str] = {}
            watcher.on(
                "Network.responseReceived", lambda e, k=kinds: k.update({e["requestId"]: e["type"]})
            )
            watcher.on(
                "Network.loadingFinished",
                lambda e, s=sizes: s.update({e["requestId"]: e["encodedDataLength"]}),
            )
            page.goto(demo.url)
            cold.append(page.evaluate("measure.listed()"))
            octets = sum(size for one, size in sizes.items() if kinds.get(one) == "Script")
            page.wait_for_timeout(1_500)  # what is known is put down
            page.reload()
            warm.append(page.evaluate("measure.listed()"))
    table.add("script before the list shows, compressed", "KB", "≤ 250", octets / 1000)
    table.add("list shown after navigation, nothing cached", "ms", "≤ 1,000", *cold)
    table.add("list shown after navigation, cached", "ms", "≤ 300", *warm)


def reading(page: Page, table: Table) -> None:
    """Open, step, archive, each a moment after the one before (`GLANCE`)."""

    def act(script: str, argument: object = None) -> float:
        page.wait_for_timeout(GLANCE)
        return float(page.evaluate(script, argument))

    page.evaluate("measure.open(0)")
    opened = [act("(n) => measure.open(n)", 1 + n % 5) for n in range(ACTIONS)]
    table.add("open a message that was read before or was fetched ahead", "ms", "≤ 100", *opened)
    page.evaluate("measure.open(0)")
    steps = [act("measure.step('j')") for _ in range(ACTIONS)]
    table.add("the next message, each for the first time", "ms", "≤ 50", *steps)
    steps = [act("measure.step('k')") for _ in range(ACTIONS)]
    table.add("the message before", "ms", "≤ 50", *steps)
    page.evaluate("measure.top()")
    table.add(
        "archived, until the row is gone",
        "ms",
        "≤ 50",
        *(act("measure.archive()") for _ in range(ACTIONS)),
    )


def scrolling(page: Page, table: Table) -> None:
    """From the top, 400 pixels a frame, then in leaps of a screen."""
    page.evaluate("measure.top()")
    for what, pixels, steps in (("400 pixels", 400, 2_000), ("5,000 pixels", 5_000, 1_500)):
        done = page.evaluate("([pixels, steps]) => measure.scroll(pixels, steps)", [pixels, steps])
        per = len(done["long"]) / done["rows"] * 1_000
        table.add(f"long tasks in 1,000 rows, {what} a frame", "", "≤ 1", per)
    page.evaluate("measure.top()")


def memory(page: Page, table: Table) -> None:
    """What the page holds after 100 and after 1,000 messages that were opened."""
    watcher = page.context.new_cdp_session(page)

    def held() -> float:
        watcher.send("HeapProfiler.collectGarbage")
        return float(watcher.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    page.wait_for_timeout(2_000)
    page.evaluate("measure.open(0)")
    for n in range(1, 1_001):
        page.evaluate("measure.step('j')")
        if n in (100, 1_000):
            table.add(f"memory of the page after {n:,} opened messages", "MB", "flat", held())


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--only", default="load,reading,scrolling,memory")
    given = options.parse_args()
    table = Table()
    parts: dict[str, Callable[[Page, Table], None]] = {
        "reading": reading,
        "scrolling": scrolling,
        "memory": memory,
    }
    assert BUILT.is_dir(), "the client is not built: make web"
    with (
        tempfile.TemporaryDirectory(prefix="mp-web-") as name,
        chromium() as browser,
        served(browser, ClientProgram(Path(name)), Demo) as demo,
    ):
        fill(demo.connect["services"]["imaps"], demo.passwords[USER], given.messages)
        parent = psutil.Process(demo.server)
        for one in (parent, *parent.children(recursive=True)):
            one.cpu_affinity([0])
        if "load" in given.only:
            first_load(browser, demo, table)
        with browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}) as context:
            context.add_cookies(demo.known)
            context.add_init_script(PAGE)
            visit = Visit(context, context.new_page(), demo)
            visit.sign_in()
            for part, run in parts.items():
                if part in given.only:
                    run(visit.page, table)
    print("\n".join(table.rows))


if __name__ == "__main__":
    main()
