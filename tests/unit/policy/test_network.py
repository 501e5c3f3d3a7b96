"""Whom a limit counts as one."""

import pytest

from malleposte.policy.network import LOCAL, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", LOCAL),
        ("/run/malleposte/lmtp.sock", LOCAL),
        ("192.0.2.777", LOCAL),
    ],
)
def test_network_of(address: str, network: str) -> None:
    assert network_of(address) == network
