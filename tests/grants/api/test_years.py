"""A project goes through its years: carried over, taken on, evaluated after its stage, stopped."""

import pytest
from sqlalchemy import text

from tests.grants.api.conftest import API, CHECKS, concluded, document, meeting


async def act(client, url, headers, key="k", **body):
    keyed = headers | {"Idempotency-Key": f"{url[-40:]}{key}"}
    return await client.post(url, json=body or None, headers=keyed)


async def next_year(client, agreement, applicant, officer, runtime) -> dict:
    """The following year of a project, from carrying over to its conclusion."""
    made = await drafted_year(client, agreement, applicant, officer)
    await concluded(runtime, made["id"])
    return made


async def drafted_year(client, agreement, applicant, officer) -> dict:
    of = f"{API}/agreements/{agreement['id']}"
    begun = await client.post(f"{of}/next-year", headers=applicant)
    assert begun.status_code == 201, begun.text
    proposal = begun.json()["proposal"]
    mine, theirs = f"{API}/proposals/{proposal['id']}", f"{API}/received/{proposal['id']}"
    whole = begun.json()["carry_over"]["document"] | {"copies": document()["copies"]}
    await client.put(
        mine,
        json={"title": "바이오가스", "document": whole},
        headers=applicant | {"If-Match": '"1"'},
    )
    sent = await act(client, f"{mine}/submit", applicant)
    assert sent.status_code == 200, sent.text
    await client.post(f"{theirs}/pre-review/start", headers=officer)
    ranked = await client.post(
        f"{theirs}/pre-review", json={"eligible": True, "checks": CHECKS}, headers=officer
    )
    assert ranked.status_code == 409  # it competes with nobody
    taken = await act(client, f"{theirs}/continue", officer, reason="1차년도 수행 양호")
    assert (taken.status_code, taken.json()["state"]) == (200, "designated"), taken.text
    made = await act(client, f"{theirs}/agree", officer, agreed_on="2021-03-02")
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
async def closed_call(agreement, runtime) -> dict:
    """The agreement, long after the call was closed to new proposals."""
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE programme SET closes_at = '2026-01-07T00:00:00Z'"))
    return agreement


async def test_a_project_goes_on_under_its_number_until_the_stage_evaluation_says_no(
    client, closed_call, applicant, officer, runtime
):
    first = closed_call
    early = await act(
        client,
        f"{API}/agreements/{first['id']}/stage-evaluation",
        officer,
        outcome="passed",
        reason="-",
    )
    assert [item["code"] for item in early.json()["errors"]] == ["STAGE_NOT_HERE"]
    second = await next_year(client, first, applicant, officer, runtime)
    assert (second["year_no"], second["year_start"]) == (2, "2021-03-01")
    of = f"{API}/agreements/{second['id']}"
    seen = (await client.get(f"{of}/years", headers=applicant)).json()
    assert [year["agreement"]["year_no"] for year in seen] == [1, 2]
    assert len({year["agreement"]["project_no"] for year in seen}) == 1
    assert [item["code"] for item in seen[1]["next_findings"]] == ["STAGE_EVALUATION_DUE"]
    refused = await client.post(f"{of}/next-year", headers=applicant)
    assert refused.status_code == 422

    decided = await act(
        client, f"{of}/stage-evaluation", officer, outcome="failed", score="58.5", reason="미흡"
    )
    assert (decided.status_code, decided.json()["score"]) == (201, "58.5"), decided.text
    again = await act(
        client, f"{of}/stage-evaluation", officer, key="2", outcome="passed", reason="-"
    )
    assert (again.status_code, again.json()["code"]) == (409, "STAGE_EVALUATED")
    refused = await client.post(f"{of}/next-year", headers=applicant)
    assert [item["code"] for item in refused.json()["errors"]] == ["STAGE_EVALUATION_FAILED"]


async def test_the_carry_over_is_named_and_begun_once(client, agreement, applicant):
    of = f"{API}/agreements/{agreement['id']}"
    preview = (await client.post(f"{of}/next-year/preview", headers=applicant)).json()
    names = {part["pointer"]: part["name"] for part in preview["carried"]}
    assert names["/budget/lines"] == "사업비 내역(기간 이동)"
    assert {part["pointer"] for part in preview["left_out"]} == {"/copies"}
    begun = await client.post(f"{of}/next-year", headers=applicant)
    assert begun.json()["carry_over"]["document"] == preview["document"]
    again = await client.post(f"{of}/next-year", headers=applicant)
    assert (again.status_code, again.json()["code"]) == (409, "PROPOSAL_EXISTS")


async def test_a_stopped_year_is_settled_up_to_its_day_and_has_no_next(
    client, agreement, applicant, officer
):
    of = f"{API}/agreements/{agreement['id']}"
    outside = await act(client, f"{of}/stop", officer, stopped_on="2021-03-01", reason="-")
    assert [item["code"] for item in outside.json()["errors"]] == ["STOP_DAY"]
    late = meeting(obligated_on="2020-07-01", paid_on="2020-07-01")
    await act(client, f"{of}/expenses", applicant, **late)
    stopped = await act(
        client, f"{of}/stop", officer, key="2", stopped_on="2020-06-30", reason="수행 포기"
    )
    assert (stopped.json()["state"], stopped.json()["stop_reason"]) == ("closed", "수행 포기")
    refused = await client.post(f"{of}/next-year", headers=applicant)
    assert [item["code"] for item in refused.json()["errors"]] == ["PROJECT_STOPPED"]
    check = await client.post(f"{of}/expenses/pre-check", json=late, headers=applicant)
    assert "OBLIGATED_AFTER_END" in {item["code"] for item in check.json()["findings"]}


async def test_a_year_is_not_concluded_after_the_one_before_was_stopped(
    client, closed_call, applicant, officer
):
    second = await drafted_year(client, closed_call, applicant, officer)
    first, of = (f"{API}/agreements/{one['id']}" for one in (closed_call, second))
    stopped = await act(client, f"{first}/stop", officer, stopped_on="2020-06-30", reason="포기")
    assert stopped.status_code == 200, stopped.text
    refused = await act(client, f"{of}/conclude", officer, agreed_on="2021-03-02")
    assert [item["code"] for item in refused.json()["errors"]] == ["PROJECT_STOPPED"]


async def test_others_neither_see_nor_move_the_years(client, agreement, stranger, draft):
    other = stranger("grants:apply", "grants:manage")
    of = f"{API}/agreements/{agreement['id']}"
    for answer in (
        await client.get(f"{of}/years", headers=other),
        await client.post(f"{of}/next-year", headers=other),
        await client.post(f"{of}/next-year/preview", headers=other),
        await act(client, f"{of}/stop", other, stopped_on="2020-06-30", reason="-"),
        await act(client, f"{of}/stage-evaluation", other, outcome="passed", reason="-"),
        await act(client, f"{API}/received/{draft['id']}/continue", other, reason="-"),
    ):
        assert answer.status_code == 404, answer.text


async def test_a_new_proposal_is_never_taken_on_without_selection(client, agreement, officer):
    answer = await act(
        client, f"{API}/received/{agreement['proposal_id']}/continue", officer, reason="-"
    )
    assert answer.status_code == 404


async def test_a_further_year_that_was_prepared_is_cancelled_and_prepared_again(
    client, closed_call, applicant, officer
):
    prepared = await drafted_year(client, closed_call, applicant, officer)
    url = f"{API}/agreements/{prepared['id']}"
    why = {"reason": "사업비를 다시 협의합니다."}
    # It was never selected: a project that is not to go on is stopped.
    refused = await act(client, f"{url}/cancel", officer, **why, keep_designation=False)
    assert refused.status_code == 409
    done = await act(client, f"{url}/cancel", officer, **why)
    assert (done.status_code, done.json()["state"]) == (200, "cancelled"), done.text
    years = await client.get(f"{API}/agreements/{closed_call['id']}/years", headers=officer)
    assert [one["agreement"]["id"] for one in years.json()] == [closed_call["id"]]
    again = await act(
        client,
        f"{API}/received/{prepared['proposal_id']}/agree",
        officer,
        key="again",
        agreed_on="2021-03-09",
    )
    assert (again.status_code, again.json()["year_no"]) == (201, 2), again.text
