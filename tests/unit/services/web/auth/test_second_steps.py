"""Second steps: one-time codes, recovery codes; and who tries them out."""

import base64

import pytest

from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.store.commands.credentials import MAX_WRONG_STEPS, WRONG_STEPS_FOR
from unit.services.web.auth.browser import GOOD, Browser

COOKIE, STEP = "__Host-malleposte", "__Host-malleposte-step"


@pytest.fixture
async def other(browser: Browser) -> Browser:
    """Another browser; the first is signed in."""
    browser.pages.house.clock.stop()
    await browser.sign_in()
    return Browser(browser.pages)


async def test_with_one_time_codes_the_password_alone_opens_nothing(
    browser: Browser, other: Browser
) -> None:
    secret, codes = await browser.totp()
    assert len(set(codes)) == 10
    assert await browser.signed_in()
    answer = await other.sign_in()
    assert answer == {"next": "totp", "methods": ["totp", "recovery"]}
    assert COOKIE not in other.cookies
    assert not await other.signed_in()
    await other.get("/jmap/session")
    assert other.last.status == 401
    # The password between: this one's step was used when codes were switched on.
    other.pages.house.clock.turn(30)
    code = browser.code(secret)
    answer = await other.post("/auth/totp", code=f"{code[:3]} {code[3:]}")
    assert answer == {"signedIn": True}
    assert STEP not in other.cookies
    assert (await other.get("/auth/state"))["secondStep"]


async def test_programs_are_told_of_app_passwords(browser: Browser, other: Browser) -> None:
    async def program(password: str) -> tuple[int, str]:
        basic = base64.b64encode(f"ada@example.org:{password}".encode()).decode()
        said = {"authorization": f"Basic {basic}"}
        await other.ask("GET", "/jmap/session", fields=said)
        return other.last.status, other.last.body.decode()

    assert (await program(GOOD))[0] == 200
    await browser.totp()
    status, words = await program(GOOD)
    assert status == 401
    assert "app password" in words
    made = await browser.post("/auth/app-passwords/add", label="Phone", protocols=["jmap"])
    assert (await program(made["password"]))[0] == 200
    only_mail = await browser.post("/auth/app-passwords/add", label="Old", protocols=["imap"])
    assert (await program(only_mail["password"]))[0] == 401


async def test_a_code_is_taken_once_and_only_about_now(browser: Browser, other: Browser) -> None:
    secret, _ = await browser.totp()
    clock = other.pages.house.clock
    await other.sign_in()
    # What switched it on is spent as well (RFC 6238 §5.2).
    assert (await other.post("/auth/totp", code=other.code(secret)))["error"] == "used"
    clock.turn(300)
    for steps in (-2, 2):
        answer = await other.post("/auth/totp", code=other.code(secret, steps))
        assert answer["error"] == "wrong"
    await other.post("/auth/totp", code=other.code(secret, 1))
    assert await other.signed_in()
    # Neither that one again, nor one from before it.
    thief = Browser(other.pages)
    await thief.sign_in()
    for steps in (1, 0):
        answer = await thief.post("/auth/totp", code=thief.code(secret, steps))
        assert answer["error"] == "used"
    assert not await thief.signed_in()


async def test_guessing_codes_ends_soon_from_wherever_it_is_done(
    browser: Browser, other: Browser
) -> None:
    secret, _ = await browser.totp()
    clock = other.pages.house.clock
    clock.turn(60)
    right = other.code(secret)
    errors = []
    for n in range(MAX_WRONG_STEPS + 2):
        guesser = Browser(other.pages, peer=f"198.51.{n}.7")
        await guesser.sign_in()
        wrong = f"{(int(right) + n + 1) % 1_000_000:06}"
        errors.append((await guesser.post("/auth/totp", code=wrong))["error"])
    assert errors == ["wrong"] * MAX_WRONG_STEPS + ["too-many"] * 2
    # Not even the right one is looked at now; no more may be learnt by it.
    await other.sign_in()
    assert (await other.post("/auth/totp", code=right))["error"] == "too-many"
    assert (await other.post("/auth/recovery", code="x"))["error"] == "too-many"
    clock.turn(WRONG_STEPS_FOR)
    await other.sign_in()
    await other.post("/auth/totp", code=other.code(secret))
    assert await other.signed_in()


async def test_without_the_password_no_code_is_looked_at(browser: Browser, other: Browser) -> None:
    secret, codes = await browser.totp()
    other.pages.house.clock.turn(60)
    for path, code in (("totp", other.code(secret)), ("recovery", codes[0])):
        assert (await other.post(f"/auth/{path}", code=code))["error"] == "expired"
    # One that another server, or nobody, has sealed.
    await other.sign_in()
    sealed = other.cookies[STEP]
    middle = len(sealed) // 2
    changed = "A" if sealed[middle] != "A" else "B"
    for value in (sealed[:middle] + changed + sealed[middle + 1 :], "A", "é", sealed[:20]):
        other.cookies[STEP] = value
        assert (await other.post("/auth/totp", code=other.code(secret)))["error"] == "expired"
    other.cookies[STEP] = sealed
    other.pages.ring = KeyRing([NodeKey.random()])
    assert (await other.post("/auth/totp", code=other.code(secret)))["error"] == "expired"


async def test_between_two_steps_time_and_passwords_run_out(
    browser: Browser, other: Browser
) -> None:
    secret, _ = await browser.totp()
    clock = other.pages.house.clock
    await other.sign_in()
    clock.turn(other.pages.settings.step)
    assert (await other.post("/auth/totp", code=other.code(secret)))["error"] == "expired"
    await other.sign_in()
    await browser.post("/auth/password", old=GOOD, new="another good phrase")
    assert (await other.post("/auth/totp", code=other.code(secret)))["error"] == "expired"


async def test_a_seed_that_cannot_be_opened_is_no_wrong_code(
    browser: Browser, other: Browser
) -> None:
    secret, codes = await browser.totp()
    other.pages.ring = KeyRing([NodeKey.random()])
    await other.sign_in()
    answer = await other.post("/auth/totp", code=other.code(secret, 1))
    assert (other.last.status, answer["error"]) == (503, "away")
    assert (await other.post("/auth/recovery", code=codes[0]))["signedIn"]


async def test_without_a_node_key_nothing_is_lost_and_people_are_told(
    browser: Browser, other: Browser
) -> None:
    await browser.totp()
    await browser.passkey()
    browser.pages.ring = None
    for path in ("/auth/totp/start", "/auth/passkeys/begin", "/auth/passkey/begin"):
        answer = await browser.post(path)
        assert (browser.last.status, answer["error"]) == (503, "away")
    assert (await other.sign_in())["error"] == "away"
    assert await browser.signed_in()


async def test_recovery_codes_serve_once_each_as_people_type_them(
    browser: Browser, other: Browser
) -> None:
    _, codes = await browser.totp()
    await other.sign_in()
    answer = await other.post("/auth/recovery", code=codes[3].upper().replace("-", " "))
    assert answer == {"signedIn": True, "recoveryCodesLeft": 9}
    thief = Browser(other.pages)
    await thief.sign_in()
    assert (await thief.post("/auth/recovery", code=codes[3]))["error"] == "wrong"
    renewed = (await browser.post("/auth/recovery-codes"))["recoveryCodes"]
    assert (await thief.post("/auth/recovery", code=codes[4]))["error"] == "wrong"
    assert (await thief.post("/auth/recovery", code=renewed[0]))["signedIn"]


async def test_switching_it_on_ends_what_the_password_alone_had_opened(
    browser: Browser, other: Browser
) -> None:
    await other.sign_in()
    await browser.totp()
    assert await browser.signed_in()
    assert not await other.signed_in()


async def test_a_seed_that_was_not_confirmed_is_not_asked_for(
    browser: Browser, other: Browser
) -> None:
    first = await browser.post("/auth/totp/start")
    assert first["uri"].startswith("otpauth://totp/Malleposte:ada%40example.org?secret=")
    assert first["qr"].startswith("data:image/svg+xml")
    assert await other.sign_in() == {"signedIn": True}
    # Asked for again, the first one is forgotten.
    second = await browser.post("/auth/totp/start")
    wrong = await browser.post("/auth/totp/confirm", code=browser.code(first["secret"]))
    assert (browser.last.status, wrong["error"]) == (422, "wrong")
    answer = await browser.post("/auth/totp/confirm", code=browser.code(second["secret"]))
    assert answer["recoveryCodes"]
    assert (await browser.post("/auth/totp/start"))["error"] == "exists"


async def test_switched_off_the_password_is_enough_again(browser: Browser, other: Browser) -> None:
    await browser.totp()
    assert (await browser.post("/auth/totp/remove"))["error"] == "in-use"
    assert await browser.post("/auth/second-step/off") == {"off": True}
    assert await other.sign_in() == {"signedIn": True}
    found = await browser.get("/auth/credentials")
    assert found["secondStep"] == {"since": None, "totpSince": None, "recoveryCodesLeft": 0}
    assert await browser.pages.house.rows("SELECT 1 FROM secret") == []


async def test_what_was_changed_stands_in_the_audit_without_secrets(browser: Browser) -> None:
    await browser.sign_in()
    secret, codes = await browser.totp()
    made = await browser.post("/auth/app-passwords/add", label="Phone")
    rows = await browser.pages.house.rows(
        "SELECT operation, actor, target, details FROM audit ORDER BY id"
    )
    assert [row[0] for row in rows] == [
        "account.start-totp",
        "account.confirm-totp",
        "account.add-app-password",
    ]
    assert {row[1:3] for row in rows} == {("ada@example.org", "ada@example.org")}
    for hidden in (secret, codes[0], made["password"], made["password"].partition("-")[2]):
        assert hidden not in str(rows)
