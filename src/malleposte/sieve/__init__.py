"""Sieve, the language of mail filters (RFC 5228): parse, check, run on a message, giving actions.

`compile_script` checks a script and makes it ready; `Script.run` runs it on a `Message` and returns
an `Outcome`: what is to be done, as plain data. Nothing here does I/O: what surrounds the message is
a `Delivery`, and `MimeMessage` is a message of octets.

Invariants: a script, however hostile, is refused with `SieveError` or runs within `Limits`; a run
that fails ends in a keep and says why; nothing is carried from one run to the next. What it does
not do: file, send, remember replies and duplicates, order scripts.
"""

from .actions import (
    Action,
    AddHeader,
    DeleteHeader,
    Discard,
    FileInto,
    HeaderEdit,
    Keep,
    Redirect,
    Reject,
    Seen,
    Vacation,
)
from .errors import Mistake, SieveError
from .language.words import CAPABILITIES
from .limits import DEFAULT_LIMITS, Limits
from .message import BodyPart, Delivery, Message
from .mime_message import MimeMessage
from .outcome import Outcome
from .redirects import Redirection, redirections
from .script import Script, compile_script

__all__ = [
    "CAPABILITIES",
    "DEFAULT_LIMITS",
    "Action",
    "AddHeader",
    "BodyPart",
    "DeleteHeader",
    "Delivery",
    "Discard",
    "FileInto",
    "HeaderEdit",
    "Keep",
    "Limits",
    "Message",
    "MimeMessage",
    "Mistake",
    "Outcome",
    "Redirect",
    "Redirection",
    "Reject",
    "Script",
    "Seen",
    "SieveError",
    "Vacation",
    "compile_script",
    "redirections",
]
