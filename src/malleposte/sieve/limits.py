"""How much a script may be and do, and why no more.

A script is hostile until it has been checked, and so is the message it runs on. Every bound is far
above what people and mail programs write; Dovecot Pigeonhole's limits are the precedent for most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one script and of one run; the defaults are what the server runs with.

    Of the script:
    `script_bytes`: octets of one script; Pigeonhole allows 1 MiB, large ones of programs have 100 KB.
    `tokens`: words, strings, marks; 256 KiB of a generated filter have some 40,000.
    `nesting`: blocks and tests inside each other (RFC 5228 §2.10.7 wants 15).
    `mistakes`: those that are told at once.
    `includes`, `include_depth`: scripts included in all and inside each other (Pigeonhole: 255, 10).
    `variables`: names in one script (RFC 5229 §3 wants 128).
    `regex_characters`, `regex_states`: of one pattern, and of the automaton it makes;
    `regex_states_in_all`: of all patterns of a script and what it includes, about 200 octets each.

    Of a run:
    `steps`: about a microsecond or two each: a command or a test is one, and so is a KiB of text compared.
    `actions`: of all kinds; `redirects` among them (Pigeonhole: 32, 4).
    `variable_characters`: of a value, cut beyond (RFC 5229 §3 wants 4,000).
    `text_characters`: of a text after its variables are put in.
    `header_edits`: fields added and deleted.
    `header_fields`: fields of a message that are seen.
    `body_bytes`: octets of body that the body test looks at, all parts together.
    `flags`: in one set of them.
    """

    script_bytes: int = 256 * 1024
    tokens: int = 100_000
    nesting: int = 32
    mistakes: int = 10
    includes: int = 50
    include_depth: int = 10
    variables: int = 256
    regex_characters: int = 1_000
    regex_states: int = 2_000
    regex_states_in_all: int = 40_000
    steps: int = 100_000
    actions: int = 64
    redirects: int = 5
    variable_characters: int = 8_192
    text_characters: int = 256 * 1024
    header_edits: int = 64
    header_fields: int = 5_000
    body_bytes: int = 1 << 20
    flags: int = 100


DEFAULT_LIMITS: Final = Limits()

MAILBOX_CHARACTERS: Final = 1_000
"""Of a mailbox name; the store's own limit on names is asked when the message is filed."""

FLAG_CHARACTERS: Final = 100
"""Of one flag."""

VACATION_LEAST: Final = 60
"""Seconds between two replies to one person, at least: a reply loop of two servers stays slow
(RFC 6131 §2 leaves the bound to the site)."""

VACATION_MOST: Final = 365 * 86_400
"""Seconds at most: what is remembered has an end."""

DUPLICATE_MOST: Final = 365 * 86_400
"""Seconds for which the duplicate test remembers, at most."""
