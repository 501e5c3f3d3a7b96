"""Log lines: one event one line, no secrets, bounded, whatever a peer sends."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import given

from malleposte.runtime.logs import (
    MAX_LINE,
    LogSettings,
    as_json,
    as_text,
    is_secret,
    printable,
    set_up,
)
from malleposte.secrets.redaction import Secret


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.BytesIO()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def entries(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_an_object_on_a_line(stream: io.BytesIO) -> None:
    set_up(LogSettings(), stream)
    structlog.get_logger().info("message filed", account=7, size=1024, took=0.5, peer=None)
    (entry,) = entries(stream)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "event": "message filed",
        "account": 7,
        "size": 1024,
        "took": 0.5,
        "peer": None,
    }


def test_what_is_below_the_level_is_not_written(stream: io.BytesIO) -> None:
    set_up(LogSettings(level="warning"), stream)
    structlog.get_logger().info("a")
    logging.getLogger("b").info("b")
    structlog.get_logger().warning("c")
    assert [entry["event"] for entry in entries(stream)] == ["c"]


def test_text_for_people(stream: io.BytesIO) -> None:
    set_up(LogSettings(json=False), stream)
    structlog.get_logger().info("sign-in", account="anna@example.org", agent="My Client")
    (line,) = stream.getvalue().decode().splitlines()
    assert line[24:] == ' INFO    sign-in account=anna@example.org agent="My Client"'


def test_the_standard_librarys_loggers_come_out_the_same_way(stream: io.BytesIO) -> None:
    set_up(LogSettings(), stream)
    logging.getLogger("asyncio").warning("slow %s", "callback")
    assert entries(stream)[0]["event"] == "slow callback"
    assert entries(stream)[0]["logger"] == "asyncio"


def test_bound_context_is_written(stream: io.BytesIO) -> None:
    set_up(LogSettings(), stream)
    structlog.contextvars.bind_contextvars(connection="c1")
    structlog.get_logger().error("a")
    assert entries(stream)[0]["connection"] == "c1"


def test_a_traceback_is_written_without_values(stream: io.BytesIO) -> None:
    set_up(LogSettings(), stream)
    password = "correct horse"
    try:
        int("x" + password[:0])
    except ValueError:
        structlog.get_logger().exception("failed")
    (entry,) = entries(stream)
    assert entry["level"] == "error"
    assert entry["exception"].endswith("invalid literal for int() with base 10: 'x'")
    assert password not in entry["exception"]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "bind_password",
        "X-Auth-Token",
        "store.dsn",
        "Authorization",
        "cookie",
        "api_key",
        "totp_seed",
    ],
)
def test_secret_keys(name: str) -> None:
    assert is_secret(name)
    for render in (as_json, as_text):
        assert b"hunter2" not in render(None, "info", {"event": "a", name: "hunter2"})
        assert b"hunter2" not in render(None, "info", {"event": "a", "in": [{name: "hunter2"}]})


@pytest.mark.parametrize(
    "name", ["account", "key_id", "idempotency_key", "keyword", "author", "monkey"]
)
def test_keys_that_only_look_like_it(name: str) -> None:
    assert not is_secret(name)


def test_a_secret_value_is_hidden_under_any_key() -> None:
    for render in (as_json, as_text):
        assert b"hunter2" not in render(None, "info", {"event": "a", "b": Secret("hunter2")})


def test_no_line_is_forged_and_no_terminal_driven() -> None:
    hostile = "a\r\n2026-11-25 INFO signed in\x1b[2J\u2028\u202e\x00\x85"
    for render in (as_json, as_text):
        line = render(None, "info", {"event": hostile, "from": hostile, hostile: 1})
        text = line.decode()
        assert len(text.splitlines()) == 1
        assert text.isprintable()


def test_a_traceback_in_text_cannot_begin_a_line_of_its_own() -> None:
    line = as_text(
        None, "error", {"event": "a", "exception": "ValueError: x\n2026 INFO forged\x1b"}
    )
    first, *below = line.decode().splitlines()
    assert first.endswith("a")
    assert all(part.startswith("    | ") and part.isprintable() for part in below)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.text(alphabet="\n\x1b\"'\\= \ud800ä", max_size=3000),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values))
def test_any_fields_make_one_bounded_line(fields: dict[str, Any]) -> None:
    fields.pop("exception", None)
    line = as_json(None, "info", {"event": "e", **fields})
    assert len(line) <= MAX_LINE
    assert isinstance(json.loads(line), dict)
    assert b"\n" not in line
    text = as_text(None, "info", {"event": "e", **fields})
    assert len(text) <= MAX_LINE
    assert b"\n" not in text


def test_too_much_is_cut_and_says_so() -> None:
    fields = {"event": "e" * 9000, "a": ["x" * 900] * 50, "exception": "y\n" * 9000}
    for render in (as_json, as_text):
        line = render(None, "error", dict(fields))
        assert len(line) <= MAX_LINE
        assert b"cut" in line
    worst = {"event": "\U000e0001" * 9000, "level": "info", "time": "t", "a": ["\x1b" * 900] * 50}
    assert len(as_json(None, "info", worst)) <= MAX_LINE
    assert json.loads(as_json(None, "info", {"event": "a", "b": "x" * 1500}))["b"].endswith(
        "… (+500)"
    )


def test_printable_keeps_what_people_write() -> None:
    assert printable("Grüße, 日本 🎉") == "Grüße, 日本 🎉"
    assert printable("a\tb\ud800") == "a\\tb\\ud800"
