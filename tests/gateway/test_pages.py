"""The pages and documents the gateway serves itself."""

import re

import pytest

from gateway.document import merge
from gateway.routes import RouteTable
from tests.gateway.servers import running_gateway


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/errors", "text/html; charset=utf-8"),
        ("/docs/errors.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
async def test_pages_need_nothing_from_elsewhere(client, path, kind):
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    if kind.startswith("text/html"):
        wanted = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        assert wanted
        assert all(target.startswith("/") for target in wanted)
        for target in wanted:
            assert (await client.get(target)).status_code in {200, 503}
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_pages_are_read_only(client):
    answer = await client.post("/docs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    head = await client.head("/docs")
    assert (head.status_code, head.content) == (200, b"")


async def test_being_alive_does_not_depend_on_anyone(tokens):
    with running_gateway("http://127.0.0.1:1", tokens) as alone:
        import httpx2

        async with httpx2.AsyncClient(base_url=alone.url, trust_env=False) as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            ready = await client.get("/readyz")
            assert ready.status_code == 200
            assert ready.json()["status"] == "degraded"
            assert set(ready.json()["services"].values()) == {"not reachable"}
            document = (await client.get("/openapi.json")).json()
            assert document["x-missing-services"] == ["auth", "accrual", "exchange", "grants"]


async def test_without_keys_it_is_not_ready(tokens):
    with running_gateway("http://127.0.0.1:1") as alone:
        import httpx2

        async with httpx2.AsyncClient(base_url=alone.url, trust_env=False) as client:
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]) == (503, {"keys": "failed"})


async def test_readiness_names_the_state_of_every_service(client):
    body = (await client.get("/readyz")).json()
    assert body["status"] == "ready"
    assert body["services"] == dict.fromkeys(("auth", "accrual", "exchange", "grants"), "ok")


def operation(schema: str, **more) -> dict:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {
        "operationId": schema,
        "security": [{"HTTPBearer": []}],
        "responses": {"200": {"content": {"application/json": {"schema": reference}}}},
        **more,
    }


def document(service: str, extra: str) -> dict:
    """Page refers to Item; Item differs between services, Problem does not."""
    own = {"code": f"{service.upper()}_OWN", "status": 409, "ko": "가", "en": "a"}
    return {
        "x-problems": [own],
        "paths": {
            f"/api/v1/{service}/things": {"get": operation("Page"), "post": operation("Problem")},
            f"/internal/{service}": {"get": operation("Secret")},
        },
        "components": {
            "schemas": {
                "Page": {"items": {"$ref": "#/components/schemas/Item"}},
                "Item": {"properties": {extra: {"type": "string"}}},
                "Problem": {"properties": {"code": {"type": "string"}}},
                "Secret": {"type": "string"},
                "Unused": {"type": "string"},
            },
            "securitySchemes": {"HTTPBearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def test_documents_are_merged_without_mixing_up_schemas_of_one_name():
    documents = {"auth": document("auth", "a"), "grants": document("grants", "g")}
    merged = merge(documents, [], RouteTable())
    schemas = merged["components"]["schemas"]
    assert set(schemas) == {"Page", "Item", "Problem", "GrantsPage", "GrantsItem"}
    assert schemas["Item"]["properties"].keys() == {"a"}
    assert schemas["GrantsItem"]["properties"].keys() == {"g"}
    # A page of different things is a different page, though it reads the same.
    assert schemas["GrantsPage"]["items"]["$ref"] == "#/components/schemas/GrantsItem"
    answers = merged["paths"]["/api/v1/grants/things"]["get"]["responses"]["200"]["content"]
    assert answers["application/json"]["schema"]["$ref"] == "#/components/schemas/GrantsPage"
    assert set(merged["components"]["securitySchemes"]) == {"HTTPBearer"}


def test_only_what_the_gateway_forwards_is_documented():
    merged = merge({"auth": document("auth", "a")}, ["grants"], RouteTable())
    assert set(merged["paths"]) == {"/api/v1/auth/things"}
    assert not {"Secret", "Unused"} & set(merged["components"]["schemas"])
    assert merged["x-missing-services"] == ["grants"]
    assert merged["paths"]["/api/v1/auth/things"]["get"]["tags"] == ["auth"]


def test_operations_stand_under_headings_of_their_service():
    tagged = {"/api/v1/auth/things": {"get": operation("X", tags=["tokens"])}}
    merged = merge({"auth": {"paths": tagged}}, [], RouteTable())
    assert merged["paths"]["/api/v1/auth/things"]["get"]["tags"] == ["auth · tokens"]
    assert merged["tags"] == [{"name": "auth · tokens"}]


def test_the_catalogue_of_problems_names_everyones():
    merged = merge({"auth": document("auth", "a")}, [], RouteTable())
    problems = {item["code"]: item for item in merged["x-problems"]}
    assert problems["AUTH_OWN"]["status"] == 409
    assert problems["BROKEN_UPSTREAM"]["status"] == 502
    assert problems["TOKEN_EXPIRED"]["en"] == "The access token has expired."


async def test_every_problem_leads_to_its_place_in_the_catalogue(client):
    problem = (await client.get("/nothing-here")).json()
    page, _, code = problem["type"].partition("#")
    assert (await client.get(page)).status_code == 200
    listed = (await client.get("/openapi.json")).json()["x-problems"]
    assert code in {item["code"] for item in listed}
