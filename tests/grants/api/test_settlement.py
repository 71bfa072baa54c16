"""A year is settled over a snapshot: to the won, on one ground each, with everybody's say."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import AGENCY, API, PDF, UNIVERSITY, meeting, run


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
    more = {"kind": "disallow", "ground": 5, "won": 250_001, "reason": "-"}
    refused = await client.post(
        f"{API}/expenses/{year['good']}/decisions", json=more, headers=auditor
    )
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "REVIEW_INVALID")


async def test_the_year_goes_through_objection_to_final_and_the_exact_refund(
    client, year, auditor, applicant, runtime
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
    # What the last run did not know of cannot become final.
    found = {"kind": "disallow", "ground": 5, "won": 50_000, "reason": "사업과 무관"}
    decided = await client.post(
        f"{API}/expenses/{year['good']}/decisions", json=found, headers=auditor
    )
    outdated = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert (outdated.status_code, outdated.json()["code"]) == (409, "SETTLEMENT_OUTDATED")
    await client.post(f"{API}/decisions/{decided.json()['id']}/withdraw", headers=auditor)
    final = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert final.json()["state"] == "final", final.text
    late = await client.post(
        f"{year['url']}/settlement/runs", headers=auditor | {"Idempotency-Key": "late"}
    )
    assert late.status_code == 409

    due = result["statement"]["return_won"]
    paid = await client.post(
        f"{year['url']}/settlement/refund",
        json={"returned_won": due, "reference": "입금 2"},
        headers=auditor | {"Idempotency-Key": "f2"},
    )
    assert paid.json()["state"] == "refunded"
    async with runtime.sessions() as session:
        note = await session.scalar(text("SELECT reason FROM event WHERE action = 'refund'"))
    assert note == f"입금 2 ({due:,}원)"


async def test_no_expense_enters_a_closed_year(client, year, applicant):
    answer = await client.post(
        f"{year['url']}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "late"}
    )
    assert answer.status_code == 409


async def test_a_run_is_repeated_from_its_snapshot_whatever_came_after(
    client, year, auditor, colleague, applicant, officer, answers, runtime, stranger
):
    answers["accrual"] = "적립신청 2026-0001"
    change = {"kind": "trait", "body": {"trait": "nonprofit"}, "reason": "확인"}
    await client.post(
        f"{year['url']}/changes", json=change, headers=officer | {"Idempotency-Key": "c1"}
    )
    finding = {"kind": "disallow", "ground": 5, "won": 50_000, "reason": "사업과 무관"}
    await client.post(f"{API}/expenses/{year['good']}/decisions", json=finding, headers=auditor)
    await run(client, year, auditor)
    # Everything the run went by changes: the plan, the documents, decisions, the other services.
    carried = {"kind": "carry_over", "body": {"won": 1_000_000}, "reason": "이월 승인"}
    await client.post(
        f"{year['url']}/changes", json=carried, headers=officer | {"Idempotency-Key": "c2"}
    )
    await client.post(
        f"{API}/expenses/{year['good']}/decisions", json=finding | {"ground": 4}, headers=auditor
    )
    answers["accrual"] = ""
    async with runtime.sessions.begin() as session:
        await session.execute(text("DELETE FROM evidence"))
        await session.execute(text("UPDATE expense SET amount_won = amount_won + 1"))
        await session.execute(text("UPDATE usage_report SET interest_won = 1"))
    second = await run(client, year, auditor, "r2")
    assert second["statement"]["carried_over_won"] == 1_000_000
    for seq in (1, 2):
        url = f"{year['url']}/settlement/runs/{seq}/replay"
        replayed = await client.get(url, headers=applicant)
        same = dict.fromkeys(("same_result", "same_rule_set", "same_code"), True)
        assert replayed.json() == {"seq": seq} | same
    assert (await client.get(url, headers=stranger("grants:settle"))).status_code == 404
    async with runtime.sessions.begin() as session:  # a snapshot somebody tampered with tells
        await session.execute(text("ALTER TABLE settlement_run DISABLE TRIGGER USER"))
        await session.execute(
            text("UPDATE settlement_run SET inputs = jsonb_set(inputs, '{interest_won}', '7')")
        )
    assert (await client.get(url, headers=applicant)).json()["same_result"] is False


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


async def test_two_runs_side_by_side_show_what_came_and_what_went(
    client, year, auditor, colleague, applicant
):
    first = await run(client, year, auditor)
    for item in first["findings"]:
        if item["pointer"] == f"/expenses/{year['bad']}":
            waiver = {"kind": "waive", "rule": item["rule"], "code": item["code"], "reason": "확인"}
            made = await client.post(
                f"{API}/expenses/{year['bad']}/decisions", json=waiver, headers=auditor
            )
            await client.post(f"{API}/decisions/{made.json()['id']}/confirm", headers=colleague)
    found = {"kind": "disallow", "ground": 5, "won": 50_000, "reason": "사업과 무관"}
    await client.post(f"{API}/expenses/{year['good']}/decisions", json=found, headers=auditor)
    second = await run(client, year, auditor, "r2")
    url = f"{year['url']}/settlement/comparison?before=1&after=2"
    compared = (await client.get(url, headers=applicant)).json()
    assert [(c["expense_id"], c["code"], c["after_won"]) for c in compared["came"]] == [
        (year["good"], "REVIEWER_FINDING", 50_000)
    ]
    went = [(c["expense_id"], c["before_won"]) for c in compared["went"]]
    assert went == [(year["bad"], 130_000)]
    assert compared["changed"] == []
    assert compared["disallowed_before_won"] == 130_000
    assert compared["disallowed_after_won"] == 50_000
    returns = (compared["return_before_won"], compared["return_after_won"])
    assert returns == tuple(r["statement"]["return_won"] for r in (first, second))
    missing = await client.get(url.replace("after=2", "after=9"), headers=applicant)
    assert missing.status_code == 404


async def test_an_expense_sent_back_is_mended_by_its_institution_and_judged_again(
    client, year, auditor, applicant
):
    await run(client, year, auditor)
    url = f"{API}/expenses/{year['bad']}"
    early = await client.post(f"{url}/supply", headers=applicant)
    assert early.status_code == 409
    asked = await client.post(
        f"{url}/decisions", json={"kind": "ask", "reason": "전표와 회의록 보완"}, headers=auditor
    )
    assert asked.status_code == 201, asked.text
    for kind, won in (("expenditure_resolution", ""), ("card_slip", "130000"), ("minutes", "")):
        answer = await client.post(
            f"{url}/evidence",
            data={"kind": kind} | ({"amount_won": won} if won else {}),
            files={"file": (f"{kind}.pdf", PDF + b"later" + kind.encode(), "application/pdf")},
            headers=applicant,
        )
        assert answer.status_code == 201, answer.text
    await run(client, year, auditor, "r2")  # what was asked for is still open
    assert (await client.get(url, headers=auditor)).json()["expense"]["state"] == "returned"
    supplied = await client.post(f"{url}/supply", headers=applicant)
    assert supplied.json()["state"] == "in_review"
    assert (await run(client, year, auditor, "r3"))["disallowed"]["grant"] == 0
    assert (await client.get(url, headers=auditor)).json()["expense"]["state"] == "allowed"


async def test_the_final_year_is_printed_for_either_side_and_not_before(
    client, year, auditor, applicant, stranger
):
    await run(client, year, auditor)
    urls = [f"{year['url']}/settlement/{page}.pdf" for page in ("statement", "recovery-notice")]
    assert (await client.get(urls[0], headers=auditor)).status_code == 409
    for action in ("open-objections", "finalise"):
        await client.post(f"{year['url']}/settlement/{action}", headers=auditor)
    for url in urls:
        page = await client.get(url, headers=applicant)
        assert (page.status_code, page.headers["content-type"]) == (200, "application/pdf")
        assert page.content.startswith(b"%PDF-1.7")
        assert len(page.content) > 5_000
        other = await client.get(url, headers=stranger("grants:apply", "grants:settle"))
        assert other.status_code == 404
    items = (await client.get(f"{year['url']}/expenses", headers=auditor)).json()["items"]
    assert {item["state"] for item in items} == {"final"}


async def test_every_change_of_state_is_noted_with_who_made_it_and_why(
    client, year, auditor, applicant, stranger, runtime
):
    await run(client, year, auditor)
    await run(client, year, auditor, "r2")  # changes nothing, notes nothing
    for action in ("open-objections", "finalise"):
        await client.post(f"{year['url']}/settlement/{action}", headers=auditor)
    url = f"{API}/expenses/{year['bad']}/moves"
    moves = (await client.get(url, headers=applicant)).json()
    assert [(m["action"], m["from_state"], m["to_state"], m["reason"]) for m in moves] == [
        ("register", None, "registered", None),
        ("report", "registered", "in_review", None),
        ("settle", "in_review", "disallowed", "정산 1차"),
        ("finalise", "disallowed", "final", None),
    ]
    assert (await client.get(url, headers=stranger("grants:apply"))).status_code == 404
    async with runtime.sessions() as session:
        actors = await session.execute(
            text("SELECT DISTINCT action, actor_institution_id FROM event WHERE subject_id = :id"),
            {"id": year["bad"]},
        )
    institutions = {row.action: row.actor_institution_id for row in actors}
    assert institutions["report"] == institutions["register"] == UNIVERSITY
    assert institutions["settle"] == institutions["finalise"] == AGENCY


async def test_what_the_usage_report_says_of_account_and_budget_is_held_against_the_plan(
    client, agreement, applicant, officer, auditor
):
    url = f"{API}/agreements/{agreement['id']}"
    await client.post(f"{url}/close", headers=officer)
    report = {
        "received_grant_won": 200_000_000,
        "interest_won": 0,
        "account": {
            "separate": False,
            "interest_tracked": True,
            "documents": ["single_account_reason"],
        },
        "budget": {"travel": {"grant": 5_000_001}},
    }
    await client.post(f"{url}/report", json=report, headers=applicant)
    seen = (await client.post(f"{url}/settlement/preview", headers=auditor)).json()
    found = {(f["code"], f["rule"], f["pointer"]) for f in seen["findings"]}
    assert ("ACCOUNT_NOT_SEPARATE", "G-043", "/account/single_account_confirmation") in found
    assert ("BUDGET_MISMATCH", "G-033", "/items/travel/grant") in found
    assert "USAGE_NOT_STATED" not in {code for code, _, _ in found}


async def test_a_document_that_serves_mileage_is_flagged_and_silence_is_no_clean_record(
    client, year, auditor, answers
):
    answers["accrual"] = "적립신청 2026-0001"
    result = await run(client, year, auditor)
    flagged = [f for f in result["findings"] if f["code"] == "CROSS_CLAIM"]
    assert {f["pointer"] for f in flagged} == {f"/expenses/{year['good']}"}
    assert {f["params"]["where"] for f in flagged} == {"적립신청 2026-0001"}
    assert result["unchecked"] == ["exchange"]
    assert [f["code"] for f in result["findings"]].count("CLAIMS_UNCHECKED") == 1
    answers["exchange"] = ""  # it answers, and knows nothing
    assert (await run(client, year, auditor, "r2"))["unchecked"] == []


ANOTHER_PROJECT = """
    WITH p AS (INSERT INTO proposal (programme_id, institution_id, institution_name, title,
        document, state) SELECT programme_id, uuidv7(), '다른대학교', title, document, 'agreed'
        FROM proposal RETURNING id),
    a AS (INSERT INTO agreement (proposal_id, programme_id, agency_id, institution_id,
        institution_name, title, agreed_on, year_start, year_end) SELECT p.id, programme_id,
        agency_id, uuidv7(), '다른대학교', title, agreed_on, year_start, year_end
        FROM agreement, p RETURNING id),
    e AS (INSERT INTO expense (agreement_id, number, kind, fund, amount_won, vat_won, purpose,
        payee_name, details, created_by) SELECT a.id, 1, 'meeting', 'grant', 250000, 0, '-', '-',
        '{}', 'x' FROM a RETURNING id)
    INSERT INTO evidence (id, expense_id, kind, amount_won, file_key, file_name, media_type, size,
        sha256, created_by) SELECT '00000000-0000-7000-8000-000000000000', e.id, 'card_slip',
        250000, 'k', 'n', 'application/pdf', 1,
        (SELECT sha256 FROM evidence WHERE kind = 'card_slip'), 'x' FROM e
"""


async def test_a_document_another_project_entered_first_proves_nothing_here(
    client, year, auditor, runtime
):
    async with runtime.sessions.begin() as session:
        await session.execute(text(ANOTHER_PROJECT))
    result = await run(client, year, auditor)
    (part,) = [p for p in result["disallowances"] if p["expense_id"] == year["good"]]
    assert (part["code"], part["rule"], part["won"]) == ("DUPLICATE_EVIDENCE", "G-040", 250_000)


async def test_across_projects_a_file_is_known_and_a_number_with_its_amount(
    client, year, auditor, runtime
):
    """The same slip photographed again has another file and the same number; another bank's slip
    may have the same number, and states another amount."""
    async with runtime.sessions.begin() as session:
        await session.execute(text(ANOTHER_PROJECT))
        await session.execute(
            text("UPDATE evidence SET number = 'A-1' WHERE kind = 'card_slip' AND file_key <> 'k'")
        )
    same, other = "(SELECT sha256 FROM evidence WHERE number = 'A-1' LIMIT 1)", "repeat('0', 64)"
    for kind, number, amount, file, known in (
        ("card_slip", "'A-2'", "1", same, True),
        ("card_slip", "NULL", "NULL", same, True),
        ("tax_invoice", "'A-1'", "250000", other, True),
        ("tax_invoice", "'A-1'", "NULL", other, True),
        ("card_slip", "'A-1'", "249999", other, False),
        ("card_slip", "'A-2'", "250000", other, False),
        ("contract", "'A-1'", "250000", same, False),
    ):
        async with runtime.sessions.begin() as session:
            await session.execute(
                text(
                    f"UPDATE evidence SET kind = '{kind}', number = {number},"
                    f" amount_won = {amount}, sha256 = {file} WHERE file_key = 'k'"
                )
            )
        seen = await client.post(f"{year['url']}/settlement/preview", headers=auditor)
        fallen = {part["expense_id"] for part in seen.json()["disallowances"]}
        assert (year["good"] in fallen) is known, (kind, number, amount, file)
