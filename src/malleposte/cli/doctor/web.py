"""The web client: whether it is there, and whether people can sign in to it."""

from collections.abc import Iterator
from typing import Final

from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.cli.doctor.listeners import is_inside
from malleposte.node.config import Configuration
from malleposte.node.web import PACKAGED
from malleposte.services.web.client.built import NotBuiltError, read_built

NAME: Final = "web client"
_SWITCH_ON: Final = "docs/install.md, “The web client”, says how"


def checks(configuration: Configuration) -> Iterator[Check]:
    """Everything about it; nothing is said where nobody meant to have it."""
    listening = [one for one in configuration.listeners if one.service in ("http", "https")]
    if not listening:
        if configuration.web.client is not None:
            yield wrong(
                NAME,
                "web.client names it, and nothing listens for browsers",
                f"add a listener of https: {_SWITCH_ON}",
            )
        return
    try:
        built = read_built(configuration.web.client or PACKAGED)
    except NotBuiltError as error:
        yield warn(
            NAME,
            f"there is none, so browsers find settings for mail programs alone ({error})",
            f"build it with `make web` and name its folder as web.client: {_SWITCH_ON}",
        )
        return
    in_clear = all(
        one.service == "http" and one.socket is None and not is_inside(one.address)
        for one in listening
    )
    if in_clear and not configuration.web.url.startswith("https:"):
        yield wrong(
            NAME,
            "it is reached without TLS only, and nobody can sign in so",
            f"add a listener of https, or name the address of a proxy with TLS as web.url: {_SWITCH_ON}",
        )
        return
    yield ok(NAME, f"{len(built.files)} files are served")
