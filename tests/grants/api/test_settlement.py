"""A year is settled over a snapshot: to the won, on one ground each, with everybody's say."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.grants.expenses.rules import Expense
from services.grants.programmes.reading import read
from services.grants.settlement.rules import Review, Waiver
from services.grants.settlement.snapshot import frozen
from tests.grants.api.conftest import AGENCY, API, PDF, meeting


@pytest.fixture
def auditor(tokens):
    return tokens.headers("grants:read", "grants:settle", role="auditor", institution_id=AGENCY)


@pytest.fixture
def colleague(tokens):
    return tokens.headers("grants:read", "grants:settle", role="auditor", institution_id=AGENCY)


@pytest.fixture
async def year(client, agreement, applicant, officer) -> dict:
    """A reported year: one meeting in order, one without any evidence."""
    url = f"{API}/agreements/{agreement['id']}"
    ids = []
    for n, won in enumerate((250_000, 130_000)):
        made = await client.post(
            f"{url}/expenses",
            json=meeting(won, details={"event": f"회의 {n}"}),
            headers=applicant | {"Idempotency-Key": f"e{n}"},
        )
        ids.append(made.json()["id"])
    for kind, won in (("expenditure_resolution", ""), ("card_slip", "250000"), ("minutes", "")):
        await client.post(
            f"{API}/expenses/{ids[0]}/evidence",
            data={"kind": kind} | ({"amount_won": won} if won else {}),
            files={"file": (f"{kind}.pdf", PDF + kind.encode(), "application/pdf")},
            headers=applicant,
        )
    await client.post(f"{url}/close", headers=officer)
    reported = await client.post(
        f"{url}/report",
        json={"received_grant_won": 200_000_000, "interest_won": 123_456},
        headers=applicant,
    )
    assert reported.json()["state"] == "reported", reported.text
    return {"url": url, "good": ids[0], "bad": ids[1]}


async def run(client, year, auditor, key="r1") -> dict:
    answer = await client.post(
        f"{year['url']}/settlement/runs", headers=auditor | {"Idempotency-Key": key}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]


async def test_what_is_not_proven_falls_on_one_ground_and_is_returned_to_the_won(
    client, year, auditor
):
    result = await run(client, year, auditor)
    assert result["disallowed"] == {"grant": 130_000, "cash": 0, "in_kind": 0}
    assert {part["expense_id"] for part in result["disallowances"]} == {year["bad"]}
    assert result["by_ground"] == {"1": 130_000}
    # (G received − spent) + disallowed + interest × G ÷ (G + C), cut once (G-049)
    unspent = 200_000_000 - 380_000
    interest = 123_456 * 200_000_000 // 260_000_000
    assert result["statement"]["return_won"] == unspent + 130_000 + interest
    states = {
        item["id"]: item["state"]
        for item in (await client.get(f"{year['url']}/expenses", headers=auditor)).json()["items"]
    }
    assert states == {year["good"]: "allowed", year["bad"]: "disallowed"}


async def test_preview_and_run_agree_and_the_preview_keeps_nothing(
    client, year, auditor, applicant
):
    seen = (await client.post(f"{year['url']}/settlement/preview", headers=applicant)).json()
    assert seen == await run(client, year, auditor)
    runs = (await client.get(f"{year['url']}/settlement/runs", headers=applicant)).json()
    assert [item["seq"] for item in runs] == [1]


async def test_setting_a_rule_aside_counts_only_after_a_second_person_confirmed(
    client, year, auditor, colleague
):
    first = await run(client, year, auditor)
    waivers = [
        (
            await client.post(
                f"{API}/expenses/{year['bad']}/decisions",
                json={
                    "kind": "waive",
                    "rule": item["rule"],
                    "code": item["code"],
                    "reason": "분실 확인",
                },
                headers=auditor,
            )
        ).json()
        for item in first["findings"]
        if item["pointer"] == f"/expenses/{year['bad']}"
    ]
    assert (await run(client, year, auditor, "r2"))["disallowed"]["grant"] == 130_000
    alone = await client.post(f"{API}/decisions/{waivers[0]['id']}/confirm", headers=auditor)
    assert (alone.status_code, alone.json()["code"]) == (403, "FOUR_EYES")
    for waiver in waivers:
        await client.post(f"{API}/decisions/{waiver['id']}/confirm", headers=colleague)
    assert (await run(client, year, auditor, "r3"))["disallowed"]["grant"] == 0


async def test_an_auditors_own_finding_takes_part_of_an_expense(client, year, auditor):
    await run(client, year, auditor)
    await client.post(
        f"{API}/expenses/{year['good']}/decisions",
        json={"kind": "disallow", "ground": 5, "won": 50_000, "reason": "사업과 무관한 식음료"},
        headers=auditor,
    )
    result = await run(client, year, auditor, "r2")
    assert result["by_ground"] == {"5": 50_000, "1": 130_000}


async def test_the_year_goes_through_objection_to_final_and_the_exact_refund(
    client, year, auditor, applicant, officer
):
    result = await run(client, year, auditor)
    early = await client.post(
        f"{API}/expenses/{year['bad']}/objections", json={"text": "영수증 제출"}, headers=applicant
    )
    assert early.status_code == 409
    await client.post(f"{year['url']}/settlement/open-objections", headers=auditor)
    made = await client.post(
        f"{API}/expenses/{year['bad']}/objections", json={"text": "영수증 제출"}, headers=applicant
    )
    waiting = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert waiting.status_code == 409
    await client.post(
        f"{API}/objections/{made.json()['id']}/answer",
        json={"outcome": "refused", "answer": "증빙이 없습니다."},
        headers=auditor,
    )
    final = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert final.json()["state"] == "final"
    late = await client.post(
        f"{year['url']}/settlement/runs", headers=auditor | {"Idempotency-Key": "late"}
    )
    assert late.status_code == 409

    due = result["statement"]["return_won"]
    short = await client.post(
        f"{year['url']}/settlement/refund",
        json={"returned_won": due - 1, "reference": "입금 1"},
        headers=auditor | {"Idempotency-Key": "f1"},
    )
    assert (short.status_code, short.json()["code"]) == (422, "REFUND_MISMATCH")
    paid = await client.post(
        f"{year['url']}/settlement/refund",
        json={"returned_won": due, "reference": "입금 2"},
        headers=auditor | {"Idempotency-Key": "f2"},
    )
    assert paid.json()["state"] == "refunded"


async def test_no_expense_enters_a_closed_year(client, year, applicant):
    answer = await client.post(
        f"{year['url']}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "late"}
    )
    assert answer.status_code == 409


async def test_a_run_can_be_repeated_from_its_snapshot_alone(client, year, auditor, runtime):
    await run(client, year, auditor)
    async with runtime.sessions() as session:
        inputs = await session.scalar(text("SELECT inputs FROM settlement_run"))
    for item in inputs["expenses"]:
        assert frozen(read(Expense, item)) == item
    assert all(frozen(read(Review, item)) == item for item in inputs["reviews"])
    assert all(frozen(read(Waiver, item)) == item for item in inputs["waivers"])


async def test_a_run_is_never_changed(client, year, auditor, runtime):
    await run(client, year, auditor)
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("UPDATE settlement_run SET result = '{}'"))


async def test_another_agency_and_another_university_see_and_do_nothing(client, year, stranger):
    other = stranger("grants:apply", "grants:manage", "grants:settle")
    url, key = year["url"], {"Idempotency-Key": "x"}
    report = {"received_grant_won": 0, "interest_won": 0}
    answers = [
        await client.post(f"{url}/close", headers=other),
        await client.post(f"{url}/report", json=report, headers=other),
        await client.post(f"{url}/settlement/preview", headers=other),
        await client.post(f"{url}/settlement/runs", headers=other | key),
        await client.get(f"{url}/settlement/runs", headers=other),
        await client.post(f"{url}/settlement/finalise", headers=other),
        await client.get(f"{url}/objections", headers=other),
        await client.get(f"{API}/expenses/{year['bad']}/decisions", headers=other),
        await client.post(
            f"{API}/expenses/{year['bad']}/objections", json={"text": "x"}, headers=other
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}
