"""The form of a request, its references, and what of it is refused before anything is done."""

import base64
from typing import Any

import msgspec
import pytest
import structlog

from malleposte.directory.book import Account
from malleposte.directory.signin import Door, Refusal, SignIn
from malleposte.directory.signin_log import SignInLog
from malleposte.services.jmap import references
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.web.basic import basic
from malleposte.services.web.messages import Refused, Request
from support.store import House
from unit.services.jmap.harness import Client

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def test_the_session_says_what_there_is(client: Client) -> None:
    for path in ("/.well-known/jmap", "/jmap/session"):
        response = await client.http("GET", path)
        found = msgspec.json.decode(response.body)
        assert found["username"] == "ada@example.org"
        # Besides one's own there is the book of colleagues.
        accounts = {id_: one["isPersonal"] for id_, one in found["accounts"].items()}
        assert accounts == {client.id: True, "O1": False}
        assert found["primaryAccounts"][MAIL] == client.id
        assert found["apiUrl"] == "https://mail.example.org/jmap/api"
        assert found["capabilities"][CORE]["maxObjectsInGet"] == 1_000
    status, answer = await client.request({"using": [CORE], "methodCalls": []})
    assert (status, answer["sessionState"]) == (200, found["state"])
    assert (await client.http("POST", "/jmap/session")).status == 405
    assert (await client.http("GET", "/jmap/api")).status == 405
    assert (await client.http("GET", "/jmap/other")).status == 404


async def test_an_echo_gives_what_it_got(client: Client) -> None:
    given = {"a": [1, {"b": None}], "é": "\u2028"}
    _, answer = await client.request({"using": [CORE], "methodCalls": [["Core/echo", given, "x"]]})
    assert answer["methodResponses"] == [["Core/echo", given, "x"]]
    assert "createdIds" not in answer


@pytest.mark.parametrize(
    ("octets", "kind", "type_"),
    [
        (b"{", "application/json", "notJSON"),
        (b"\xff", "application/json", "notJSON"),
        (b'{"methodCalls":[["a",{"a":' + b"[" * 100_000, "application/json", "notJSON"),
        (b"[]", "application/json", "notRequest"),
        (b'{"foo":"bar"}', "application/json", "notRequest"),
        (b'{"using":[],"methodCalls":[["a",{}]]}', "application/json", "notRequest"),
        (b'{"using":[],"methodCalls":[["a",[],"c"]]}', "application/json", "notRequest"),
        (b'{"using":["x:y"],"methodCalls":[]}', "application/json", "unknownCapability"),
        (b'{"using":[],"methodCalls":[]}', "text/plain", "notRequest"),
        (b'{"using":[],"methodCalls":[]}', "application/x-www-form-urlencoded", "notRequest"),
    ],
)
async def test_what_is_no_request_is_refused_whole(
    client: Client, octets: bytes, kind: str, type_: str
) -> None:
    response = await client.http("POST", "/jmap/api", octets, kind=kind)
    assert response.status == 400
    assert response.kind == "application/problem+json"
    assert msgspec.json.decode(response.body)["type"] == f"urn:ietf:params:jmap:error:{type_}"


async def test_limits_of_a_request_are_named(house: House) -> None:
    account = await house.account()
    client = Client(house, account, JmapSettings(max_calls_in_request=2, max_size_request=1_000))
    call = ["Core/echo", {}, "x"]
    status, answer = await client.request({"using": [CORE], "methodCalls": [call] * 3})
    assert (status, answer["limit"]) == (400, "maxCallsInRequest")
    status, answer = await client.request(
        {"using": [CORE], "methodCalls": [["Core/echo", {"a": "x" * 2_000}, "x"]]}
    )
    assert (status, answer["limit"]) == (413, "maxSizeRequest")


async def test_one_call_that_fails_leaves_the_others(client: Client) -> None:
    calls: list[Any] = [
        ["Core/none", {}, "a"],
        ["Mailbox/get", {}, "b"],
        ["Mailbox/get", {"accountId": client.id, "ids": "all"}, "c"],
        ["Mailbox/get", {"accountId": client.id, "colour": 1}, "d"],
        ["Mailbox/get", {"accountId": "A999"}, "e"],
        ["Core/echo", {}, "f"],
    ]
    _, answer = await client.request({"using": [CORE, MAIL], "methodCalls": calls})
    kinds = [found.get("type") for _, found, _ in answer["methodResponses"]]
    assert kinds == ["unknownMethod", *["invalidArguments"] * 3, "accountNotFound", None]
    _, answer = await client.request({"using": [CORE], "methodCalls": [calls[1]]})
    assert answer["methodResponses"][0][1]["type"] == "unknownMethod"
    _, answer = await client.request({"using": [], "methodCalls": [calls[5]]})
    assert answer["methodResponses"][0][1]["type"] == "unknownMethod"


async def test_a_defect_ends_one_call(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("of ours")

    monkeypatch.setattr("malleposte.store.read.mailboxes.mailboxes", broken)
    calls = [["Mailbox/get", {"accountId": client.id}, "a"], ["Core/echo", {}, "b"]]
    response = await client.http(
        "POST", "/jmap/api", msgspec.json.encode({"using": [CORE, MAIL], "methodCalls": calls})
    )
    first, second = msgspec.json.decode(response.body)["methodResponses"]
    assert (first[0], first[1]["type"], second[0]) == ("error", "serverFail", "Core/echo")
    assert client.defects == ["Mailbox/get"]


async def test_created_ids_are_handed_back_where_they_were_given(client: Client) -> None:
    _, answer = await client.request(
        {"using": [CORE], "methodCalls": [], "createdIds": {"k": "E1"}}
    )
    assert answer["createdIds"] == {"k": "E1"}


async def test_arguments_stand_for_answers_before(client: Client) -> None:
    calls = [
        ["Mailbox/get", {"accountId": client.id, "properties": ["name"]}, "0"],
        [
            "Core/echo",
            {"#names": {"resultOf": "0", "name": "Mailbox/get", "path": "/list/*/name"}},
            "1",
        ],
        ["Core/echo", {"#x": {"resultOf": "9", "name": "Mailbox/get", "path": "/list"}}, "2"],
        ["Core/echo", {"#x": {"resultOf": "0", "name": "Thread/get", "path": "/list"}}, "3"],
        ["Core/echo", {"x": 1, "#x": {"resultOf": "0", "name": "Mailbox/get", "path": ""}}, "4"],
        ["Core/echo", {"#x": "0"}, "5"],
    ]
    _, answer = await client.request({"using": [CORE, MAIL], "methodCalls": calls})
    _, found, *errors = [arguments for _, arguments, _ in answer["methodResponses"]]
    assert found["names"][0] == "INBOX"
    assert [error["type"] for error in errors] == [
        "invalidResultReference",
        "invalidResultReference",
        "invalidArguments",
        "invalidResultReference",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", {"a": [{"b": [1, 2]}, {"b": [3]}], "x/y": {"~": 7}}),
        ("/a/*/b", [1, 2, 3]),
        ("/a/1/b/0", 3),
        ("/a/*", [{"b": [1, 2]}, {"b": [3]}]),
        ("/x~1y/~0", 7),
    ],
)
def test_pointers(path: str, expected: object) -> None:
    value = {"a": [{"b": [1, 2]}, {"b": [3]}], "x/y": {"~": 7}}
    assert references.evaluate(value, path, references.Budget()) == expected


@pytest.mark.parametrize("path", ["a", "/b", "/a/9", "/a/-", "/a/01", "/a/b", "/x~1y/*", "/a/*/c"])
def test_pointers_to_nothing(path: str) -> None:
    value = {"a": [{"b": [1, 2]}, {"b": [3]}], "x/y": {"~": 7}}
    with pytest.raises(MethodError):
        references.evaluate(value, path, references.Budget())


def test_what_a_pointer_gives_is_bounded() -> None:
    many = {"a": [list(range(1_000))] * 1_000}
    with pytest.raises(MethodError):
        references.evaluate(many, "/a/*", references.Budget())


@pytest.mark.parametrize("given", [[0] * 10, "x" * 100_000])
async def test_references_of_a_request_have_one_budget(client: Client, given: object) -> None:
    # Each answer holds the one before ten times: without a bound the last would have 10^30 values.
    calls: list[Any] = [["Core/echo", {"x": given}, "0"]]
    for n in range(1, 30):
        to = {"resultOf": str(n - 1), "name": "Core/echo", "path": ""}
        calls.append(["Core/echo", {f"#{k}": to for k in range(10)}, str(n)])
    _, answer = await client.request({"using": [CORE], "methodCalls": calls})
    names = [name for name, _, _ in answer["methodResponses"]]
    assert names[:2] == ["Core/echo", "Core/echo"]
    assert set(names[6:]) == {"error"}
    errors = [found["type"] for name, found, _ in answer["methodResponses"] if name == "error"]
    assert set(errors) == {"invalidResultReference"}


async def test_an_account_has_so_many_requests_at_once(house: House) -> None:
    account = await house.account()
    client = Client(house, account, JmapSettings(max_concurrent_requests=2))
    asker = await client.book.account(account)
    assert asker is not None
    one = {"using": [CORE], "methodCalls": [["Core/echo", {}, "y"]]}
    with client.site._counted(asker), client.site._counted(asker):
        status, refused = await client.request(one)
    assert status == 400
    assert refused["type"] == "urn:ietf:params:jmap:error:limit"
    assert refused["limit"] == "maxConcurrentRequests"
    assert (await client.request(one))[0] == 200


@pytest.mark.parametrize("method", ["Email/get", "Email/parse"])
@pytest.mark.parametrize("which", ["properties", "bodyProperties"])
async def test_so_many_properties_can_be_asked_for(client: Client, method: str, which: str) -> None:
    about: dict[str, Any] = {"ids": []} if method == "Email/get" else {"blobIds": []}
    names = [f"header:X-{n}" for n in range(101)]
    assert await client.error(method, **about, **{which: names}) == "invalidArguments"
    await client.call(method, **about, **{which: names[:100]})


# Basic ---------------------------------------------------------------------------------------------


class Doors(Door):
    """Lets in who has a password."""

    def __init__(self, outcome: SignIn) -> None:
        self.outcome = outcome
        self.log = SignInLog()
        self.asked: list[tuple[str, str, str]] = []

    async def sign_in(self, name: str, password: str, peer: str, **_: Any) -> SignIn:
        self.asked.append((name, password, peer))
        return self.outcome


def asked(authorization: str) -> Request:
    fields = ((b"authorization", authorization.encode()),)
    return Request("GET", "/", "/", "h", {}, fields, True, False, None, "192.0.2.7")  # type: ignore[arg-type]


ADA = Account(1, "ada@x", "", "person", "active", "en", "UTC", 1, None, frozenset(), 1)


async def test_programs_sign_in_with_each_request() -> None:
    door = Doors(SignIn(ADA))
    token = base64.b64encode("ada@x:pass:wörd".encode()).decode()
    assert await basic(asked(f"Basic {token}"), door, "jmap") == ADA
    assert await basic(asked(f"bAsIc  {token}"), door, "jmap") == ADA
    assert door.asked[0] == ("ada@x", "pass:wörd", "192.0.2.7")


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic ???", "Basic YQ==", "Bearer x", "Basic YQA6Yg=="]
)
async def test_what_is_no_sign_in_is_asked_for_one(authorization: str) -> None:
    door = Doors(SignIn(ADA))
    with pytest.raises(Refused) as caught:
        await basic(asked(authorization), door, "jmap")
    assert caught.value.status == 401
    assert caught.value.fields[0][0] == "WWW-Authenticate"
    assert not door.asked


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Refusal.WRONG, 401), (Refusal.TOO_MANY, 429), (Refusal.AWAY, 503), (Refusal.SUSPENDED, 401)],
)
async def test_who_is_not_let_in_is_told_why(refusal: Refusal, status: int) -> None:
    token = base64.b64encode(b"ada@x:p").decode()
    with pytest.raises(Refused) as caught:
        await basic(asked(f"Basic {token}"), Doors(SignIn(None, refusal, "Not now")), "jmap")
    assert (caught.value.status, caught.value.words) == (status, "Not now.")


async def test_the_log_says_who_was_refused_and_once_who_was_let_in() -> None:
    said = asked(f"Basic {base64.b64encode(b'ada@x:p').decode()}")
    door = Doors(SignIn(None, Refusal.WRONG, "Not now"))
    with structlog.testing.capture_logs() as lines:
        with pytest.raises(Refused):
            await basic(said, door, "dav")
        door.outcome = SignIn(ADA)
        await basic(said, door, "dav")
        await basic(said, door, "dav")
    assert [(line["event"], line["peer"]) for line in lines] == [
        ("dav_sign_in_refused", "192.0.2.7"),
        ("dav_signed_in", "192.0.2.7"),
    ]
    assert lines[0]["reason"] == Refusal.WRONG.value
