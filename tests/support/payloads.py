"""HTML that has broken sanitisers, read in place (../shared/suites/xss); skips where it is missing."""

from functools import cache
from pathlib import Path

import msgspec
import pytest

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "suites" / "xss" / "payloads.json"


@cache
def payloads() -> tuple[str, ...]:
    """All 223."""
    if not FILE.exists():
        pytest.skip(f"the payloads are not there: {FILE}")
    found = msgspec.json.decode(FILE.read_bytes(), type=list[dict[str, str]])
    return tuple(one["payload"] for one in found)
