"""What other servers do, and what becomes of a message then: a row for each behaviour."""

from pathlib import Path

import pytest

from unit.delivery.outbound import test_tls_table
from unit.delivery.outbound.behaviours import Row, comes_to
from unit.delivery.outbound.outside import Outside
from unit.delivery.outbound.rows_answers import ANSWERS
from unit.delivery.outbound.rows_messages import MESSAGES
from unit.delivery.outbound.rows_sessions import SESSIONS
from unit.delivery.outbound.rows_ways import WAYS
from unit.delivery.tls_policies import test_table as test_policies

ROWS = [*ANSWERS, *SESSIONS, *WAYS, *MESSAGES]
DOCUMENT = Path(__file__).parents[4] / "docs" / "sending.md"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_becomes_of_it(outside: Outside, row: Row) -> None:
    await comes_to(outside, row)


def test_every_behaviour_is_in_the_documentation_once() -> None:
    _, _, section = DOCUMENT.read_text().partition("\n## What other servers do\n")
    lines = [line.split(" | ") for line in section.splitlines() if line.startswith("|")]
    listed = [name for line in lines[2:] for name in line[1].split(" · ")]
    tested = [row.name for row in ROWS]
    tested += [row.name for row in test_tls_table.ROWS]
    tested += [row.name for row in test_policies.REMOTE]
    assert sorted(listed) == sorted(tested)
