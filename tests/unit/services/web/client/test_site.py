"""What a browser gets of the client: which file, in which coding, for how long, and what it may then do."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from malleposte.services.web.client import ClientSite, NotBuiltError, read_built
from malleposte.services.web.client.built import MAX_FILES
from unit.services.web.harness import HOST, Answer, Client, serve

SCRIPT = b"parent.postMessage(1)"
FILES = {
    "index.html": b"<!doctype html><title>Malleposte</title>",
    "index.html.br": b"index in br",
    "frame.html": b"<!doctype html><script>" + SCRIPT + b"</script>",
    "sw.js": b"self",
    "icon.svg": b"<svg/>",
    "assets/main-abc123.js": b"console.log(1)",
    "assets/main-abc123.js.br": b"script in br",
    "assets/main-abc123.js.gz": b"script in gzip",
    "assets/inter-abc.woff2": b"font",
    ".secret": b"of whoever built it",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "outside.txt").write_text("not of the client")
    return tmp_path / "dist"


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    async with serve(sites=[ClientSite(read_built(folder))]) as served:
        yield await served.connect()


def policy(answer: Answer) -> dict[str, str]:
    """The directives of a content security policy."""
    directives = answer.fields["content-security-policy"].split("; ")
    return {name: value for name, _, value in (one.partition(" ") for one in directives)}


@pytest.mark.parametrize(
    "path", ["/", "/signin", "/mail", "/mail/", "/mail/Fa/Tb?x=1", "/settings/filters", "/search/a"]
)
async def test_every_place_within_the_client_is_its_one_page(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.body) == (200, FILES["index.html"])
    assert answer.fields["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/main-gone.js",
        "/assets/",
        "/mailbox",
        "/favicon.ico",
        "/assets/main-abc123.js.br",
        "/.secret",
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/assets/../../outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "//etc/passwd",
        "/assets//main-abc123.js",
    ],
)
async def test_what_is_no_file_of_the_client_is_not_found(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 404
    assert b"doctype" not in answer.body


async def test_names_with_a_hash_are_kept_for_ever_and_all_else_is_asked_again(
    client: Client,
) -> None:
    script = await client.get("/assets/main-abc123.js")
    assert script.fields["content-type"] == "text/javascript; charset=utf-8"
    assert script.fields["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/icon.svg", "/frame.html", "/mail/Fa"):
        assert (await client.get(path)).fields["cache-control"] == "no-cache", path


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"script in br"),
        ("GZIP", "gzip", b"script in gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", b"script in gzip"),
        ("br; q=0.0", "", b"console.log(1)"),
        ("identity", "", b"console.log(1)"),
        ("", "", b"console.log(1)"),
    ],
)
async def test_the_best_variant_that_a_browser_takes_is_sent(
    client: Client, accepted: str, coding: str, body: bytes
) -> None:
    answer = await client.get("/assets/main-abc123.js", f"Accept-Encoding: {accepted}")
    assert (answer.fields.get("content-encoding", ""), answer.body) == (coding, body)
    assert answer.fields["vary"] == "Accept-Encoding"


async def test_a_file_without_variants_is_the_same_for_all(client: Client) -> None:
    answer = await client.get("/assets/inter-abc.woff2", "Accept-Encoding: br")
    assert (answer.body, answer.fields["content-type"]) == (b"font", "font/woff2")
    assert answer.fields.keys().isdisjoint(("vary", "content-encoding"))


async def test_what_a_browser_has_is_not_sent_again(client: Client) -> None:
    first = await client.get("/", "Accept-Encoding: br")
    plain = await client.get("/")
    tag = first.fields["etag"]
    assert tag != plain.fields["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        lines = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: br\r\nIf-None-Match: {known}"
        again = await client.ask(f"{lines}\r\n\r\n".encode(), head=True)
        assert again.status == 304
        assert again.fields["etag"] == tag
        assert again.fields.keys().isdisjoint(("content-length", "content-encoding"))
        assert "content-security-policy" in again.fields
    assert (await client.get("/", 'If-None-Match: "other"')).status == 200


async def test_a_head_is_the_same_without_content(client: Client) -> None:
    whole = await client.get("/assets/main-abc123.js", "Accept-Encoding: br")
    head = await client.get("/assets/main-abc123.js", "Accept-Encoding: br", method="HEAD")
    whole.fields.pop("date"), head.fields.pop("date")
    assert head.fields == whole.fields
    assert head.fields["content-length"] == str(len(b"script in br"))


@pytest.mark.parametrize("path", ["/", "/assets/main-abc123.js"])
async def test_nothing_is_taken(client: Client, path: str) -> None:
    answer = await client.post(path, b"x")
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")


async def test_the_page_runs_only_what_this_server_sends(client: Client) -> None:
    answer = await client.get("/mail/Fa")
    bounds = policy(answer)
    assert bounds["default-src"] == "'none'"
    assert bounds["script-src"] == bounds["style-src"] == bounds["connect-src"] == "'self'"
    assert "unsafe" not in answer.fields["content-security-policy"]
    assert bounds["require-trusted-types-for"] == "'script'"
    assert bounds["frame-ancestors"] == bounds["base-uri"] == "'none'"
    assert answer.fields["cross-origin-opener-policy"] == "same-origin"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert answer.fields["referrer-policy"] == "no-referrer"


async def test_the_frame_runs_its_one_script_and_is_a_stranger(client: Client) -> None:
    bounds = policy(await client.get("/frame.html"))
    digest = base64.b64encode(hashlib.sha256(SCRIPT).digest()).decode()
    assert bounds["script-src"] == f"'sha256-{digest}'"
    assert bounds["default-src"] == "'none'"
    assert "connect-src" not in bounds
    assert bounds["img-src"] == "data: blob:"
    assert "allow-same-origin" not in bounds["sandbox"]


async def test_the_service_worker_asks_this_server_alone(client: Client) -> None:
    answer = await client.get("/sw.js")
    bounds = policy(answer)
    assert (bounds["default-src"], bounds["connect-src"]) == ("'none'", "'self'")
    # A browser must see at once that there is a newer one.
    assert answer.fields["cache-control"] == "no-cache"


async def test_files_are_no_pages_and_may_do_nothing(client: Client) -> None:
    answer = await client.get("/icon.svg")
    assert (answer.status, policy(answer)["default-src"]) == (200, "'none'")


async def test_names_for_programs_have_no_client(folder: Path) -> None:
    async with serve(sites=[ClientSite(read_built(folder))]) as served:
        client = await served.connect()
        octets = b"GET / HTTP/1.1\r\nHost: autoconfig.example.org\r\n\r\n"
        assert (await client.ask(octets)).status == 404


async def test_without_a_client_the_page_says_how_to_come_by_one() -> None:
    async with serve(sites=[ClientSite(None)]) as served:
        client = await served.connect()
        answer = await client.get("/")
        assert answer.status == 503
        assert "make web" in answer.words
        assert (await client.get("/assets/main.js")).status == 404


def test_half_a_client_is_none(folder: Path) -> None:
    (folder / "index.html").unlink()
    with pytest.raises(NotBuiltError, match=r"there is no index\.html"):
        read_built(folder)
    with pytest.raises(NotBuiltError, match="No such file"):
        read_built(folder / "nowhere")


def test_a_frame_with_more_than_one_script_is_not_served(folder: Path) -> None:
    (folder / "frame.html").write_bytes(b"<script>1</script><script>2</script>")
    with pytest.raises(NotBuiltError, match="has 2 scripts"):
        read_built(folder)


def test_a_folder_named_by_mistake_is_not_read_whole(folder: Path) -> None:
    for n in range(MAX_FILES):
        (folder / f"{n}.txt").touch()
    with pytest.raises(NotBuiltError, match="no built client"):
        read_built(folder)
