"""ARC seals (RFC 8617): what was found out about a message goes along when it is sent on.

Each set is three fields: the results as text, a signature of the message as it leaves, and a seal over
all sets so far. Only RSA: a set has one signature, and RSA is what everybody verifies.
Whether the sets that came are good is the caller's finding (``chain``); where they do not even count
from 1 on without a gap, it is "fail" whatever he says.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from malleposte.delivery.signing.canonical import (
    BodyHash,
    HeaderField,
    header_fields,
)
from malleposte.delivery.signing.dkim import WIDTH, completed, signature_value
from malleposte.delivery.signing.fields import Unfit, names, selected
from malleposte.delivery.signing.keys import SigningKey

Chain = Literal["none", "pass", "fail"]
MOST_SETS: Final = 50
"""RFC 8617 §4.2.1."""
SET: Final = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
"""The fields of a set, in the order in which a seal covers them."""
_INSTANCE: Final = re.compile(rb"^[^:]*+:(?:[^;]*+;)*? ?i ?= ?([0-9]{1,3}) ?(?:;|$)")
_FAILED: Final = re.compile(rb"; ?cv ?= ?fail ?(?:;|$)")


def seal(
    header: bytes,
    body: Iterable[bytes],
    key: SigningKey,
    now: int,
    *,
    results: str,
    chain: Chain,
) -> bytes:
    """The three fields of the next set, with line ends, the seal first; '' where nothing may be added:
    the chain had failed before it came here, or is full.

    ``results``: what follows ``i=…;`` of Authentication-Results, ``mx.example.org; spf=pass …`` in ASCII;
    ``chain``: what is to be said of the sets that came. Raises ``fields.Unfit``.
    """
    body_hash = BodyHash()
    for piece in body:
        body_hash.add(piece)
    return seal_hashed(header, body_hash.digest(), key, now, results=results, chain=chain)


def seal_hashed(
    header: bytes,
    body_digest: bytes,
    key: SigningKey,
    now: int,
    *,
    results: str,
    chain: Chain,
) -> bytes:
    """``seal``, for who hashed the body while it went by."""
    if key.algorithm != "rsa-sha256":
        raise ValueError("ARC needs an RSA key")
    present = list(header_fields(header))
    sets, whole = sets_of(present)
    # RFC 8617 §5.1: a chain that was said to have failed gets nothing more.
    if any(_FAILED.search(one.get(SET[2], b"")) for one in sets.values()):
        return b""
    number = max(sets, default=0) + 1
    if number > MOST_SETS:
        return b""
    if not whole or (chain == "none" and sets):
        chain = "fail"
    elif not sets:
        chain = "none"
    return _set(present, sets, number, chain, key, results, body_digest, now)


def _set(
    present: Sequence[HeaderField],
    sets: dict[int, dict[bytes, bytes]],
    number: int,
    chain: Chain,
    key: SigningKey,
    results: str,
    body_digest: bytes,
    now: int,
) -> bytes:
    found = b"ARC-Authentication-Results:" + _folded(f" i={number}; {results}") + b"\r\n"
    # DKIM's own signatures are covered (RFC 8617 §4.1.2), ARC's and the results are not.
    chosen = names(present, also=(b"DKIM-Signature",))
    value = signature_value(f"i={number}", key, chosen, body_digest, now)
    message = completed(b"ARC-Message-Signature", value, selected(present, chosen), key)
    covered = []
    # A failed chain cannot be put in order: the seal covers its own set (RFC 8617 §5.1.2).
    if chain != "fail":
        covered = [sets[one][name] for one in range(1, number) for name in SET]
    covered += [field.relaxed for field in header_fields(found + message)]
    value = (
        f" i={number}; a={key.algorithm}; t={now}; cv={chain};\r\n"
        f"\td={key.domain}; s={key.selector};\r\n\tb="
    ).encode()
    sealed = completed(b"ARC-Seal", value, b"".join(one + b"\r\n" for one in covered), key)
    return sealed + message + found


def sets_of(present: Iterable[HeaderField]) -> tuple[dict[int, dict[bytes, bytes]], bool]:
    """The sets by number, and whether each is whole, single, and none is missing."""
    sets: dict[int, dict[bytes, bytes]] = {}
    whole = True
    for field in present:
        if field.name not in SET:
            continue
        match = _INSTANCE.match(field.relaxed)
        number = int(match[1]) if match else 0
        if not 1 <= number <= MOST_SETS:
            whole = False
            continue
        one = sets.setdefault(number, {})
        whole = whole and field.name not in one
        one[field.name] = field.relaxed
    whole = whole and sorted(sets) == list(range(1, len(sets) + 1))
    return sets, whole and all(len(one) == len(SET) for one in sets.values())


def _folded(text: str) -> bytes:
    """A value in lines, broken behind semicolons and spaces. Raises ``Unfit``."""
    if not text.isascii() or not text.isprintable():
        raise Unfit("the results to be sealed are not plain ASCII")
    lines = textwrap.wrap(text.strip(), WIDTH, break_long_words=False, break_on_hyphens=False)
    return b" " + "\r\n\t".join(lines).encode()
