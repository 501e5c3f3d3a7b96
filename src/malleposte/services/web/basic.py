"""Signing in by HTTP's own ways (RFC 7617): what programs do that know no pages."""

import base64
import binascii

from malleposte.directory.book import Account
from malleposte.directory.signin import Door, Refusal
from malleposte.services.web.messages import Fields, Refused, Request

CHALLENGE: Fields = (("WWW-Authenticate", 'Basic realm="Malleposte", charset="UTF-8"'),)


async def basic(request: Request, door: Door, protocol: str) -> Account:
    """Who asks, by name and password; ``protocol`` as ``Door`` has it. Raises ``Refused``; store failures
    come through."""
    scheme, _, token = request.field(b"authorization").partition(" ")
    if scheme.lower() != "basic":
        raise Refused(401, "Sign in with your address and password.", CHALLENGE)
    try:
        plain = base64.b64decode(token.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Refused(401, "The sign-in is not readable.", CHALLENGE) from None
    name, colon, password = plain.partition(":")
    if not colon or "\0" in plain:
        raise Refused(401, "The sign-in is not readable.", CHALLENGE)
    outcome = await door.sign_in(name, password, request.peer, protocol=protocol)
    if outcome.account is not None:
        door.log.asked(protocol, outcome.account.id, request.peer, tls=request.tls)
        return outcome.account
    door.log.refused(protocol, request.peer, (outcome.refusal or Refusal.WRONG).value)
    words = f"{outcome.text}."
    if outcome.refusal in (Refusal.TOO_MANY, Refusal.AWAY):
        status = 429 if outcome.refusal is Refusal.TOO_MANY else 503
        raise Refused(status, words, (("Retry-After", "30"),))
    raise Refused(401, words, CHALLENGE)
