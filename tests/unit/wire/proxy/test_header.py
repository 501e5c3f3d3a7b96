"""PROXY headers: the client's address, read without an octet too many, whatever hostile octets come."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.proxy import LINE, MOST, SIGNATURE, HeaderReader, Malformed


def version_2(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def addresses(source: str, target: str) -> bytes:
    packed = [ipaddress.ip_address(one).packed for one in (source, target)]
    return b"".join(packed) + struct.pack("!HH", 4711, 25)


TLV = b"\x04\x00\x02ab"
GOOD = [
    (b"PROXY TCP4 192.0.2.9 198.51.100.1 4711 25\r\n", "192.0.2.9"),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 65535 0\r\n", "2001:db8::9"),
    (b"PROXY TCP6 ::ffff:192.0.2.9 ::1 1 25\r\n", "192.0.2.9"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n", ""),
    (version_2(0x21, 0x11, addresses("192.0.2.9", "198.51.100.1")), "192.0.2.9"),
    (version_2(0x21, 0x11, addresses("192.0.2.9", "198.51.100.1") + TLV), "192.0.2.9"),
    (version_2(0x21, 0x21, addresses("2001:db8::9", "2001:db8::1")), "2001:db8::9"),
    (version_2(0x20, 0x11, addresses("192.0.2.9", "198.51.100.1")), ""),
    (version_2(0x20, 0x00, b""), ""),
    (version_2(0x21, 0x31, bytes(216)), ""),
]
BAD = [
    b"EHLO client.example\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
    b"PROXY TCP4 192.0.2.9 198.51.100.1 4711\r\n",
    b"PROXY TCP4 192.0.2.9 198.51.100.1 4711 25 x\r\n",
    b"PROXY TCP4 2001:db8::9 2001:db8::1 4711 25\r\n",
    b"PROXY TCP6 192.0.2.9 198.51.100.1 4711 25\r\n",
    b"PROXY TCP6 fe80::1%eth0 ::1 4711 25\r\n",
    b"PROXY TCP4 192.0.2.999 198.51.100.1 4711 25\r\n",
    b"PROXY TCP4 192.0.2.9 198.51.100.1 04711 25\r\n",
    b"PROXY TCP4 192.0.2.9 198.51.100.1 4711 25\nEHLO",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY " + b"x" * LINE,
    SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
    SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
    version_2(0x21, 0x11, bytes(11)),
    version_2(0x21, 0x21, bytes(20)),
    version_2(0x21, 0x11, bytes(MOST + 1)),
]


def read(octets: bytes, piece: int = 1_000_000) -> tuple[HeaderReader, bytes]:
    """Read as from a socket, ``piece`` octets at most at a time; what is left there."""
    reader = HeaderReader()
    while not reader.done and octets:
        count = min(reader.wants, piece)
        reader.feed(octets[:count])
        octets = octets[count:]
    return reader, octets


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000])
@pytest.mark.parametrize(("header", "client"), GOOD)
def test_the_client_is_told_and_what_follows_stays(header: bytes, client: str, piece: int) -> None:
    reader, rest = read(header + b"EHLO x\r\n", piece)
    assert (reader.done, reader.client) == (True, client)
    assert rest == b"EHLO x\r\n"


@pytest.mark.parametrize("piece", [1, 1_000])
@pytest.mark.parametrize("octets", BAD)
def test_what_is_no_header_is_refused(octets: bytes, piece: int) -> None:
    with pytest.raises(Malformed):
        read(octets, piece)


@given(st.binary(max_size=200), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE]))
def test_no_octets_make_it_fail_otherwise(octets: bytes, start: bytes) -> None:
    try:
        reader, _ = read(start + octets)
    except Malformed:
        return
    assert reader.wants >= 0
    assert reader.client == "" or ipaddress.ip_address(reader.client) is not None
