"""The PROXY protocol (haproxy's, versions 1 and 2): what a proxy says of the client before all else.

Reads no octet beyond the header: ``wants`` says how many are to be read next. Whoever believes it must
know that the peer is one of his own proxies.
"""

import ipaddress
import re
import struct
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
LINE: Final = 107
"""Octets of a header of version 1 at most, with its line end."""
MOST: Final = 4_096
"""Octets of addresses and TLVs in version 2: a certificate's names fit; the addresses take 36."""
_PORT: Final = r"(?:0|[1-9][0-9]{0,4})"
_LINE: Final = re.compile(rf"PROXY (TCP4|TCP6) (\S+) (\S+) {_PORT} {_PORT}\r\n")
_LENGTHS: Final = {0x11: 4, 0x21: 16}
"""Octets of an address by family and transport: TCP over IPv4 and IPv6."""


class Malformed(Exception):
    """What came is no header; the connection is to be closed."""


class HeaderReader:
    """Takes octets as they are wanted. ``done``: the header is whole; then ``client`` is the client's
    address, '' where the proxy speaks for itself or cannot say."""

    __slots__ = ("_octets", "client", "done", "wants")

    def __init__(self) -> None:
        self._octets = b""
        self.wants = len(SIGNATURE)
        """Octets to be read next, at most; never past the header."""
        self.done = False
        self.client = ""

    def feed(self, octets: bytes) -> None:
        """Take what was read. Raises ``Malformed``."""
        if self.done or len(octets) > self.wants:
            raise ValueError("more than was wanted")
        self._octets += octets
        have = self._octets
        start = len(SIGNATURE)
        if len(have) < start:
            if not (SIGNATURE.startswith(have) or b"PROXY ".startswith(have[:6])):
                raise Malformed("no PROXY header")
            self.wants = start - len(have)
        elif have.startswith(SIGNATURE):
            self._binary(have)
        elif have.startswith(b"PROXY "):
            self._line(have)
        else:
            raise Malformed("no PROXY header")

    def _line(self, have: bytes) -> None:
        """Version 1: octet by octet, for its end shows only then."""
        self.wants = 1
        if not have.endswith(b"\r\n"):
            if len(have) >= LINE or b"\n" in have:
                raise Malformed("a PROXY line without an end")
            return
        self.wants, self.done = 0, True
        text = have.decode("ascii", "replace")
        if text.startswith("PROXY UNKNOWN") and text[13:14] in (" ", "\r"):
            return
        found = _LINE.fullmatch(text)
        if found is None:
            raise Malformed("a PROXY line that says nothing")
        version = 4 if found[1] == "TCP4" else 6
        try:
            addresses = [ipaddress.ip_address(found[2]), ipaddress.ip_address(found[3])]
        except ValueError:
            raise Malformed("a PROXY line without addresses") from None
        if any(one.version != version or "%" in str(one) for one in addresses):
            raise Malformed("a PROXY line whose addresses are of another family")
        self.client = _plain(addresses[0])

    def _binary(self, have: bytes) -> None:
        """Version 2."""
        start = len(SIGNATURE)
        if len(have) < start + 4:
            self.wants = start + 4 - len(have)
            return
        command, family, length = struct.unpack_from("!BBH", have, start)
        if command not in (0x20, 0x21) or length > MOST:
            raise Malformed("a PROXY header of another version, or too long")
        size = _LENGTHS.get(family, 0)
        if command == 0x21 and size and length < 2 * size + 4:
            raise Malformed("a PROXY header without addresses")
        self.wants = start + 4 + length - len(have)
        if self.wants:
            return
        self.done = True
        if command == 0x21 and size:  # 0x20: the proxy itself, to see whether we live
            self.client = _plain(ipaddress.ip_address(have[start + 4 : start + 4 + size]))


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As ``getpeername`` gives it; IPv4 written as IPv6 is IPv4."""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
