"""``malleposte serve``."""

from malleposte.cli.configuration import find_configuration, read_configuration
from malleposte.cli.exit_codes import REFUSED, UNAVAILABLE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import note


def serve(*, common: Common = DEFAULT) -> int:
    """Run the server in the foreground until SIGTERM or Ctrl-C, then drain and end."""
    from malleposte.node.folders import FolderError
    from malleposte.node.serve import serve_configured
    from malleposte.node.sockets import BindError
    from malleposte.store.lock import WriterRunning

    path = find_configuration(common.config)
    configuration = read_configuration(path)
    try:
        return serve_configured(configuration, ready=lambda: note(f"malleposte serves with {path}"))
    except BindError as error:
        raise Trouble(UNAVAILABLE, str(error), "bind") from None
    except FolderError as error:
        raise Trouble(REFUSED, str(error), "folder") from None
    except WriterRunning as error:
        words = f"{error}: a server that runs already, or a command that works without one"
        raise Trouble(UNAVAILABLE, words, "locked") from None
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or path}: {error.strerror or error}") from None
