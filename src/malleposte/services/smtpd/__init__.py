"""SMTP, LMTP and submission over connections: a listener's service, a session each connection.

The engine is ``wire.smtp``, what becomes of a message ``delivery``.
"""

from malleposte.services.smtpd.service import Observer, SmtpService

__all__ = ["Observer", "SmtpService"]
