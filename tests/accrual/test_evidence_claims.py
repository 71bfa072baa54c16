"""Grants asks which files also serve an application for mileage (C-4)."""

import pytest

from tests.accrual.world import practice

PATH = "/internal/evidence-claims"


async def ask(world, headers, *marks: str):
    return await world.client.post(PATH, json={"marks": list(marks)}, headers=headers)


@pytest.fixture
def service(tokens):
    """A service's own token has no institution."""
    return tokens.headers("accrual:read", role="service", client_id="grants", sub="grants")


async def test_a_file_of_a_submitted_application_is_found_and_a_drafts_is_not(world, service):
    university = world.university()
    application = await university.submitted([practice()])
    rows = await world.sql("SELECT sha256 FROM application_file")
    marks = [row[0] for row in rows]
    number = (await university.detail(application))["number"]
    answer = await ask(world, service, *marks, "0" * 64)
    found = {item["mark"]: item["where"] for item in answer.json()["items"]}
    assert found == dict.fromkeys(marks, f"적립신청 {number}")
    await world.change("UPDATE application SET state = 'rejected'")
    assert (await ask(world, service, *marks)).json() == {"items": []}


async def test_only_a_service_asks_and_not_for_everything_at_once(world, service, tokens):
    user = tokens.headers("accrual:read", institution_id="00000000-0000-0000-0000-000000000001")
    assert (await ask(world, user, "x")).status_code == 403
    assert (await ask(world, service, *map(str, range(501)))).status_code == 422
