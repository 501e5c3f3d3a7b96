"""Ports and first words: what starting a server on loopback needs."""

import socket
import time

from malleposte.bench.subject import Endpoint
from malleposte.bench.trouble import BenchTrouble


def wait_for_greeting(endpoint: Endpoint, words: bytes, patience: float) -> None:
    """Return when a connection is greeted with `words`; `BenchTrouble` after `patience` s."""
    deadline = time.monotonic() + patience
    reason = "no connection"
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((endpoint.host, endpoint.port), timeout=5) as client:
                said = client.recv(512)
        except OSError as error:
            reason = str(error)
        else:
            if said.startswith(words):
                return
            reason = f"it said {said[:80]!r}"
        time.sleep(0.05)
    raise BenchTrouble(
        f"{endpoint.host}:{endpoint.port} did not answer within {patience:.0f} s ({reason})"
    )
