"""Until the deadline the last version submitted counts: nobody looks before (G-004)."""

import pytest
from sqlalchemy import text

from tests.grants.api.conftest import API, document, save, submit


@pytest.fixture
async def call(client, officer) -> str:
    """A call that is open now and no rolling one, as calls are."""
    body = {
        "kind": "hosted",
        "name": "폐자원에너지화 특성화대학원",
        "ministry_name": "환경부",
        "agency_name": "가람환경공단",
        "target": "university",
        "benefit": "grant",
        "opens_at": "2026-01-06T00:00:00+09:00",
        "closes_at": "2036-02-07T17:00:00+09:00",
        "rule_set_code": "keco-2020",
        "rule_set_version": 1,
    }
    made = (await client.post(f"{API}/programmes", json=body, headers=officer)).json()
    assert made["rolling"] is False
    await client.post(f"{API}/programmes/{made['id']}/publish", headers=officer)
    return made["id"]


async def start(client, proposal, officer):
    return await client.post(f"{API}/received/{proposal['id']}/pre-review/start", headers=officer)


async def closed(runtime, ago: str) -> None:
    async with runtime.sessions.begin() as session:
        await session.execute(
            text("UPDATE programme SET closes_at = now() - cast(:ago AS interval)"), {"ago": ago}
        )


async def test_until_the_deadline_an_applicant_submits_again_and_nobody_looks(
    client, draft, applicant, officer, runtime
):
    saved = await save(client, draft, applicant, document())
    await submit(client, draft, applicant)
    early = await start(client, draft, officer)
    assert (early.status_code, early.json()["code"]) == (409, "RECEIPT_OPEN")
    assert "2036-02-07 17:00" in early.json()["detail"]
    again = await submit(client, draft, applicant, key="k2")
    assert again.json()["receipt"]["seq"] == 2, (saved.text, again.text)

    await closed(runtime, "1 second")  # what arrived in time may still be on its way to the record
    assert (await start(client, draft, officer)).json()["code"] == "RECEIPT_OPEN"
    await closed(runtime, "1 hour")
    begun = await start(client, draft, officer)
    assert (begun.status_code, begun.json()["state"]) == (200, "pre_review"), begun.text
    assert begun.json()["submissions"] == 2


async def test_only_a_call_for_proposals_is_rolling(client, officer):
    body = {
        "kind": "external",
        "name": "다른 기관의 사업",
        "ministry_name": "환경부",
        "agency_name": "가람환경공단",
        "target": "both",
        "benefit": "bonus",
        "opens_at": "2026-01-06T00:00:00+09:00",
        "closes_at": "2036-02-07T17:00:00+09:00",
    }
    for rolling, expected in ((False, 201), (True, 422)):
        answer = await client.post(
            f"{API}/programmes", json=body | {"rolling": rolling}, headers=officer
        )
        assert answer.status_code == expected, answer.text
