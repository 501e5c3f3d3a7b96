"""Options that many commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli.configuration import configuration_for
from malleposte.node.config import Configuration


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Which installation, and how to answer."""

    config: Annotated[
        Path | None,
        Parameter(
            help="Configuration file. Without it: $MALLEPOSTE_CONFIG, ./malleposte.toml, "
            "/etc/malleposte/malleposte.toml."
        ),
    ] = None
    json: Annotated[bool, Parameter(negative="", help="Answer in JSON, for scripts.")] = False

    def configuration(self) -> Configuration:
        """Find and read it. Raises ``Trouble``."""
        return configuration_for(self.config)


DEFAULT = Common()


@Parameter(name="*")
@dataclass(frozen=True)
class OtherPassword:
    """Where another password comes from; never from the command line, which others can see."""

    password_stdin: Annotated[
        bool, Parameter(negative="", help="Read the password from standard input, one line.")
    ] = False
    password_file: Annotated[
        Path | None, Parameter(help="Read the password from the first line of a file.")
    ] = None
    generate: Annotated[
        bool, Parameter(negative="", help="Make a password and print it, once.")
    ] = False


@Parameter(name="*")
@dataclass(frozen=True)
class NewPassword(OtherPassword):
    """Where the password of a new account comes from; none at all is a choice."""

    no_password: Annotated[
        bool, Parameter(negative="", help="Set none: nobody can sign in until one is set.")
    ] = False


NO_OTHER = OtherPassword()
NO_CHOICE = NewPassword()
