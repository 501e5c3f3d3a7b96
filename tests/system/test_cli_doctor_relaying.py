"""The relay test of ``doctor``: no good if it cannot fail, from whichever own address, IPv4 and IPv6."""

import contextlib
import json
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.cli.doctor import listeners
from malleposte.node.config import Configuration, Node
from malleposte.node.config_listeners import Listener
from malleposte.operations.devices import DeviceShown
from support.apart import Apart, network
from support.server import Server
from support.zone import Zone, serving


class OpenRelay(socketserver.StreamRequestHandler):
    """Takes every recipient; a DATA would be a failure of the test."""

    def handle(self) -> None:
        self.wfile.write(b"220 open\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            assert verb != b"DATA"
            self.wfile.write(b"250 fine by me\r\n")
            if verb == b"QUIT":
                return


@pytest.fixture
def open_relay() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), OpenRelay) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def test_a_server_that_relays_is_found_out(open_relay: int, tmp_path: Path) -> None:
    """The check is no good if it cannot fail."""
    listener = Listener(service="smtp", address="127.0.0.1", port=open_relay, tls="none")
    configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
    found = list(listeners.checks(configuration, running=True, domains=("example.test",)))
    (relay,) = [check for check in found if check.name == "open relay"]
    assert relay.state == "wrong"
    assert "RELAYS FOR STRANGERS" in relay.text
    assert "relay-test@example.net" in relay.text


class Catching(socketserver.StreamRequestHandler):
    """Has a catch-all: takes whatever stands before its own domain, and nothing else."""

    def handle(self) -> None:
        self.wfile.write(b"220 catching\r\n")
        for line in self.rfile:
            ours = line.rstrip().endswith(b"@example.test>")
            refused = line[:4].upper() == b"RCPT" and not ours
            self.wfile.write(b"550 5.7.1 no\r\n" if refused else b"250 fine\r\n")
            if line[:4].upper() == b"QUIT":
                return


def test_a_catch_all_is_no_relay(tmp_path: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Catching) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = int(server.server_address[1])
        listener = Listener(service="smtp", address="127.0.0.1", port=port, tls="none")
        configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
        found = list(listeners.checks(configuration, running=True, domains=("example.test",)))
        server.shutdown()
    (relay,) = [check for check in found if check.name == "open relay"]
    assert relay.state == "ok", relay.text


OWN = ("127.0.0.1", "::1", "198.51.100.1", "2001:db8::1")


@contextlib.contextmanager
def own_addresses(folder: Path) -> Iterator[Apart]:
    """A network in which this machine has those addresses and no others."""
    more = [one + ("/128" if ":" in one else "/32") for one in OWN[2:]]
    with network(folder, more, resolver="nameserver 127.0.0.1\n") as apart, apart.inside():
        yield apart


class Trusting(socketserver.StreamRequestHandler):
    """Relays for one address alone."""

    trusted = ""

    def handle(self) -> None:
        good = self.client_address[0].removeprefix("::ffff:") == self.trusted
        self.wfile.write(b"220 trusting\r\n")
        for line in self.rfile:
            refused = line[:4].upper() == b"RCPT" and not good
            self.wfile.write(b"550 5.7.1 no\r\n" if refused else b"250 fine\r\n")
            if line[:4].upper() == b"QUIT":
                return


class BothFamilies(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def test_whichever_own_address_is_trusted_is_found(tmp_path: Path) -> None:
    """IPv4 and IPv6, loopback and others: a proxy or a container comes from any of them."""
    with own_addresses(tmp_path), BothFamilies(("::", 0), Trusting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = int(server.server_address[1])
        listener = Listener(service="smtp", address="*", port=port, tls="none")
        configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
        said = {}
        for Trusting.trusted in (*OWN, "192.0.2.1"):
            found = listeners.checks(configuration, running=True, domains=("example.test",))
            (relay,) = [check for check in found if check.name == "open relay"]
            said[Trusting.trusted] = relay
        server.shutdown()
        thread.join()
    for address in OWN:
        assert said[address].state == "wrong"
        assert f"{address} to smtp on *:{port}: <relay-test@example.net>" in said[address].text
    assert said["192.0.2.1"].state == "ok"
    assert "2 ways by IPv4, 2 by IPv6" in said["192.0.2.1"].text


def test_what_could_not_be_tried_is_not_called_refused(tmp_path: Path) -> None:
    with (
        own_addresses(tmp_path),
        socketserver.ThreadingTCPServer(("198.51.100.1", 0), Trusting) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = int(server.server_address[1])
        listener = Listener(service="smtp", address="*", port=port, tls="none")
        configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
        Trusting.trusted = ""
        found = listeners.checks(configuration, running=True, domains=("example.test",))
        (relay,) = [check for check in found if check.name == "open relay"]
        server.shutdown()
        thread.join()
    assert relay.state == "warn"
    assert f"127.0.0.1 to smtp on *:{port}: [Errno 111] Connection refused" in relay.text
    assert "198.51.100.1" not in relay.text


def test_the_server_itself_relays_for_none_of_its_addresses(tmp_path: Path) -> None:
    """But for the one that a device was given."""
    with own_addresses(tmp_path) as apart:
        more = '[[listeners]]\nservice = "smtp"\nport = 25\n'
        settings = {"sending": {"enabled": "true"}}
        server = Server(tmp_path / "s", settings=settings, prefix=apart.prefix, more=more)
        with serving(Zone(), 53), server.running(1):
            command(apart, server, "init", "--domain", "example.test")
            found = relaying(apart, server)
            assert found["state"] == "ok"
            # Four listeners on 127.0.0.1, by two addresses; one on all of them.
            assert "10 ways by IPv4, 2 by IPv6" in found["text"]
            device = ("device", "add", "scanner@example.test", "--no-password")
            command(apart, server, *device, "--network", "2001:db8::1")
            found = relaying(apart, server)
    assert found["state"] == "wrong"
    assert "2001:db8::1 to smtp on *:25: <relay-test@example.net>" in found["text"]
    assert "from <scanner@example.test>" in found["text"]
    assert "127.0.0.1 to" not in found["text"]


def command(apart: Apart, server: Server, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run in there, by a process of its own."""
    program = [sys.executable, "-m", "malleposte", "--config", str(server.config)]
    return subprocess.run(
        [*apart.prefix, *program, *words], capture_output=True, text=True, check=False
    )


def relaying(apart: Apart, server: Server) -> dict[str, str]:
    """What doctor says of it, in there."""
    done = command(apart, server, "doctor", "--no-fsck", "--json")
    checks: list[dict[str, str]] = json.loads(done.stdout)["checks"]
    (found,) = [check for check in checks if check["name"] == "open relay"]
    assert found["state"] != "wrong" or done.returncode == 4
    return found


class DevicesRelay(socketserver.StreamRequestHandler):
    """Relays for whoever calls himself scanner@example.test."""

    def handle(self) -> None:
        self.wfile.write(b"220 ours\r\n")
        known = False
        for line in self.rfile:
            verb = line[:4].upper()
            assert verb != b"DATA"
            if verb == b"MAIL":
                known = b"<scanner@example.test>" in line
            good = known or verb != b"RCPT"
            self.wfile.write(b"250 fine\r\n" if good else b"550 5.7.1 no\r\n")
            if verb == b"QUIT":
                return


def test_a_device_that_stands_on_this_machine_is_found_out(tmp_path: Path) -> None:
    """Its network lets through whatever a container or a proxy does."""
    device = DeviceShown(
        address="scanner@example.test",
        name="",
        status="active",
        password=False,
        networks=("127.0.0.1/32",),
        senders=(),
    )
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), DevicesRelay) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = int(server.server_address[1])
        listener = Listener(service="smtp", address="127.0.0.1", port=port, tls="none")
        configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
        states = {}
        for devices in ((), (device,)):
            found = listeners.checks(
                configuration, running=True, domains=("example.test",), devices=devices
            )
            (relay,) = [check for check in found if check.name == "open relay"]
            states[bool(devices)] = relay.state
        server.shutdown()
        thread.join()
    assert states == {False: "ok", True: "wrong"}
    assert "from <scanner@example.test>" in relay.text
    assert "malleposte device networks" in relay.remedy
