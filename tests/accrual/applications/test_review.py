"""The operator's side: queue, claim, decisions by row, return, reject."""

import asyncio
from datetime import timedelta

import pytest

from services.accrual.jobs import release_stale_claims
from shared.clock import utc_now
from tests.accrual.world import APPLICATIONS, practice

REVIEW = "/api/v1/accrual/review"


async def in_review(world, rows=None):
    """An application, its university, and the operator who holds it."""
    university, operator = world.university(), world.operator()
    application = await university.submitted(rows or [practice(n) for n in range(3)])
    assert (await operator.act(application, "claim")).status_code == 200
    return university, operator, application


def refusal(answer):
    return answer.status_code, answer.json()["code"]


async def test_the_queue_shows_the_longest_waiting_first_and_what_is_mine(world):
    university, operator = world.university(), world.operator()
    first = await university.submitted([practice(1)])
    second = await university.submitted([practice(2)])
    await university.draft()
    queue = (await operator.get(f"{REVIEW}/queue")).json()
    assert [item["id"] for item in queue["items"]] == [first, second]
    files = (await university.detail(first))["files"]
    (letter,) = [file["id"] for file in files if file["kind"] == "OFFICIAL_LETTER"]
    assert queue["items"][0]["letter_file_id"] == letter
    await operator.act(second, "claim")
    mine = (await operator.get(f"{REVIEW}/queue?mine=true")).json()
    assert [(item["id"], item["claimed_by"]) for item in mine["items"]] == [(second, operator.sub)]


async def test_reviewers_who_ask_at_once_get_different_applications(world):
    university = world.university()
    applications = {await university.submitted([practice(n)]) for n in range(4)}
    answers = await asyncio.gather(*(world.operator().post(f"{REVIEW}/next") for _ in range(5)))
    assert {a.json()["id"] for a in answers if a.status_code == 200} == applications
    assert [a.status_code for a in answers].count(404) == 1


async def test_one_application_claimed_at_once_by_two_goes_to_one(world):
    application = await world.university().submitted([practice(1)])
    answers = await asyncio.gather(*(world.operator().act(application, "claim") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert loser.json()["code"] == "CLAIMED_BY_OTHER"


async def test_claiming_again_changes_nothing_and_releasing_gives_it_back(world):
    _, operator, application = await in_review(world)
    again = await operator.act(application, "claim")
    assert (again.status_code, again.json()["state"]) == (200, "in_review")
    released = await operator.act(application, "release")
    assert (released.json()["state"], released.json()["claimed_by"]) == ("submitted", None)
    assert (await world.operator().act(application, "claim")).status_code == 200


async def test_only_the_holder_decides(world):
    _, _, application = await in_review(world)
    other = world.operator()
    for action, body in (
        ("release", None),
        ("return", {"reason": "x"}),
        ("reject", {"reason": "x"}),
        ("decisions", {"reject": [{"row": 1, "reason": "x"}]}),
    ):
        assert refusal(await other.act(application, action, body)) == (409, "CLAIMED_BY_OTHER")
    assert refusal(await other.approve(application)) == (409, "CLAIMED_BY_OTHER")


async def test_nobody_reviews_what_they_submitted(world):
    university, operator = world.university(), world.operator()
    institution = (await university.detail(await university.draft()))["institution_id"]
    application = await operator.draft(institution_id=institution)
    await operator.put_rows(application, [practice(1)])
    for kind in ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT"):
        await operator.attach(application, kind)
    assert (await operator.submit(application)).status_code == 200
    assert refusal(await operator.act(application, "claim")) == (403, "SELF_REVIEW")
    assert refusal(await operator.post(f"{REVIEW}/next")) == (404, "NOT_FOUND")
    assert (await world.operator().act(application, "claim")).status_code == 200


@pytest.mark.parametrize("action", ["claim", "release", "return", "reject", "approve"])
async def test_an_applicant_has_no_say_in_the_review(world, action):
    university = world.university()
    application = await university.submitted([practice(1)])
    answer = await university.act(application, action, {"reason": "x"})
    assert refusal(answer) == (403, "PERMISSION_DENIED")


async def test_once_the_review_has_started_it_is_too_late_to_cancel(world):
    university, operator, application = await in_review(world)
    assert refusal(await university.act(application, "cancel", {})) == (409, "STATE_CONFLICT")
    await operator.act(application, "release")
    assert (await university.act(application, "cancel", {})).status_code == 200


async def test_a_return_binds_comments_to_cells_and_the_applicant_hands_in_again(world):
    university, operator, application = await in_review(world)
    returned = await operator.act(
        application,
        "return",
        {
            "reason": "협약서와 명단이 다릅니다.",
            "comments": [
                {"row": 2, "field": "end_date", "text": "협약서에는 8월 29일까지입니다."},
                {"text": "공문에 직인이 없습니다."},
            ],
        },
    )
    assert returned.status_code == 200
    detail = await university.detail(application)
    assert (detail["state_name"], detail["editable"], detail["reason"]) == (
        "보완요청",
        True,
        "협약서와 명단이 다릅니다.",
    )
    assert [(c["row"], c["field"], c["resolved_at"]) for c in detail["comments"]] == [
        (2, "end_date", None),
        (None, None, None),
    ]
    number = detail["number"]
    await university.put_rows(application, [practice(n) for n in range(2)])
    assert (await university.attach(application, "OFFICIAL_LETTER")).status_code == 201
    again = await university.submit(application)
    assert (again.json()["number"], again.json()["state"]) == (number, "submitted")
    detail = await university.detail(application)
    assert all(comment["resolved_at"] for comment in detail["comments"])
    assert (detail["reason"], detail["mileage"]) == (None, 900)
    moves = [
        (event["from_state"], event["action"], event["to_state"])
        for event in (await operator.get(f"{APPLICATIONS}/{application}/events")).json()["items"]
        if event["to_state"]
    ]
    assert moves == [
        (None, "create", "draft"),
        ("draft", "submit", "submitted"),
        ("submitted", "claim", "in_review"),
        ("in_review", "return", "returned"),
        ("returned", "submit", "submitted"),
    ]


async def test_a_correction_does_not_cost_the_deadline(world):
    university, operator, application = await in_review(world)
    await operator.act(application, "return", {"reason": "보완"})
    await world.change(
        "UPDATE application SET applied_on = applied_on - 300 WHERE id = :id", id=application
    )
    late = await university.put_rows(application, [practice(1, start_date="20250801")])
    assert late.status_code == 200
    # Measured from the first submission the practice lies in the future; so that day counts.
    assert {item["code"] for item in late.json()["findings"]} == {"DATE_FUTURE"}


async def test_comments_on_what_is_not_there_are_refused(world):
    _, operator, application = await in_review(world)
    answer = await operator.act(
        application,
        "return",
        {
            "reason": "x",
            "comments": [{"row": 99, "text": "?"}, {"row": 1, "field": "b", "text": "?"}],
        },
    )
    assert answer.status_code == 422
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [
        ("/comments/0/row", "ROW_UNKNOWN"),
        ("/comments/1/field", "COLUMN_KEY_UNKNOWN"),
    ]


@pytest.mark.parametrize("action", ["return", "reject"])
async def test_a_refusal_needs_a_reason(world, action):
    _, operator, application = await in_review(world)
    answer = await operator.act(application, action, {"reason": "  "})
    assert refusal(answer) == (422, "REASON_REQUIRED")


async def test_a_rejected_application_is_final_and_frees_its_claims(world):
    university, operator, application = await in_review(world)
    answer = await operator.act(application, "reject", {"reason": "협약서 없음"})
    assert (answer.json()["state"], answer.json()["reason"]) == ("rejected", "협약서 없음")
    assert refusal(await university.submit(application)) == (409, "STATE_CONFLICT")
    assert await university.submitted([practice(n) for n in range(3)])


async def test_a_returned_application_still_holds_its_claims(world):
    university, operator, application = await in_review(world)
    await operator.act(application, "return", {"reason": "보완"})
    other = await university.ready([practice(1)])
    answer = await university.submit(other)
    assert [item["code"] for item in answer.json()["errors"]] == ["DUPLICATE_CLAIM"]
    assert (await university.act(application, "cancel", {})).status_code == 200
    assert (await university.submit(other)).status_code == 200


async def test_rejecting_rows_recomputes_and_taking_it_back_restores(world):
    university, operator, application = await in_review(
        world, [practice(n, allowance_won="4505000") for n in range(3)]
    )
    answer = await operator.act(
        application, "decisions", {"reject": [{"row": 2, "reason": "협약서에 없는 학생"}]}
    )
    assert answer.status_code == 200
    assert (answer.json()["mileage"], answer.json()["row_count"]) == (901, 2)
    rows = (await university.get(f"{APPLICATIONS}/{application}/rows")).json()["items"]
    assert [(row["status"], row["rejected_reason"]) for row in rows] == [
        ("accepted", None),
        ("rejected", "협약서에 없는 학생"),
        ("accepted", None),
    ]
    answer = await operator.act(application, "decisions", {"accept": [2]})
    assert answer.json()["mileage"] == 1351
    unknown = await operator.act(application, "decisions", {"accept": [9]})
    assert unknown.json()["errors"][0]["code"] == "ROW_UNKNOWN"


async def test_a_rejected_row_can_be_claimed_elsewhere_and_then_not_be_taken_back(world):
    university, operator, application = await in_review(world)
    await operator.act(application, "decisions", {"reject": [{"row": 2, "reason": "x"}]})
    other = await university.submitted([practice(1)])
    answer = await operator.act(application, "decisions", {"accept": [2]})
    assert answer.status_code == 422
    found = answer.json()["errors"][0]
    assert (found["code"], found["row"]) == ("DUPLICATE_CLAIM", 2)
    assert (await university.detail(other))["number"] in found["message"]


async def test_what_a_reviewer_leaves_lying_goes_back_to_the_queue(world):
    _, _, application = await in_review(world)
    await release_stale_claims(world.runtime)
    assert (await world.operator().detail(application))["state"] == "in_review"
    await world.change(
        "UPDATE application SET claimed_at = :then", then=utc_now() - timedelta(days=2)
    )
    await release_stale_claims(world.runtime)
    detail = await world.operator().detail(application)
    assert (detail["state"], detail["claimed_by"]) == ("submitted", None)


async def test_the_operator_searches_all_institutions_and_the_ministry_only_looks(world):
    university, other, operator = world.university(), world.university(), world.operator()
    first = await university.submitted([practice(1)])
    await other.submitted([practice(2)])
    detail = await university.detail(first)
    everything = (await operator.get(APPLICATIONS)).json()
    assert everything["total"] == 2
    for query in (
        f"institution_id={detail['institution_id']}",
        f"number={detail['number']}",
        "sort=applied&limit=1",
    ):
        items = (await operator.get(f"{APPLICATIONS}?{query}")).json()["items"]
        assert [item["id"] for item in items] == [first]
    ministry = world.person("accrual:read", role="observer", institution_kind="ministry")
    assert (await ministry.get(APPLICATIONS)).json()["total"] == 2
    assert refusal(await ministry.act(first, "claim")) == (403, "PERMISSION_DENIED")
