"""Where passwords come from: a prompt, standard input, a file, or a generator. Never an argument."""

import getpass
import sys
from pathlib import Path

from malleposte.cli.exit_codes import REFUSED, USAGE, Trouble
from malleposte.cli.options import NewPassword, OtherPassword
from malleposte.operations.errors import OperationError
from malleposte.operations.password_rules import check_password

MAX_LINE = 4_096
"""Octets read at most: a password has 1,024."""
TRIES = 3


def chosen(options: OtherPassword, address: str) -> tuple[str, bool]:
    """(password, generate) for an address. Raises ``Trouble``."""
    without = isinstance(options, NewPassword) and options.no_password
    ways = [
        name
        for name, given in (
            ("--password-stdin", options.password_stdin),
            ("--password-file", options.password_file is not None),
            ("--generate", options.generate),
            ("--no-password", without),
        )
        if given
    ]
    if len(ways) > 1:
        raise Trouble(USAGE, f"{' and '.join(ways)} contradict each other: give one")
    if without:
        return "", False
    if options.generate:
        return "", True
    if options.password_stdin:
        return _line(sys.stdin.buffer.readline(MAX_LINE), "standard input"), False
    if options.password_file is not None:
        try:
            with options.password_file.open("rb") as file:
                return _line(file.readline(MAX_LINE), str(options.password_file)), False
        except OSError as error:
            raise Trouble(USAGE, f"{options.password_file}: {error.strerror}") from None
    if not sys.stdin.isatty():
        raise Trouble(
            USAGE,
            "no terminal to ask for a password: give --password-stdin, --password-file or --generate",
        )
    return _asked(address), False


def typed(prompt: str, *, stdin: bool, file: Path | None) -> str:
    """A password that is somebody else's to choose, as it is: no rules, no second time. Raises
    ``Trouble``."""
    if stdin and file is not None:
        raise Trouble(USAGE, "--password-stdin and --password-file contradict each other: give one")
    if stdin or file is not None:
        return chosen(OtherPassword(password_stdin=stdin, password_file=file), "")[0]
    if not sys.stdin.isatty():
        raise Trouble(
            USAGE, "no terminal to ask for a password: give --password-stdin or --password-file"
        )
    return getpass.getpass(f"{prompt[:1].upper()}{prompt[1:]}: ")


def _line(octets: bytes, source: str) -> str:
    try:
        password = octets.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Trouble(USAGE, f"the password in {source} is not UTF-8: write it so") from None
    if not password:
        raise Trouble(USAGE, f"{source} holds no password")
    return password


def _asked(address: str) -> str:
    for _ in range(TRIES):
        password = getpass.getpass(f"New password for {address}: ")
        try:
            check_password(password, address)
        except OperationError as error:
            print(error.text, file=sys.stderr)
            continue
        if getpass.getpass("The same again: ") == password:
            return password
        print("The two are not the same; once more.", file=sys.stderr)
    raise Trouble(REFUSED, "no password was set")
