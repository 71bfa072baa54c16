"""A call from receipt to designation, as officer, applicants and reviewers live through it."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import AGENCY, API, conclude, document, save, submit

QUALITATIVE = ("need", "targets", "strategy", "curriculum", "industry_programme", "staff")
SMALL = ("papers", "teachers")
FACTS = {
    "lead_region": "gangwon",
    "partner_regions": [],
    "records": {"completed_jobs": [{"on": "2035-01-01", "proven": True}] * 5},
}


def sheet(grade: int = 10) -> dict[str, int]:
    """Every qualitative item at the same grade (10 = 최우수 … 2 = 불량)."""
    return dict.fromkeys(QUALITATIVE, grade) | dict.fromkeys(SMALL, grade // 2)


@pytest.fixture
def reviewers(tokens) -> dict[UUID, dict[str, str]]:
    ids = [uuid4() for _ in range(3)]
    return {
        n: tokens.headers(
            "grants:read", "grants:evaluate", role="evaluator", institution_id=AGENCY, sub=str(n)
        )
        for n in ids
    }


@pytest.fixture
async def eligible(client, draft, applicant, officer) -> dict:
    body = document()
    body["targets"] = {"graduates": 10, "undergraduates": 8}
    await save(client, draft, applicant, body)
    await submit(client, draft, applicant)
    url = f"{API}/received/{draft['id']}/pre-review"
    assert (await client.post(f"{url}/start", headers=officer)).json()["state"] == "pre_review"
    found = await client.post(url, json={"eligible": True}, headers=officer)
    assert found.json()["state"] == "eligible"
    return draft


async def assign(client, call, officer, reviewers, institutions=()):
    return await client.post(
        f"{API}/programmes/{call}/reviewers",
        json={
            "reviewers": [
                {"reviewer_id": str(n), "name": f"위원 {i}", "institutions": list(institutions)}
                for i, n in enumerate(reviewers)
            ]
        },
        headers=officer,
    )


async def score(client, proposal, headers, scores, *, send=True):
    url = f"{API}/evaluations/{proposal['id']}"
    seen = await client.get(url, headers=headers)
    saved = await client.put(
        url, json={"scores": scores}, headers=headers | {"If-Match": seen.headers["etag"]}
    )
    assert saved.status_code == 200, saved.text
    return await client.post(f"{url}/submit", headers=headers) if send else saved


async def test_a_call_goes_from_receipt_to_an_agreement(
    client, call, eligible, officer, applicant, reviewers
):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers, grade in zip(reviewers.values(), (10, 8, 6), strict=True):
        assert (await score(client, eligible, headers, sheet(grade))).status_code == 200

    preview = (await client.get(f"{API}/programmes/{call}/ranking", headers=officer)).json()
    final = await client.post(
        f"{API}/programmes/{call}/ranking", headers=officer | {"Idempotency-Key": "rank"}
    )
    assert final.json() == preview
    (line,) = final.json()["items"]
    # 18 of 15 is 120 % → 10; C/G = 30 % → 10; five completed jobs → 10; bonus of Gangwon 5.
    assert {item["item"]: item["score"] for item in line["quantitative"]} == {
        "training_target": 10,
        "private_investment": 10,
        "track_record": 10,
    }
    assert (line["bonus"], line["rank"], line["passes"]) == (5, 1, True)
    # Qualitative: (70 + 56 + 42) / 3 = 56; total 30 + 56 + 5 = 91.
    assert (line["qualitative"], line["shown"]) == ("56", "91")

    for action, state in (
        ("prefer", "preferred"),
        ("negotiate", "negotiation"),
        ("designate", "designated"),
    ):
        moved = await client.post(
            f"{API}/received/{eligible['id']}/decide",
            json={"action": action, "reason": "선정평가 1위"},
            headers=officer,
        )
        assert moved.json()["state"] == state
    agreed = await client.post(
        f"{API}/received/{eligible['id']}/agree",
        json={"agreed_on": "2020-03-02"},
        headers=officer | {"Idempotency-Key": "agree"},
    )
    assert (agreed.status_code, agreed.json()["state"]) == (201, "draft")
    in_force = await conclude(client, agreed.json(), applicant, officer)
    assert (in_force.status_code, in_force.json()["state"]) == (200, "active")
    story = await client.get(f"{API}/proposals/{eligible['id']}/history", headers=applicant)
    moves = [event["to_state"] for event in story.json() if event["to_state"]]
    assert moves == ["draft", "submitted", "pre_review", "eligible", "scored", "preferred",
                     "negotiation", "designated", "agreed"]  # fmt: skip


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


async def test_a_reviewer_of_the_applying_university_is_barred_without_being_asked(
    client, call, eligible, officer, reviewers
):
    await assign(client, call, officer, reviewers, institutions=["한빛대학교"])
    headers = next(iter(reviewers.values()))
    seen = await client.get(f"{API}/evaluations/{eligible['id']}", headers=headers)
    assert seen.json()["document"] is None


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
        headers=headers | {"If-Match": '"3"'},
    )
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")


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
