"""Reads the configuration: environment before file before default.

`load` looks at everything before it complains: all problems of file and environment come in one
`ConfigurationError`, each with its place, key and what was expected, so that nobody mends a file
one error at a time. Unknown keys are refused, with the nearest known one named.

It does not touch what the values name: whether a folder exists or a certificate is good is asked
where it is used, and by `malleposte doctor`."""

import contextlib
import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from malleposte.node.config import Configuration
from malleposte.node.config_keys import (
    ENVIRONMENT_PREFIX,
    LISTENERS,
    Key,
    NotAcceptedError,
    all_keys,
    keys_of,
    sections,
)
from malleposte.node.config_listeners import Listener
from malleposte.node.config_sending import Sending, server_of
from malleposte.node.config_web import is_web_url
from malleposte.secrets.redaction import Secret

CONFIGURATION_VARIABLE: Final = "MALLEPOSTE_CONFIG"
# Names beside the keys: the path of the file itself, and what test runs set.
_OTHER_VARIABLES: Final = re.compile(r"MALLEPOSTE_(CONFIG|TEST_.*)")

# Far more than every key with comments; less than a mistaken path (a mailbox, a disk) would cost.
MAX_FILE: Final = 1_000_000
# A listener is a socket in every worker.
MAX_LISTENERS: Final = 200

# RFC 1123 §2.1 names; also a single label, since test machines have such names.
_HOSTNAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: `place` is the file or "environment", `key` as it was written."""

    place: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key + ': ' if self.key else ''}{self.text}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `problems` lists why, in the order found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def is_hostname(name: str) -> bool:
    """Whether a machine can have that name."""
    return bool(_HOSTNAME.fullmatch(name))


def load(
    path: Path | None, environ: Mapping[str, str], *, text: str | None = None
) -> Configuration:
    """The configuration from the TOML file at `path` (None: no file) and the environment.

    Relative paths are taken from the file's folder (without a file: from the working folder). `text`:
    what a file that is still to be written will hold.
    Raises ConfigurationError with every problem found."""
    problems: list[Problem] = []
    base = path.absolute().parent if path else Path.cwd()
    document = _document(path, text, problems) if path else {}
    values: dict[str, dict[str, object]] = {name: {} for name in sections() if name != LISTENERS}
    listeners: list[Listener] | None = None
    place = str(path or "")

    for name, content in document.items():
        if name == LISTENERS:
            listeners = _listeners(content, base, place, problems)
        elif name not in values:
            problems.append(Problem(place, "", _unknown_section(name, content)))
        elif not isinstance(content, dict):
            problems.append(Problem(place, name, f"expected a section [{name}]"))
        else:
            values[name] = _table(name, content, base, place, name, problems)

    for key, value in _from_environment(environ, Path.cwd(), problems):
        values[key.section][key.name] = value
    if problems:
        raise ConfigurationError(problems)

    built: dict[str, Any] = {name: sections()[name](**given) for name, given in values.items()}
    if listeners is not None:
        built[LISTENERS] = tuple(listeners)
    configuration = _with_dsn(Configuration(**built), place, problems)
    problems += _contradictions(configuration, place or "configuration")
    if problems:
        raise ConfigurationError(problems)
    return configuration


def _document(path: Path, text: str | None, problems: list[Problem]) -> dict[str, Any]:
    try:
        if text is not None:
            return tomllib.loads(text)
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise ValueError(f"longer than {MAX_FILE} bytes; is this the configuration?")
        return tomllib.loads(content.decode())
    except OSError as error:
        problems.append(Problem(str(path), "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), "", f"not UTF-8 at byte {error.start}"))
    except (ValueError, RecursionError) as error:
        problems.append(Problem(str(path), "", f"not TOML: {error}"))
    return {}


def _table(
    section: str,
    content: Mapping[str, object],
    base: Path,
    place: str,
    shown: str,
    problems: list[Problem],
) -> dict[str, object]:
    known = keys_of(section)
    values: dict[str, object] = {}
    for name, value in content.items():
        key = known.get(name)
        if key is None:
            problems.append(Problem(place, "", _unknown_key(section, name)))
            continue
        try:
            values[name] = key.read(value, base)
        except NotAcceptedError as error:
            problems.append(Problem(place, f"{shown}.{name}", str(error)))
    for key in known.values():
        if key.required and key.name not in content:
            problems.append(Problem(place, f"{shown}.{key.name}", f"missing: {key.expected}"))
    return values


def _listeners(content: object, base: Path, place: str, problems: list[Problem]) -> list[Listener]:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        problems.append(Problem(place, LISTENERS, f"expected tables [[{LISTENERS}]]"))
        return []
    if len(content) > MAX_LISTENERS:
        problems.append(Problem(place, LISTENERS, f"more than {MAX_LISTENERS}"))
        return []
    found = []
    for number, entry in enumerate(content, 1):
        before = len(problems)
        values = _table(LISTENERS, entry, base, place, f"{LISTENERS}[{number}]", problems)
        if len(problems) == before:
            found.append(Listener(**values))  # type: ignore[arg-type]  # checked by key
    return found


def _from_environment(
    environ: Mapping[str, str], base: Path, problems: list[Problem]
) -> Iterator[tuple[Key, object]]:
    known = {key.environment: key for key in all_keys() if key.environment}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or _OTHER_VARIABLES.fullmatch(variable):
            continue
        key = known.get(variable)
        if key is None:
            near = difflib.get_close_matches(variable, list(known), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(Problem("environment", "", f"unknown variable {variable}{hint}"))
            continue
        try:
            yield key, key.read_environment(text, base)
        except NotAcceptedError as error:
            problems.append(Problem("environment", variable, str(error)))


def _unknown_section(name: str, content: object) -> str:
    near = difflib.get_close_matches(name, list(sections()), 1)
    if near:
        return f"unknown section {name}; did you mean {near[0]}?"
    if not isinstance(content, dict | list):
        homes = [key.full_name for key in all_keys() if key.name == name]
        if homes:
            return f"unknown key {name} outside a section; did you mean {homes[0]}?"
    return f"unknown section {name}; sections are {', '.join(sections())}"


def _unknown_key(section: str, name: str) -> str:
    # Its own section first, then the same name elsewhere, then what looks like it anywhere.
    near = difflib.get_close_matches(name, list(keys_of(section)), 1)
    found = [f"{section}.{near[0]}"] if near else []
    found += [key.full_name for key in all_keys() if key.name == name]
    found += difflib.get_close_matches(
        f"{section}.{name}", [key.full_name for key in all_keys()], 1
    )
    hint = (
        f"; did you mean {found[0]}?"
        if found
        else f"; keys of {section} are {', '.join(keys_of(section))}"
    )
    return f"unknown key {section}.{name}{hint}"


def _with_dsn(configuration: Configuration, place: str, problems: list[Problem]) -> Configuration:
    """`store.dsn_file` read into `store.dsn`."""
    store = configuration.store
    if store.dsn_file is None:
        return configuration
    if store.dsn is not None:
        problems.append(Problem(place, "store.dsn_file", "give either dsn or dsn_file"))
        return configuration
    try:
        with store.dsn_file.open(encoding="utf-8") as file:
            dsn = file.read(10_000).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        problems.append(Problem(place, "store.dsn_file", f"{store.dsn_file} cannot be read: {why}"))
        return configuration
    return msgspec.structs.replace(
        configuration, store=msgspec.structs.replace(store, dsn=Secret(dsn) if dsn else None)
    )


def _contradictions(configuration: Configuration, place: str) -> Iterator[Problem]:
    """What no single key shows."""
    if configuration.node.hostname and not is_hostname(configuration.node.hostname):
        yield Problem(place, "node.hostname", "not a host name such as mail.example.org")
    if configuration.store.backend == "postgres" and configuration.store.dsn is None:
        yield Problem(place, "store.dsn", "needed for backend postgres (or dsn_file)")
    if (configuration.tls.certificate is None) != (configuration.tls.key is None):
        yield Problem(place, "tls", "certificate and key go together: give both or neither")
    if configuration.web.url and not is_web_url(configuration.web.url):
        yield Problem(place, "web.url", "not an address such as https://mail.example.org")
    if configuration.autoconfig.host and not is_hostname(configuration.autoconfig.host):
        yield Problem(place, "autoconfig.host", "not a host name such as mail.example.org")
    if not _is_address(configuration.metrics.address):
        yield Problem(place, "metrics.address", "not an IP address")
    for name, text in _sending_contradictions(configuration.sending):
        yield Problem(place, f"sending.{name}", text)
    places: dict[str, int] = {}
    for number, listener in enumerate(configuration.listeners, 1):
        shown = f"{LISTENERS}[{number}]"
        for text in _listener_contradictions(listener):
            yield Problem(place, shown, text)
        where = listener.place.partition(" on ")[2]
        if where in places:
            yield Problem(place, shown, f"{where} is taken by {LISTENERS}[{places[where]}]")
        places[where] = number


def _sending_contradictions(sending: Sending) -> Iterator[tuple[str, str]]:
    for name, version in (("source_ipv4", 4), ("source_ipv6", 6)):
        text = getattr(sending, name)
        if text and not (_is_address(text) and ipaddress.ip_address(text).version == version):
            yield name, f"not an IPv{version} address"
    for network in sending.networks.split():
        if not _is_network(network):
            yield "networks", f"expected a network such as 10.0.0.0/8; found {network!r}"
    for name in ("port_probes", "block_lists"):
        for text in getattr(sending, name).split():
            if not is_hostname(text):
                yield name, f"expected a domain; found {text!r}"
    for text in sending.resolvers.split():
        if not _is_address(text):
            yield "resolvers", f"expected addresses such as 127.0.0.1 or ::1; found {text!r}"
    yield from _smart_host_contradictions(sending)


def _smart_host_contradictions(sending: Sending) -> Iterator[tuple[str, str]]:
    host = ""
    if sending.smart_host:
        with contextlib.suppress(ValueError):
            host, _ = server_of(sending.smart_host, 587)
        if not (is_hostname(host) or _is_address(host)):
            yield (
                "smart_host",
                "expected a server with its port, such as mail.example.net:587 or [2001:db8::1]:587; "
                f"found {sending.smart_host!r}",
            )
    password = sending.smart_host_password
    signs_in = password is not None and bool(password.reveal())
    if sending.smart_host_user and not sending.smart_host:
        yield "smart_host_user", "there is no smart host to sign in to: give smart_host"
    if sending.smart_host_user and not signs_in:
        yield "smart_host_password", "needed to sign in as smart_host_user"
    if signs_in and not sending.smart_host_user:
        yield "smart_host_user", "needed with smart_host_password"


def _listener_contradictions(listener: Listener) -> Iterator[str]:
    if listener.socket is not None:
        if listener.port or listener.address != "*":
            yield "give either socket or address and port"
        # Linux: sun_path is 108 bytes with its final NUL.
        if len(bytes(listener.socket)) > 107:
            yield "the path of a Unix socket has at most 107 bytes"
    elif listener.port_number == 0:
        yield f"{listener.service} has no standard port: give port or socket"
    elif listener.address != "*" and not _is_address(listener.address):
        yield f"address: expected * or an IP address; found {listener.address!r}"
    for proxy in listener.proxies.split():
        if listener.socket is not None:
            yield "proxies: a Unix socket has none"
        elif not _is_network(proxy):
            yield f"proxies: expected an address or a network such as 192.0.2.0/28; found {proxy!r}"
    if listener.service == "http" and listener.tls_mode != "none":
        yield "http has no TLS: name a listener of https"
    implicit = ("submissions", "imaps", "pop3s", "https")
    if listener.service in implicit and listener.tls_mode != "implicit":
        # RFC 8314 §3: that is what the name means.
        yield f"{listener.service} is TLS from the first byte: tls must be implicit"


def _is_network(text: str) -> bool:
    try:
        return ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
