"""Every route of applications, walked from the OpenAPI document with the wrong callers."""

import re
from uuid import uuid4

import pytest

from tests.accrual.world import PDF, practice

MINE = re.compile(r"/api/v1/accrual/(applications|review|criteria|templates|intake|webhooks|carry)")
PUBLIC = re.compile(r"/api/v1/accrual/(criteria|templates)")


def routes(world):
    paths = world.client._transport.app.openapi()["paths"]
    return [
        (verb.upper(), path) for path, verbs in paths.items() if MINE.match(path) for verb in verbs
    ]


def body_for(verb, path):
    """A body every check of shape lets through, so that what refuses is who calls."""
    headers = {"Idempotency-Key": uuid4().hex, "If-Match": '"1"'}
    if path.endswith("/files"):
        return {
            "headers": headers,
            "files": {"file": ("a.pdf", PDF, "application/pdf")},
            "data": {"kind": "OFFICIAL_LETTER"},
        }
    if "/rows/sheet" in path:
        return {"headers": headers, "files": {"file": ("a.csv", b"a", "text/csv")}}
    if path.endswith("/paste"):
        return {
            "headers": {**headers, "Content-Type": "text/tab-separated-values"},
            "content": b"1",
        }
    if verb == "PUT":
        return {"headers": headers, "json": {"rows": []}}
    if verb == "PATCH" and path.endswith("/rows"):
        return {"headers": headers, "json": {"set": []}}
    if verb == "PATCH":
        return {"headers": headers, "json": {"memo": ""}}
    if verb != "POST":
        return {"headers": headers}
    wants = {"return", "reject", "revoke"}
    reason = {"reason": "x"} if wants & set(path.split("/")) else {}
    return {"headers": headers, "json": reason}


def fill(path, **ids):
    return re.sub(r"\{(\w+)\}", lambda m: str(ids.get(m[1], uuid4())), path)


async def test_every_route_needs_a_token(world):
    open_ones = []
    for verb, path in routes(world):
        answer = await world.client.request(verb, fill(path, field="PRACTICE"))
        if PUBLIC.match(path):
            open_ones.append(answer.status_code)
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_REQUIRED"), path
    assert 401 not in open_ones
    assert len(routes(world)) > 25


async def test_every_route_needs_a_permission(world):
    company = world.person("ledger:read", role="company", institution_id=uuid4())
    for verb, path in routes(world):
        if PUBLIC.match(path):
            continue
        answer = await company.call(verb, fill(path), **body_for(verb, path))
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED"), path


@pytest.mark.parametrize("state", ["draft", "submitted"])
async def test_another_institutions_application_does_not_exist_on_any_route(world, state):
    owner, stranger = world.university(), world.university()
    application = await owner.ready([practice(1)])
    if state == "submitted":
        await owner.submit(application)
    file_id = (await owner.detail(application))["files"][0]["id"]
    before = await owner.detail(application)
    tried = 0
    for verb, path in routes(world):
        if "{application_id}" not in path:
            continue
        url = fill(path, application_id=application, file_id=file_id)
        answer = await stranger.call(verb, url, **body_for(verb, path))
        review_only = answer.json()["code"] == "PERMISSION_DENIED"
        assert answer.status_code == 404 or review_only, (verb, path, answer.text)
        tried += not review_only
    assert tried >= 14
    assert await owner.detail(application) == before


async def test_an_operator_cannot_touch_what_was_never_submitted(world):
    application = await world.university().ready([practice(1)])
    operator = world.operator()
    for verb, path in routes(world):
        if "{application_id}" in path and "/sandbox/" not in path:
            answer = await operator.call(
                verb, fill(path, application_id=application), **body_for(verb, path)
            )
            assert answer.status_code == 404, (verb, path, answer.text)


async def test_a_sub_account_is_refused_its_own_institutions_other_fields_everywhere(world):
    owner = world.university()
    application = await owner.ready([practice(1)])
    institution = (await owner.detail(application))["institution_id"]
    sub = world.university(institution, role="sub_account", fields=["HIRING"])
    for verb, path in routes(world):
        if "{application_id}" not in path:
            continue
        url = fill(path, application_id=application)
        answer = await sub.call(verb, url, **body_for(verb, path))
        code = answer.json()["code"]
        assert (answer.status_code, code) in {
            (403, "FIELD_NOT_PERMITTED"),
            (403, "PERMISSION_DENIED"),
        }, (verb, path, answer.text)
