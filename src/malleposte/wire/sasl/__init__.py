"""SASL mechanisms as pure state machines, shared by SMTP, IMAP and what comes later (RFC 4422).

A mechanism takes the client's decoded responses and ends with `Credentials`; whether these are
right is asked elsewhere. Base64 as the mail protocols use it is in `encoding`.

SCRAM is not here: its stored keys are weaker than argon2id, and it can serve neither LDAP nor
imported hashes (docs: decision on sign-in).
"""

from .encoding import decode_initial_response, decode_response, encode_challenge
from .mechanism import Challenge, Credentials, Mechanism, SaslError
from .preparation import prepare_password
from .registry import mechanism_names, start_mechanism

__all__ = [
    "Challenge",
    "Credentials",
    "Mechanism",
    "SaslError",
    "decode_initial_response",
    "decode_response",
    "encode_challenge",
    "mechanism_names",
    "prepare_password",
    "start_mechanism",
]
