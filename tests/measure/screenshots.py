"""Pictures of the main screens for docs/screenshots: `make screenshots`. Look at each one."""

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from web.conftest import (
    BUILT,
    DESKTOP,
    PHONE,
    ROOT,
    ClientProgram,
    Demo,
    Visit,
    chromium,
    served,
)

FOLDER: Final = ROOT / "docs/screenshots"
WAIT: Final = 700
"""Milliseconds for what moves to stand still."""


def _row(page: Page, subject: str) -> None:
    page.get_by_role("row", name=re.compile(subject)).first.click()
    page.locator("article").first.wait_for()


def conversation(page: Page) -> None:
    _row(page, "Jardin partagé")


def newsletter(page: Page) -> None:
    _row(page, "")


def search(page: Page) -> None:
    page.get_by_role("searchbox").or_(page.get_by_role("combobox")).first.fill(
        "from:jardin is:unread"
    )
    page.keyboard.press("Enter")


def writing(page: Page) -> None:
    page.get_by_role("button", name="New message").first.click()
    page.locator("[contenteditable=true]").first.wait_for()


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").first.wait_for()
    page.keyboard.type("ar")


SCREENS: Final[dict[str, tuple[str, Callable[[Page], None] | None]]] = {
    "mail": ("/mail", None),
    "conversation": ("/mail", conversation),
    "search": ("/mail?q=train", None),
    "write": ("/mail", writing),
    "palette": ("/mail", palette),
    "contacts": ("/contacts", None),
    "security": ("/settings/security", None),
    "filters": ("/settings/filters", None),
    "away": ("/settings/vacation", None),
}
"""By name: where it is, and what is done there."""


def signing_in(browser: Browser, demo: Demo, how: dict[str, object], path: Path) -> None:
    with browser.new_context(**how) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(demo.url)
        page.locator("input[name=name]").wait_for()
        page.wait_for_timeout(WAIT)
        page.screenshot(path=path, type="jpeg", quality=80)


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=FOLDER)
    options.add_argument("--only", default="")
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    assert BUILT.is_dir(), "the client is not built: make web"
    with (
        tempfile.TemporaryDirectory(prefix="mp-shot-") as name,
        chromium() as browser,
        served(browser, ClientProgram(Path(name)), Demo) as demo,
    ):
        for size, (width, height) in (("desktop", DESKTOP), ("phone", PHONE)):
            for colours in ("light", "dark"):
                how: dict[str, object] = {
                    "viewport": {"width": width, "height": height},
                    "color_scheme": colours,
                    "locale": "en-GB",
                    "is_mobile": size == "phone",
                    "has_touch": size == "phone",
                    "reduced_motion": "reduce",
                    "service_workers": "block",
                }
                ending = f"{size}-{colours}.jpg"
                if not given.only or "sign-in" in given.only:
                    signing_in(browser, demo, how, given.folder / f"sign-in-{ending}")
                with browser.new_context(**how) as context:  # type: ignore[arg-type]
                    context.set_default_timeout(8_000)
                    context.add_cookies(demo.known)
                    visit = Visit(context, context.new_page(), demo)
                    visit.sign_in()
                    for screen, (place, act) in SCREENS.items():
                        if given.only and screen not in given.only:
                            continue
                        visit.open(place)
                        visit.page.wait_for_timeout(WAIT)
                        try:
                            if act is not None:
                                act(visit.page)
                        except Exception as error:  # noqa: BLE001 - the others are made
                            print(f"{screen}, {size}: {str(error).splitlines()[0]}")
                            continue
                        visit.page.wait_for_timeout(WAIT)
                        path = given.folder / f"{screen}-{ending}"
                        visit.page.screenshot(path=path, type="jpeg", quality=80)
                        print(path.name, flush=True)


if __name__ == "__main__":
    main()
