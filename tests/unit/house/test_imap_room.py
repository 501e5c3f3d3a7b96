"""The room of IMAP has many modules side by side: its docstring says which does what."""

import re
from pathlib import Path

from malleposte.services import imapd

MOST_LINES = 40


def test_every_module_is_named_once_and_no_other() -> None:
    modules = {path.stem for path in Path(imapd.__file__).parent.glob("*.py")} - {"__init__"}
    list_ = (imapd.__doc__ or "").partition("Who does what")[2]
    named = re.findall(r"``([a-z_]+)``", list_)
    assert sorted(named) == sorted(modules)


def test_it_is_read_at_one_look() -> None:
    assert len((imapd.__doc__ or "").splitlines()) <= MOST_LINES
