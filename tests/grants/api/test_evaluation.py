"""Reviewers, sheets and the ranking: who may judge, what counts, what is kept."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import AGENCY, API, UNIVERSITY, someone_waits
from tests.grants.api.selection import FACTS, assign, finalise, score, sheet


async def test_a_reviewer_with_a_conflict_no_longer_sees_the_proposal_nor_counts(
    client, call, eligible, officer, reviewers
):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    recused, *others = reviewers.values()
    await client.post(
        f"{API}/evaluations/{eligible['id']}/conflict",
        json={"reason": "공동연구 수행 중"},
        headers=recused,
    )
    seen = await client.get(f"{API}/evaluations/{eligible['id']}", headers=recused)
    assert seen.json()["document"] is None
    closed = await client.post(f"{API}/evaluations/{eligible['id']}/submit", headers=recused)
    assert closed.status_code == 409
    for headers in others:
        await score(client, eligible, headers, sheet(8))
    ranking = (await client.get(f"{API}/programmes/{call}/ranking", headers=officer)).json()
    codes = {finding["code"] for finding in ranking["items"][0]["findings"]}
    assert "COI_RECUSED" in codes


async def test_a_reviewer_of_the_applying_university_is_excluded_without_being_asked(
    client, call, eligible, officer, reviewers
):
    sheets = (await assign(client, call, officer, reviewers, ["한빛대학교 환경대학원"])).json()
    assert {(one["state"], one["conflict_reason"]) for one in sheets} == {
        ("recused", "제척: 한빛대학교 환경대학원")
    }
    headers = next(iter(reviewers.values()))
    url = f"{API}/evaluations/{eligible['id']}"
    assert (await client.post(f"{url}/no-conflict", headers=headers)).status_code == 409
    assert (await client.get(url, headers=headers)).json()["document"] is None


async def test_an_account_of_the_applicant_is_excluded_whatever_it_declares(
    client, call, eligible, officer, tokens
):
    insider = uuid4()
    headers = tokens.headers("grants:evaluate", institution_id=UNIVERSITY, sub=str(insider))
    await assign(client, call, officer, [insider])
    url = f"{API}/evaluations/{eligible['id']}"
    declared = await client.post(f"{url}/no-conflict", headers=headers)
    assert (declared.json()["state"], declared.json()["cleared_at"]) == ("recused", None)
    assert (await client.get(url, headers=headers)).json()["document"] is None


async def test_the_proposal_is_shown_once_a_conflict_was_ruled_out_and_that_it_was_read_is_kept(
    client, call, eligible, officer, reviewers, applicant
):
    await assign(client, call, officer, reviewers)
    reviewer, headers = next(iter(reviewers.items()))
    url = f"{API}/evaluations/{eligible['id']}"
    seen = (await client.get(url, headers=headers)).json()
    assert (seen["programme_id"], seen["document"]) == (call, None)
    early = await client.put(url, json={"scores": sheet()}, headers=headers | {"If-Match": '"1"'})
    assert (early.status_code, early.json()["code"]) == (409, "CONFLICT_UNDECLARED")
    await client.post(f"{url}/no-conflict", headers=headers)
    assert (await client.get(url, headers=headers)).json()["document"] is not None

    audit = await client.get(f"{API}/received/{eligible['id']}/audit", headers=officer)
    seen = {(one["action"], one["actor_id"]) for one in audit.json()}
    assert {("declare_no_conflict", str(reviewer)), ("read_document", str(reviewer))} <= seen
    story = await client.get(f"{API}/proposals/{eligible['id']}/history", headers=applicant)
    assert not {"read_document", "declare_no_conflict"} & {one["action"] for one in story.json()}


async def test_a_reviewer_sees_how_the_calculated_points_come_about(
    client, call, eligible, officer, reviewers, tokens
):
    await assign(client, call, officer, reviewers)
    headers = next(iter(reviewers.values()))
    url = f"{API}/evaluations/{eligible['id']}"
    facts = f"{API}/received/{eligible['id']}/facts"
    await client.post(f"{url}/no-conflict", headers=headers)

    async def calculated() -> dict[str, str | None]:
        items = (await client.get(url, headers=headers)).json()["items"]
        return {
            item["code"]: item["calculated"] and item["calculated"]["shown"]
            for item in items
            if item["quantitative"] or item["calculated"]
        }

    assert set((await calculated()).values()) == {None}
    assert (await client.get(facts, headers=officer)).json() is None
    await client.put(facts, json=FACTS, headers=officer)
    assert (await client.get(facts, headers=officer)).json()["records"] == FACTS["records"]
    assert "→" in (await calculated())["track_record"]
    foreign = tokens.headers("grants:manage", institution_id=uuid4())
    assert (await client.get(facts, headers=foreign)).status_code == 404


async def test_the_agency_sees_how_far_its_reviewers_are(
    client, call, eligible, officer, reviewers, tokens
):
    await assign(client, call, officer, reviewers)
    first, *_others = reviewers
    await score(client, eligible, reviewers[first], sheet(8))
    url = f"{API}/programmes/{call}/reviewers"
    seen = (await client.get(url, headers=officer)).json()
    states = {one["reviewer_id"]: one["state"] for one in seen}
    assert states[str(first)] == "submitted"
    assert set(states) == {str(one) for one in reviewers}
    foreign = tokens.headers("grants:manage", institution_id=uuid4())
    assert (await client.get(url, headers=foreign)).status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"need": 9}, "SCORE_NOT_ALLOWED"),
        ({"need": None}, "SCORE_MISSING"),
        ({"training_target": 10}, "SCORE_QUANTITATIVE"),
        ({"charm": 10}, "SCORE_ITEM_UNKNOWN"),
    ],
)
async def test_only_legal_and_complete_sheets_are_taken(
    client, call, eligible, officer, reviewers, change, code
):
    await assign(client, call, officer, reviewers)
    scores = {name: won for name, won in (sheet() | change).items() if won is not None}
    answer = await score(client, eligible, next(iter(reviewers.values())), scores)
    assert answer.status_code == 422
    assert {item["code"] for item in answer.json()["errors"]} == {code}


async def test_a_submitted_sheet_is_locked(client, call, eligible, officer, reviewers):
    await assign(client, call, officer, reviewers)
    headers = next(iter(reviewers.values()))
    await score(client, eligible, headers, sheet())
    again = await client.put(
        f"{API}/evaluations/{eligible['id']}",
        json={"scores": sheet(2)},
        headers=headers | {"If-Match": '"4"'},
    )
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")


async def test_the_database_too_refuses_to_change_a_submitted_sheet(
    client, call, eligible, officer, reviewers, runtime
):
    await assign(client, call, officer, reviewers)
    await score(client, eligible, next(iter(reviewers.values())), sheet())
    for change in (
        "UPDATE sheet SET comment = 'x' WHERE state = 'submitted'",
        "UPDATE sheet SET scores = '{}', state = 'recused', conflict_reason = 'x'",
        "DELETE FROM sheet WHERE state = 'submitted'",
    ):
        with pytest.raises(DBAPIError, match="sheet is locked"):
            async with runtime.sessions.begin() as session:
                await session.execute(text(change))


async def test_a_conflict_found_late_takes_the_sheet_out_of_the_mean(
    client, call, eligible, officer, reviewers
):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers, grade in zip(reviewers.values(), (10, 8, 2), strict=True):
        await score(client, eligible, headers, sheet(grade))
    late = list(reviewers)[2]
    url = f"{API}/received/{eligible['id']}/reviewers/{late}/exclude"
    excluded = await client.post(url, json={"reason": "자문 계약"}, headers=officer)
    assert excluded.json()["state"] == "recused"
    (line,) = (await client.get(f"{API}/programmes/{call}/ranking", headers=officer)).json()[
        "items"
    ]
    assert line["qualitative"] == "63"  # (70 + 56) / 2
    assert str(late) not in line["counted"]
    again = await client.post(url, json={"reason": "자문 계약"}, headers=officer)
    assert again.status_code == 409


async def test_nobody_is_excluded_while_the_ranking_becomes_final(
    client, call, eligible, officer, reviewers, runtime
):
    await assign(client, call, officer, reviewers)
    judge, headers = next(iter(reviewers.items()))
    await score(client, eligible, headers, sheet())
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE proposal SET state = 'scored'"))
        late = asyncio.create_task(
            client.post(
                f"{API}/received/{eligible['id']}/reviewers/{judge}/exclude",
                json={"reason": "자문 계약"},
                headers=officer,
            )
        )
        await someone_waits(runtime)
    assert (await late).status_code == 409
    assert (await client.get(f"{API}/evaluations/{eligible['id']}", headers=headers)).json()[
        "sheet"
    ]["state"] == "submitted"


async def test_why_the_committee_ordered_as_it_did_is_not_told_to_applicants(
    client, call, eligible, officer, applicant, reviewers
):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers in reviewers.values():
        await score(client, eligible, headers, sheet())
    why = "샛별대학교보다 지역 기여가 큼"
    made = await finalise(client, call, officer, order=[eligible["id"]], reason=why)
    assert made.status_code == 200, made.text
    story = await client.get(f"{API}/proposals/{eligible['id']}/history", headers=applicant)
    assert "score" in {one["action"] for one in story.json()}
    assert why not in story.text
    audit = await client.get(f"{API}/received/{eligible['id']}/audit", headers=officer)
    assert why in audit.text


async def test_without_a_quorum_nothing_is_final(client, call, eligible, officer, reviewers):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers in reviewers.values():
        url = f"{API}/evaluations/{eligible['id']}/conflict"
        await client.post(url, json={"reason": "공동연구"}, headers=headers)
    answer = await client.post(
        f"{API}/programmes/{call}/ranking", headers=officer | {"Idempotency-Key": "rank"}
    )
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == ["QUORUM_SHORT"]


async def test_three_schools_wait_for_the_committees_bonus(
    client, call, eligible, officer, reviewers
):
    await assign(client, call, officer, reviewers)
    for headers in reviewers.values():
        await score(client, eligible, headers, sheet())
    url = f"{API}/received/{eligible['id']}/facts"
    three = FACTS | {"partner_regions": ["busan", "seoul"]}
    await client.put(url, json=three, headers=officer)
    rank = f"{API}/programmes/{call}/ranking"
    answer = await client.post(rank, headers=officer | {"Idempotency-Key": "one"})
    assert [item["code"] for item in answer.json()["errors"]] == ["BONUS_UNDEFINED"]

    odd = three | {"bonus_decided": 2, "bonus_reason": "위원회 의결"}
    refused = await client.put(url, json=odd, headers=officer)
    assert [item["code"] for item in refused.json()["errors"]] == ["BONUS_UNKNOWN"]
    await client.put(url, json=odd | {"bonus_decided": 3}, headers=officer)
    final = await client.post(rank, headers=officer | {"Idempotency-Key": "two"})
    (line,) = final.json()["items"]
    assert line["bonus_shown"] == "강원 + 부산 + 서울 → 위원회 결정 3점"
    assert (line["bonus"], line["shown"]) == (3, "103")


async def test_no_ranking_while_sheets_are_open_or_facts_missing(
    client, call, eligible, officer, reviewers
):
    await assign(client, call, officer, reviewers)
    answer = await client.get(f"{API}/programmes/{call}/ranking", headers=officer)
    codes = [item["code"] for item in answer.json()["errors"]]
    assert codes == ["SHEETS_OPEN"] * 3 + ["FACTS_MISSING"]


async def test_a_reviewer_sees_assigned_proposals_only(
    client, call, eligible, officer, reviewers, tokens
):
    await assign(client, call, officer, reviewers)
    outsider = tokens.headers("grants:evaluate", institution_id=AGENCY)
    url = f"{API}/evaluations/{eligible['id']}"
    answers = [
        await client.get(url, headers=outsider),
        await client.post(f"{url}/submit", headers=outsider),
        await client.post(f"{url}/conflict", json={"reason": "x"}, headers=outsider),
        await client.put(url, json={"scores": {}}, headers=outsider | {"If-Match": '"1"'}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (await client.get(f"{API}/evaluations", headers=outsider)).json() == []


async def test_another_agency_can_neither_assign_nor_rank(
    client, call, eligible, reviewers, stranger
):
    other = stranger("grants:manage")
    answers = [
        await assign(client, call, other, reviewers),
        await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=other),
        await client.get(f"{API}/programmes/{call}/ranking", headers=other),
        await client.post(
            f"{API}/programmes/{call}/ranking", headers=other | {"Idempotency-Key": "x"}
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_result_is_never_changed(client, call, eligible, officer, reviewers, runtime):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers in reviewers.values():
        await score(client, eligible, headers, sheet())
    await client.post(
        f"{API}/programmes/{call}/ranking", headers=officer | {"Idempotency-Key": "rank"}
    )
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("DELETE FROM evaluation_result"))
