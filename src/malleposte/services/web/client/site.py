"""The paths of the client: files by their names, and its one page for every place within it.

Names below ``/assets/`` change with what is in them, so that a browser keeps them for ever; all else is
asked for again each time, and answered with 304 while it is the same.
"""

from dataclasses import dataclass
from typing import Final

from malleposte.services.web.client.built import CODINGS, FRAME, HASHED, INDEX, SCRIPT, Built, File
from malleposte.services.web.client.security import PAGE, WORKER, frame
from malleposte.services.web.messages import Fields, Request, Response, text

PLACES: Final = ("signin", "mail", "contacts", "settings", "search", "compose")
"""First steps of the paths that are places within the client; what they lead to is its own affair."""
NOT_BUILT: Final = (
    "This server runs, and mail goes in and out; its web client is not there.\n"
    "In a checkout, `make web` builds it; then start the server again. Elsewhere, `web.client` in the\n"
    "configuration names the folder it is in."
)
_FOR_EVER: Final = ("Cache-Control", "public, max-age=31536000, immutable")
_ASK_AGAIN: Final = ("Cache-Control", "no-cache")
# What programs put before a domain: nobody reads mail there.
_OTHER_HOSTS: Final = ("autoconfig.", "autodiscover.", "mta-sts.")


@dataclass(frozen=True, slots=True)
class ClientSite:
    """See the module. Without ``built`` it says how to come by one. The last of the sites: it has paths
    that begin as others' do."""

    built: Built | None

    def in_clear(self, path: str) -> bool:
        """See ``Site``: passwords go this way."""
        return False

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        if request.host.startswith(_OTHER_HOSTS):
            return None
        place = _is_place(request.path)
        if self.built is None:
            return text(503, NOT_BUILT) if place else None
        path = INDEX if place else request.path
        file = self.built.files.get(path)
        if file is None:
            return None
        request.allow("GET")
        return self._sent(request, path, file)

    def _sent(self, request: Request, path: str, file: File) -> Response:
        coding = _coding(request.field(b"accept-encoding"), file)
        tag = f'"{file.tag}{"-" + coding if coding else ""}"'
        fields = (
            _FOR_EVER if path.startswith(HASHED) else _ASK_AGAIN,
            ("ETag", tag),
            *((("Vary", "Accept-Encoding"),) if file.codings else ()),
            *self._security(path),
        )
        route = "client-page" if path == INDEX else "client-file"
        if _is_known(request.field(b"if-none-match"), tag):
            return Response(304, kind=file.kind, fields=fields, route=route)
        if coding:
            fields += (("Content-Encoding", coding),)
        content = file.codings[coding] if coding else file.content
        return Response(200, content, file.kind, fields, route=route)

    def _security(self, path: str) -> Fields:
        if path == INDEX:
            return PAGE
        if path == FRAME and self.built is not None:
            return frame(self.built.script)
        return WORKER if path == SCRIPT else ()


def _is_place(path: str) -> bool:
    return path == "/" or path.split("/", 2)[1] in PLACES


def _coding(accepted: str, file: File) -> str:
    """The best that a client takes (RFC 9110 §12.5.3); '' is as it is."""
    taken = set()
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            taken.add(name.strip())
    for coding, _ in CODINGS:
        if coding in taken and coding in file.codings:
            return coding
    return ""


def _is_known(tags: str, tag: str) -> bool:
    """Whether a client has it already (RFC 9110 §13.1.2); weak and strong are alike here."""
    known = {one.strip().removeprefix("W/") for one in tags.split(",")}
    return tag in known or known == {"*"}
