"""Approval posts university and companies in one transaction, once, whatever happens around it."""

import asyncio
import signal
import sys
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.accrual.world import APPLICATIONS, brn, day, deposit, practice

ISSUANCE = UUID(int=1)


async def in_review(world, rows, field="PRACTICE", university=None):
    university, operator = university or world.university(), world.operator()
    application = await university.submitted(rows, field)
    assert (await operator.act(application, "claim")).status_code == 200
    return university, operator, application


async def posted(world, rows, field="PRACTICE", university=None):
    university, operator, application = await in_review(world, rows, field, university)
    answer = await operator.approve(application)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "posted"
    return application, answer.json()


async def balances(world):
    found = await world.sql("SELECT id, available + held - debt AS balance FROM account")
    return {row.id: row.balance for row in found}


def refusal(answer):
    return answer.status_code, answer.json()["code"]


async def test_university_and_companies_receive_the_same_and_the_books_balance(world, registry):
    university, operator, application = await in_review(
        world,
        [
            practice(1, allowance_won="4505000"),
            practice(2, allowance_won="4505000"),
            practice(3, brn=brn(1), allowance_won="19999"),
            practice(4, brn=brn(2), allowance_won="9999"),
        ],
    )
    preview = (await operator.act(application, "approve/preview")).json()
    assert (await world.sql("SELECT count(*) AS n FROM transfer"))[0].n == 0
    answer = await operator.approve(application, mileage=902)
    assert answer.status_code == 200
    assert answer.json() == preview
    assert (preview["university_mileage"], preview["state"]) == (902, "posted")
    institution = UUID((await university.detail(application))["institution_id"])
    assert await balances(world) == {
        institution: 902,
        registry.institution_id(brn(0)): 901,
        registry.institution_id(brn(1)): 1,
    }
    transfers = await world.sql("SELECT * FROM transfer ORDER BY amount")
    detail = await university.detail(application)
    assert {(t.debit_account, t.field, t.reference, t.origin_id) for t in transfers} == {
        (ISSUANCE, "PRACTICE", detail["number"], institution)
    }
    assert sum(t.amount for t in transfers) == 2 * 902
    assert (detail["state_name"], bool(detail["posted_at"])) == ("적립완료", True)


async def test_companies_become_institutions_before_anything_is_locked(world, registry):
    _, operator, application = await in_review(world, [practice(1)])
    registry.down = True
    refused = await operator.approve(application)
    assert refusal(refused) == (503, "UPSTREAM_UNAVAILABLE")
    assert await balances(world) == {}
    registry.down = False
    assert (await operator.approve(application)).status_code == 200
    path, body = registry.calls[-1]
    assert (path, body["create"]) == ("/internal/institutions/resolve", True)


async def test_an_approval_replayed_posts_once(world):
    _, operator, application = await in_review(world, [practice(1)])
    first = await operator.approve(application, "key")
    again = await operator.approve(application, "key")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert refusal(await operator.approve(application, "other")) == (409, "STATE_CONFLICT")
    assert len(await world.sql("SELECT 1 FROM transfer")) == 2


async def test_two_approvals_at_once_post_once(world):
    _, operator, application = await in_review(world, [practice(n) for n in range(5)])
    answers = await asyncio.gather(*(operator.approve(application) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert sorted((await balances(world)).values()) == [2250, 2250]
    same_key = await asyncio.gather(*(operator.approve(application, "k") for _ in range(3)))
    assert {answer.status_code for answer in same_key} == {409}


async def test_what_the_reviewer_did_not_see_is_not_posted(world):
    _, operator, application = await in_review(world, [practice(1)])
    answer = await operator.approve(application, mileage=451)
    assert refusal(answer) == (409, "MILEAGE_CHANGED")
    assert answer.json()["params"] == {"seen": 451, "now": 450}
    assert await balances(world) == {}


async def test_rejected_rows_earn_nothing_and_their_evidence_stays_checked(world):
    _, operator, application = await in_review(world, [practice(1), practice(2)])
    await operator.act(application, "decisions", {"reject": [{"row": 1, "reason": "x"}]})
    assert (await operator.approve(application)).json()["mileage"] == 450
    _, operator, application = await in_review(world, [practice(3)])
    await operator.act(application, "decisions", {"reject": [{"row": 1, "reason": "x"}]})
    answer = await operator.approve(application)
    assert answer.status_code == 422
    assert "NO_ROWS" in {item["code"] for item in answer.json()["errors"]}


async def test_above_the_threshold_two_reviewers_approve(world_of):
    world = await world_of(second_approval_from=450)
    university, operator, application = await in_review(world, [practice(1)])
    first = await operator.approve(application)
    assert (first.json()["state"], first.json()["second_approval"]) == ("approved", True)
    assert await balances(world) == {}
    assert refusal(await operator.approve(application)) == (403, "SAME_APPROVER")
    rows = {"reject": [{"row": 1, "reason": "x"}]}
    second = world.operator()
    assert refusal(await second.act(application, "decisions", rows)) == (409, "STATE_CONFLICT")
    assert refusal(await university.act(application, "cancel", {})) == (409, "STATE_CONFLICT")
    done = await second.approve(application, mileage=450)
    assert (done.json()["state"], done.json()["second_approval"]) == ("posted", False)
    assert sorted((await balances(world)).values()) == [450, 450]
    moves = [
        (event["action"], event["by"])
        for event in (await operator.get(f"{APPLICATIONS}/{application}/events")).json()["items"]
        if event["to_state"] in {"approved", "posted"}
    ]
    assert moves == [("approve", operator.sub), ("post", second.sub)]


async def test_the_second_reviewer_may_send_it_back(world_of):
    world = await world_of(second_approval_from=450)
    university, operator, application = await in_review(world, [practice(1)])
    await operator.approve(application)
    second = world.operator()
    assert (await second.act(application, "return", {"reason": "보완"})).status_code == 200
    assert (await university.submit(application)).status_code == 200
    await operator.act(application, "claim")
    assert (await operator.approve(application)).json()["state"] == "approved"


async def test_instalments_of_a_contract_earn_what_the_whole_contract_earns(world):
    university = world.university()
    _, first = await posted(world, [deposit(deposit_won="25000000")], "TECH_TRANSFER", university)
    _, second = await posted(
        world, [deposit(deposit_won="25000000", deposit_date=day(-5))], "TECH_TRANSFER", university
    )
    assert (first["mileage"], second["mileage"]) == (615, 385)
    assert second["companies"][0]["contracts"] == [
        {"contract": "2026-1", "quantity": 25_000_000, "earlier": 25_000_000, "points": 385}
    ]
    _, other = await posted(
        world, [deposit("2026-2", deposit_won="25000000")], "TECH_TRANSFER", university
    )
    assert other["mileage"] == 615


async def test_an_instalment_is_one_whatever_kind_of_cell_its_business_number_is(world):
    university = world.university()
    await posted(world, [deposit(deposit_won="25000000")], "TECH_TRANSFER", university)
    for number in (int(brn(0)), float(brn(0))):
        draft = await university.ready(
            [deposit(deposit_won="25000000", deposit_date=day(-5), brn=number)], "TECH_TRANSFER"
        )
        assert (await university.act(draft, "preview")).json()["mileage"] == 385


async def test_two_instalments_approved_at_once_do_not_both_count_as_the_first(world):
    university = world.university()
    one = await in_review(world, [deposit(deposit_won="25000000")], "TECH_TRANSFER", university)
    two = await in_review(
        world, [deposit(deposit_won="25000000", deposit_date=day(-5))], "TECH_TRANSFER", university
    )
    answers = await asyncio.gather(*(op.approve(application) for _, op, application in (one, two)))
    assert sorted(answer.json()["mileage"] for answer in answers) == [385, 615]


async def test_an_instalment_seen_before_another_was_posted_is_shown_anew(world):
    university = world.university()
    _, operator, application = await in_review(
        world, [deposit(deposit_won="25000000")], "TECH_TRANSFER", university
    )
    await posted(
        world, [deposit(deposit_won="25000000", deposit_date=day(-5))], "TECH_TRANSFER", university
    )
    assert refusal(await operator.approve(application, mileage=615)) == (409, "MILEAGE_CHANGED")
    assert (await operator.approve(application, mileage=385)).status_code == 200


async def test_research_is_complete_with_what_earlier_applications_posted(world):
    university = world.university()
    paid = deposit(contract_won="40000000", deposit_won="40000000")
    await posted(world, [paid], "RESEARCH", university)
    rest = deposit(contract_won="100000000", deposit_won="60000000", deposit_date=day(-5))
    _, second = await posted(world, [rest], "RESEARCH", university)
    assert second["mileage"] == 1000 - 577


async def test_a_revocation_takes_from_both_even_what_was_spent(world, registry):
    application, _ = await posted(world, [practice(1)])
    company = registry.institution_id(brn(0))
    await world.change(
        "SELECT post_transfers(ARRAY[r]) FROM jsonb_populate_record(NULL::transfer_request,"
        " CAST(:r AS jsonb)) AS r",
        r=f'{{"id": "{uuid4()}", "state": "posted", "kind": "exchange", "amount": 400,'
        f' "debit_account": "{company}", "credit_account": "{uuid4()}"}}',
    )
    operator = world.operator()
    answer = await operator.post(
        f"{APPLICATIONS}/{application}/revoke",
        {"reason": "허위 신청"},
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["state_name"] == "적립취소"
    books = await balances(world)
    assert books[company] == -400
    institution = UUID(answer.json()["institution_id"])
    assert books[institution] == 0
    again = await operator.post(
        f"{APPLICATIONS}/{application}/revoke",
        {"reason": "x"},
        headers={"Idempotency-Key": "other"},
    )
    assert refusal(again) == (409, "STATE_CONFLICT")
    assert await world.sql("SELECT 1 FROM claim WHERE live") == []


async def test_a_revocation_can_be_looked_at_before_and_looks_the_same(world):
    application, _ = await posted(world, [practice(1)])
    operator = world.operator()
    path = f"{APPLICATIONS}/{application}/revoke"
    before = await operator.detail(application), await balances(world)
    seen = await operator.post(f"{path}/preview", {"reason": "허위 신청"})
    assert seen.status_code == 200, seen.text
    assert (await operator.detail(application), await balances(world)) == before
    done = await operator.post(path, {"reason": "허위 신청"}, headers={"Idempotency-Key": "k"})
    said, answer = seen.json(), done.json()
    assert said.pop("updated_at") < answer.pop("updated_at")
    assert said == answer
    again = await operator.post(f"{path}/preview", {"reason": "허위 신청"})
    assert refusal(again) == (409, "STATE_CONFLICT")


async def test_a_revoked_instalment_no_longer_counts_for_its_contract(world):
    university = world.university()
    first, _ = await posted(world, [deposit(deposit_won="25000000")], "TECH_TRANSFER", university)
    operator = world.operator()
    revoked = await operator.post(
        f"{APPLICATIONS}/{first}/revoke", {"reason": "x"}, headers={"Idempotency-Key": "k"}
    )
    assert revoked.status_code == 200
    _, second = await posted(
        world, [deposit(deposit_won="25000000", deposit_date=day(-5))], "TECH_TRANSFER", university
    )
    assert second["mileage"] == 615


@pytest.mark.parametrize("reason", ["", " "])
async def test_a_revocation_needs_a_reason(world, reason):
    application, _ = await posted(world, [practice(1)])
    answer = await world.operator().post(
        f"{APPLICATIONS}/{application}/revoke",
        {"reason": reason},
        headers={"Idempotency-Key": "k"},
    )
    assert refusal(answer) == (422, "REASON_REQUIRED")


async def test_a_process_killed_while_posting_leaves_nothing_and_the_next_attempt_posts_once(
    world, registry
):
    _, operator, application = await in_review(world, [practice(n) for n in range(3)])
    company = registry.institution_id(brn(0))
    await world.change("INSERT INTO account (id) VALUES (:id)", id=company)
    async with world.runtime.sessions.begin() as blocker:
        await blocker.execute(
            text("SELECT 1 FROM account WHERE id = :id FOR UPDATE"), {"id": company}
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.accrual.applications.approving_process",
            world.runtime.settings.database_url,
            application,
            operator.sub,
        )
        try:
            await waiting_for_a_lock(world, process)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
    assert (await operator.detail(application))["state"] == "in_review"
    assert await world.sql("SELECT 1 FROM transfer") == []
    assert (await operator.approve(application)).json()["state"] == "posted"
    assert (await balances(world))[company] == 1350
    assert len(await world.sql("SELECT 1 FROM transfer")) == 2


async def waiting_for_a_lock(world, process):
    """Until the other process stands in the middle of its posting."""
    for _ in range(300):
        waiting = await world.sql(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%post_transfers%'"
        )
        if waiting:
            return
        assert process.returncode is None
        await asyncio.sleep(0.1)
    raise AssertionError("it never came to post")


async def test_a_database_connection_cut_while_posting_is_503_and_leaves_nothing(world, registry):
    _, operator, application = await in_review(world, [practice(1)])
    company = registry.institution_id(brn(0))
    await world.change("INSERT INTO account (id) VALUES (:id)", id=company)
    async with world.runtime.sessions.begin() as blocker:
        await blocker.execute(
            text("SELECT 1 FROM account WHERE id = :id FOR UPDATE"), {"id": company}
        )
        approval = asyncio.create_task(operator.approve(application, "key"))
        for _ in range(100):
            cut = await world.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND query LIKE '%post_transfers%'"
            )
            if cut:
                break
            await asyncio.sleep(0.05)
        answer = await approval
    assert refusal(answer) == (503, "UPSTREAM_UNAVAILABLE")
    assert await world.sql("SELECT 1 FROM transfer") == []
    assert (await operator.approve(application, "key")).status_code == 200
    assert (await balances(world))[company] == 450


async def test_the_reviewer_is_told_of_names_closed_businesses_and_evidence_seen_before(
    world, registry
):
    registry.known[brn(0)] = "주식회사 다른회사"
    registry.statuses[brn(1)] = "closed"
    university = world.university()
    await university.submitted([practice(9, brn=brn(5), company_name="가나다")])
    rows = [practice(1), practice(2, brn=brn(1), company_name="폐업상사")]
    _, operator, application = await in_review(world, rows, university=university)
    answer = await operator.approve(application)
    assert answer.status_code == 200
    found = {item["code"]: item["message"] for item in answer.json()["findings"]}
    assert "주식회사 다른회사" in found["REGISTERED_NAME_DIFFERS"]
    assert "closed" in found["COMPANY_INACTIVE"]
    assert f"({day()[2:4]}-1)" in found["EVIDENCE_REUSED"]


@pytest.mark.parametrize(("closed", "told"), [(-60, True), (0, False)])
async def test_the_reviewer_is_told_of_achievements_after_the_company_was_closed(
    world, registry, closed, told
):
    closed_on = date.fromisoformat(day(closed)).isoformat()
    registry.closed[brn(0)] = closed_on
    _, operator, application = await in_review(world, [practice(1)])
    answer = await operator.approve(application)
    assert answer.status_code == 200
    found = {item["code"]: item["message"] for item in answer.json()["findings"]}
    assert ("COMPANY_CLOSED_BEFORE" in found) is told
    assert not told or closed_on in found["COMPANY_CLOSED_BEFORE"]


async def test_an_institution_earns_nothing_from_itself(world, registry):
    university = world.university(registry.institution_id(brn(0)))
    _, operator, application = await in_review(world, [practice(1)], university=university)
    answer = await operator.approve(application)
    assert answer.status_code == 422
    assert "OWN_COMPANY" in {item["code"] for item in answer.json()["errors"]}
    assert await balances(world) == {}
