"""Which configuration a command works with.

``--config FILE``, else ``$MALLEPOSTE_CONFIG``, else ``malleposte.toml`` in the working folder, else
``/etc/malleposte/malleposte.toml``. A file that is named must be there.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from malleposte.cli.exit_codes import USAGE, Trouble
from malleposte.node.config import Configuration
from malleposte.node.config_read import CONFIGURATION_VARIABLE, ConfigurationError, load

FILE = "malleposte.toml"
SYSTEM_FILE = Path("/etc/malleposte/malleposte.toml")


def find_configuration(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read. Raises ``Trouble`` where there is none."""
    named = given or (Path(text) if (text := environ.get(CONFIGURATION_VARIABLE)) else None)
    if named is not None:
        if not named.exists():
            raise Trouble(
                USAGE, f"there is no configuration file {named}: `malleposte init` makes one"
            )
        return named
    for path in (Path(FILE), SYSTEM_FILE):
        if path.exists():
            return path
    raise Trouble(
        USAGE,
        f"there is no configuration: neither ./{FILE} nor {SYSTEM_FILE}; name one with --config, or"
        " run `malleposte init`",
    )


def new_configuration(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file that ``init`` makes or finds: as above, where nothing is there root's is the system's."""
    try:
        return find_configuration(given, environ)
    except Trouble:
        named = given or (Path(text) if (text := environ.get(CONFIGURATION_VARIABLE)) else None)
        return named or (SYSTEM_FILE if os.geteuid() == 0 else Path(FILE))


def read_configuration(path: Path, text: str | None = None) -> Configuration:
    """The configuration; ``text``: of a file still to be written. Raises ``Trouble`` with every problem
    in it."""
    try:
        return load(path, os.environ, text=text)
    except ConfigurationError as error:
        raise Trouble(USAGE, str(error), "configuration") from None


def configuration_for(given: Path | None) -> Configuration:
    """Find and read."""
    return read_configuration(find_configuration(given))
