"""LOGIN: two prompts, never a standard (draft-murchison-sasl-login), but all that Outlook and many
devices know."""

from .mechanism import Challenge, Credentials, SaslError
from .plain import decode_part
from .preparation import prepare_password


class Login:
    """Prompts for name and password. An initial response, if any, is the name."""

    name = "LOGIN"

    def __init__(self) -> None:
        self._authcid: str | None = None

    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            # Some clients compare these words, colon and case included.
            return Challenge(b"Username:")
        if self._authcid is None:
            name = decode_part(response)
            if not name or "\0" in name:
                raise SaslError("Malformed user name")
            self._authcid = name
            return Challenge(b"Password:")
        return Credentials(self._authcid, prepare_password(decode_part(response)))
