"""What comes in and goes out: objects of JSON."""

from typing import Final, TypeVar

import msgspec

from malleposte.services.web.messages import Fields, Refused, Request, Response

MOST: Final = 32 * 1024
Form = TypeVar("Form")


class Problem(Exception):
    """A request that is not carried out: ``error`` for programs, the words for people."""

    def __init__(self, status: int, error: str, words: str, fields: Fields = ()) -> None:
        super().__init__(words)
        self.status = status
        self.error = error
        self.words = words
        self.fields = fields


async def read(request: Request, form: type[Form]) -> Form:
    """The content. Raises ``Problem``, ``Refused``."""
    kind = request.field(b"content-type").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A form of another site cannot send it without asking first, and nobody is answered.
        raise Refused(415, "This takes application/json only.")
    try:
        return msgspec.json.decode(await request.content.read(MOST), type=form)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(400, "malformed", "This is not what is asked for here.") from None


def answer(content: dict[str, object], *fields: tuple[str, str], status: int = 200) -> Response:
    """An object, never kept by anybody on the way."""
    return Response(status, msgspec.json.encode(content), "application/json", fields, route="auth")


def refusal(problem: Problem) -> Response:
    """See ``Problem``."""
    content: dict[str, object] = {"error": problem.error, "text": problem.words}
    return answer(content, *problem.fields, status=problem.status)
