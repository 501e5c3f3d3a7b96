"""Says NOOP on one IMAP connection all the time, as a process of its own: what the tests themselves
compute may not count. Run as a program with a port, an address and a password; it tells the longest
wait in seconds and the number of answers when its standard input ends."""

import os
import select
import socket
import sys
import time


def main(port: str, address: str, password: str) -> None:
    """See the module."""
    with (
        socket.create_connection(("127.0.0.1", int(port)), timeout=60) as sock,
        sock.makefile("rb") as file,
    ):

        def say(command: bytes) -> None:
            sock.sendall(b"p " + command + b"\r\n")
            while not (line := file.readline()).startswith(b"p "):
                if not line:
                    raise SystemExit("the connection was closed")
            if not line.startswith(b"p OK"):
                raise SystemExit(line.decode(errors="replace"))

        file.readline()
        say(f'LOGIN "{address}" "{password}"'.encode())
        print("ready", flush=True)
        worst, beats = 0.0, 0
        while True:
            started = time.monotonic()
            say(b"NOOP")
            worst = max(worst, time.monotonic() - started)
            beats += 1
            if select.select([0], [], [], 0.02)[0] and not os.read(0, 1):
                break
    print(worst, beats, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
