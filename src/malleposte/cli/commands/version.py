"""``malleposte version``."""

from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say
from malleposte.operations.version import version as number


def version(*, common: Common = DEFAULT) -> int:
    """Print the version."""
    if common.json:
        as_json({"version": number()})
    else:
        say(f"malleposte {number()}")
    return OK
