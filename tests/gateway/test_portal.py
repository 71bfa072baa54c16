"""The portal's build as the gateway serves it. The build is one of a few bytes, laid out as the
real one; `tests/portal` asks for the real one with a browser."""

import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from gateway.portal_build import MAX_BYTES, read_build
from tests.conftest import Tokens
from tests.gateway.servers import RunningGateway, running_gateway, say, status_of

BOOT = "\n  import('/_app/immutable/entry/start.A1.js');\n"
INDEX = f'<!doctype html><script src="/x.js"></script><script type="module">{BOOT}</script>가'
SCRIPT = "export const points = 1000;\n" * 200
FILES = {
    "index.html": INDEX.encode(),
    "_app/immutable/entry/start.A1.js": SCRIPT.encode(),
    "_app/immutable/entry/start.A1.js.br": b"as brotli",
    "_app/immutable/entry/start.A1.js.gz": gzip.compress(SCRIPT.encode()),
    "_app/immutable/assets/0.B2.css": b"body { color: black }",
    "_app/version.json": b"{}",
    "fonts/PretendardGOV.0.woff2": b"wOF2",
    "favicon.svg": b"<svg/>",
    "what is this.dat": b"?",
}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ENTRY = "/_app/immutable/entry/start.A1.js"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("portal") / "build"
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (directory.parent / "secret.html").write_text("not for the public")
    return directory


@pytest.fixture(scope="module")
def portal(build: Path, echo_url: str, tokens: Tokens) -> Iterator[RunningGateway]:
    with running_gateway(
        echo_url, tokens, portal_build=build, limit_public="90/1000000000"
    ) as running:
        yield running


@pytest.fixture
async def client(portal: RunningGateway) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Accept-Encoding": "identity"}
    async with httpx2.AsyncClient(
        base_url=portal.url, timeout=20, trust_env=False, headers=headers
    ) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/", "/index.html", "/wallet", "/verify/26-000637", "/notices/1/", "/%EA%B0%80.b?x=1"],
)
async def test_every_address_of_the_portal_is_its_index(client, path):
    answer = await client.get(path, headers=PAGE)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "accept" in answer.headers["vary"].lower().replace(" ", "").split(",")
    head = await client.head(path, headers=PAGE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(INDEX.encode()))
    tag = answer.headers["etag"]
    again = await client.get(path, headers={**PAGE, "If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-length" not in again.headers


@pytest.mark.parametrize(
    "path",
    [
        "/internal/ledger/holds",
        "/api",
        "/api/v1/unknown/things",
        "/docs/unknown",
        "/_app/immutable/entry/start.OLD.js",
        "/fonts/unknown.woff2",
        "/.git/config",
        "/metrics",
        f"{ENTRY}.gz",
    ],
)
async def test_what_is_no_address_of_the_portal_is_not_found_even_by_a_browser(client, path):
    answer = await client.get(path, headers=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_who_asks_for_no_page_is_told_that_there_is_none(client):
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        answer = await client.get("/wallet", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    posted = await client.post("/wallet", headers=PAGE)
    assert posted.status_code == 404
    # The front page itself is there for everybody, and only to be read.
    assert (await client.get("/")).text == INDEX
    assert (await client.post("/", headers=PAGE)).status_code == 405


async def test_the_gateways_own_pages_stay_where_they_are(client):
    assert "swagger" in (await client.get("/docs", headers=PAGE)).text.lower()
    assert (await client.get("/healthz", headers=PAGE)).json() == {"status": "ok"}
    assert (await client.get("/openapi.json", headers=PAGE)).json()["openapi"]
    assert (await client.get("/.well-known/jwks.json", headers=PAGE)).json()["keys"]


@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        (ENTRY, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        (
            "/_app/immutable/assets/0.B2.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        ("/_app/version.json", "application/json", "no-cache"),
        ("/fonts/PretendardGOV.0.woff2", "font/woff2", "public, max-age=2592000"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/what%20is%20this.dat", "application/octet-stream", "no-cache"),
    ],
)
async def test_files_say_what_they_are_and_how_long_they_last(client, path, kind, kept):
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == kept
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == kept


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br; q=0", "gzip"),
        ("GZIP", "gzip"),
        ("identity", None),
        ("br;q=0.000", None),
        ("*", None),
    ],
)
async def test_the_smallest_form_a_browser_takes_is_sent(portal, accepted, sent):
    request = f"GET {ENTRY} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accepted}\r\n"
    answer = await say(portal.port, f"{request}Connection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == 200
    assert b"vary: accept-encoding" in head
    forms = {None: ENTRY, "br": f"{ENTRY}.br", "gzip": f"{ENTRY}.gz"}
    assert body == FILES[forms[sent][1:]]
    assert (f"content-encoding: {sent}".encode() in head) == (sent is not None)


async def test_forms_of_a_file_are_told_apart(client):
    plain = await client.get(ENTRY)
    small = await client.get(ENTRY, headers={"Accept-Encoding": "gzip"})
    assert plain.text == small.text == SCRIPT
    assert plain.headers["etag"] != small.headers["etag"]
    other = {"If-None-Match": small.headers["etag"]}
    assert (await client.get(ENTRY, headers=other)).status_code == 200


async def test_a_page_of_the_portal_runs_its_own_scripts_and_no_others(client):
    headers = (await client.get("/")).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    own = base64.b64encode(hashlib.sha256(BOOT.encode()).digest()).decode()
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == f"'self' 'sha256-{own}'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html",
        "/_app/../../secret.html",
        "/..%2fsecret.html",
        "/%2e%2e/secret.html",
        "/_app/immutable/..%5c..%5csecret.html",
        "//etc/passwd",
        "/fonts//PretendardGOV.0.woff2",
    ],
)
async def test_no_path_leads_out_of_the_build(portal, path):
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    answer = await say(portal.port, request.encode())
    assert status_of(answer) == 400
    assert b"not for the public" not in answer


async def test_loading_a_page_uses_up_no_limit(client):
    """A first visit asks for some forty files."""

    async def left() -> int:
        answer = await client.get("/api/v1/auth/notices")
        return int(answer.headers["ratelimit"].split(";")[1].removeprefix("r="))

    before = await left()
    for _ in range(40):
        assert (await client.get(ENTRY)).status_code == 200
    assert await left() == before - 1


def test_a_link_out_of_the_build_is_not_followed(build, tmp_path):
    copy = tmp_path / "build"
    copy.mkdir()
    (copy / "index.html").write_bytes(FILES["index.html"])
    (copy / "page.html").symlink_to(build.parent / "secret.html")
    (copy / "more").symlink_to(build.parent)
    found = read_build(copy)
    assert found is not None
    assert found.files == {}


def test_a_directory_that_is_too_large_is_not_taken_for_the_build(tmp_path):
    (tmp_path / "index.html").touch()
    with (tmp_path / "video.dat").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ValueError, match="the portal's build is smaller"):
        read_build(tmp_path)


def test_where_nothing_was_built_there_is_no_portal(tmp_path):
    assert read_build(tmp_path) is None
    assert read_build(tmp_path / "nowhere") is None
