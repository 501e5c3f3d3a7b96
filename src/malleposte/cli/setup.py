"""The steps that make an installation; each can be run again: it finds what is there and leaves it.

``Step`` tells what a step did, in words: ``made``, ``was there``, or ``skipped`` and why.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from malleposte.cli import config_file
from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import REFUSED, Trouble
from malleposte.cli.ownership import acting_as_owner, owner_of
from malleposte.node.config import Configuration
from malleposte.node.folders import FolderError, examine, provide
from malleposte.operations.accounts import AccountAdded, AddAccount
from malleposte.operations.domains import AddDomain, DomainAdded
from malleposte.operations.node_key import CANARY, NodeKeysNeeded, NoteNodeKey
from malleposte.operations.server_examine import Examine, Facts
from malleposte.runtime.tls_selfsigned import IncompletePairError, self_signed_pair
from malleposte.secrets.node_key import NodeKeyError, create_key_file, load_key_ring
from malleposte.secrets.redaction import Secret

MADE, THERE, SKIPPED = "made", "was there", "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a step. ``detail``: what it is about, or why it was skipped."""

    name: str
    outcome: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name:<14} {self.outcome:<9}  {self.detail}"


def configuration(path: Path, text: str, user: str) -> Step:
    """The configuration file; ``user``: who the server will run as, and may have to read it himself."""
    group = -1
    if os.geteuid() == 0 and user:
        with suppress(KeyError):
            group = pwd.getpwnam(user).pw_gid
    with _explained(path):
        made = config_file.write_new(path, text, 0o640, group=group)
    return Step("configuration", MADE if made else THERE, str(path))


def look(configuration: Configuration) -> None:
    """Refuse what could not be gone on with. Raises ``Trouble``."""
    with _explained(configuration.node.data_dir):
        examine(configuration)


def folders(configuration: Configuration) -> Step:
    """The folders for data and sockets, mode 0700, owned by the user the server will run as."""
    data = configuration.node.data_dir
    with _explained(data):
        made = provide(configuration)
    return Step("data folder", MADE if data in made else THERE, str(data))


def node_key(configuration: Configuration) -> Step:
    """The key that seals secrets."""
    path = configuration.node_key_file
    with _explained(path), acting_as_owner(path.parent):
        made = create_key_file(path)
    if made:
        _give_to_owner(configuration, path)
    return Step("node key", MADE if made else THERE, f"{path} (keep a copy apart from backups)")


def check_node_key(configuration: Configuration, *, anew: bool) -> None:
    """Refuse to make a key where the store needs one that is lost. Raises ``Trouble``."""
    data = configuration.node.data_dir
    with _explained(data):
        sqlite = configuration.store.backend == "sqlite"
        if anew or configuration.node_key_file.exists():
            return
        if sqlite and not (data / "store.db").exists():
            return

    async def work(caller: Caller) -> Facts:
        return await caller.call("server.examine", Examine(), Facts)

    known = run(configuration, work, make=True).key_ids
    if known:
        raise Trouble(
            REFUSED,
            f"{configuration.node_key_file} is gone, and the store needs node key {', '.join(known)}:"
            " put a copy of that file back, or copy it from another node; without one --new-node-key"
            " makes another",
            "node-key",
        )


def note_node_key(configuration: Configuration, *, anew: bool) -> None:
    """Have the store know the key, or find that it knows another. Raises ``Trouble``."""
    path = configuration.node_key_file
    try:
        with acting_as_owner(path.parent):
            ring = load_key_ring(path, os.environ)
    except NodeKeyError as error:
        raise Trouble(REFUSED, str(error), "node-key") from None
    key = ring.current.id
    request = NoteNodeKey(key_id=key.hex(), sealed=ring.seal(CANARY, Secret(key)), replace=anew)

    async def work(caller: Caller) -> NodeKeysNeeded:
        return await caller.call("server.node-key", request, NodeKeysNeeded)

    needed = set(run(configuration, work).key_ids) - {one.hex() for one in ring.ids}
    if needed and not anew:
        raise Trouble(
            REFUSED,
            f"{path} holds node key {key.hex()}, and the store needs {', '.join(sorted(needed))}: put"
            " the right file back, or add its lines to this one; without it give --new-node-key",
            "node-key",
        )


def certificate(configuration: Configuration, hostname: str) -> Step:
    """A self-signed pair, where the configuration names none of its own."""
    if configuration.tls.certificate is not None:
        there = configuration.tls.certificate.exists()
        detail = f"{configuration.tls.certificate}, as the configuration says"
        return Step("certificate", THERE if there else SKIPPED, detail)
    folder = configuration.certificate_file.parent
    with _explained(folder), acting_as_owner(folder.parent):
        try:
            pair = self_signed_pair(folder, hostname)
        except IncompletePairError as error:
            raise Trouble(REFUSED, str(error)) from None
    return Step("certificate", MADE if pair.made else THERE, f"{pair.certificate}, self-signed")


def _give_to_owner(configuration: Configuration, path: Path) -> None:
    """The server's user gets a file that root made elsewhere than in that user's folders."""
    owner = owner_of(configuration.node.data_dir)
    if os.geteuid() == 0 and owner != 0 and owner_of(path.parent) == 0:
        os.chown(path, owner, -1, follow_symlinks=False)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FolderError as error:
        raise Trouble(REFUSED, str(error), "folder") from None
    except OSError as error:
        raise Trouble(REFUSED, f"{error.filename or path}: {error.strerror or error}") from None


def first_domain(configuration: Configuration, name: str) -> Step:
    """The domain; made where it is missing. Makes the store as well, if there is none."""

    async def work(caller: Caller) -> DomainAdded:
        return await caller.call("domain.add", AddDomain(domain=name), DomainAdded)

    done = run(configuration, work, make=True)
    return Step("domain", MADE if done.made else THERE, done.domain)


def account(
    configuration: Configuration, request: AddAccount, *, title: str = "administrator"
) -> tuple[Step, str]:
    """An account; made where it is missing. With the password that was generated, if one was."""

    async def work(caller: Caller) -> AccountAdded:
        return await caller.call("account.add", request, AccountAdded)

    try:
        done = run(configuration, work, make=True)
    except Trouble as trouble:
        if trouble.reason == "exists":
            return Step(title, THERE, f"{request.address}; its password was left as it is"), ""
        raise
    return Step(title, MADE, done.address), done.password


def default_domain(hostname: str) -> str:
    """The domain a host name suggests, or '': ``mail.example.org`` → ``example.org``."""
    _, dot, rest = hostname.partition(".")
    if not dot:
        return ""
    return rest if "." in rest else hostname
