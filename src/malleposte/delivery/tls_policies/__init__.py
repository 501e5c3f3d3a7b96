"""How other domains want mail to be encrypted, and what an operator makes of it.

``TlsPolicies`` gives ``outbound`` a policy for each server: by DANE (``dane``, ``tlsa``), by MTA-STS
(``sts``, ``sts_fetch``, ``sts_policy``), or by none where an operator's exception says so (``exceptions``).
How it went it hands to ``tls_reports``.
"""

from .policies import PolicySettings, TlsPolicies
from .sts_fetch import StsSettings

__all__ = ["PolicySettings", "StsSettings", "TlsPolicies"]
