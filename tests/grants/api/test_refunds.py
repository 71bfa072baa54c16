"""A refund in one sum or in several: to the won, never more than is due, once each."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import seoul_day, utc_now
from tests.grants.api.conftest import run, someone_waits

MORE = "입금 확인"


@pytest.fixture
async def final(client, year, auditor) -> dict:
    """A year whose settlement is final: `due` won are to be returned."""
    result = await run(client, year, auditor)
    await client.post(f"{year['url']}/settlement/open-objections", headers=auditor)
    done = await client.post(f"{year['url']}/settlement/finalise", headers=auditor)
    assert done.json()["state"] == "final", done.text
    return year | {"due": result["statement"]["return_won"]}


async def pay(client, final, headers, won, key, **more):
    return await client.post(
        f"{final['url']}/settlement/refund",
        json={"returned_won": won, "reference": MORE} | more,
        headers=headers | {"Idempotency-Key": key},
    )


async def shown(client, final, headers) -> dict:
    return (await client.get(f"{final['url']}/settlement/refund", headers=headers)).json()


async def test_several_payments_are_counted_to_the_last_won(
    client, final, auditor, applicant, runtime
):
    due, today = final["due"], seoul_day(utc_now())
    assert (await shown(client, final, applicant))["left_won"] == due
    first = await pay(client, final, auditor, 1_000_000, "p1", paid_on=str(today))
    assert (first.status_code, first.json()["state"]) == (200, "final"), first.text
    for won in (due - 999_999, due, 0):  # more than is left, and nothing while something is
        refused = await pay(client, final, auditor, won, f"no{won}")
        assert (refused.status_code, refused.json()["code"]) == (422, "REFUND_MISMATCH")
    ahead = str(today + timedelta(days=2))
    refused = await pay(client, final, auditor, 1, "ahead", paid_on=ahead)
    assert [one["code"] for one in refused.json()["errors"]] == ["REFUND_DAY"]
    almost = await pay(client, final, auditor, due - 1_000_001, "p2")
    assert almost.json()["state"] == "final"
    last = await pay(client, final, auditor, 1, "p3")
    assert last.json()["state"] == "refunded"
    seen = await shown(client, final, applicant)
    assert (seen["due_won"], seen["returned_won"], seen["left_won"]) == (due, due, 0)
    assert [(one["seq"], one["won"], one["reference"]) for one in seen["payments"]] == [
        (1, 1_000_000, MORE),
        (2, due - 1_000_001, MORE),
        (3, 1, MORE),
    ]
    over = await pay(client, final, auditor, 1, "p4")
    assert (over.status_code, over.json()["code"]) == (409, "STATE_CONFLICT")
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("UPDATE refund_payment SET won = 1"))


async def test_the_same_payment_sent_again_is_the_same_payment(client, final, auditor):
    first = await pay(client, final, auditor, 5, "p1")
    again = await pay(client, final, auditor, 5, "p1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    other = await pay(client, final, auditor, 6, "p1")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await shown(client, final, auditor))["returned_won"] == 5


async def test_of_two_payments_at_once_only_what_is_left_is_taken(client, final, auditor, runtime):
    async with runtime.sessions.begin() as session:
        await session.execute(text("SELECT FROM agreement FOR UPDATE"))
        both = [
            asyncio.create_task(pay(client, final, auditor, final["due"] - 1, key))
            for key in ("p1", "p2")
        ]
        await someone_waits(runtime)
    answers = [await one for one in both]
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert (await shown(client, final, auditor))["left_won"] == 1


async def test_before_the_end_there_is_nothing_to_return_and_others_never_see_it(
    client, year, auditor, applicant, stranger
):
    early = await client.get(f"{year['url']}/settlement/refund", headers=applicant)
    assert early.status_code == 409
    assert (await pay(client, year, auditor, 0, "p1")).status_code == 409
    foreign = stranger("grants:apply", "grants:settle")
    assert (
        await client.get(f"{year['url']}/settlement/refund", headers=foreign)
    ).status_code == 404
    assert (await pay(client, year, foreign, 0, "p2")).status_code == 404


async def test_a_year_with_nothing_to_return_is_closed_by_saying_so(
    client, final, auditor, runtime
):
    async with runtime.sessions.begin() as session:
        await session.execute(text("ALTER TABLE settlement_run DISABLE TRIGGER USER"))
        await session.execute(
            text(
                "UPDATE settlement_run"
                " SET result = jsonb_set(result, '{statement,return_won}', '0')"
            )
        )
    assert (await pay(client, final, auditor, 1, "p1")).status_code == 422
    done = await pay(client, final, auditor, 0, "p2")
    assert done.json()["state"] == "refunded"


async def test_a_run_knows_the_code_it_was_made_by_and_a_replay_tells_when_it_differs(
    client, year, auditor, runtime, monkeypatch
):
    await run(client, year, auditor)
    replay = f"{year['url']}/settlement/runs/1/replay"
    same = (await client.get(replay, headers=auditor)).json()
    assert same == {"seq": 1, "same_result": True, "same_rule_set": True, "same_code": True}
    monkeypatch.setattr("services.grants.settlement.service.rules_sha256", lambda: "0" * 64)
    assert (await client.get(replay, headers=auditor)).json()["same_code"] is False
    async with runtime.sessions.begin() as session:
        await session.execute(text("ALTER TABLE settlement_run DISABLE TRIGGER USER"))
        await session.execute(text("UPDATE settlement_run SET rules_sha256 = NULL"))
    assert (await client.get(replay, headers=auditor)).json()["same_code"] is None
