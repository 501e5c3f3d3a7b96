"""The web client in Debian's Chromium, against a demo that runs as `make run` serves it."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Response as Answer

from malleposte.services.web.cookies import DEVICE
from support.programs import need
from unit.cli.demo import ended, started
from unit.cli.program import Program

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".work/web/dist"
USER = "user@example.test"
DESKTOP = (1280, 800)
PHONE = (360, 740)
# What the tests bring about on purpose: a browser says so of every answer from 400 on.
_EXPECTED = "Failed to load resource"


class ClientProgram(Program):
    """Malleposte with the client that was built from these sources."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "MALLEPOSTE_WEB_CLIENT": str(BUILT)}


@dataclass
class Demo:
    """A demo that is served: where, the passwords of its people, what it says of itself (connect.json), and
    the number of its process."""

    url: str
    passwords: dict[str, str]
    connect: dict[str, Any]
    server: int
    known: list[SetCookieParam] = field(default_factory=list)
    """By which a browser is known: each that is new brings its person a mail, and other rows."""


OfDemo = TypeVar("OfDemo", bound=Demo)


@dataclass
class Visit:
    """A browser's own person: no cookies before, and all that went wrong written down."""

    context: BrowserContext
    page: Page
    demo: Demo
    wrong: list[str] = field(default_factory=list)
    newcomer: bool = False
    """Is welcomed; anybody else has been here before."""

    def __post_init__(self) -> None:
        if not self.newcomer:
            # The frame of a message has no such thing.
            self.context.add_init_script(
                "self === top && localStorage.setItem('malleposte.welcomed', 'never')"
            )

    def watch(self) -> None:
        """Write down errors of the page, what its policy forbade, and requests to anywhere else."""
        page, own = self.page, self.demo.url
        # What a page made itself, and the browser's own viewer of PDF.
        at_home = (own, f"blob:{own}", "chrome-extension:", "chrome:")

        def said(message: ConsoleMessage) -> None:
            if message.type == "error" and not message.text.startswith(_EXPECTED):
                self.wrong.append(message.text)

        def answered(answer: Answer) -> None:
            if answer.status >= 500:
                self.wrong.append(f"{answer.status} {answer.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", answered)
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(at_home) else self.wrong.append(asked.url),
        )

    def open(self, path: str = "") -> None:
        self.page.goto(self.demo.url + path)

    def sign_in(self, address: str = USER) -> None:
        """From the sign-in page to the list, as a person does."""
        page = self.page
        self.open()
        page.locator("input[name=name]").fill(address)
        page.locator("input[name=password]").fill(self.demo.passwords[address])
        page.locator("form button[type=submit]").click()
        self.listed()

    def listed(self) -> None:
        """The list is there."""
        self.page.locator("[role=row][data-id]").first.wait_for()


@pytest.fixture(scope="session")
def built() -> Path:
    """The client as it is in this checkout, built if it is not yet."""
    done = subprocess.run(
        ["sh", str(ROOT / "tools/web.sh"), "test"], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return BUILT


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser."""
    path = need("chromium")
    # Chromium's own sandbox does not work for root; what is tested is ours.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(browser: Browser, program: Program, kind: type[OfDemo]) -> Iterator[OfDemo]:
    """A demo, which knows the browser."""
    folder = program.folder / "demo"
    process, _, _ = started(program, folder)
    try:
        connect = json.loads((folder / "connect.json").read_text())
        passwords = {one["address"]: one["password"] for one in connect["accounts"]}
        url = connect["services"]["http"]["url"].rstrip("/")
        demo = kind(url, passwords, connect, process.pid)
        become_known(browser, demo)
        yield demo
    finally:
        ended(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one file: while Playwright runs, so does its event loop, and no test with one of its own can."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def demo(built: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with served(browser, ClientProgram(tmp_path_factory.mktemp("w")), Demo) as demo:
        yield demo


def become_known(browser: Browser, demo: Demo) -> None:
    """Sign in once: the first browser of an account is not told of, and from then on it is known."""
    with browser.new_context(locale="en-GB") as context:
        Visit(context, context.new_page(), demo).sign_in()
        demo.known += [
            SetCookieParam(name=one["name"], value=one["value"], url=demo.url)
            for one in context.cookies()
            if one["name"] == DEVICE
        ]
    assert demo.known


@pytest.fixture
def size() -> tuple[int, int]:
    """Of the window; a test may have another."""
    return DESKTOP


@pytest.fixture
def colours() -> str:
    """What the system wants, light or dark; a test may have another."""
    return "light"


@pytest.fixture
def newcomer() -> bool:
    """Whether the client welcomes whoever signs in; most tests are of those who were there before."""
    return False


@pytest.fixture
def visit(
    browser: Browser, demo: Demo, size: tuple[int, int], colours: str, newcomer: bool
) -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if colours == "dark" else "light",
        locale="en-GB",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
        reduced_motion="reduce",
        # A page of an earlier build is not what is tested; test_offline has one.
        service_workers="block",
    )
    context.set_default_timeout(15_000)
    context.add_cookies(demo.known)
    visit = Visit(context, context.new_page(), demo, newcomer=newcomer)
    visit.watch()
    yield visit
    context.close()
    assert visit.wrong == []
