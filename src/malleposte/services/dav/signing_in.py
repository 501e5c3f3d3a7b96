"""Who asks: by name and password with every request (RFC 7617), as programs do.

A session of the web client is not taken: no page of ours speaks WebDAV, and no other shall in its name. The
password is an app password for dav, or the main one where that alone signs in.
"""

from malleposte.directory.book import Account
from malleposte.directory.signin import Door
from malleposte.services.web.basic import CHALLENGE, basic
from malleposte.services.web.cookies import may_show_secrets
from malleposte.services.web.messages import Refused, Request


async def account(request: Request, door: Door) -> Account:
    """Raises ``Refused``; store failures come through."""
    if not request.field(b"authorization"):
        raise Refused(401, "Sign in with your address and an app password.", CHALLENGE)
    if not may_show_secrets(request):
        raise Refused(403, "Passwords are taken under TLS only.")
    return await basic(request, door, "dav")
