"""Passkeys before the sites, made by an authenticator in software; and those that are not right."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from malleposte.store.commands import SetAccount
from malleposte.store.results import Done
from support.authenticator import Authenticator, text
from unit.services.web.auth.browser import ORIGIN, Browser

COOKIE = "__Host-malleposte"


@pytest.fixture
async def key(browser: Browser) -> Authenticator:
    """Hers; she is signed in."""
    await browser.sign_in()
    return await browser.passkey()


@pytest.fixture
def other(browser: Browser) -> Browser:
    """Another browser."""
    return Browser(browser.pages)


async def test_a_passkey_signs_in_without_name_and_password(
    key: Authenticator, other: Browser
) -> None:
    assert await other.by_passkey(key) == {"signedIn": True}
    assert (await other.get("/auth/state"))["account"]["address"] == "ada@example.org"
    (one,) = (await other.get("/auth/credentials"))["passkeys"]
    assert one["label"] == "Phone"
    assert one["lastUsedAt"]


async def test_alone_it_must_know_its_person(browser: Browser, other: Browser) -> None:
    await browser.sign_in()
    token = await browser.passkey(verifies=False)
    options = (await other.post("/auth/passkey/begin"))["options"]
    assert options["userVerification"] == "required"
    answer = await other.post("/auth/passkey/finish", credential=token.get(options))
    assert (other.last.status, answer["error"]) == (401, "wrong")
    # After the password, that somebody holds it is enough.
    assert (await browser.post("/auth/second-step/on"))["recoveryCodes"]
    assert await other.sign_in() == {"next": "passkey", "methods": ["passkey", "recovery"]}
    options = (await other.post("/auth/passkey/begin"))["options"]
    assert [one["id"] for one in options["allowCredentials"]] == [text(token.credential)]
    answer = await other.post("/auth/passkey/finish", credential=token.get(options))
    assert answer == {"signedIn": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": f"http://{ORIGIN[8:]}"},
        {"party": "evil.example"},
        {"challenge": text(b"x" * 32)},
        {"kind": "webauthn.create"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=["origin", "clear", "party", "challenge", "kind", "key"],
)
async def test_what_was_signed_elsewhere_or_by_another_is_refused(
    key: Authenticator, other: Browser, wrong: dict[str, Any]
) -> None:
    answer = await other.by_passkey(key, **wrong)
    assert (other.last.status, answer["error"]) == (401, "wrong")
    assert not await other.signed_in()
    assert await other.by_passkey(key) == {"signedIn": True}


async def test_an_answer_is_taken_once(key: Authenticator, other: Browser) -> None:
    """Replay: also of an authenticator that counts nothing."""
    key.counts = False
    key.count = 0
    await other.post("/auth/passkeys/begin")
    browser = Browser(other.pages)
    await browser.sign_in()
    still = await browser.passkey(counts=False)
    options = (await other.post("/auth/passkey/begin"))["options"]
    kept = dict(other.cookies)
    signed = still.get(options)
    assert await other.post("/auth/passkey/finish", credential=signed) == {"signedIn": True}
    thief = Browser(other.pages, cookies=kept)
    answer = await thief.post("/auth/passkey/finish", credential=signed)
    assert answer["error"] == "used"
    # For another's challenge it is none.
    await thief.post("/auth/passkey/begin")
    assert (await thief.post("/auth/passkey/finish", credential=signed))["error"] == "wrong"


async def test_a_copy_shows_by_its_counter(key: Authenticator, other: Browser) -> None:
    copy = Authenticator(key.origin, credential=key.credential, key=key.key, count=key.count)
    await other.by_passkey(key)
    await other.post("/auth/sign-out")
    answer = await other.by_passkey(copy)
    assert (other.last.status, answer["error"]) == (401, "copied")
    assert not await other.signed_in()


async def test_anothers_passkey_is_no_second_step(key: Authenticator, other: Browser) -> None:
    await other.pages.account("eve")
    eve = Browser(other.pages)
    await eve.sign_in("eve")
    hers = await eve.passkey()
    ada = Browser(other.pages)
    await ada.by_passkey(key)
    await ada.post("/auth/second-step/on")
    await other.sign_in()
    assert (await other.by_passkey(hers))["error"] == "wrong"
    assert not await other.signed_in()


async def test_alone_it_may_be_anothers_than_whose_password_was_shown(
    browser: Browser, key: Authenticator, other: Browser
) -> None:
    await browser.post("/auth/second-step/on")
    await browser.pages.account("eve")
    eve = Browser(browser.pages)
    await eve.sign_in("eve")
    hers = await eve.passkey()
    await other.sign_in()
    options = (await other.post("/auth/passkey/begin", alone=True, passing=True))["options"]
    assert options["allowCredentials"] == []
    answer = await other.post("/auth/passkey/finish", credential=hers.get(options))
    assert answer == {"signedIn": True}
    assert "Max-Age" not in next(v for _, v in other.last.fields if v.startswith(f"{COOKIE}="))
    assert (await other.get("/auth/state"))["account"]["address"] == "eve@example.org"


async def test_to_begin_again_gives_a_password_no_longer_life(
    browser: Browser, key: Authenticator, other: Browser
) -> None:
    clock, settings = browser.pages.house.clock, browser.pages.settings
    clock.stop()
    await browser.post("/auth/second-step/on")
    await other.sign_in()
    clock.turn(settings.step - 1)
    await other.post("/auth/passkey/begin")
    clock.turn(1)
    options = (await other.post("/auth/passkey/begin"))["options"]
    assert options["userVerification"] == "required"  # the password counts no more


async def test_one_that_is_removed_or_of_a_suspended_account_opens_nothing(
    browser: Browser, key: Authenticator, other: Browser
) -> None:
    house = browser.pages.house
    await house.do(SetAccount(account=1, status="suspended"), Done)
    assert (await other.by_passkey(key))["error"] == "suspended"
    await house.do(SetAccount(account=1, status="active"), Done)
    await browser.sign_in()
    (one,) = (await browser.get("/auth/credentials"))["passkeys"]
    assert (await browser.post("/auth/passkeys/remove", id=one["id"]))["removed"]
    assert not (await browser.post("/auth/passkeys/remove", id=one["id"]))["removed"]
    assert (await other.by_passkey(key))["error"] == "wrong"


async def test_to_add_one_is_not_to_sign_in_nor_the_other_way_round(
    browser: Browser, key: Authenticator
) -> None:
    options = (await browser.post("/auth/passkeys/begin"))["options"]
    assert [one["id"] for one in options["excludeCredentials"]] == [text(key.credential)]
    signed = key.get({"rpId": options["rp"]["id"], "challenge": options["challenge"]})
    assert (await browser.post("/auth/passkey/finish", credential=signed))["error"] == "expired"
    options = (await browser.post("/auth/passkey/begin"))["options"]
    new = Authenticator(ORIGIN)
    made = new.create({"rp": {"id": options["rpId"]}, "challenge": options["challenge"]})
    answer = await browser.post("/auth/passkeys/finish", credential=made)
    assert answer["error"] == "expired"
    # Nor is what proves once more a sign-in, with a code behind it or without.
    options = (await browser.post("/auth/prove/passkey/begin"))["options"]
    signed = key.get(options)
    assert (await browser.post("/auth/passkey/finish", credential=signed))["error"] == "expired"
    assert (await browser.post("/auth/totp", code="123456"))["error"] == "expired"


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
        {"id": 7, "rawId": None, "type": "x", "response": []},
        {"id": "AA", "rawId": "BB", "type": "public-key", "response": {"signature": "é"}},
    ],
)
async def test_what_is_no_credential_is_refused_calmly(
    browser: Browser, key: Authenticator, other: Browser, credential: dict[str, Any]
) -> None:
    await other.post("/auth/passkey/begin")
    await other.post("/auth/passkey/finish", credential=credential)
    assert other.last.status == 401
    await browser.post("/auth/passkeys/begin")
    await browser.post("/auth/passkeys/finish", credential=credential)
    assert browser.last.status == 400


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("octets", [b"", b"\xff" * 40, b"{}", b"[" * 5_000])
async def test_parts_that_are_nonsense_are_refused_calmly(
    key: Authenticator, other: Browser, part: str, octets: bytes
) -> None:
    options = (await other.post("/auth/passkey/begin"))["options"]
    signed = key.get(options)
    signed["response"][part] = text(octets)
    await other.post("/auth/passkey/finish", credential=signed)
    assert other.last.status == 401


@pytest.mark.parametrize(
    "octets", [b"", b"\xff" * 40, b"\xa0", b"\x9f" * 5_000, b"\xbb" + b"\xff" * 8]
)
async def test_nonsense_in_place_of_an_attestation_is_refused_calmly(
    browser: Browser, key: Authenticator, octets: bytes
) -> None:
    options = (await browser.post("/auth/passkeys/begin"))["options"]
    made = Authenticator(ORIGIN).create(options)
    made["response"]["attestationObject"] = text(octets)
    await browser.post("/auth/passkeys/finish", credential=made)
    assert browser.last.status == 400
