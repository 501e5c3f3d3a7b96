"""Quota arithmetic: data, the same for every way a message comes in."""

LEVELS = (80, 90, 95)
"""Percent of a quota at which its owner is told, once each."""
SLACK = 5
"""Percent below a level that usage must fall before that level is told again."""

QUOTA_JOB = "quota-warning"
"""Kind of the job that writes the warning; payload (account, level)."""

RECOVERABLE = 2_000_000_000
"""Octets of expunged mail an account may have recoverable, where nothing else is said."""

PURGE_OLDEST_JOB = "purge-oldest"
"""Kind of the job that brings an account's recoverable mail back to its bound; payload account."""


def recoverable_most(quota: int, allowed: int) -> int:
    """Octets an account with a ``quota`` (0: none) may have recoverable, where ``allowed`` are for all."""
    return max(quota, allowed)


def level_reached(used: int, quota: int) -> int:
    """The highest level ``used`` octets have reached of a ``quota`` (0: none)."""
    if quota <= 0:
        return 0
    percent = used * 100 // quota
    return max((level for level in LEVELS if percent >= level), default=0)


def level_kept(used: int, quota: int, told: int) -> int:
    """What is left of the level last told when usage has fallen to ``used``."""
    if quota <= 0:
        return 0
    percent = used * 100 // quota
    return max((level for level in LEVELS if level <= told and percent > level - SLACK), default=0)
