"""HTTP: requests in, responses out (RFC 9110, RFC 9112), over the connections that all services share.

``session`` is one connection (the engine is h11), ``head`` what is refused before anything is looked up,
``service`` what a listener serves: under which names, and which site answers. Sites are ``autoconfig``, how
mail programs find this server, and ``mta_sts``, how others are to encrypt mail to it.
"""

from malleposte.services.web.service import Observer, Site, WebService
from malleposte.services.web.settings import WebSettings

__all__ = ["Observer", "Site", "WebService", "WebSettings"]
