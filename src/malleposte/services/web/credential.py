"""What a request was asked by, as a text: what hangs on it ends with it (RFC 8620 §7.2)."""

import hashlib

from malleposte.directory.book import Account
from malleposte.store.dialect import Reader
from malleposte.store.read.web_sessions import web_sessions

_SESSION = "session:"


def of_session(id_: int) -> str:
    """A session of the web."""
    return f"{_SESSION}{id_}"


def of_account(account: Account) -> str:
    """What an account signed in by with the request itself."""
    app = account.app
    if app is None:
        return f"password:{account.credential_version}"
    # Its number may be another's later.
    return f"app:{app.id}:{hashlib.sha256(app.hash.encode()).hexdigest()[:16]}"


def ends_by_itself(credential: str) -> bool:
    """Whether time alone ends it."""
    return credential.startswith(_SESSION)


async def stands(reader: Reader, account: Account, credential: str, now: float) -> bool:
    """Whether it still lets its owner in; ``account``: as it is now. Store failures come through."""
    if credential.startswith(_SESSION):
        sessions = await web_sessions(reader, account.id, now)
        return credential in [of_session(one.id) for one in sessions]
    if credential.startswith("password:"):
        return not account.second_step and credential == of_account(account)
    return any(
        credential == f"app:{app.id}:{hashlib.sha256(app.hash.encode()).hexdigest()[:16]}"
        for app in account.apps
    )
