"""``malleposte serve``."""

from malleposte.cli.configuration import find_configuration, read_configuration
from malleposte.cli.exit_codes import UNAVAILABLE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import note


def serve(*, common: Common = DEFAULT) -> int:
    """Run the server in the foreground until SIGTERM or Ctrl-C, then drain and end."""
    from malleposte.node.serve import serve_configured
    from malleposte.node.sockets import BindError

    path = find_configuration(common.config)
    configuration = read_configuration(path)
    note(f"malleposte serves with {path}")
    try:
        return serve_configured(configuration)
    except BindError as error:
        raise Trouble(UNAVAILABLE, str(error), "bind") from None
