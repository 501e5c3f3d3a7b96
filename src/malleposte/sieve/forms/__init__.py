"""Forms of a user interface that become Sieve: the reply of who is away, filters.

A form is kept as JSON (`read`, `write`) beside the script made of it (`script`). What this version does not
know in it is kept byte for byte, so that an older program that saves loses nothing a newer one wrote.
"""

from .filters import Action, Condition, Filters, Rule
from .kept import FormError
from .vacation import Vacation

__all__ = ["Action", "Condition", "Filters", "FormError", "Rule", "Vacation"]
