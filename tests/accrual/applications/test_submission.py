"""Submitting: every check, one number each, one claim once, and the way back."""

import asyncio

import pytest

from services.accrual.applications import service
from tests.accrual.world import APPLICATIONS, brn, day, deposit, practice


def errors_of(answer):
    assert answer.status_code == 422, answer.text
    return [item["code"] for item in answer.json()["errors"] if item["level"] == "error"]


async def test_the_preview_equals_the_submission_and_changes_nothing(world):
    university = world.university()
    draft = await university.ready(
        [practice(1), practice(2, allowance_won="19999"), practice(3, brn=brn(1))]
    )
    before = await university.detail(draft)
    preview = await university.act(draft, "preview")
    assert preview.status_code == 200
    assert await university.detail(draft) == before
    submitted = await university.submit(draft)
    assert submitted.status_code == 200
    said, done = preview.json(), submitted.json()
    assert (said.pop("number"), done.pop("number")) == (None, f"{day()[2:4]}-1")
    assert (said.pop("state"), done.pop("state")) == ("draft", "submitted")
    assert said == done
    assert done["mileage"] == 901  # floor(4,519,999 / 10,000) + 450: rounded once a company
    assert [company["mileage"] for company in done["companies"]] == [451, 450]


async def test_everything_that_is_wrong_is_said_at_once(world):
    university = world.university()
    draft = await university.draft("PRACTICE")
    await university.put_rows(
        draft,
        [
            practice(1, practice_type="자율"),
            practice(2, end_date=day(1)),
            practice(3, start_date=day(-800), end_date=day(-366)),
            practice(4, start_date="20210301", end_date="20220228"),
            practice(5),
            practice(5),
        ],
    )
    found = errors_of(await university.submit(draft))
    assert sorted(found) == sorted(
        [
            "NOT_STANDARD_PRACTICE",
            "DATE_FUTURE",
            "WINDOW_EXPIRED",
            "BEFORE_REFORM",
            "DUPLICATE_CLAIM",
            "EVIDENCE_MISSING",
        ]
    )
    preview = (await university.act(draft, "preview")).json()
    assert (preview["ready"], len(preview["findings"])) == (False, 6)


@pytest.mark.parametrize(
    ("rows", "code"),
    [([], "NO_ROWS"), ([practice(1, allowance_won="9999")], "ZERO_MILEAGE")],
)
async def test_nothing_and_zero_points_cannot_be_submitted(world, rows, code):
    university = world.university()
    draft = await university.ready(rows)
    assert errors_of(await university.submit(draft)) == [code]


async def test_value_added_tax_counts_only_with_its_proof(world):
    university = world.university()
    row = deposit(deposit_won="33000000", supply_won="30000000", vat_won="3000000")
    draft = await university.ready([row], "TECH_TRANSFER")
    assert errors_of(await university.submit(draft)) == ["VAT_UNPROVEN"]
    await university.attach(draft, "TAX_INVOICE")
    assert (await university.submit(draft)).json()["mileage"] == 747


async def test_research_counts_when_it_is_fully_paid(world):
    university = world.university()
    row = deposit(contract_won="100000000", deposit_won="40000000")
    draft = await university.ready([row], "RESEARCH")
    assert errors_of(await university.submit(draft)) == ["PAYMENT_INCOMPLETE"]
    await university.put_rows(draft, [row, {**row, "deposit_won": "60000000"}])
    assert (await university.submit(draft)).json()["mileage"] == 1000


async def test_ineligible_parts_of_a_deposit_are_taken_off_first(world):
    university = world.university()
    draft = await university.ready([deposit(excluded_won="50000000")], "TECH_TRANSFER")
    assert errors_of(await university.submit(draft)) == ["NO_ELIGIBLE_AMOUNT"]
    await university.put_rows(draft, [deposit(deposit_won="60000000", excluded_won="10000000")])
    assert (await university.submit(draft)).json()["mileage"] == 1000


async def test_a_submission_replayed_answers_the_same_and_takes_no_second_number(world):
    university = world.university()
    draft = await university.ready([practice(1)])
    first = await university.submit(draft, "key")
    again = await university.submit(draft, "key")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    other = await university.submit(draft, "other key")
    assert (other.status_code, other.json()["code"]) == (409, "STATE_CONFLICT")
    assert "접수중" in other.json()["title"]
    assert [tuple(row) for row in await world.sql("SELECT last FROM number_counter")] == [(1,)]
    missing = await university.act(draft, "submit")
    assert missing.json()["code"] == "IDEMPOTENCY_KEY_REQUIRED"


async def test_submissions_at_once_get_gapless_numbers_and_failures_take_none(world):
    university = world.university()
    good = [await university.ready([practice(n)]) for n in range(8)]
    bad = [await university.ready([practice(n, allowance_won="1")]) for n in range(100, 104)]
    answers = await asyncio.gather(*map(university.submit, [*bad, *good]))
    numbers = [a.json()["number"] for a in answers if a.status_code == 200]
    assert sorted(int(number.split("-")[1]) for number in numbers) == list(range(1, 9))
    assert [a.status_code for a in answers].count(422) == 4


async def test_the_same_achievement_in_two_applications_at_once_is_claimed_once(world):
    one, two = world.university(), world.university()
    rows = [practice(n) for n in range(20)]
    drafts = [(one, await one.ready(rows)), (two, await two.ready(rows[::-1]))]
    answers = await asyncio.gather(*(person.submit(draft) for person, draft in drafts))
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    loser = next(answer for answer in answers if answer.status_code == 422)
    assert set(errors_of(loser)) == {"DUPLICATE_CLAIM"}
    assert len(loser.json()["errors"]) == 20
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert winner.json()["number"] in loser.json()["errors"][0]["message"]
    assert len(await world.sql("SELECT 1 FROM claim WHERE live")) == 20


async def test_a_duplicate_is_shown_in_the_preview_already(world):
    university = world.university()
    await university.submitted([practice(1), practice(2)])
    draft = await university.ready([practice(3), practice(2, trainee_name=" 홍길동2 ")])
    found = (await university.act(draft, "preview")).json()["findings"]
    duplicates = [item for item in found if item["code"] == "DUPLICATE_CLAIM"]
    assert [(item["row"], item["pointer"]) for item in duplicates] == [(2, "/rows/2/brn")]
    assert duplicates[0]["params"] == {"number": f"{day()[2:4]}-1"}


async def test_gifts_of_one_day_to_two_universities_are_two_and_to_one_the_same(world):
    gift = {
        "brn": brn(0),
        "company_name": "한빛정밀",
        "donation_type": "장학금",
        "deposit_date": day(-10),
        "deposit_won": "5000000",
    }
    one, two = world.university(), world.university()
    await one.submitted([gift], "SCHOLARSHIP")
    await two.submitted([gift], "SCHOLARSHIP")
    again = await one.submit(await one.ready([gift], "SCHOLARSHIP"))
    assert errors_of(again) == ["DUPLICATE_CLAIM"]
    pledged = {**gift, "contract_no": "2026-1"}
    await one.submitted([pledged], "SCHOLARSHIP")
    foreign = await two.submit(await two.ready([pledged], "SCHOLARSHIP"))
    assert errors_of(foreign) == ["DUPLICATE_CLAIM"]


async def test_of_very_many_findings_a_thousand_are_told_and_the_others_counted(world):
    university = world.university()
    draft = await university.draft()
    rows = [practice(n, brn="1", hours="0") for n in range(600)]
    saved = (await university.put_rows(draft, rows)).json()
    assert (saved["finding_count"], len(saved["findings"])) == (1_201, 1_001)
    assert saved["findings"][-2]["code"] == "EVIDENCE_MISSING"  # it concerns the whole
    assert saved["findings"][-1]["code"] == "MORE_FINDINGS"
    assert saved["findings"][-1]["params"] == {"count": 201, "total": 1_201}
    assert "2단계" in saved["message"]
    refused = (await university.submit(draft)).json()
    assert (refused["params"]["total"], len(refused["errors"])) == (1_201, 1_001)
    assert {item["level"] for item in refused["errors"][:-1]} == {"error"}


async def test_a_draft_does_not_grow_without_end(world, monkeypatch):
    monkeypatch.setattr(service, "MAX_KEPT_ROWS", 3)
    university = world.university()
    draft = await university.draft()
    assert (await university.put_rows(draft, [practice(n) for n in range(3)])).status_code == 200
    too_many = await university.put_rows(draft, [practice(n) for n in range(4)])
    assert errors_of(too_many) == ["TOO_MANY_ROWS"]
    assert (await university.detail(draft))["row_count"] == 3


async def test_a_cancelled_application_frees_its_claims_and_keeps_its_number(world):
    university = world.university()
    draft = await university.submitted([practice(1)])
    answer = await university.act(draft, "cancel", {"reason": "금액 오기"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["number"]) == ("cancelled", f"{day()[2:4]}-1")
    assert await university.submitted([practice(1)])
    again = await university.act(draft, "cancel", {})
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")
    edit = await university.put_rows(draft, [])
    assert edit.json()["code"] == "STATE_CONFLICT"


async def test_after_submission_nothing_can_be_edited_attached_or_discarded(world):
    university = world.university()
    draft = await university.submitted([practice(1)])
    file_id = (await university.detail(draft))["files"][0]["id"]
    answers = [
        await university.put_rows(draft, [practice(2)]),
        await university.attach(draft, "OFFICIAL_LETTER"),
        await university.call("DELETE", f"{APPLICATIONS}/{draft}/files/{file_id}"),
        await university.call("DELETE", f"{APPLICATIONS}/{draft}"),
        await university.call(
            "PATCH",
            f"{APPLICATIONS}/{draft}",
            json={"memo": "x"},
            headers={"If-Match": await university.version(draft)},
        ),
        await university.act(draft, "preview"),
    ]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(409, "STATE_CONFLICT")}


async def test_names_are_masked_once_submitted_and_opened_only_with_a_recorded_purpose(world):
    university, operator = world.university(), world.operator()
    draft = await university.submitted([practice(1, trainee_name="홍길동", note="010-1234-5678")])
    path = f"{APPLICATIONS}/{draft}/rows"
    for person in (university, operator):
        rows = (await person.get(path)).json()
        cells = rows["items"][0]["cells"]
        assert rows["masked"] is True
        assert (cells["trainee_name"], cells["department"], cells["note"]) == (
            "홍*동",
            "***",
            "***",
        )
        assert cells["brn"] == brn(0)
    opened = (await operator.get(f"{path}?purpose=협약서 대조")).json()
    assert opened["items"][0]["cells"]["trainee_name"] == "홍길동"
    assert opened["masked"] is False
    events = (await operator.get(f"{APPLICATIONS}/{draft}/events")).json()["items"]
    reveal = [event for event in events if event["action"] == "reveal"]
    assert [(event["by"], event["details"]["purpose"]) for event in reveal] == [
        (operator.sub, "협약서 대조")
    ]
    observer = world.person("accrual:read", role="observer", institution_kind="ministry")
    seen = (await observer.get(f"{path}?purpose=통계")).json()
    assert (seen["masked"], seen["items"][0]["cells"]["trainee_name"]) == (True, "홍*동")


async def test_the_trace_cannot_be_changed_even_by_the_database_user(world):
    university = world.university()
    await university.draft()
    for statement in (
        "UPDATE application_event SET action = 'x'",
        "DELETE FROM application_event",
        "TRUNCATE application_event",
    ):
        with pytest.raises(Exception, match="append-only"):
            await world.change(statement)


async def test_registered_names_arrive_after_the_submission(world, registry):
    from services.accrual.jobs import look_up_names

    registry.known[brn(0)] = "한빛정밀산업 주식회사"
    university = world.university()
    draft = await university.submitted([practice(1), practice(2, brn=brn(1))])
    jobs = await world.sql(
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'applications.names'"
    )
    assert [job.args["application_id"] for job in jobs] == [draft]
    await look_up_names(world.runtime, draft)
    detail = await university.detail(draft)
    assert detail["institution_name"] == "한국대학교"
    assert [c["registered_name"] for c in detail["companies"]] == ["한빛정밀산업 주식회사", None]
    for name, total in (("정밀산업", 1), ("한빛정밀", 1), (brn(1), 1), ("다른 기업", 0)):
        found = await university.get(APPLICATIONS, params={"company": name})
        assert found.json()["total"] == total
    assert all(not body.get("create") for _, body in registry.calls)
