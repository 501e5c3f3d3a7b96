"""Whether the ARC sets that a message came with are good (RFC 8617 §5.2), before one is put on top.

Only what the next server will check is checked: the newest set's signature of the message, and all seals.
Keys are asked for side by side within one deadline. Where something cannot be found out now (the DNS is
silent, a form that hardly anybody uses) nothing is said, and nothing is to be put on top.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.arc import SET, Chain, sets_of
from malleposte.delivery.signing.canonical import HeaderField, header_fields
from malleposte.delivery.signing.fields import selected
from malleposte.delivery.signing.lookup import Records

SECONDS: Final = 8.0
"""For all look-ups of one message together."""
MOST_KEYS: Final = 20
"""Keys that one message has us ask for: of a longer chain nothing is said."""
BITS: Final = (1_024, 4_096)
"""Of RSA (RFC 8301 §3.2): shorter keys are worth nothing, longer ones only cost."""
SIGNED_NAMES: Final = 1_000
"""Names in ``h`` that are looked at."""

_RESULTS, _MESSAGE, _SEAL = SET
_SIGNATURE: Final = re.compile(rb"([;:] ?b ?=)[^;]*")
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")

Tags = Mapping[str, str]


class _Fails(Exception):
    """The chain is broken."""


class _Unknown(Exception):
    """Nothing can be said of it."""


async def validated(header: bytes, body_digest: bytes, records: Records) -> Chain | None:
    """What is to be said of a message's sets; None: that cannot be told now. ``body_digest``: of the body
    in its relaxed form."""
    present = list(header_fields(header))
    sets, whole = sets_of(present)
    if not sets and whole:
        return "none"
    try:
        if not whole:
            raise _Fails
        seals = {number: _tags(one[_SEAL]) for number, one in sets.items()}
        for number, seal in seals.items():
            # RFC 8617 §5.2 3 C; §4.1.3: a seal names no fields.
            if seal.get("cv", "").lower() != ("pass" if number > 1 else "none") or "h" in seal:
                raise _Fails
        newest = _tags(sets[len(sets)][_MESSAGE])
        _of_this_body(newest, body_digest)
        keys = await _keys([newest, *seals.values()], records)
        await asyncio.to_thread(_verified, present, sets, seals, newest, keys)
    except _Fails:
        return "fail"
    except _Unknown:
        return None
    return "pass"


def _verified(
    present: Sequence[HeaderField],
    sets: Mapping[int, Mapping[bytes, bytes]],
    seals: Mapping[int, Tags],
    newest: Tags,
    keys: Mapping[str, rsa.RSAPublicKey],
) -> None:
    """Raises ``_Fails``."""
    names = [name.strip().encode() for name in newest.get("h", "").split(":")]
    if len(names) > SIGNED_NAMES or b"from" not in [name.lower() for name in names]:
        raise _Fails
    message = selected(present, names) + _unsigned(sets[len(sets)][_MESSAGE])
    _check(newest, message, keys)
    covered = b""
    for number in range(1, len(sets) + 1):
        one = sets[number]
        covered += one[_RESULTS] + b"\r\n" + one[_MESSAGE] + b"\r\n"
        _check(seals[number], covered + _unsigned(one[_SEAL]), keys)
        covered += one[_SEAL] + b"\r\n"


def _check(tags: Tags, content: bytes, keys: Mapping[str, rsa.RSAPublicKey]) -> None:
    try:
        keys[_key_name(tags)].verify(
            _octets(tags.get("b", "")), content, padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature:
        raise _Fails from None


def _unsigned(field: bytes) -> bytes:
    """A field as it was signed: without the signature itself (RFC 6376 §3.7)."""
    return _SIGNATURE.sub(rb"\1", field, count=1)


def _of_this_body(tags: Tags, digest: bytes) -> None:
    forms = tags.get("c", "simple").lower().partition("/")
    if (forms[0].strip(), forms[2].strip()) != ("relaxed", "relaxed") or "l" in tags:
        raise _Unknown
    if _octets(tags.get("bh", "")) != digest:
        raise _Fails


def _tags(field: bytes) -> dict[str, str]:
    """The tags of a field in its relaxed form (RFC 6376 §3.2). Raises ``_Fails``."""
    found: dict[str, str] = {}
    for part in field.partition(b":")[2].decode("utf-8", "replace").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not part.strip():
            continue
        if not equals or name in found:
            raise _Fails
        found[name] = value.strip()
    return found


async def _keys(signatures: Sequence[Tags], records: Records) -> dict[str, rsa.RSAPublicKey]:
    names = list(dict.fromkeys(map(_key_name, signatures)))
    if len(names) > MOST_KEYS:
        raise _Unknown
    try:
        async with asyncio.timeout(SECONDS):
            answers = await asyncio.gather(*(records.find(name, "TXT") for name in names))
    except (TimeoutError, LookupFailed):
        raise _Unknown from None
    return {name: _key(one.values) for name, one in zip(names, answers, strict=True)}


def _key_name(tags: Tags) -> str:
    if tags.get("a", "").lower() != "rsa-sha256":
        raise _Fails
    domain, selector = tags.get("d", ""), tags.get("s", "")
    if not (domain.isascii() and selector.isascii()):
        raise _Unknown
    name = f"{selector}._domainkey.{domain}".lower()
    if not _NAME.fullmatch(name) or ".." in name or any(len(x) > 63 for x in name.split(".")):
        raise _Fails
    return name


def _key(values: Sequence[str]) -> rsa.RSAPublicKey:
    """The key in the records at its name (RFC 6376 §3.6.1)."""
    if len(values) != 1:
        raise _Fails
    tags = _tags(b":" + values[0].encode())
    if tags.get("v", "DKIM1") != "DKIM1" or tags.get("k", "rsa") != "rsa":
        raise _Fails
    if "sha256" not in [word.strip() for word in tags.get("h", "sha256").split(":")]:
        raise _Fails
    try:
        key = serialization.load_der_public_key(_octets(tags.get("p", "")))
    except (ValueError, TypeError):
        raise _Fails from None
    if not isinstance(key, rsa.RSAPublicKey) or not BITS[0] <= key.key_size <= BITS[1]:
        raise _Fails
    return key


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _Fails from None
