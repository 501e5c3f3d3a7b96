"""Ports for servers that are started beside others: of a demo, of a measurement."""

import random
import socket
from typing import Final

_HOST: Final = "127.0.0.1"
_RANGE: Final = range(10_000, 32_000)
"""Below those that outgoing connections get (32768 on, by Linux's default): these come and go."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now, all different; another program may still take one.

    Raises `OSError` where there are none.
    """
    held: list[socket.socket] = []
    try:
        for port in random.sample(_RANGE, len(_RANGE)):
            if len(held) == count:
                break
            sock = socket.socket()
            held.append(sock)
            try:
                sock.bind((_HOST, port))
            except OSError:
                held.pop().close()
        if len(held) < count:
            raise OSError(f"no free port on {_HOST} from {_RANGE.start} to {_RANGE.stop}")
        return [int(sock.getsockname()[1]) for sock in held]
    finally:
        for sock in held:
            sock.close()
