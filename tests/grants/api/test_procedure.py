"""From receipt to the notice of result: pre-review, completions, site visits, decisions."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import seoul_day, utc_now
from tests.grants.api.conftest import API, CHECKS, PDF, document, save, someone_waits
from tests.grants.api.selection import FACTS, assign, decide, finalise, score, sheet


async def ask(client, proposal, officer, *items, days=7):
    body = {
        "items": items or ["장비 구입가 증빙 2부"],
        "due_at": (utc_now() + timedelta(days=days)).isoformat(),
    }
    url = f"{API}/received/{proposal['id']}"
    await client.post(f"{url}/pre-review/start", headers=officer)
    return await client.post(f"{url}/completions", json=body, headers=officer)


async def answer(client, proposal, applicant, key="a", **body):
    return await client.post(
        f"{API}/proposals/{proposal['id']}/completions/answer",
        json={"text": "증빙을 보완하였습니다."} | body,
        headers=applicant | {"Idempotency-Key": key},
    )


# Pre-review -------------------------------------------------------------------------------------


async def test_the_secretary_sees_the_calls_points_and_what_the_check_says(
    client, received, officer
):
    seen = await client.get(f"{API}/received/{received['id']}/pre-review", headers=officer)
    assert [point["code"] for point in seen.json()["points"]] == list(CHECKS)
    assert seen.json()["points"][2]["name"] == "신청서류의 구비 여부"
    # Nothing is wrong with it; two duties of the year are planned short, which only warns.
    assert {found["level"] for found in seen.json()["findings"]} == {"warning"}
    assert seen.json()["eligible"] is None


@pytest.mark.parametrize(
    ("checks", "codes"),
    [
        ({}, ["PRE_REVIEW_POINT_MISSING"] * 4),
        (CHECKS | {"documents": {"holds": False}}, ["PRE_REVIEW_POINT_FAILED"]),
        (CHECKS | {"charm": {"holds": True}}, ["PRE_REVIEW_POINT_UNKNOWN"]),
    ],
)
async def test_eligible_is_who_holds_on_every_point(client, received, officer, checks, codes):
    url = f"{API}/received/{received['id']}/pre-review"
    await client.post(f"{url}/start", headers=officer)
    answer = await client.post(url, json={"eligible": True, "checks": checks}, headers=officer)
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == codes


async def test_an_ineligible_applicant_reads_which_point_failed_and_why(
    client, received, officer, applicant
):
    url = f"{API}/received/{received['id']}/pre-review"
    await client.post(f"{url}/start", headers=officer)
    checks = CHECKS | {"principal": {"holds": False, "remark": "재직증명서의 직위가 다릅니다."}}
    body = {"eligible": False, "checks": checks, "reason": "수행책임자 자격 미달"}
    assert (await client.post(url, json=body, headers=officer)).json()["state"] == "ineligible"
    (notice,) = (
        await client.get(f"{API}/proposals/{received['id']}/results", headers=applicant)
    ).json()
    assert (notice["decision"], notice["body"]["reason"]) == ("ineligible", "수행책임자 자격 미달")
    failed = [point for point in notice["body"]["pre_review"] if not point["holds"]]
    assert failed == [
        {
            "name": "수행책임자의 자격요건",
            "holds": False,
            "remark": "재직증명서의 직위가 다릅니다.",
        }
    ]
    assert notice["body"]["evaluation"] is None


# Completion -------------------------------------------------------------------------------------


async def test_a_completion_is_asked_answered_with_a_corrected_version_and_reviewed_again(
    client, received, officer, applicant
):
    asked = (await ask(client, received, officer)).json()
    assert (asked["seq"], asked["state"]) == (1, "open")
    own = f"{API}/proposals/{received['id']}"
    proposal = await client.get(own, headers=applicant)
    assert proposal.json()["state"] == "completion"

    corrected = proposal.json()["document"] | {"texts": {"goal": "목표를 고쳐 적습니다."}}
    saved = await save(client, received, applicant, corrected, version=proposal.json()["version"])
    assert saved.status_code == 200
    file = await client.post(
        f"{own}/completions/files",
        files={"file": ("구입가 증빙.pdf", PDF + b"1", "application/pdf")},
        headers=applicant,
    )
    assert file.status_code == 201
    done = await answer(client, received, applicant, corrected=True)
    assert (done.json()["state"], done.json()["submission_seq"]) == ("answered", 2)

    at_agency = (await client.get(f"{API}/received/{received['id']}", headers=officer)).json()
    assert (at_agency["state"], at_agency["submissions"]) == ("pre_review", 2)
    assert at_agency["document"] == corrected
    taken = await client.get(f"{API}/review-files/{file.json()['id']}", headers=officer)
    assert taken.content == PDF + b"1"
    again = await answer(client, received, applicant, key="b")
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")


async def test_a_corrected_version_is_checked_like_any_other(client, received, officer, applicant):
    await ask(client, received, officer)
    version = (await client.get(f"{API}/proposals/{received['id']}", headers=applicant)).json()[
        "version"
    ]
    wrong = document()
    wrong["pledge"]["cash_won"] = 1
    await save(client, received, applicant, wrong, version=version)
    refused = await answer(client, received, applicant, corrected=True)
    assert "PLEDGE_MISMATCH" in {item["code"] for item in refused.json()["errors"]}


async def test_after_its_day_a_completion_is_late_and_the_agency_goes_on(
    client, received, officer, applicant, runtime
):
    await ask(client, received, officer)
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE completion SET due_at = now() - interval '1 second'"))
    late = await answer(client, received, applicant)
    assert [item["code"] for item in late.json()["errors"]] == ["COMPLETION_LATE"]
    closed = await client.post(
        f"{API}/received/{received['id']}/completions/close",
        json={"reason": "기한까지 제출하지 않음"},
        headers=officer,
    )
    assert closed.json()["state"] == "closed"
    proposal = await client.get(f"{API}/received/{received['id']}", headers=officer)
    assert proposal.json()["state"] == "pre_review"


async def test_a_completion_is_due_later_than_now(client, received, officer):
    refused = await ask(client, received, officer, days=-1)
    assert [item["code"] for item in refused.json()["errors"]] == ["COMPLETION_DUE"]


# Site visits ------------------------------------------------------------------------------------


def visit(*members: str, days: int = 0, **more) -> dict:
    return {
        "on_day": str(seoul_day(utc_now()) + timedelta(days=days)),
        "place": "한빛대학교 환경관",
        "purpose": "시설과 연구장비의 현장 확인",
        "members": [{"name": name} for name in members or ("김위원", "이위원")],
    } | more


async def plan(client, proposal, officer, body):
    url = f"{API}/received/{proposal['id']}/site-visits"
    return await client.post(url, json=body, headers=officer)


async def test_a_visit_is_planned_recorded_and_read_by_reviewers_but_not_by_the_applicant(
    client, call, eligible, officer, applicant, reviewers
):
    planned = (await plan(client, eligible, officer, visit())).json()
    own = f"{API}/proposals/{eligible['id']}"
    (announced,) = (await client.get(f"{own}/site-visits", headers=applicant)).json()
    assert announced.keys() == {"id", "state", "on_day", "place", "purpose"}
    url = f"{API}/site-visits/{planned['id']}"
    photo = await client.post(
        f"{url}/files", files={"file": ("현장.pdf", PDF, "application/pdf")}, headers=officer
    )
    held = await client.post(
        f"{url}/record", json={"findings": "장비 3종을 확인함"}, headers=officer
    )
    assert held.json()["state"] == "held"
    assert (await client.get(f"{own}/review-files", headers=applicant)).json() == []
    file = f"{API}/review-files/{photo.json()['id']}"
    assert (await client.get(file, headers=applicant)).status_code == 404
    assert (await client.get(file, headers=officer)).status_code == 200

    await assign(client, call, officer, reviewers)
    headers = next(iter(reviewers.values()))
    seen = f"{API}/evaluations/{eligible['id']}"
    await client.post(f"{seen}/no-conflict", headers=headers)
    (finding,) = (await client.get(seen, headers=headers)).json()["visits"]
    assert finding["findings"] == "장비 3종을 확인함"
    listed = await client.get(f"{API}/programmes/{call}/site-visits", headers=officer)
    assert [(day["member"], day["won"]) for day in listed.json()["pay"]] == [
        ("김위원", 150_000),
        ("이위원", 150_000),
    ]


async def test_a_second_visit_of_the_day_is_paid_by_the_table_and_a_cancelled_one_is_not(
    client, call, eligible, officer
):
    for members in (("김위원",), ("김위원", "이위원"), ("이위원",)):
        made = await plan(client, eligible, officer, visit(*members))
    cancelled = await client.post(
        f"{API}/site-visits/{made.json()['id']}/cancel", json={"reason": "폭설"}, headers=officer
    )
    assert cancelled.json()["state"] == "cancelled"
    pay = (await client.get(f"{API}/programmes/{call}/site-visits", headers=officer)).json()["pay"]
    assert [(day["member"], day["visits"], day["won"]) for day in pay] == [
        ("김위원", 2, 200_000),
        ("이위원", 1, 150_000),
    ]


async def test_at_most_five_visit_and_none_of_them_belongs_to_the_applicant(
    client, eligible, officer
):
    body = visit(*(f"위원 {n}" for n in range(6)))
    body["members"][2]["institutions"] = ["한빛대학교 산학협력단"]
    refused = await plan(client, eligible, officer, body)
    assert [item["code"] for item in refused.json()["errors"]] == [
        "PANEL_TOO_LARGE",
        "VISIT_MEMBER_CONFLICT",
    ]


async def test_a_visit_is_recorded_when_it_was_not_before(client, eligible, officer):
    planned = (await plan(client, eligible, officer, visit(days=1))).json()
    early = await client.post(
        f"{API}/site-visits/{planned['id']}/record", json={"findings": "x"}, headers=officer
    )
    assert [item["code"] for item in early.json()["errors"]] == ["VISIT_NOT_YET"]


# Ranking and results ----------------------------------------------------------------------------


@pytest.fixture
async def scored(client, call, eligible, officer, reviewers) -> dict:
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    remarks = ("교과과정이 충실합니다.", "논문 계획이 과합니다.", "")
    for headers, grade, remark in zip(reviewers.values(), (10, 8, 6), remarks, strict=True):
        await score(client, eligible, headers, sheet(grade), comment=remark)
    assert (await finalise(client, call, officer)).status_code == 200
    return eligible


async def test_the_applicant_reads_its_own_result_with_every_reason_and_no_name(
    client, scored, officer, applicant, reviewers
):
    url = f"{API}/proposals/{scored['id']}/results"
    assert (await client.get(url, headers=applicant)).json() == []  # not decided, not told
    await decide(client, scored, officer, "reserve", "예비 1순위")
    answer = await client.get(url, headers=applicant)
    (notice,) = answer.json()
    told = notice["body"]["evaluation"]
    assert (told["shown"], told["total"], told["rank"], told["bonus"]) == ("91", "91", None, 5)
    assert {part["name"]: part["shown"] for part in told["sections"]} == {
        "사업목표 및 추진전략": "24",
        "사업내용": "24",
        "사업 관리체계 및 수행능력": "38",
    }
    items = {item["code"]: item for item in told["items"]}
    assert items["training_target"]["shown"] == "(10 + 8) ÷ 15 × 100 = 120% (120% 이상) → 10점"
    assert (items["need"]["points"], items["papers"]["shown"]) == ("8", "4")
    assert told["comments"] == ["교과과정이 충실합니다.", "논문 계획이 과합니다."]
    assert not [reviewer for reviewer in reviewers if str(reviewer) in answer.text]
    assert "위원 0" not in answer.text

    page = f"{url}/1/notice.pdf"
    pdf = await client.get(page, headers=applicant)
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await client.get(page, headers=officer)).content == pdf.content


async def test_nobody_else_reads_a_result_or_what_led_to_it(client, scored, officer, stranger):
    await decide(client, scored, officer, "reserve")
    own = f"{API}/proposals/{scored['id']}"
    other, agency = stranger("grants:apply"), stranger("grants:manage")
    answers = [
        await client.get(f"{own}/{part}", headers=headers)
        for headers in (other, agency)
        for part in (
            "results",
            "results/1/notice.pdf",
            "completions",
            "review-files",
            "site-visits",
        )
    ]
    answers += [
        await client.get(f"{API}/received/{scored['id']}/{part}", headers=agency)
        for part in ("audit", "pre-review")
    ]
    answers += [
        await answer(client, scored, other),
        await decide(client, scored, agency, "prefer"),
        await plan(client, scored, agency, visit()),
        await client.post(
            f"{API}/received/{scored['id']}/reviewers/{uuid4()}/exclude",
            json={"reason": "x"},
            headers=agency,
        ),
    ]
    assert {one.status_code for one in answers} == {404}


async def test_a_notice_is_never_changed(client, scored, officer, runtime):
    await decide(client, scored, officer, "reserve")
    for table in ("result_notice", "pre_review"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with runtime.sessions.begin() as session:
                await session.execute(text(f"DELETE FROM {table}"))


async def test_a_negotiation_that_breaks_off_makes_room_for_the_reserve(
    client, scored, officer, applicant
):
    for action, state in (("prefer", "preferred"), ("negotiate", "negotiation"),
                          ("reject", "rejected")):  # fmt: skip
        assert (await decide(client, scored, officer, action)).json()["state"] == state
    told = await client.get(f"{API}/proposals/{scored['id']}/results", headers=applicant)
    assert [notice["decision"] for notice in told.json()] == ["preferred", "rejected"]


async def test_a_call_gives_no_more_awards_than_it_has(client, scored, officer, runtime, call):
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO proposal (programme_id, institution_id, institution_name, title,"
                " state, document) VALUES (:call, :other, '다른대학교', 'x', 'negotiation', '{}')"
            ),
            {"call": UUID(call), "other": uuid4()},
        )
    refused = await decide(client, scored, officer, "prefer")
    assert (refused.status_code, refused.json()["code"]) == (409, "AWARDS_FULL")


async def test_nothing_is_final_while_a_proposal_waits_in_the_pre_review(
    client, call, eligible, officer, reviewers, runtime
):
    await assign(client, call, officer, reviewers)
    await client.put(f"{API}/received/{eligible['id']}/facts", json=FACTS, headers=officer)
    for headers in reviewers.values():
        await score(client, eligible, headers, sheet())
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO proposal (programme_id, institution_id, institution_name, title,"
                " state, document) VALUES (:call, :other, '다른대학교', 'x', 'completion', '{}')"
            ),
            {"call": UUID(call), "other": uuid4()},
        )
    preview = await client.get(f"{API}/programmes/{call}/ranking", headers=officer)
    assert [found["code"] for found in preview.json()["blocking"]] == ["PRE_REVIEW_OPEN"]
    refused = await finalise(client, call, officer)
    assert [item["code"] for item in refused.json()["errors"]] == ["PRE_REVIEW_OPEN"]


async def test_two_files_at_once_are_counted_one_after_the_other(
    client, received, officer, applicant, runtime, monkeypatch
):
    monkeypatch.setattr("services.grants.evaluation.files.MOST", 1)
    await ask(client, received, officer)

    async def attach(content: bytes):
        return await client.post(
            f"{API}/proposals/{received['id']}/completions/files",
            files={"file": ("증빙.pdf", PDF + content, "application/pdf")},
            headers=applicant,
        )

    async with runtime.sessions.begin() as session:
        await session.execute(text("SELECT FROM proposal FOR UPDATE"))
        both = [asyncio.create_task(attach(content)) for content in (b"1", b"2")]
        await someone_waits(runtime)
    answers = [await one for one in both]
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    (refused,) = [one for one in answers if one.status_code == 422]
    assert [one["code"] for one in refused.json()["errors"]] == ["FILES_FULL"]
