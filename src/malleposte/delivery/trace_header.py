"""The lines put before a message: Return-Path, Delivered-To, Received.

They are the message's prefix, a copy's own; the stored content stays as received. RFC 5321 §4.4.
"""

import itertools
import os
import secrets
import time
from dataclasses import dataclass
from email.utils import formatdate


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from, for its Received line and its trace."""

    peer: str
    """Address of the client, '' on a Unix socket."""
    hello: str
    """What it called itself."""
    protocol: str
    """ESMTP, ESMTPSA, LMTP … (RFC 3848)."""
    tls: str = ""
    """Version and cipher, '' in the clear."""
    account: int = 0
    """Who had signed in, 0: nobody."""
    login: str = ""
    device: bool = False
    """It is a device's account."""
    released: bool = False
    """It was submitted before, and waited."""
    until: int = 0
    """The moment until which it was to wait, 0 where that is not known any more."""


class _Numbers:
    """16 bits that tell this process's life from others', and a counter of 15 bits."""

    def __init__(self) -> None:
        self.begin()
        # Workers are forks of one process: each must begin a life of its own.
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        self.life = secrets.randbits(16)
        self.count = itertools.count(secrets.randbits(15))


_numbers = _Numbers()


def trace_id() -> int:
    """A number for a message's trace: seconds, 16 bits of this process's life, 15 of a counter."""
    return (int(time.time()) << 16 | _numbers.life) << 15 | next(_numbers.count) & 0x7FFF


def shown_id(number: int) -> str:
    """A trace id as people see it, in replies and Received lines."""
    return f"{number:x}"


def parse_id(text: str) -> int:
    """The number behind ``shown_id``. Raises ``ValueError``."""
    return int(text, 16)


def received(origin: Origin, hostname: str, number: int, recipient: str, at: float) -> bytes:
    """A Received line with CRLF; ``recipient`` is '' where there are several (RFC 5321 §7.2: others
    must not show). Who had signed in stands in it by number: an operator finds the account, a recipient
    does not learn an address that was not shown to him."""
    literal = f"IPv6:{origin.peer}" if ":" in origin.peer else origin.peer
    client = f" ([{literal}])" if origin.peer else " (local)"
    secured = f"\r\n\t(using {origin.tls})" if origin.tls else ""
    what = "device" if origin.device else "account"
    sent_by = f"\r\n\t({what} {origin.account})" if origin.account else ""
    target = f"\r\n\tfor <{recipient}>" if recipient else ""
    return (
        f"Received: from {origin.hello or 'unknown'}{client}{secured}{sent_by}\r\n"
        f"\tby {hostname} with {origin.protocol} id {shown_id(number)}{target};\r\n"
        f"\t{formatdate(at).replace('-0000', '+0000')}\r\n"
    ).encode("utf-8", "replace")


def delivered_to(address: str) -> bytes:
    """A Delivered-To line: whose copy this is."""
    return f"Delivered-To: {address}\r\n".encode("utf-8", "replace")


def return_path(sender: str) -> bytes:
    """A Return-Path line (RFC 5321 §4.4: made by the final delivery, once)."""
    return f"Return-Path: <{sender}>\r\n".encode("utf-8", "replace")
