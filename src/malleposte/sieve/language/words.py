"""All commands, tests and extensions that a script can use."""

from __future__ import annotations

from typing import Final

from malleposte.sieve.comparators import COMPARATORS
from malleposte.sieve.scope import Language

from . import (
    body,
    control,
    dates,
    duplicate,
    editheader,
    filing,
    flags,
    header_tests,
    ihave,
    include,
    logic,
    mailbox_tests,
    reject,
    vacation,
    variables,
)

_MODULES: Final = (
    body,
    control,
    dates,
    duplicate,
    editheader,
    filing,
    flags,
    header_tests,
    ihave,
    include,
    logic,
    mailbox_tests,
    reject,
    vacation,
    variables,
)

CAPABILITIES: Final = frozenset(
    (
        "body",
        "copy",
        "date",
        "duplicate",
        "editheader",
        "encoded-character",
        "envelope",
        "ereject",
        "fileinto",
        "ihave",
        "imap4flags",
        "include",
        "index",
        "mailbox",
        "mailboxid",
        "regex",
        "reject",
        "relational",
        "special-use",
        "subaddress",
        "vacation",
        "vacation-seconds",
        "variables",
        *(f"comparator-{name}" for name in COMPARATORS),
    )
)
"""What `require` knows, and ManageSieve announces."""

LANGUAGE: Final = Language(
    {name: rule for module in _MODULES for name, rule in module.COMMANDS.items()},
    {name: rule for module in _MODULES for name, rule in module.TESTS.items()},
    CAPABILITIES,
)
