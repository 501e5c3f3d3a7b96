"""Structured logs on one stream: an object a line (JSON), or text for people.

Invariants, whatever a peer sends: one event is one write of at most `MAX_LINE` bytes; no value can
begin a line of its own or move a terminal's cursor; what is under a key named like a secret is never
written, at any depth. The standard library's loggers (asyncio, asyncpg) come out the same way.

It does not rotate or ship: the service's supervisor (systemd, a container) takes the stream."""

import datetime
import functools
import logging
import sys
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Literal, cast

import msgspec
import structlog

from malleposte.secrets.redaction import HIDDEN, Secret

Fields = MutableMapping[str, Any]
Level = Literal["debug", "info", "warning", "error"]

# Below PIPE_BUF (4,096 on Linux): writes of several processes to one pipe do not mix.
MAX_LINE: Final = 4000
MAX_VALUE: Final = 1000
# The end of a traceback says what happened.
MAX_TRACEBACK: Final = 2500
# For values in lists and tables; deeper or longer than this nobody reads in a log.
MAX_DEPTH: Final = 4
MAX_ITEMS: Final = 50
TRACEBACK: Final = "exception"

# A key is secret if one of its words is: `bind_password`, `X-Auth-Token`, `store.dsn`.
SECRET_WORDS: Final = frozenset(
    [
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "secret",
        "secrets",
        "token",
        "tokens",
        "cookie",
        "cookies",
        "authorization",
        "auth",
        "credential",
        "credentials",
        "dsn",
        "key",
        "seed",
        "pin",
        "otp",
        "totp",
    ]
)
# "key" alone hides too much of what logs are for.
PLAIN_KEYS: Final = frozenset({"key", "key_id", "cache_key", "idempotency_key", "auth_method"})


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The least level that is written; `json`, or text for a terminal."""

    level: Level = "info"
    json: bool = True


def set_up(settings: LogSettings, stream: BinaryIO | None = None) -> None:
    """Configures structlog and the standard library's root logger for this process."""
    level = getattr(logging, settings.level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            _stamped,
            as_json if settings.json else as_text,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(
            cast(BinaryIO, _Unfailing(stream or sys.stderr.buffer))
        ),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(level)


class _Unfailing:
    """A stream that drops what cannot be written: a full disk of the log must not stop the mail."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.dropped = 0

    def write(self, octets: bytes) -> int:
        try:
            return self._stream.write(octets)
        except (OSError, ValueError):
            self.dropped += 1
            return len(octets)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.dropped += 1


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )


def _stamped(logger: object, method: str, fields: Fields) -> Fields:
    now = time.time_ns()
    return {
        "time": f"{_second(now // 1_000_000_000)}.{now // 1_000_000 % 1_000:03}Z",
        "level": "error" if method == "exception" else method,
        **fields,
    }


@functools.lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    """A second since 1970 as ISO 8601 writes it in UTC; asked for each line, made once a second."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def as_json(logger: object, method: str, fields: Fields) -> bytes:
    """The last processor: an object without its line end."""
    return _bounded(fields, lambda safe: msgspec.json.encode(safe))


def as_text(logger: object, method: str, fields: Fields) -> bytes:
    """The last processor for a terminal: `time LEVEL event key=value …`, a traceback below it."""
    return _bounded(fields, _text)


def _bounded(fields: Fields, render: Any) -> bytes:
    line: bytes = render(safe_fields(fields))
    if len(line) <= MAX_LINE:
        return line
    line = render(safe_fields(fields, MAX_VALUE // 10, MAX_TRACEBACK // 2) | {"cut": True})
    if len(line) <= MAX_LINE:
        return line
    kept = {name: fields[name] for name in ("time", "level", "event") if name in fields}
    return bytes(render(safe_fields(kept, MAX_VALUE // 4) | {"cut": True}))


def safe_fields(
    fields: Mapping[str, Any], longest: int = MAX_VALUE, traceback: int = MAX_TRACEBACK
) -> dict[str, Any]:
    """The fields as plain values without secrets and control characters, each at most `longest`
    characters."""
    safe: dict[str, Any] = {}
    for name, value in fields.items():
        if name == TRACEBACK and isinstance(value, str):
            safe[name] = "\n".join(map(printable, value[-traceback:].splitlines()))
            continue
        shown, secret = _named(str(name))
        if secret:
            safe[shown] = HIDDEN
        else:
            safe[shown] = _safe(value, longest, MAX_DEPTH)
    return safe


@functools.lru_cache(maxsize=1_000)
def _named(name: str) -> tuple[str, bool]:
    """A key as it is shown, and whether what stands under it is secret."""
    return printable(name)[:MAX_VALUE], is_secret(name)


def _safe(value: object, longest: int, depth: int) -> Any:
    # Most values are plain, and a line is written for each message that comes.
    if type(value) is str:
        return value if len(value) <= longest and value.isprintable() else _cut(value, longest)
    match value:
        case None | bool() | float():
            return value
        case int() if -(2**63) <= value < 2**63:
            return int(value)
        case Secret():
            return HIDDEN
        case str():
            return _cut(value, longest)
        case bytes() | bytearray() | memoryview():
            return _cut(bytes(value[: longest + 1]).decode("ascii", "backslashreplace"), longest)
        case Mapping() if depth:
            return {
                _cut(str(name), longest): HIDDEN
                if is_secret(str(name))
                else _safe(item, longest, depth - 1)
                for name, item in _first(value.items())
            }
        case list() | tuple() | set() | frozenset() if depth:
            return [_safe(item, longest, depth - 1) for item in _first(value)]
    return _cut(str(value), longest)


def _first(items: Iterable[Any]) -> list[Any]:
    return [item for item, _ in zip(items, range(MAX_ITEMS), strict=False)]


def _cut(text: str, longest: int) -> str:
    if len(text) > longest:
        return printable(text[:longest]) + f"… (+{len(text) - longest})"
    return printable(text)


def printable(text: str) -> str:
    r"""The text with everything that is not a visible character or a space as an escape: line ends,
    controls, marks that turn the direction of writing, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


def is_secret(name: str) -> bool:
    """Whether what stands under this key is never written."""
    if name in PLAIN_KEYS or name.isdigit():
        return False
    words = name.lower().replace("-", "_").replace(".", "_").split("_")
    return not SECRET_WORDS.isdisjoint(words)


def _text(safe: dict[str, Any]) -> bytes:
    traceback = str(safe.pop(TRACEBACK, ""))
    head = [str(safe.pop(name, "")) for name in ("time", "level", "event")]
    head[1] = head[1].upper().ljust(7)
    line = " ".join(head + [f"{name}={_word(value)}" for name, value in safe.items()])
    below = "".join(f"\n    | {part}" for part in traceback.splitlines())
    return (line + below).encode("utf-8", "backslashreplace")


def _word(value: object) -> str:
    """A value without spaces as it is, anything else in quotes, so that no value can look like two."""
    if isinstance(value, str) and value and not any(c in value for c in " =\"'{}[]"):
        return value
    return msgspec.json.encode(value).decode()
