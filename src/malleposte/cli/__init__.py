"""What operators type: ``malleposte …``.

Nothing is imported here before it is known to be needed: ``malleposte version`` answers at once.
"""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code (see ``cli.exit_codes``)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["version"], ["--version"]):
        from malleposte.operations.version import version

        print(f"malleposte {version()}")
        return 0
    from malleposte.cli.app import run

    return run(arguments)
