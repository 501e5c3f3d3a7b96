"""How mail programs find this server by an address alone: files for Thunderbird, Outlook and Apple's Mail.

``offers`` is what there is to offer, ``site`` which path gives which file, and the others write one format
each. An answer follows the domain of an address and nothing else: none tells whether the address is in
use.
"""

from malleposte.services.web.autoconfig.offers import Offer, Offers
from malleposte.services.web.autoconfig.site import AutoconfigSite

__all__ = ["AutoconfigSite", "Offer", "Offers"]
