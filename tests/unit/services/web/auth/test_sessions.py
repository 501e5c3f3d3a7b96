"""Sessions of the web: from a password to a cookie, to JMAP, to their end; and who is kept out."""

import base64

import pytest

from malleposte.services.web import WebSettings
from malleposte.services.web.authentication import NOTE_EVERY
from malleposte.store import Store, StoreError
from malleposte.store.commands import SetAccount, SetPassword
from malleposte.store.commands.sessions import MAX_SESSIONS
from malleposte.store.ids import account_text
from malleposte.store.results import Done
from support.store import House
from unit.services.web.auth.browser import GOOD, HOST, ORIGIN, Browser, Pages

COOKIE = "__Host-malleposte"


async def test_a_password_opens_a_session_that_jmap_takes_until_it_is_ended(
    browser: Browser,
) -> None:
    assert not await browser.signed_in()
    assert await browser.sign_in() == {"signedIn": True}
    state = await browser.get("/auth/state")
    assert state["account"]["address"] == "ada@example.org"
    session = await browser.get("/jmap/session")
    assert list(session["accounts"]) == [account_text(1)] == [state["account"]["id"]]
    kept = dict(browser.cookies)
    assert await browser.post("/auth/sign-out") == {"signedIn": False}
    assert dict(browser.last.fields)["Clear-Site-Data"] == '"cache"'
    assert COOKIE not in browser.cookies
    assert await browser.post("/auth/sign-out") == {"signedIn": False}
    # It is ended on the server, not by the browser's forgetting it.
    browser.cookies = kept
    assert not await browser.signed_in()
    await browser.get("/jmap/session")
    assert browser.last.status == 401


async def test_the_cookie_is_out_of_reach_for_scripts_other_sites_and_the_clear(
    browser: Browser,
) -> None:
    await browser.sign_in()
    (field,) = [
        value
        for name, value in browser.last.fields
        if name == "Set-Cookie" and value.startswith(f"{COOKIE}=")
    ]
    first, *attributes = field.split("; ")
    assert len(first) == len(COOKIE) + 1 + 43  # 256 bits
    assert set(attributes) == {
        "Path=/",
        "HttpOnly",
        "SameSite=Strict",
        "Secure",
        f"Max-Age={browser.pages.settings.lasts}",
    }


async def test_a_database_that_is_read_opens_no_session(browser: Browser) -> None:
    await browser.sign_in()
    token = browser.cookies[COOKIE]
    (row,) = await browser.pages.house.rows("SELECT * FROM web_session")
    assert token not in str(row)
    assert token.encode() not in row


async def test_on_loopback_without_tls_the_cookie_has_a_name_that_browsers_take(
    pages: Pages,
) -> None:
    host = "localhost:8080"
    browser = Browser(
        pages, peer="127.0.0.1", tls=False, local=True, host=host, origin=f"http://{host}"
    )
    await browser.sign_in()
    assert "malleposte" in browser.cookies
    assert "Secure" not in str(browser.last.fields)
    assert await browser.signed_in()


async def test_one_name_with_and_without_tls_on_two_ports_is_told_apart(house: House) -> None:
    web = WebSettings("localhost", url="https://localhost:8443", names=frozenset(("localhost",)))
    pages = Pages(house, web=web)
    await pages.account()
    host = "localhost:8080"
    plain = Browser(pages, tls=False, local=True, host=host, origin=f"http://{host}")
    await plain.sign_in()
    assert "malleposte" in plain.cookies
    pages.passwords.close()


async def test_behind_a_proxy_on_this_machine_cookies_are_those_of_tls(pages: Pages) -> None:
    browser = Browser(pages, peer="127.0.0.1", tls=False, local=True)
    await browser.sign_in()
    assert COOKIE in browser.cookies
    assert await browser.signed_in()


async def test_in_clear_no_password_is_taken(pages: Pages) -> None:
    browser = Browser(pages, tls=False, origin=f"http://{HOST}")
    answer = await browser.sign_in()
    assert (browser.last.status, answer["error"]) == (403, "in-clear")
    basic = base64.b64encode(f"ada@example.org:{GOOD}".encode()).decode()
    await browser.ask("GET", "/jmap/session", fields={"authorization": f"Basic {basic}"})
    assert browser.last.status == 403


async def test_a_wrong_password_an_unknown_name_and_a_suspended_account(browser: Browser) -> None:
    wrong = await browser.sign_in(password="nonsense")
    unknown = await browser.sign_in("nobody")
    assert wrong == unknown
    assert (browser.last.status, wrong["error"]) == (401, "wrong")
    assert not browser.cookies
    await browser.pages.house.do(SetAccount(account=1, status="suspended"), Done)
    assert (await browser.sign_in(password="nonsense"))["error"] == "wrong"
    assert (await browser.sign_in())["error"] == "suspended"


async def test_guessing_is_refused_after_some_tries(browser: Browser) -> None:
    answers = [await browser.sign_in(password=f"guess {n}") for n in range(14)]
    assert answers[-1]["error"] == "too-many"
    assert browser.last.status == 429
    assert dict(browser.last.fields)["Retry-After"]
    assert (await browser.sign_in())["error"] == "too-many"


@pytest.mark.parametrize(
    "fields",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"http://{HOST}"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"sec-fetch-site": "", "origin": ""},
    ],
)
async def test_another_site_can_do_nothing_with_the_cookie(
    browser: Browser, fields: dict[str, str]
) -> None:
    await browser.sign_in()
    for path in ("/auth/sign-out", "/jmap/api"):
        await browser.ask("POST", path, {}, fields=fields)
        assert browser.last.status == 403, path
    # Nor sign anybody in as somebody else.
    other = Browser(browser.pages)
    form = {"name": "ada@example.org", "password": GOOD}
    await other.ask("POST", "/auth/sign-in", form, fields=fields)
    assert other.last.status == 403
    assert not other.cookies
    assert await browser.signed_in()


async def test_a_stream_of_its_own_must_say_where_it_comes_from(browser: Browser) -> None:
    """RFC 6455 §10.2: a WebSocket is not bound to its page's origin by browsers."""
    await browser.sign_in()
    upgrade = {"upgrade": "websocket", "sec-fetch-site": ""}
    await browser.ask("GET", "/jmap/session", fields=upgrade)
    assert browser.last.status == 403
    await browser.ask("GET", "/jmap/session", fields=upgrade | {"origin": ORIGIN})
    assert browser.last.status == 200


async def test_forms_and_others_content_are_not_read(browser: Browser) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        await browser.ask("POST", "/auth/sign-in", {}, kind=kind)
        assert browser.last.status == 415
    for content in (b"", b"[]", b"{", b'{"name":1,"password":2}', b'{"name":"a"}', b"\xff"):
        await browser.ask("POST", "/auth/sign-in", content)
        assert browser.last.status == 400
    await browser.ask("POST", "/auth/sign-in", b" " * 40_000)
    assert browser.last.status == 413
    await browser.get("/auth/sign-in")
    assert browser.last.status == 405
    await browser.get("/auth/nothing")
    assert browser.last.status == 404


async def test_a_session_that_was_put_into_a_browser_is_not_taken_up(browser: Browser) -> None:
    """Fixation: whoever plants a cookie before the sign-in has nothing after it."""
    attacker = Browser(browser.pages)
    await browser.pages.account("eve")
    await attacker.sign_in("eve")
    planted = attacker.cookies[COOKIE]
    for value in (planted, "A" * 43):
        browser.cookies[COOKIE] = value
        await browser.sign_in()
        assert browser.cookies[COOKIE] != value
    attacker.cookies[COOKIE] = "A" * 43
    assert not await attacker.signed_in()
    attacker.cookies[COOKIE] = planted
    assert (await attacker.get("/auth/state"))["account"]["address"] == "eve@example.org"
    # Two of one name: which of them is ours cannot be told.
    both = f"{COOKIE}={planted}; {COOKIE}={browser.cookies[COOKIE]}"
    answer = await browser.ask("GET", "/auth/state", fields={"cookie": both})
    assert not answer["signedIn"]


async def test_a_session_ends_without_use_and_at_last_whatever_is_done(browser: Browser) -> None:
    clock, settings = browser.pages.house.clock, browser.pages.settings
    clock.stop()
    await browser.sign_in()
    for _ in range(settings.lasts // settings.idle):
        clock.turn(settings.idle - 1)
        assert await browser.signed_in()
    clock.turn(settings.idle - 1)
    assert not await browser.signed_in()
    await browser.sign_in()
    clock.turn(settings.idle)
    assert not await browser.signed_in()


async def test_use_is_noted_now_and_then_not_with_every_request(browser: Browser) -> None:
    clock, house = browser.pages.house.clock, browser.pages.house
    began = clock.stop()
    await browser.sign_in()
    clock.turn(NOTE_EVERY - 1)
    await browser.signed_in()
    assert await house.value("SELECT used_at FROM web_session") == began
    clock.turn(1)
    await browser.signed_in()
    assert await house.value("SELECT used_at FROM web_session") == began + NOTE_EVERY


async def test_on_another_persons_device_it_ends_with_the_browser(browser: Browser) -> None:
    clock, settings = browser.pages.house.clock, browser.pages.settings
    clock.stop()
    await browser.sign_in(passing=True)
    (field,) = [v for n, v in browser.last.fields if v.startswith(f"{COOKIE}=")]
    assert "Max-Age" not in field
    clock.turn(settings.passing_idle)
    assert not await browser.signed_in()


async def test_a_new_password_and_a_suspension_end_sessions_at_once(browser: Browser) -> None:
    house = browser.pages.house
    hashed = await browser.pages.passwords.hash("something else")
    for command in (
        SetAccount(account=1, status="suspended"),
        SetPassword(account=1, password_hash=hashed),
    ):
        await browser.sign_in()
        assert await browser.signed_in()
        await house.do(command, Done)
        assert not await browser.signed_in()
        await house.do(SetAccount(account=1, status="active"), Done)
        assert not await browser.signed_in()


async def test_a_stream_is_told_when_who_asked_for_it_is_out(browser: Browser) -> None:
    await browser.sign_in()
    await browser.get("/jmap/session")
    authentication, request = browser.pages.authentication, browser.request
    account = await authentication.account(request)
    assert await authentication.why_not(request, account) == ""
    await browser.post("/auth/sign-out")
    assert "sign in again" in await authentication.why_not(request, account)
    # By name and password there is no session; a new password ends it.
    basic = base64.b64encode(f"ada@example.org:{GOOD}".encode()).decode()
    await browser.ask("GET", "/jmap/session", fields={"authorization": f"Basic {basic}"})
    account = await authentication.account(browser.request)
    assert await authentication.why_not(browser.request, account) == ""
    hashed = await browser.pages.passwords.hash("something else")
    await browser.pages.house.do(SetPassword(account=1, password_hash=hashed), Done)
    assert "sign in again" in await authentication.why_not(browser.request, account)


async def test_an_account_has_so_many_sessions_and_the_idlest_goes(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.sessions.MAX_SESSIONS", 2)
    clock = browser.pages.house.clock
    browsers = [Browser(browser.pages) for _ in range(3)]
    for one in browsers:
        await one.sign_in()
        clock.turn(1)
    assert [await one.signed_in() for one in browsers] == [False, True, True]
    assert MAX_SESSIONS > 2


async def test_a_browser_is_known_again_and_a_new_one_told_of(browser: Browser) -> None:
    house = browser.pages.house
    jobs = "SELECT count(*) FROM job WHERE kind = 'new-device'"
    for _ in range(2):
        await browser.sign_in()
        await browser.post("/auth/sign-out")
    assert await house.value(jobs) == 0
    await Browser(browser.pages).sign_in()
    assert await house.value(jobs) == 1
    # What is no name of ours is not taken up, nor sent back.
    device = "__Host-malleposte-device"
    for odd in ("x", "é" * 22, "a" * 1_900):
        other = Browser(browser.pages, cookies={device: odd})
        await other.sign_in()
        assert len(other.cookies[device]) == 22
    assert await house.value(jobs) == 4


async def test_a_page_is_not_shown_the_browsers_own_dialogue(browser: Browser) -> None:
    await browser.get("/jmap/session")
    assert browser.last.status == 401
    assert "Basic" not in str(browser.last.fields)
    await Browser(browser.pages, site="").get("/jmap/session")
    program = Browser(browser.pages, site="")
    await program.get("/jmap/session")
    assert "Basic" in dict(program.last.fields)["WWW-Authenticate"]


async def test_a_browser_is_signed_out_also_while_the_store_is_away(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.sign_in()

    async def away(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(Store, "submit", away)
    await browser.post("/auth/sign-out")
    assert browser.last.status == 503
    assert COOKIE not in browser.cookies
    assert dict(browser.last.fields)["Clear-Site-Data"] == '"cache"'
