"""What every mechanism is: steps from the client's responses to credentials or an error."""

from dataclasses import dataclass, field
from typing import Protocol

MOST_OCTETS = 1_024
"""Of a name or a password. RFC 4616 §2 suggests no less than 255 for each; app passwords and
tokens stay far below 1,024, and argon2 over a kilobyte costs no more than over ten octets."""


class SaslError(Exception):
    """The client's response does not follow the mechanism. The text is fit to be shown."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send these octets (before base64) and give the answer to the next `step`."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom the client claims to be, unchecked.

    `authcid` is who signs in; `authzid` as whom it wants to act, None if the client left it out
    or said the same name. Both as sent: mapping to accounts is the directory's. `password` is
    prepared (see `prepare_password`) and never shows in `repr`.
    """

    authcid: str
    password: str = field(repr=False)
    authzid: str | None = None


class Mechanism(Protocol):
    """One exchange. After Credentials or SaslError it is used up."""

    name: str

    def step(self, response: bytes | None) -> Challenge | Credentials:
        """Take the next response, None only at the start when there was no initial response.

        Raises SaslError if the response is malformed.
        """
        ...
