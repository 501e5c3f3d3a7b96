"""The files: folders, keys, certificate, the writer's lock."""

import contextlib
import datetime
import fcntl
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.cli.ownership import acting_as_owner, owner_of
from malleposte.node import wiring
from malleposte.node.config import Configuration
from malleposte.node.settings import hostname
from malleposte.operations.zone.certificate import covers
from malleposte.runtime.tls import CertificateError, CertificateFacts, Certificates
from malleposte.secrets.node_key import NodeKeyError, load_key_ring

WARN_DAYS: Final = 20
WRONG_DAYS: Final = 5
MAX_LOOKED_AT: Final = 5_000
"""Files whose owner is looked at."""


def may_look(configuration: Configuration) -> bool:
    """Whether whoever runs this may look into the data folder; others would be told nonsense."""
    try:
        os.listdir(configuration.node.data_dir)
    except PermissionError:
        return False
    except OSError:
        # Not there: said by the check of the folder.
        pass
    return True


def checks(configuration: Configuration, path: Path) -> Iterator[Check]:
    """Everything about files; ``path`` is the configuration's."""
    yield from _configuration_file(configuration, path)
    yield from _user(configuration)
    yield from _folders(configuration)
    yield _node_key(configuration)
    yield from certificate_checks(configuration)


def _configuration_file(configuration: Configuration, path: Path) -> Iterator[Check]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if configuration.store.dsn and mode & 0o007 and configuration.store.dsn_file is None:
        yield warn(
            "configuration",
            f"{path} may hold the database's password, and everybody may read it",
            f"`chmod o= {path}`, or put the dsn into a file of its own (store.dsn_file)",
        )
    else:
        yield ok("configuration", f"{path.absolute()} is good")


def _user(configuration: Configuration) -> Iterator[Check]:
    """Whom the server runs as."""
    name, data = configuration.node.user, configuration.node.data_dir
    if name:
        try:
            yield ok("user", f"the server runs as {name}, user {pwd.getpwnam(name).pw_uid}")
        except KeyError:
            yield wrong(
                "user",
                f"there is no user {name} (node.user)",
                f"`adduser --system --group --home {data} {name}`",
            )
    elif os.geteuid() == 0 and owner_of(data) == 0:
        yield warn(
            "user",
            "the server runs as root: whoever finds a hole in it owns this machine",
            f"`adduser --system --group --home {data} malleposte`, `chown -R malleposte: {data}`,"
            ' and node.user = "malleposte"',
        )


def _folders(configuration: Configuration) -> Iterator[Check]:
    data = configuration.node.data_dir
    try:
        status = data.stat()
    except OSError as error:
        yield wrong("data folder", f"{data}: {error.strerror}", "run `malleposte init`")
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        yield wrong(
            "data folder",
            f"{data} is open to others (mode {mode:04o}): they may read all mail",
            f"`chmod 700 {data}`",
        )
    user = configuration.node.user
    wanted = status.st_uid
    if user:
        with contextlib.suppress(KeyError):
            wanted = pwd.getpwnam(user).pw_uid
    if status.st_uid != wanted:
        yield wrong(
            "data folder",
            f"{data} belongs to user {status.st_uid}, the server runs as {user}",
            f"`chown -R {user}: {data}`",
        )
    stray = _stray(data, wanted)
    if stray:
        yield wrong(
            "data folder",
            f"{stray} belongs to another user than the server's: it cannot be written",
            f"`chown -R {user or wanted} {data}`",
        )
    elif not mode & 0o077 and status.st_uid == wanted:
        yield ok("data folder", f"{data}, mode {mode:04o}")


def _stray(folder: Path, uid: int) -> Path | None:
    """A file below the folder that is not its owner's; the first of those looked at."""
    count = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            count += 1
            if count > MAX_LOOKED_AT:
                return None
            with contextlib.suppress(OSError):
                if path.lstat().st_uid != uid:
                    return path
    return None


def _node_key(configuration: Configuration) -> Check:
    try:
        with acting_as_owner(configuration.node.data_dir):
            ring = load_key_ring(configuration.node_key_file, os.environ)
    except NodeKeyError as error:
        first, _, rest = str(error).partition(". ")
        path = configuration.node_key_file
        owner = f"`chown --reference={configuration.node.data_dir} {path} && chmod 600 {path}`"
        return wrong("node key", first, rest or owner)
    return ok("node key", f"{configuration.node_key_file}, key {ring.current.id.hex()}")


def sealed(configuration: Configuration, key_ids: tuple[str, ...]) -> Iterator[Check]:
    """Whether the key file opens all that is sealed in the store, by the keys it needs."""
    try:
        with acting_as_owner(configuration.node.data_dir):
            ring = load_key_ring(configuration.node_key_file, os.environ)
    except NodeKeyError:
        # Said by the check of the file.
        return
    missing = sorted(set(key_ids) - {one.hex() for one in ring.ids})
    if missing:
        yield wrong(
            "node key",
            f"secrets in the store are sealed with node key {', '.join(missing)}, which"
            f" {configuration.node_key_file} does not hold",
            "put the right file back, or add its lines to this one",
        )


def certificate_facts(configuration: Configuration) -> CertificateFacts:
    """The configured pair. Raises ``CertificateError``."""
    return Certificates(wiring.tls_settings(configuration)).facts


def certificate_checks(configuration: Configuration) -> Iterator[Check]:
    """The pair: does it fit together, is it for this name, how long is it good."""
    try:
        # As the server reads it: it may not be able to, where root is.
        with acting_as_owner(configuration.node.data_dir):
            facts = certificate_facts(configuration)
    except CertificateError as error:
        yield wrong(
            "certificate",
            str(error),
            "`malleposte init` makes a self-signed pair; tls.certificate and tls.key name another",
        )
        return
    key = configuration.certificate_key_file
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o007:
        yield wrong("certificate", f"everybody may read {key}", f"`chmod o= {key}`")
    own = {
        "node.hostname": hostname(configuration),
        "autoconfig.host": configuration.autoconfig.host,
    }
    for setting, name in own.items():
        if not name or covers(facts.names, name):
            continue
        yield warn(
            "certificate",
            f"it is for {', '.join(facts.names)}, not for {name}: clients will complain"
            if facts.names
            else "it names no host (subjectAltName), only perhaps its old subject: clients refuse it",
            f"get one for {name}, or set {setting}",
        )
    left = (facts.not_after - datetime.datetime.now(datetime.UTC)).days
    until = f"good until {facts.not_after:%Y-%m-%d}, {left} days"
    if left < WRONG_DAYS:
        text = "it has expired" if left < 0 else until
        yield wrong("certificate", text, "renew it; the running server takes it within a minute")
    elif left < WARN_DAYS:
        yield warn("certificate", until, "renew it; the running server takes it within a minute")
    else:
        yield ok("certificate", f"{', '.join(facts.names)}; {until}")


def writer_lock(configuration: Configuration, *, running: bool) -> Check:
    """Who may write to the store (SQLite)."""
    path = configuration.node.data_dir / "writer.lock"
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with acting_as_owner(configuration.node.data_dir):
            descriptor = os.open(path, flags)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return wrong("writer lock", f"{path} is no regular file", f"`rm {path}`")
    except FileNotFoundError:
        return warn("writer lock", f"there is no {path}", "run `malleposte init`")
    except OSError as error:
        return wrong("writer lock", f"{path}: {error.strerror}", "run this as root or its owner")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        held = False
    except BlockingIOError:
        held = True
    finally:
        os.close(descriptor)
    if held and running:
        return ok("writer lock", "held by the running server")
    if held:
        return wrong(
            "writer lock",
            f"a process holds {path}, but no server answers",
            f"`fuser -v {path}` names it; a server that hangs must be ended",
        )
    if running:
        return wrong(
            "writer lock",
            "the server answers, but its writer does not hold the lock: no mail can be stored",
            "look into its log; restart it",
        )
    return ok("writer lock", "free: no server is running")
