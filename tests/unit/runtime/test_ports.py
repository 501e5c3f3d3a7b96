"""Ports for servers that are started beside others."""

import socket
from pathlib import Path

import pytest

from malleposte.runtime import ports


def test_they_are_different_and_can_be_listened_on() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_no_outgoing_connection_takes_one_meanwhile() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports.free_ports(50)) < lowest


def test_where_all_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = int(listener.getsockname()[1])
        monkeypatch.setattr(ports, "_RANGE", range(taken, taken + 1))
        with pytest.raises(OSError, match="no free port"):
            ports.free_ports(1)
