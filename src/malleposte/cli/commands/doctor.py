"""``malleposte doctor``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from malleposte.cli.caller import Caller, run, to_server
from malleposte.cli.configuration import find_configuration, read_configuration
from malleposte.cli.doctor import files, listeners, machine, sending, signing, store, web
from malleposte.cli.doctor.check import Check, wrong
from malleposte.cli.exit_codes import DAMAGE, OK, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, printable, say
from malleposte.node.config import Configuration
from malleposte.operations.devices import Devices, DeviceShown, ListDevices
from malleposte.operations.server_examine import Facts

COLOURS = {"ok": "32", "warn": "33", "wrong": "31;1"}


def doctor(*, fsck: bool = True, common: Common = DEFAULT) -> int:
    """Look at everything an installation needs; say what is wrong and how to mend it.

    Changes nothing. Exit code 0 where nothing is wrong (warnings aside), 4 otherwise.

    Parameters
    ----------
    fsck
        Also look for damage in the store, for up to a minute.
    """
    found: list[Check] = []
    for check in _checks(common.config, fsck=fsck):
        found.append(check)
        if not common.json:
            _tell(check)
    counts = {s: sum(c.state == s for c in found) for s in ("ok", "warn", "wrong")}
    if common.json:
        as_json({"checks": found, **counts})
    else:
        say(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['wrong']} wrong")
    return DAMAGE if counts["wrong"] else OK


def _checks(given: Path | None, *, fsck: bool) -> Iterator[Check]:
    try:
        path = find_configuration(given)
        configuration = read_configuration(path)
    except Trouble as trouble:
        yield wrong("configuration", trouble.text, "correct it; `malleposte config example` helps")
        return
    if not files.may_look(configuration):
        yield wrong(
            "rights",
            f"you may not look into {configuration.node.data_dir}",
            "run this as root or as the server's user",
        )
        return
    yield from files.checks(configuration, path)
    yield from machine.checks(configuration)
    yield from sending.checks(configuration)
    yield from web.checks(configuration)
    try:
        connection = to_server(configuration)
    except Trouble as trouble:
        yield wrong("server", trouble.text, "run this as root or as the server's user")
        return
    running = connection is not None
    if connection is not None:
        connection.close()
    if configuration.store.backend == "sqlite":
        yield files.writer_lock(configuration, running=running)
    domains: tuple[str, ...] = ()
    devices: tuple[DeviceShown, ...] = ()
    try:
        known, devices, leaves, damage = _asked(configuration, fsck=fsck)
        domains = known.domains
        yield from store.checks(known)
        yield from leaves
        yield from files.sealed(configuration, known.key_ids)
        if damage is not None:
            yield damage
    except Trouble as trouble:
        yield wrong("store", trouble.text, "the checks of the store could not be made; see above")
    yield from listeners.checks(configuration, running=running, domains=domains, devices=devices)
    if not running:
        yield listeners.unexamined()


class _Said(NamedTuple):
    """What the server, or the store, said."""

    known: Facts
    devices: tuple[DeviceShown, ...]
    leaves: list[Check]
    damage: Check | None


def _asked(configuration: Configuration, *, fsck: bool) -> _Said:
    if configuration.sending.enabled:
        # The process that answers may not be able to read the program's files any more.
        import malleposte.delivery.outbound.relays
        import malleposte.operations.zone.asking  # noqa: F401

    async def work(caller: Caller) -> _Said:
        known = await store.facts(caller)
        devices = (await caller.call("device.list", ListDevices(), Devices)).devices
        leaves = await sending.exceptions(caller)
        leaves += await sending.queue(caller)
        if configuration.sending.enabled:
            leaves += await sending.relays(caller)
            leaves += await signing.checks(caller, known.domains)
        return _Said(known, devices, leaves, await store.damage(caller) if fsck else None)

    return run(configuration, work)


def _tell(check: Check) -> None:
    state = f"{check.state:<5}"
    if sys.stdout.isatty():
        state = f"\x1b[{COLOURS[check.state]}m{state}\x1b[0m"
    say(f"{state}  {check.name:<18} {printable(check.text)}")
    if check.remedy:
        say(f"{'':<26}→ {printable(check.remedy)}")
