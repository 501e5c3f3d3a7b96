"""``malleposte run --demo DIR``."""

from pathlib import Path

from malleposte.cli import demo as demonstration
from malleposte.cli.exit_codes import REFUSED, UNAVAILABLE, Trouble
from malleposte.cli.output import say


def run(*, demo: Path) -> int:
    """Make a demo in a folder, if it is not there, and serve it on loopback until Ctrl-C.

    Parameters
    ----------
    demo
        Folder of the demo. It is all there is: removing it forgets the demo.
    """
    from malleposte.node.folders import FolderError
    from malleposte.node.serve import serve_configured
    from malleposte.node.sockets import BindError
    from malleposte.store.lock import WriterRunning

    configuration = demonstration.prepare(demo)
    runs_already = Trouble(
        UNAVAILABLE,
        f"this demo runs already: {demo / 'connect.json'} holds its addresses and passwords; Ctrl-C where"
        " it was started ends it",
        "running",
    )
    if demonstration.running(configuration):
        raise runs_already

    def ready() -> None:
        say(demonstration.reach(demo, configuration))

    try:
        return serve_configured(configuration, ready=ready)
    except WriterRunning:
        raise runs_already from None
    except FolderError as error:
        raise Trouble(REFUSED, str(error), "folder") from None
    except BindError as error:
        raise Trouble(
            UNAVAILABLE,
            f"{error}; ports are set in {demo / 'malleposte.toml'}",
            "bind",
        ) from None
