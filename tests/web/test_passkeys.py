"""Passkeys as Chromium makes and uses them, with an authenticator of its own in software."""

from typing import Any

from web.conftest import USER, Visit

# The browser's own reading of our options, and its own writing of what came of them.
POST = """async ([path, content]) => {
  const said = { method: "POST", headers: { "Content-Type": "application/json" } };
  const answer = await fetch("/auth/" + path, { ...said, body: JSON.stringify(content) });
  return { status: answer.status, ...(await answer.json()) };
}"""
CREATE = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}"""
GET = """async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}"""


def post(visit: Visit, path: str, /, **content: Any) -> dict[str, Any]:
    answer: dict[str, Any] = visit.page.evaluate(POST, [path, content])
    return answer


def test_a_passkey_is_made_and_signs_in_alone_and_as_the_second_step(visit: Visit) -> None:
    visit.open()
    devices = visit.context.new_cdp_session(visit.page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    password = visit.demo.passwords[USER]
    assert post(visit, "sign-in", name=USER, password=password)["signedIn"]
    made = visit.page.evaluate(CREATE, post(visit, "passkeys/begin")["options"])
    assert post(visit, "passkeys/finish", credential=made, label="Laptop")["label"] == "Laptop"
    assert post(visit, "second-step/on")["recoveryCodes"]
    try:
        post(visit, "sign-out")
        given = visit.page.evaluate(GET, post(visit, "passkey/begin")["options"])
        assert post(visit, "passkey/finish", credential=given)["signedIn"]
        post(visit, "sign-out")
        assert post(visit, "sign-in", name=USER, password=password)["next"] == "passkey"
        given = visit.page.evaluate(GET, post(visit, "passkey/begin")["options"])
        assert post(visit, "passkey/finish", credential=given)["signedIn"]
        # The same answer a second time is none.
        assert post(visit, "passkey/finish", credential=given)["error"] == "expired"
    finally:
        assert post(visit, "second-step/off")["off"]
