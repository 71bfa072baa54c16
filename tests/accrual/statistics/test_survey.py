"""What a survey counts, what is at risk, who sees it, and how windows change."""

import io
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.applications.models import Application, Claim
from services.accrual.statistics import rules, service
from shared.clock import SEOUL, seoul_day, utc_now
from tests.accrual.world import practice

STATISTICS = "/api/v1/accrual/statistics"
Applied = Callable[..., Awaitable[UUID]]


@pytest.fixture
def applied(world) -> Applied:
    """An application as it would stand by now, had it gone through on other days than today."""

    async def make(
        applied_on: date = date(2025, 1, 1),
        posted_at: datetime | None = datetime(2025, 2, 1, tzinfo=SEOUL),
        *,
        institution_id: UUID | None = None,
        records: int = 1,
        rejected: int = 0,
        **more: Any,
    ) -> UUID:
        values = {
            "institution_id": institution_id or uuid4(),
            "institution_name": "한국대학교",
            "field": "PRACTICE",
            "state": "draft" if posted_at is None else "posted",
            "created_by": "someone",
            "client_id": "portal",
            "number": uuid4().hex[:12],
            "applied_on": applied_on,
            "submitted_by": "someone",
            "posted_at": posted_at,
            "mileage": 450,
        }
        one = Application(**values | more)
        async with world.runtime.sessions.begin() as session:
            session.add(one)
            await session.flush()
            for number in range(1, records + rejected + 1):
                live = number <= records and one.state != "revoked"
                session.add(_claim(one.id, number, applied_on, live=live))
        return one.institution_id

    return make


def _claim(application_id: UUID, number: int, day: date, *, live: bool) -> Claim:
    return Claim(
        application_id=application_id,
        number=number,
        brn="1048203590",
        quantity=1,
        deposited_won=0,
        reference_on=day,
        key=uuid4().bytes * 2,
        live=live,
        rejected_reason=None if live else "중복",
    )


def observer(world):
    return world.person(
        "accrual:read", role="observer", institution_id=uuid4(), institution_kind="ministry"
    )


def korean(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SEOUL)


LAST = korean(2025, 2, 28, 23, 59, 59)


@pytest.mark.parametrize(
    ("applied_on", "posted_at", "counts"),
    [
        (date(2024, 3, 1), korean(2024, 3, 1), True),
        (date(2025, 2, 28), LAST, True),
        (date(2025, 2, 28), LAST + timedelta(seconds=1), False),  # posted a second too late
        (date(2024, 2, 29), korean(2024, 3, 1), False),  # applied for before the window
        (date(2024, 2, 29), korean(2024, 2, 29), False),
        (date(2025, 3, 1), korean(2025, 3, 1), False),
    ],
)
async def test_a_survey_counts_what_was_applied_for_and_posted_inside(
    world, applied, applied_on, posted_at, counts
):
    await applied(applied_on, posted_at, records=3, rejected=2)
    summary = (await observer(world).get(f"{STATISTICS}/windows/2025")).json()
    figures = [summary[name] for name in ("institutions", "applications", "records", "points")]
    assert figures == ([1, 1, 3, 450] if counts else [0, 0, 0, 0])


async def test_what_was_revoked_or_only_tried_counts_nowhere(world, applied):
    await applied(state="revoked")
    await applied(test_mode=True)
    summary = (await observer(world).get(f"{STATISTICS}/windows/2025")).json()
    assert (summary["applications"], summary["records"]) == (0, 0)


async def test_figures_are_by_field_and_by_institution(world, applied):
    one = await applied(records=2)
    await applied(institution_id=one, mileage=50)
    await applied(institution_id=one, field="HIRING", mileage=100)
    other = await applied(institution_name="다른대학교", mileage=7)
    person = observer(world)
    summary = (await person.get(f"{STATISTICS}/windows/2025")).json()
    assert [summary[name] for name in ("institutions", "applications", "points")] == [2, 4, 607]
    assert len(summary["by_field"]) == 7
    practice_line = next(line for line in summary["by_field"] if line["field"] == "PRACTICE")
    assert [practice_line[name] for name in ("institutions", "records", "points")] == [2, 4, 507]

    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await person.get(f"{STATISTICS}/windows/2025/figures", params=params)).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert page["total"] == 3
    lines = {(line["institution_id"], line["field"]): line for line in found}
    assert lines[str(one), "PRACTICE"]["points"] == 500
    assert lines[str(one), "PRACTICE"]["records"] == 3
    assert lines[str(other), "PRACTICE"]["institution_name"] == "다른대학교"
    only = await person.get(f"{STATISTICS}/windows/2025/figures?institution_id={other}")
    assert [line["points"] for line in only.json()["items"]] == [7]


async def test_a_university_sees_its_own_figures_and_no_others(world, applied):
    own, foreign = await applied(), await applied(mileage=9_999)
    person = world.university(own)
    assert (await person.get(f"{STATISTICS}/windows/2025")).json()["points"] == 450
    figures = (await person.get(f"{STATISTICS}/windows/2025/figures")).json()
    assert [line["institution_id"] for line in figures["items"]] == [str(own)]
    for tail in ("", "/figures", "/at-risk", "/export"):
        path = f"{STATISTICS}/windows/2025{tail}?institution_id={foreign}"
        assert (await person.get(path)).status_code == 404


async def test_a_sub_account_sees_its_fields(world, applied):
    own = await applied()
    await applied(institution_id=own, field="HIRING", mileage=1)
    person = world.university(own, role="sub_account", fields=["HIRING"])
    assert (await person.get(f"{STATISTICS}/windows/2025")).json()["points"] == 1


async def test_what_is_under_way_is_at_risk_and_after_the_cut_off_missed(world, applied):
    own = uuid4()
    for state in ("submitted", "in_review", "returned", "approved"):
        await applied(
            date(2025, 2, 1), None, institution_id=own, state=state, claimed_by="a reviewer"
        )
    late = await applied(date(2025, 2, 2), LAST + timedelta(days=1), institution_id=own)
    await applied(institution_id=own)  # counted
    for state in ("draft", "rejected", "cancelled"):
        await applied(date(2025, 2, 1), None, institution_id=own, state=state)
    page = (await world.university(late).get(f"{STATISTICS}/windows/2025/at-risk")).json()
    assert sorted(item["state"] for item in page["items"]) == [
        "approved", "in_review", "posted", "returned", "submitted",
    ]  # fmt: skip
    assert all(item["missed"] for item in page["items"])
    assert page["items"][-1]["state_name"] == "적립완료"


async def test_an_application_is_at_risk_until_it_is_posted(world):
    """Through the real way of an application, in the window that is open today."""
    today = seoul_day(utc_now())
    year = rules.survey_year(today)
    async with world.runtime.sessions.begin() as session:
        await service.open_windows(session, today=today)
    person, boss = world.university(), world.operator()
    application_id = await person.submitted([practice(0), practice(1)])
    path = f"{STATISTICS}/windows/{year}"
    risky = (await person.get(f"{path}/at-risk")).json()["items"]
    assert [(one["id"], one["missed"]) for one in risky] == [(application_id, False)]
    assert (await person.get(path)).json()["records"] == 0

    assert (await boss.act(application_id, "claim")).status_code == 200
    assert (await boss.approve(application_id)).status_code == 200
    assert (await person.get(f"{path}/at-risk")).json()["items"] == []
    posted = (await person.get(path)).json()
    detail = await person.detail(application_id)
    assert (posted["applications"], posted["records"]) == (1, 2)
    assert posted["points"] == detail["mileage"] > 0


async def test_the_export_is_a_workbook_without_formulas(world, applied):
    await applied(institution_name='=HYPERLINK("http://evil")')
    await applied(date(2025, 2, 1), None, state="submitted", institution_name="@SUM(A1)")
    answer = await observer(world).get(f"{STATISTICS}/windows/2025/export")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["집계", "미적립"]
    figures, risky = ([list(row) for row in book[name].values] for name in book.sheetnames)
    assert figures[1] == ['\'=HYPERLINK("http://evil")', "대학생 현장실습", 1, 1, 450]
    assert risky[1][1:4] == ["'@SUM(A1)", "대학생 현장실습", "접수중"]
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n"}


async def test_a_finished_survey_is_public_the_pilot_and_the_running_one_are_not(world, applied):
    await applied()
    await applied(date(2024, 1, 1), korean(2024, 1, 2))
    await applied(test_mode=True)
    found = await world.client.get(f"{STATISTICS}/public/2025")
    assert (found.status_code, found.json()["points"]) == (200, 450)
    running = rules.survey_year(seoul_day(utc_now()))
    for year in (2024, running, 2999):
        answer = await world.client.get(f"{STATISTICS}/public/{year}")
        assert (answer.status_code, answer.json()["code"]) == (404, "WINDOW_NOT_FOUND")


async def test_the_windows_are_there_from_the_start_and_the_next_is_opened_once(world):
    found = (await observer(world).get(f"{STATISTICS}/windows")).json()
    first = found[-1]
    assert (first["year"], first["starts_on"], first["ends_on"], first["pilot"]) == (
        2024, "2023-03-01", "2024-02-29", True,
    )  # fmt: skip
    for _ in range(2):
        async with world.runtime.sessions.begin() as session:
            await service.open_windows(session, today=date(2030, 12, 31))
    years = [one["year"] for one in (await observer(world).get(f"{STATISTICS}/windows")).json()]
    assert years == [2032, 2031, *(one["year"] for one in found)]


async def test_the_operator_moves_a_cut_off_and_who_did_it_is_kept(world):
    year = await _next_window(world)
    boss, path = world.operator(), f"{STATISTICS}/windows/{year}"
    body = {"starts_on": f"{year - 1}-03-01", "ends_on": f"{year}-02-20", "pilot": False}
    seen = {"If-Match": (await boss.get(path)).headers["etag"]}
    changed = await boss.call("PUT", path, json=body, headers=seen)
    assert (changed.status_code, changed.json()["ends_on"]) == (200, body["ends_on"])
    assert changed.headers["etag"] == '"2"'
    again = await boss.call("PUT", path, json=body, headers=seen)
    assert (again.status_code, again.json()["code"]) == (412, "STALE")
    missing = await boss.call("PUT", path, json=body)
    assert missing.status_code == 428
    trace = await world.sql('SELECT year, "by", before, after FROM survey_window_change')
    assert [(one.year, one.by, one.after["ends_on"]) for one in trace] == [
        (year, boss.sub, body["ends_on"])
    ]
    with pytest.raises(DBAPIError, match="append-only"):
        await world.change("DELETE FROM survey_window_change")


async def test_windows_neither_overlap_nor_change_when_they_are_over(world):
    year = await _next_window(world)
    boss = world.operator()

    async def put(year, starts_on, ends_on):
        body = {"starts_on": starts_on, "ends_on": ends_on, "pilot": False}
        path = f"{STATISTICS}/windows/{year}"
        answer = await boss.call("PUT", path, json=body, headers={"If-Match": '"1"'})
        return answer.status_code, answer.json().get("errors") or answer.json()["code"]

    overlap = await put(year, f"{year - 1}-02-28", f"{year}-02-20")
    assert overlap == (409, "WINDOW_OVERLAPS")
    assert await put(2025, "2024-03-01", "2025-03-01") == (409, "WINDOW_ENDED")
    assert await put(2999, "2998-03-01", "2999-02-01") == (404, "WINDOW_NOT_FOUND")
    status, findings = await put(year, f"{year}-03-01", "2024-01-01")
    assert (status, [one["code"] for one in findings]) == (422, ["DATE_ORDER", "WINDOW_PAST"])


async def test_every_route_needs_a_token_and_permission_but_the_public_one(world):
    stranger = world.person("ledger:read", institution_id=uuid4(), institution_kind="company")
    reader = world.university()
    walked = 0
    for path, verbs in world.client._transport.app.openapi()["paths"].items():
        ours = path.startswith(STATISTICS) or path.endswith("/posted-mileage")
        if not ours or "/public/" in path:
            continue
        for verb in verbs:
            filled = path.format(year=2025, institution_id=uuid4())
            assert (await world.client.request(verb.upper(), filled)).status_code == 401
            assert (await stranger.call(verb.upper(), filled)).status_code == 403
            walked += 1
    assert walked == 7
    body = {"starts_on": "2024-03-01", "ends_on": "2030-02-28", "pilot": False}
    seen = {"If-Match": '"1"'}
    answer = await reader.call("PUT", f"{STATISTICS}/windows/2025", json=body, headers=seen)
    assert answer.status_code == 403


async def _next_window(world) -> int:
    """The year of a window that is still to come, with one before it."""
    today = seoul_day(utc_now())
    async with world.runtime.sessions.begin() as session:
        await service.open_windows(session, today=today)
    return rules.survey_year(today) + 1
