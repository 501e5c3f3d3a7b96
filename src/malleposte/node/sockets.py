"""Listening sockets, bound once by the supervisor and shared by the workers."""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from malleposte.node.config import Configuration
from malleposte.node.config_listeners import Listener


class BindError(Exception):
    """A place to listen cannot be had; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A configured listener and its open sockets."""

    listener: Listener
    sockets: tuple[socket.socket, ...]


def tcp_listeners(configuration: Configuration) -> list[Listener]:
    """Those that may need root: ports below 1024."""
    return [listener for listener in configuration.listeners if listener.socket is None]


def unix_listeners(configuration: Configuration) -> list[Listener]:
    """Those that are files."""
    return [listener for listener in configuration.listeners if listener.socket is not None]


def bind_all(listeners: list[Listener]) -> list[Bound]:
    """Open listeners. Raises ``BindError``."""
    return [Bound(listener, _bind(listener)) for listener in listeners]


def _bind(listener: Listener) -> tuple[socket.socket, ...]:
    if listener.socket is not None:
        return (bind_path(listener.socket, 0o660),)
    if listener.address == "*":
        return _everywhere(listener)
    return (_tcp(listener, listener.address),)


def _everywhere(listener: Listener) -> tuple[socket.socket, ...]:
    found = [_tcp(listener, "0.0.0.0")]  # noqa: S104 - what the operator asked for with *
    if socket.has_ipv6:
        with contextlib.suppress(BindError):  # a machine without IPv6
            found.append(_tcp(listener, "::"))
    return tuple(found)


def _tcp(listener: Listener, address: str) -> socket.socket:
    return bind_tcp(address, listener.port_number, listener.place)


def bind_tcp(address: str, port: int, place: str) -> socket.socket:
    """A listening TCP socket. Raises ``BindError``."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(1024)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise BindError(_why(place, error)) from error
    return sock


def _why(place: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"{place}: not allowed; ports below 1024 need root or CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRINUSE:
        return f"{place}: something else listens there already; stop it or choose another port"
    return f"{place}: {error.strerror or error}"


def _answers(path: Path) -> bool:
    """Whether somebody listens on a Unix socket; one that nobody has any more is left of a crash."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
        sock.setblocking(False)
        try:
            sock.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def bind_path(path: Path, mode: int) -> socket.socket:
    """A listening Unix socket; one left by an earlier run is replaced. Raises ``BindError``."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _answers(path):
            raise OSError(errno.EADDRINUSE, "a server that runs already listens there")
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        old = os.umask(0o777 & ~mode)
        try:
            sock.bind(str(path))
        finally:
            os.umask(old)
        sock.listen(1024)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise BindError(f"socket {path}: {error.strerror or error}") from error
    return sock
