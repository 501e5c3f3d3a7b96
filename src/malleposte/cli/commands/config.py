"""``malleposte config …``."""

import os

from cyclopts import App

from malleposte.cli.configuration import find_configuration, read_configuration
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json
from malleposte.node.config import Configuration
from malleposte.node.config_keys import LISTENERS, Key, keys_of, sections
from malleposte.node.config_render import render_example, render_reference
from malleposte.secrets.redaction import HIDDEN, Secret

config = App(name="config", help="The configuration: what counts, an example, every key explained.")


@config.command
def show(*, common: Common = DEFAULT) -> int:
    """Show the configuration that counts: file, environment and defaults together; secrets hidden."""
    path = find_configuration(common.config)
    configuration = read_configuration(path)
    if common.json:
        as_json({"file": str(path.absolute()), "configuration": effective(configuration)})
        return OK
    print(f"# What counts with {path.absolute()} and the environment of this shell.")
    for name in sections():
        if name == LISTENERS:
            for listener in configuration.listeners:
                print(f"\n[[{name}]]")
                _print_keys(name, listener)
        else:
            print(f"\n[{name}]")
            _print_keys(name, getattr(configuration, name))
    return OK


def _print_keys(section: str, values: object) -> None:
    for key in keys_of(section).values():
        value = getattr(values, key.name)
        if value is None:
            print(f"# {key.name}: not set")
            continue
        written = f'"{HIDDEN}"' if isinstance(value, Secret) else key.written(value)
        print(f"{key.name} = {written}{_source(key)}")


def _source(key: Key) -> str:
    if key.environment and key.environment in os.environ:
        return f"  # from {key.environment}"
    return ""


def effective(configuration: Configuration) -> dict[str, object]:
    """The configuration as plain values, secrets hidden."""
    return {
        name: [_plain(name, one) for one in configuration.listeners]
        if name == LISTENERS
        else _plain(name, getattr(configuration, name))
        for name in sections()
    }


def _plain(section: str, values: object) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key in keys_of(section).values():
        value = getattr(values, key.name)
        if isinstance(value, Secret):
            value = HIDDEN
        plain[key.name] = str(value) if key.kind == "path" and value is not None else value
    return plain


@config.command
def example() -> int:
    """Print a configuration file with every key, commented out at its default."""
    print(render_example(), end="")
    return OK


@config.command
def reference() -> int:
    """Print what docs/configuration.md says: every key, what it takes, its default, its meaning."""
    print(render_reference(), end="")
    return OK


@config.command
def check(*, common: Common = DEFAULT) -> int:
    """Read the configuration and say whether it can be used."""
    path = find_configuration(common.config)
    read_configuration(path)
    if common.json:
        as_json({"file": str(path.absolute()), "good": True})
    else:
        print(f"{path} is good")
    return OK
