"""What people see to about their own account, and the fresh proof that is asked for first."""

from typing import Any

import pytest

from malleposte.policy.throttle import ThrottleSettings
from support.authenticator import Authenticator
from support.store import House
from unit.services.web.auth.browser import GOOD, Browser, Pages

NEW = "another good phrase"


@pytest.fixture
async def signed(browser: Browser) -> Browser:
    """Signed in."""
    await browser.sign_in()
    return browser


async def test_sessions_are_shown_and_ended_one_by_one_or_all_others(
    signed: Browser, pages: Pages
) -> None:
    others = [Browser(pages, peer=f"203.0.113.{n}", agent=f"Agent {n}\x07") for n in range(3)]
    for one in others:
        await one.sign_in()
    await pages.account("eve")
    eve = Browser(pages)
    await eve.sign_in("eve")
    listed = (await signed.get("/auth/sessions"))["sessions"]
    assert {(one["address"], one["agent"]) for one in listed if not one["current"]} == {
        (f"203.0.113.{n}", f"Agent {n}") for n in range(3)
    }
    (first,) = [one["id"] for one in listed if one["agent"] == "Agent 0"]
    assert await eve.post("/auth/sessions/revoke", ids=[first]) == {"revoked": 0}
    assert await signed.post("/auth/sessions/revoke", ids=[first]) == {"revoked": 1}
    assert [await one.signed_in() for one in others] == [False, True, True]
    assert await signed.post("/auth/sessions/revoke", others=True) == {"revoked": 2}
    assert [await one.signed_in() for one in (*others, signed, eve)] == [False] * 3 + [True] * 2
    wrongs: list[dict[str, Any]] = [
        {},
        {"ids": [1], "others": True},
        {"ids": list(range(200))},
    ]
    for wrong in wrongs:
        await signed.post("/auth/sessions/revoke", **wrong)
        assert signed.last.status == 400


async def test_a_new_password_asks_for_the_old_one_and_ends_other_sessions(
    signed: Browser, pages: Pages
) -> None:
    other = Browser(pages)
    await other.sign_in()
    wrong = await signed.post("/auth/password", old="nonsense", new=NEW)
    assert (signed.last.status, wrong["error"]) == (401, "wrong")
    for weak in ("short", "password123", "aaaaaaaaaaaa", "ada@example.org1", "with\x00control-x"):
        answer = await signed.post("/auth/password", old=GOOD, new=weak)
        assert (signed.last.status, answer["error"]) == (422, "weak-password")
        assert weak not in answer["text"]
    assert await signed.post("/auth/password", old=GOOD, new=NEW) == {"changed": True}
    assert await signed.signed_in()
    assert not await other.signed_in()
    assert (await other.sign_in())["error"] == "wrong"
    assert await other.sign_in(password=NEW) == {"signedIn": True}


async def test_an_open_page_lets_nobody_guess_the_password_faster(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[float] = []

    async def sleep(seconds: float) -> None:
        slow.append(seconds)

    monkeypatch.setattr("malleposte.directory.signin.sleep", sleep)
    pages = Pages(house, throttle=ThrottleSettings())
    await pages.account()
    signed = Browser(pages)
    await signed.sign_in()
    for n in range(10):
        for path, form in (("prove", {"password": f"{n}"}), ("password", {"old": "x", "new": NEW})):
            assert (await signed.post(f"/auth/{path}", **form))["error"] == "wrong"
    assert slow[-1] == ThrottleSettings().delay_limit
    pages.passwords.close()


async def test_credentials_change_only_with_a_fresh_proof(signed: Browser) -> None:
    key = await signed.passkey()
    clock, settings = signed.pages.house.clock, signed.pages.settings
    changes: dict[str, dict[str, Any]] = {
        "app-passwords/add": {"label": "Phone"},
        "totp/start": {},
        "totp/confirm": {"code": "123456"},
        "totp/remove": {},
        "second-step/on": {},
        "second-step/off": {},
        "recovery-codes": {},
        "passkeys/begin": {},
        "passkeys/finish": {"credential": {}},
        "passkeys/remove": {"id": 1},
    }
    assert (await signed.get("/auth/state"))["fresh"]
    clock.turn(settings.fresh + 1)
    assert not (await signed.get("/auth/state"))["fresh"]
    for path, form in changes.items():
        answer = await signed.post(f"/auth/{path}", **form)
        assert (signed.last.status, answer["error"]) == (403, "prove"), path
    assert (await signed.post("/auth/prove", password="nonsense"))["error"] == "wrong"
    assert await signed.post("/auth/prove", password=GOOD) == {"proved": True}
    assert "password" in await signed.post("/auth/app-passwords/add", label="Phone")
    clock.turn(settings.fresh + 1)
    await prove(signed, key)
    assert "password" in await signed.post("/auth/app-passwords/add", label="Tablet")


async def test_with_a_second_step_the_password_alone_proves_nothing(signed: Browser) -> None:
    """Or whoever finds an open page, and knows the password, would take the second step away."""
    secret, codes = await signed.totp()
    clock, settings = signed.pages.house.clock, signed.pages.settings
    clock.turn(settings.fresh + 1)
    answer = await signed.post("/auth/prove", password=GOOD)
    assert (signed.last.status, answer["error"]) == (401, "code")
    assert (await signed.post("/auth/second-step/off"))["error"] == "prove"
    assert await signed.post("/auth/password", old=GOOD, new=NEW) == {"changed": True}
    assert (await signed.post("/auth/second-step/off"))["error"] == "prove"
    assert await signed.post("/auth/password", old=NEW, new=GOOD) == {"changed": True}
    answer = await signed.post("/auth/prove", password=GOOD, code="000 000")
    assert (signed.last.status, answer["error"]) == (401, "wrong")
    right = signed.code(secret)
    wrong = await signed.post("/auth/prove", password="nonsense", code=right)
    assert (signed.last.status, wrong["error"]) == (401, "wrong")
    assert await signed.post("/auth/prove", password=GOOD, code=right) == {"proved": True}
    assert (await signed.post("/auth/prove", password=GOOD, code=right))["error"] == "used"
    clock.turn(settings.fresh + 1)
    assert await signed.post("/auth/prove", password=GOOD, code=codes[0]) == {"proved": True}
    assert (await signed.post("/auth/prove", password=GOOD, code=codes[0]))["error"] == "wrong"
    assert await signed.post("/auth/second-step/off") == {"off": True}


async def prove(browser: Browser, key: Authenticator) -> None:
    options = (await browser.post("/auth/prove/passkey/begin"))["options"]
    answer = await browser.post("/auth/prove/passkey/finish", credential=key.get(options))
    assert answer == {"proved": True}


async def test_anothers_passkey_proves_nothing(signed: Browser, pages: Pages) -> None:
    await signed.passkey()
    await pages.account("eve")
    eve = Browser(pages)
    await eve.sign_in("eve")
    hers = await eve.passkey()
    options = (await signed.post("/auth/prove/passkey/begin"))["options"]
    answer = await signed.post("/auth/prove/passkey/finish", credential=hers.get(options))
    assert answer["error"] == "wrong"


async def test_app_passwords_are_shown_once_and_listed_without(signed: Browser) -> None:
    made = await signed.post("/auth/app-passwords/add", label=" Phone ", protocols=["smtp", "imap"])
    assert made["label"] == "Phone"
    assert made["password"].startswith(f"app{made['id']}-")
    found = await signed.get("/auth/credentials")
    (one,) = found["appPasswords"]
    assert one["protocols"] == ["imap", "smtp"]
    assert made["password"] not in str(found)
    for wrong in ({"label": " "}, {"label": "x", "protocols": ["ftp"]}):
        await signed.post("/auth/app-passwords/add", **wrong)
        assert signed.last.status == 422
    assert (await signed.post("/auth/app-passwords/remove", id=made["id"]))["removed"]
    assert (await signed.get("/auth/credentials"))["appPasswords"] == []


async def test_signed_out_nothing_is_shown_or_changed(pages: Pages) -> None:
    nobody = Browser(pages)
    for path in ("sessions", "credentials"):
        await nobody.get(f"/auth/{path}")
        assert nobody.last.status == 401
    for path in (
        "prove",
        "prove/passkey/begin",
        "prove/passkey/finish",
        "password",
        "sessions/revoke",
        "totp/start",
        "totp/confirm",
        "totp/remove",
        "second-step/on",
        "second-step/off",
        "recovery-codes",
        "passkeys/begin",
        "passkeys/finish",
        "passkeys/remove",
        "passkeys/rename",
        "language",
        "app-passwords/add",
        "app-passwords/remove",
    ):
        await nobody.post(f"/auth/{path}")
        assert nobody.last.status == 401, path


async def test_the_language_of_an_account_is_what_the_server_writes_in(signed: Browser) -> None:
    assert await signed.post("/auth/language", locale="fr") == {"locale": "fr"}
    assert (await signed.get("/auth/state"))["account"]["locale"] == "fr"
    assert (await signed.post("/auth/language", locale="tlh"))["error"] == "language"
    assert (await signed.get("/auth/state"))["account"]["locale"] == "fr"


async def test_a_passkey_has_another_name_and_only_ones_own(signed: Browser, pages: Pages) -> None:
    await signed.passkey()
    (one,) = (await signed.get("/auth/credentials"))["passkeys"]
    await pages.account("eve")
    eve = Browser(pages)
    await eve.sign_in("eve")
    assert not (await eve.post("/auth/passkeys/rename", id=one["id"], label="Mine"))["renamed"]
    assert (await signed.post("/auth/passkeys/rename", id=one["id"], label=" Blue\nkey "))[
        "renamed"
    ]
    (after,) = (await signed.get("/auth/credentials"))["passkeys"]
    assert after == one | {"label": "Blue key"}
    assert (await signed.post("/auth/passkeys/rename", id=one["id"], label=" "))["error"] == "label"
