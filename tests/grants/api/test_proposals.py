"""A proposal over HTTP: written in peace, checked while typing, frozen when submitted."""

import asyncio
import copy

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import document, save, submit

API = "/api/v1/grants"


async def test_a_half_written_draft_is_kept_and_told_what_is_missing(client, draft, applicant):
    assert draft["institution_name"] == "한빛대학교산학협력단"
    assert (await save(client, draft, applicant, {"texts": {"goals": "가"}})).status_code == 200
    checked = (await client.get(f"{API}/proposals/{draft['id']}/check", headers=applicant)).json()
    assert checked["ok"] is False
    missing = {f["pointer"] for f in checked["findings"] if f["code"] == "PART_MISSING"}
    assert missing == {"/applicant", "/budget", "/pledge"}


async def test_overhead_over_its_cap_is_found_while_typing_with_numerator_limit_and_source(
    client, call, applicant
):
    body = document()
    body["budget"]["lines"][-1]["amount_won"] = 18_900_999
    answer = await client.post(f"{API}/programmes/{call}/check", json=body, headers=applicant)
    checked = answer.json()
    (found,) = [f for f in checked["findings"] if f["code"] == "CAP_EXCEEDED"]
    assert found["rule"] == "G-025"
    assert found["citation"].startswith("S2:951")
    (meter,) = [m for m in checked["meters"] if m["rule"] == "G-025"]
    assert meter["exceeded"] is True
    assert meter["numerator_won"] == 18_900_000  # cut to thousands (G-04B)
    assert meter["denominator_won"] == 209_700_000 + 60_000_000
    assert meter["limit_won"] == 18_879_000


@pytest.mark.parametrize(
    ("break_it", "code", "pointer"),
    [
        (lambda d: d["budget"]["lines"][0]["pay"].update(rate="33.33"), "RATE_DECIMAL", "rate"),
        (lambda d: d["budget"]["lines"][2]["pay"].update(rate="49.9"), "RATE_UNDER_50", ""),
        (lambda d: d["pledge"].update(cash_won=1), "PLEDGE_MISMATCH", "/pledge/cash_won"),
        (lambda d: d["copies"].pop("demand_survey"), "DOCUMENT_MISSING", "/copies/demand_survey"),
        (lambda d: d["applicant"].update(companies=0), "NO_COMPANY", "/applicant/companies"),
        (lambda d: d["budget"]["lines"][3].update(amount_won=1.5), "DOCUMENT_VALUE",
         "/budget/lines/3/amount_won"),
        (lambda d: d["budget"]["lines"][3].update(amount_won=-1), "AMOUNT_NEGATIVE",
         "/budget/lines/3/amount_won"),
        (lambda d: d["budget"].update(lines="x"), "DOCUMENT_VALUE", "/budget/lines"),
        (lambda d: d.update(extra=1), "DOCUMENT_KEY_UNKNOWN", "/extra"),
    ],
)  # fmt: skip
async def test_every_mistake_is_named_by_code_and_place_and_stops_the_submission(
    client, call, draft, applicant, break_it, code, pointer
):
    body = copy.deepcopy(document())
    break_it(body)
    await save(client, draft, applicant, body)
    refused = await submit(client, draft, applicant)
    assert refused.status_code == 422
    found = [item for item in refused.json()["errors"] if item["code"] == code]
    assert found, refused.json()
    assert any(pointer in item["pointer"] for item in found)


async def test_a_submission_freezes_the_version_and_gives_a_receipt(
    client, call, draft, applicant, officer
):
    await save(client, draft, applicant, document())
    first = (await submit(client, draft, applicant)).json()
    assert (first["proposal"]["state"], first["receipt"]["seq"]) == ("submitted", 1)

    changed = document()
    changed["texts"]["goals"] = "가" * 500
    await save(client, draft, applicant, changed, version=first["proposal"]["version"])
    received = await client.get(f"{API}/received/{draft['id']}", headers=officer)
    assert received.json()["document"]["texts"] == {}  # the agency sees what was submitted

    second = (await submit(client, draft, applicant, key="k2")).json()
    assert second["receipt"]["seq"] == 2
    assert second["receipt"]["sha256"] != first["receipt"]["sha256"]
    received = await client.get(f"{API}/received/{draft['id']}", headers=officer)
    assert received.json()["document"]["texts"] == {"goals": "가" * 500}
    listed = await client.get(f"{API}/proposals/{draft['id']}/receipts", headers=applicant)
    assert [item["seq"] for item in listed.json()] == [1, 2]


async def test_a_second_tap_on_submit_submits_once(client, draft, applicant):
    await save(client, draft, applicant, document())
    answers = await asyncio.gather(*(submit(client, draft, applicant) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["receipt"]["seq"] for answer in answers} == {1}


async def test_nothing_is_received_after_the_deadline(client, call, draft, applicant, runtime):
    await save(client, draft, applicant, document())
    async with runtime.sessions.begin() as session:
        await session.execute(
            text("UPDATE programme SET opens_at = '2020-01-06', closes_at = '2020-02-07T08:00:00Z'")
        )
    refused = await submit(client, draft, applicant)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "LATE")
    receipts = await client.get(f"{API}/proposals/{draft['id']}/receipts", headers=applicant)
    assert receipts.json() == []


async def test_one_live_proposal_a_call_and_another_after_withdrawal(
    client, call, draft, applicant
):
    again = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": "둘"}, headers=applicant
    )
    assert (again.status_code, again.json()["code"]) == (409, "PROPOSAL_EXISTS")
    await client.post(f"{API}/proposals/{draft['id']}/withdraw", headers=applicant)
    again = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": "둘"}, headers=applicant
    )
    assert again.status_code == 201
    gone = await submit(client, draft, applicant)
    assert (gone.status_code, gone.json()["code"]) == (409, "STATE_CONFLICT")


async def test_joined_is_what_we_have_a_live_proposal_in(client, call, draft, applicant, stranger):
    joined = f"{API}/programmes/joined"

    async def ids(headers, **params) -> list[str]:
        answer = await client.get(joined, params=params, headers=headers)
        return [item["id"] for item in answer.json()["items"]]

    assert await ids(applicant) == [call]
    assert await ids(applicant, timing="closed") == []
    assert await ids(stranger("grants:read")) == []
    await client.post(f"{API}/proposals/{draft['id']}/withdraw", headers=applicant)
    assert await ids(applicant) == []


async def test_two_tabs_do_not_overwrite_each_other(client, draft, applicant):
    assert (await save(client, draft, applicant, {}, version=1)).status_code == 200
    stale = await save(client, draft, applicant, {}, version=1)
    assert (stale.status_code, stale.json()["code"]) == (412, "STALE")


async def test_a_proposal_is_nobody_elses_business(client, call, draft, applicant, stranger):
    other, agency = stranger("grants:apply"), stranger("grants:manage")
    proposal = f"{API}/proposals/{draft['id']}"
    answers = [
        await client.get(proposal, headers=other),
        await client.get(f"{proposal}/check", headers=other),
        await client.get(f"{proposal}/receipts", headers=other),
        await save(client, draft, other, {}),
        await submit(client, draft, other),
        await client.post(f"{proposal}/withdraw", headers=other),
        await client.get(f"{API}/received/{draft['id']}", headers=agency),
        await client.get(f"{API}/programmes/{call}/received", headers=agency),
    ]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize(
    ("value", "code"),
    [('"a\\u0000b"', "NUL_CHARACTER"), ("NaN", "JSON_NUMBER"), ("1e999", "JSON_NUMBER")],
)
async def test_what_json_may_say_and_no_database_stores_is_the_callers_mistake(
    client, draft, applicant, value, code
):
    answer = await client.put(
        f"{API}/proposals/{draft['id']}",
        content=f'{{"title": "x", "document": {{"texts": {{"goals": {value}}}}}}}',
        headers=applicant | {"If-Match": '"1"', "Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert [item["code"] for item in answer.json()["errors"]] == [code]


async def test_the_agency_sees_no_drafts(client, call, draft, officer):
    listed = await client.get(f"{API}/programmes/{call}/received", headers=officer)
    assert listed.json()["total"] == 0
    read = await client.get(f"{API}/received/{draft['id']}", headers=officer)
    assert read.status_code == 404


async def test_a_submitted_version_cannot_be_changed_even_in_the_database(
    client, draft, applicant, runtime
):
    await save(client, draft, applicant, document())
    await submit(client, draft, applicant)
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("UPDATE submission SET document = '{}'"))
