"""Only the public internet is reached, however an address is dressed."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.egress.addresses import bare_address, why_refused

# A line each: what somebody would like to have fetched for him.
INSIDE = """
127.0.0.1            this machine
127.8.9.10           this machine
0.0.0.0              this network
10.1.2.3             a private network
172.16.0.1           a private network
172.31.255.255       a private network
192.168.1.1          a private network
169.254.169.254      a link-local network
100.100.100.200      a provider's inner network
168.63.129.16        a cloud's inner services
192.0.0.192          a special network
198.18.0.1           a test network
192.0.2.1            an example network
224.0.0.1            a multicast group
255.255.255.255      a reserved network
240.0.0.1            a reserved network
::                   a private or special network
::1                  this machine
::127.0.0.1          a private or special network
::ffff:127.0.0.1     this machine
::ffff:169.254.169.254   a link-local network
::ffff:0:127.0.0.1   a private or special network
64:ff9b::127.0.0.1   this machine
64:ff9b::a9fe:a9fe   a link-local network
64:ff9b:1::1         a private or special network
2002:7f00:1::        a 6to4 network
2001:0:53aa:64c::    a special network
2001:db8::1          an example network
3fff::1              an example network
fd00:ec2::254        a private or special network
fc00::1              a private or special network
fe80::1              a link-local network
fe80::1%eth0         a link-local network
2606:4700::1%eth0    a link-local network
fec0::1              a private or special network
ff02::1              a multicast group
100::1               a private or special network
5f00::1              a private or special network
"""
OUTSIDE = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.0 223.255.255.255
2606:4700:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
"""


@pytest.mark.parametrize(
    ("address", "words"), [line.split(maxsplit=1) for line in INSIDE.strip().splitlines()]
)
def test_inside(address: str, words: str) -> None:
    assert why_refused(ipaddress.ip_address(address)) == words


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_outside(address: str) -> None:
    assert why_refused(ipaddress.ip_address(address)) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_any_dress(address: ipaddress.IPv4Address) -> None:
    verdict = why_refused(address)
    assert why_refused(ipaddress.IPv6Address(f"::ffff:{address}")) == verdict
    assert why_refused(ipaddress.IPv6Address(f"64:ff9b::{address}")) == verdict


@given(st.ip_addresses())
def test_nothing_that_python_knows_to_be_inside_is_reached(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    address = bare_address(address)
    inside = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    in_nat64 = address in ipaddress.ip_network("64:ff9b::/96")
    assert not inside or in_nat64 or why_refused(address) is not None


def test_what_the_administrator_allows_is_reached_in_any_dress_and_nothing_else() -> None:
    allowed = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32"))
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00:1::5"):
        assert why_refused(ipaddress.ip_address(address), allowed) is None
    for address in ("10.2.0.1", "::1", "127.0.0.1", "fd00:2::1"):
        assert why_refused(ipaddress.ip_address(address), allowed) is not None
