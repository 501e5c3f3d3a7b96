"""``malleposte init``."""

import os
import pwd
import socket
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from malleposte.cli import config_file, setup
from malleposte.cli.configuration import new_configuration, read_configuration
from malleposte.cli.exit_codes import OK, REFUSED, USAGE, Trouble
from malleposte.cli.options import DEFAULT, NO_CHOICE, Common, NewPassword
from malleposte.cli.output import as_json, note, say
from malleposte.cli.passwords import chosen
from malleposte.cli.setup import SKIPPED, THERE, Step
from malleposte.node.config import Configuration
from malleposte.operations.accounts import AddAccount

SERVICE_USER = "malleposte"


def init(
    *,
    hostname: str | None = None,
    domain: str | None = None,
    admin: str | None = None,
    data_dir: Annotated[Path | None, Parameter(help="Folder of all that is kept.")] = None,
    run_dir: Annotated[Path | None, Parameter(help="Folder of sockets.")] = None,
    password: NewPassword = NO_CHOICE,
    common: Common = DEFAULT,
) -> int:
    """Set this machine up. Run it again at any time: it finishes what is missing, overwrites nothing.

    What is not given is asked for on a terminal. Makes the configuration file, the data folder, the
    node key, a self-signed certificate, the first domain and its administrator.

    Parameters
    ----------
    hostname
        Public name of this server, such as mail.example.org.
    domain
        First domain whose mail it takes.
    admin
        Address of the first administrator.
    """
    steps: list[Step] = []
    path = new_configuration(common.config)
    steps.append(_configuration_file(path, hostname, data_dir, run_dir))
    if not common.json:
        say(str(steps[-1]))
    configuration = read_configuration(path)
    if steps[0].outcome == THERE:
        _note_differences(configuration, path, hostname, data_dir, run_dir)
    name = configuration.node.hostname or socket.getfqdn()

    def done(step: Step) -> None:
        steps.append(step)
        if not common.json:
            say(str(step))

    done(setup.folders(configuration))
    done(setup.node_key(configuration))
    done(setup.certificate(configuration, name))
    wanted = domain or (admin.rpartition("@")[2] if admin else "")
    wanted = wanted or _asked("First domain", setup.default_domain(name))
    done(setup.first_domain(configuration, wanted))
    admin = admin or _asked("Address of the administrator", f"admin@{wanted}", needed=False)
    generated = ""
    if admin:
        step, generated = _administrator(configuration, admin, password)
        done(step)
    else:
        done(Step("administrator", SKIPPED, "none was named: give --admin, or add one later"))
    if common.json:
        as_json({"configuration": str(path), "steps": steps, "password": generated or None})
        return OK
    if generated:
        say(f"\nThe administrator's password, shown once: {generated}")
    say(f"\nNext: `malleposte doctor --config {path}`, then `malleposte serve --config {path}`")
    return OK


def _configuration_file(
    path: Path, hostname: str | None, data_dir: Path | None, run_dir: Path | None
) -> Step:
    if path.exists():
        return Step("configuration", THERE, str(path))
    values: dict[str, config_file.Value] = {}
    name = hostname or _asked("Public name of this server", socket.getfqdn())
    values["hostname"] = name.strip().lower().rstrip(".")
    if os.geteuid() == 0:
        if _is_user(SERVICE_USER):
            values["user"] = SERVICE_USER
    else:
        # Not root: the system's folders are out of reach.
        data_dir = data_dir or Path("malleposte-data")
        run_dir = run_dir or data_dir / "run"
    for key, folder in (("data_dir", data_dir), ("run_dir", run_dir)):
        if folder is not None:
            # In the file a relative path would be taken from the file's own folder.
            values[key] = folder.absolute()
    try:
        config_file.write_new(path, config_file.render({"node": values}), 0o640)
    except OSError as error:
        raise Trouble(REFUSED, f"{path}: {error.strerror or error}") from None
    return Step("configuration", setup.MADE, str(path))


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _note_differences(
    configuration: Configuration,
    path: Path,
    hostname: str | None,
    data_dir: Path | None,
    run_dir: Path | None,
) -> None:
    node = configuration.node
    for key, given, there in (
        ("hostname", hostname, node.hostname),
        ("data_dir", data_dir and data_dir.absolute(), node.data_dir),
        ("run_dir", run_dir and run_dir.absolute(), node.run_dir),
    ):
        if given and given != there:
            note(f"node.{key} stays {str(there)!r}: change it in {path} if you want {str(given)!r}")


def _administrator(
    configuration: Configuration, address: str, password: NewPassword
) -> tuple[Step, str]:
    if password == NO_CHOICE and not sys.stdin.isatty():
        secret, generate = "", True
    else:
        secret, generate = chosen(password, address, optional=True)
    request = AddAccount(address=address, password=secret, generate=generate, role="owner")
    return setup.account(configuration, request)


def _asked(question: str, default: str, *, needed: bool = True) -> str:
    """Ask on a terminal; without one the default, or '' where nothing is needed."""
    if not sys.stdin.isatty():
        return default if needed else ""
    print(f"{question} [{default}]: ", end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise Trouble(USAGE, "no answer")
    return line.strip() or default
