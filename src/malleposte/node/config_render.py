"""Words about the configuration, made from the schema: the reference (docs/configuration.md) and an
example file with every key at its default.

Neither is edited by hand; a test holds docs/configuration.md against `render_reference()`."""

import inspect
import textwrap

from malleposte.node.config_keys import LISTENERS, Key, keys_of, sections

_HEAD = """\
# Configuration

This page is made from the schema (`src/malleposte/node/config.py`) by
`python -m malleposte.node.config_render > docs/configuration.md`; edit the schema.

Values are read from three places; the first that has a key wins:

1. the environment variable `MALLEPOSTE_<SECTION>_<KEY>`, such as
   `MALLEPOSTE_SMTP_MAX_SIZE="50 MB"`;
2. the file, TOML, named by `--config` or `MALLEPOSTE_CONFIG`, by default
   `/etc/malleposte/malleposte.toml`;
3. the default.

Listeners are a list and come from the file only. An unknown key or variable, a value of another
form and a number out of bounds are errors, all of them told at once; the server does not start on
a guess.

- A *size* is a text with a unit: `"50 MB"`. kB, MB, GB, TB are powers of 1,000; KiB, MiB, GiB, TiB
  powers of 1,024. A number alone is a number of bytes.
- A *duration* is a text with units: `"30s"`, `"14d"`, `"1h30m"`. A number alone is refused.
- A *path* that is relative is taken from the folder of the file (in an environment variable: from
  the working folder).
"""


def render_reference() -> str:
    """docs/configuration.md: a heading a section, a table row a key."""
    parts = [_HEAD]
    for name in sections():
        title = f"[[{name}]]" if name == LISTENERS else f"[{name}]"
        parts.append(f"\n## `{title}`\n\n{_about(name)}\n")
        environment = name != LISTENERS
        parts.append("| key | takes | default | meaning |\n| --- | --- | --- | --- |")
        parts += [_row(key) for key in keys_of(name).values()]
        if environment:
            first = next(iter(keys_of(name).values()))
            parts.append(f"\nEnvironment: `{first.environment}` and so on.")
    return "\n".join(parts) + "\n"


def render_example() -> str:
    """A configuration file with every key commented out at its default; it is the defaults."""
    lines = [
        "# Malleposte. What is commented out shows the default; docs/configuration.md explains."
    ]
    for name in sections():
        lines.append("")
        if name == LISTENERS:
            lines += _comment(_about(name)), "#", "#[[listeners]]"
        else:
            lines += _comment(_about(name)), f"[{name}]"
        for key in keys_of(name).values():
            lines += "", _comment(f"{key.description} Takes {key.expected}.")
            lines.append(f"#{key.name} = {key.written(key.default) or _sample(key)}")
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    default = "must be given" if key.required else f"`{key.written(key.default)}`"
    if not key.required and not key.written(key.default):
        default = "none"
    takes = key.expected.partition(", such as")[0]  # the page says so once, above
    return f"| `{key.name}` | {takes} | {default} | {key.description} |"


def _sample(key: Key) -> str:
    """For a key without a default value, something to replace."""
    return f'"{key.choices[0] if key.choices else "..."}"'


def _about(section: str) -> str:
    return " ".join((inspect.getdoc(sections()[section]) or "").split())


def _comment(text: str) -> str:
    return textwrap.fill(text, 98, initial_indent="# ", subsequent_indent="# ")


if __name__ == "__main__":
    print(render_reference(), end="")  # noqa: T201  # this is its only work
