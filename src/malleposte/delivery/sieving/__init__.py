"""Sieve at delivery: what runs for an account, in which order, and what comes of it.

``Sieving.plan`` turns a delivery to accounts that have something to run into filings, copies that leave,
refusals, replies and what is remembered: all for one command of the store. Administrator's scripts run
first, then the vacation form, the filters form, the user's active script; the next one only where the one
before ended in a keep.

Invariants: whoever has nothing to run costs nothing; whatever goes wrong, the message is kept; a reply
never answers a reply.
"""

from .plan import Arrival, Plan
from .planning import Sieving, SievingSettings
from .redirecting import Redirecting

__all__ = ["Arrival", "Plan", "Redirecting", "Sieving", "SievingSettings"]
