"""What other servers do, and what becomes of a message then: a row for each behaviour."""

import pytest

from unit.delivery.outbound.behaviours import Row, comes_to
from unit.delivery.outbound.outside import Outside
from unit.delivery.outbound.rows_answers import ANSWERS
from unit.delivery.outbound.rows_messages import MESSAGES
from unit.delivery.outbound.rows_sessions import SESSIONS
from unit.delivery.outbound.rows_ways import WAYS

ROWS = [*ANSWERS, *SESSIONS, *WAYS, *MESSAGES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_becomes_of_it(outside: Outside, row: Row) -> None:
    await comes_to(outside, row)
