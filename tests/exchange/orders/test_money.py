"""Every way an order can end, and what becomes of points and won."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from services.exchange.orders.models import Order
from shared.clock import utc_now
from tests.exchange.conftest import World, monday


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def begin_at(world: World, order: dict, *, hours: float) -> None:
    """Let the use begin so many hours from now, instead of waiting for Monday."""
    start = utc_now() + timedelta(hours=hours)
    async with world.sessions.begin() as session:
        await session.execute(
            update(Order)
            .where(Order.id == order["id"])
            .values(
                starts_at=start,
                ends_at=start + timedelta(hours=2),
                free_cancel_until=start - timedelta(hours=24),
            )
        )


async def books(world: World) -> tuple[int, int, int]:
    """The buyer's available and held points, and the university's."""
    ledger = world.ledger
    return (
        await ledger.available(world.buyer.id),
        await ledger.held(world.buyer.id),
        await ledger.balance(world.seller.id),
    )


async def test_using_less_lowers_the_fee_and_returns_the_rest_of_the_hold(world: World):
    order = await world.completed(mileage=60, actual=1)
    assert (order["charged_won"], order["mileage_charged"], order["cash_due_won"]) == (
        100_000,
        30,
        70_000,
    )
    await world.pay(order)
    await world.do(world.seller, order, "settle")
    assert await books(world) == (9_970, 0, 30)


async def test_using_more_needs_the_buyers_consent(world: World):
    order = await world.order(mileage=60)
    await world.do(world.seller, order, "accept")
    await world.do(world.seller, order, "start")
    path = f"/orders/{order['id']}"
    refused = await world.seller.post(f"{path}/complete", {"actual_quantity": 3})
    assert refused.json()["errors"][0]["code"] == "ACTUAL_ABOVE_CONSENT"
    assert refused.json()["errors"][0]["params"] == {"maximum": 2}
    assert code(await world.buyer.post(f"{path}/adjustment/answer", {"consent": True})) == (
        409,
        "NO_ADJUSTMENT",
    )
    lower = await world.seller.post(f"{path}/adjustment", {"quantity": 2, "reason": "연장"})
    assert lower.json()["errors"][0]["code"] == "ADJUSTMENT_NOT_HIGHER"
    await world.do(world.seller, order, "adjustment", {"quantity": 3, "reason": "한 시간 연장"})
    assert code(await world.seller.post(f"{path}/complete", {"actual_quantity": 2})) == (
        409,
        "CONSENT_PENDING",
    )
    agreed = await world.do(world.buyer, order, "adjustment/answer", {"consent": True})
    assert (agreed["quantity"], agreed["fee_won"], agreed["mileage"]) == (3, 300_000, 60)
    done = await world.do(world.seller, order, "complete", {"actual_quantity": 3})
    assert (done["charged_won"], done["cash_due_won"]) == (300_000, 240_000)


async def test_a_refused_adjustment_changes_nothing(world: World):
    order = await world.order()
    await world.do(world.seller, order, "accept")
    await world.do(world.seller, order, "start")
    await world.do(world.seller, order, "adjustment", {"quantity": 9, "reason": "연장"})
    after = await world.do(world.buyer, order, "adjustment/answer", {"consent": False})
    assert (after["fee_won"], after["proposed_quantity"]) == (200_000, None)


async def test_an_order_never_used_in_the_end_returns_everything(world: World):
    order = await world.completed(actual=0)
    assert (order["use"], order["settlement"]) == ("completed", "released")
    assert await books(world) == (10_000, 0, 0)


async def test_cancelling_in_time_is_free_and_cancelling_late_is_not(world: World):
    listing = await world.listing()
    early = await world.order(listing, mileage=60)
    await world.do(world.seller, early, "accept")
    shown = (await world.buyer.get(f"/orders/{early['id']}")).json()
    assert shown["cancel"]["fee_won"] == 0
    assert shown["cancel"]["mileage_returned"] == 60
    done = await world.do(world.buyer, early, "cancel", {"reason": "일정 변경"})
    assert (done["use"], done["settlement"]) == ("cancelled", "released")
    assert await books(world) == (10_000, 0, 0)

    late = await world.order(listing, mileage=60)
    await world.do(world.seller, late, "accept")
    await begin_at(world, late, hours=3)
    shown = (await world.buyer.get(f"/orders/{late['id']}")).json()
    assert (shown["cancel"]["fee_won"], shown["cancel"]["mileage_returned"]) == (100_000, 30)
    done = await world.do(world.buyer, late, "cancel", {"reason": "일정 변경"})
    assert (done["use"], done["settlement"], done["charged_won"]) == ("cancelled", "held", 100_000)
    await world.pay(done)
    await world.do(world.seller, late, "settle")
    assert await books(world) == (9_970, 0, 30)
    receipt = (await world.buyer.get(f"/orders/{late['id']}/receipt")).json()
    assert receipt["wording"] == "취소 수수료"


async def test_a_preview_shows_what_cancelling_would_do_and_does_nothing(world: World):
    order = await world.order()
    path = f"/orders/{order['id']}/cancel"
    shown = await world.buyer.post(path, {"reason": "검토"}, params={"preview": True})
    assert (shown.json()["use"], shown.json()["settlement"]) == ("cancelled", "voiding")
    now = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert (now["use"], now["settlement"], now["version"]) == (
        "requested",
        "held",
        order["version"],
    )
    assert [event["action"] for event in now["history"]] == ["request", "hold"]
    assert await books(world) == (9_970, 30, 0)


async def test_who_never_comes_pays_what_was_agreed_or_is_let_off(world: World):
    listing = await world.listing()
    order = await world.order(listing, mileage=60)
    await world.do(world.seller, order, "accept")
    early = await world.seller.post(f"/orders/{order['id']}/no-show", {})
    assert code(early) == (409, "NOT_YET_STARTED")
    await begin_at(world, order, hours=-1)
    done = await world.do(world.seller, order, "no-show", {})
    assert (done["use"], done["charged_won"], done["mileage_charged"]) == ("no_show", 200_000, 60)

    other = await world.order(listing, mileage=60)
    await world.do(world.seller, other, "accept")
    await begin_at(world, other, hours=-1)
    done = await world.do(world.seller, other, "no-show", {"waive": True})
    assert (done["use"], done["settlement"]) == ("no_show", "released")
    assert await books(world) == (9_940, 60, 0)


async def test_the_seller_calls_off_without_any_fee(world: World):
    order = await world.order()
    await world.do(world.seller, order, "accept")
    await begin_at(world, order, hours=1)
    done = await world.do(world.seller, order, "call-off", {"reason": "장비 고장"})
    assert (done["use"], done["settlement"]) == ("cancelled", "released")
    assert await books(world) == (10_000, 0, 0)


async def test_no_settlement_before_the_cash_is_on_record(world: World):
    order = await world.completed(mileage=60)
    path = f"/orders/{order['id']}"
    answer = await world.seller.post(f"{path}/settle")
    assert code(answer) == (409, "CASH_OUTSTANDING")
    assert answer.json()["params"] == {"due_won": 140_000, "paid_won": 0}
    await world.pay(order, 100_000)
    payment = {
        "amount_won": 40_001,
        "method": "card",
        "paid_on": utc_now().date().isoformat(),
        "reference": "승인 1",
    }
    much = await world.seller.post(f"{path}/payments", payment)
    assert much.json()["errors"][0]["params"] == {"maximum": 40_000}
    future = payment | {"amount_won": 1, "paid_on": "2999-01-01"}
    answer = await world.seller.post(f"{path}/payments", future)
    assert answer.json()["errors"][0]["code"] == "PAID_IN_FUTURE"
    await world.pay(order, 40_000)
    done = await world.do(world.seller, order, "settle")
    assert done["settlement"] == "settled"


async def test_cash_paid_ahead_of_less_use_goes_back_before_settling(world: World):
    order = await world.order(mileage=60)
    await world.do(world.seller, order, "accept")
    await world.pay(order, 140_000)
    await world.do(world.seller, order, "start")
    done = await world.do(world.seller, order, "complete", {"actual_quantity": 1})
    assert done["cash_due_won"] == 70_000
    assert (await world.seller.post(f"/orders/{order['id']}/settle")).status_code == 409
    back = {
        "direction": "returned",
        "amount_won": 70_001,
        "method": "transfer",
        "paid_on": utc_now().date().isoformat(),
        "reference": "환급 1",
    }
    answer = await world.seller.post(f"/orders/{order['id']}/payments", back)
    assert answer.json()["errors"][0]["code"] == "RETURN_TOO_HIGH"
    await world.do(world.seller, order, "payments", back | {"amount_won": 70_000})
    done = await world.do(world.seller, order, "settle")
    assert done["settlement"] == "settled"


async def test_an_order_without_mileage_lives_without_the_ledger(world: World):
    async def unreachable(request):
        raise AssertionError("nothing to ask the ledger")

    world.network.to_ledger = unreachable
    order = await world.settled(mileage=0)
    assert (order["settlement"], order["cash_due_won"]) == ("settled", 200_000)


async def test_a_charge_too_small_for_mileage_releases_the_hold_and_is_settled(world: World):
    listing = await world.listing(price_won=3_000, max_quantity=40)
    start = monday()
    wish = {"ends_at": (start + timedelta(hours=8)).isoformat(), "mileage": 7}
    order = await world.order(listing, **wish)
    await world.do(world.seller, order, "accept")
    await world.do(world.seller, order, "start")
    order = await world.do(world.seller, order, "complete", {"actual_quantity": 1})
    assert (order["mileage_charged"], order["cash_due_won"]) == (0, 3_000)
    await world.pay(order)
    order = await world.do(world.seller, order, "settle")
    assert order["settlement"] == "settled"
    assert await books(world) == (10_000, 0, 0)


async def test_a_dispute_freezes_the_settlement_until_the_operator_decides(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order)
    path = f"/orders/{order['id']}"
    await world.do(world.buyer, order, "dispute", {"reason": "결과가 다릅니다"})
    frozen = await world.seller.post(f"{path}/settle")
    assert code(frozen) == (409, "STATE_CONFLICT")
    assert frozen.json()["title"] == "'이용완료 · 분쟁' 상태에서는 할 수 없습니다."
    await world.sweep(after=timedelta(days=30))
    assert (await books(world))[1] == 60
    not_yours = await world.seller.post(f"{path}/dispute/withdraw")
    assert code(not_yours) == (409, "DISPUTE_NOT_YOURS")
    much = await world.operator.post(
        f"{path}/dispute/resolve", {"charged_won": 200_001, "reason": "조정"}
    )
    assert much.json()["errors"][0]["params"] == {"maximum": 200_000}
    done = await world.do(
        world.operator, order, "dispute/resolve", {"charged_won": 100_000, "reason": "절반 조정"}
    )
    assert (done["settlement"], done["mileage_charged"], done["cash_due_won"]) == (
        "held",
        30,
        70_000,
    )


async def test_a_dispute_decided_for_the_buyer_returns_everything(world: World):
    order = await world.completed(mileage=60)
    await world.do(world.buyer, order, "dispute", {"reason": "장비가 멈췄습니다"})
    done = await world.do(
        world.operator, order, "dispute/resolve", {"charged_won": 0, "reason": "전액 취소"}
    )
    assert done["settlement"] == "released"
    assert await books(world) == (10_000, 0, 0)


async def test_who_opened_a_dispute_can_take_it_back(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order)
    await world.do(world.seller, order, "dispute", {"reason": "시료 오염"})
    done = await world.do(world.seller, order, "dispute/withdraw")
    assert (done["settlement"], done["settle_after"] is not None) == ("held", True)


async def test_the_operator_may_dispute_of_its_own_accord_and_neither_side_undo_it(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order)
    path = f"/orders/{order['id']}"
    done = await world.do(world.operator, order, "dispute", {"reason": "이용 기록이 없습니다"})
    assert done["settlement"] == "disputed"
    for party in (world.buyer, world.seller):
        assert code(await party.post(f"{path}/dispute/withdraw")) == (409, "DISPUTE_NOT_YOURS")
    await world.sweep(after=timedelta(days=30))
    assert await books(world) == (9_940, 60, 0)
    done = await world.do(world.operator, order, "dispute/withdraw")
    assert (done["settlement"], done["settle_after"] is not None) == ("held", True)


async def test_the_operator_cannot_take_back_the_dispute_of_a_party_but_decide_it(world: World):
    order = await world.completed(mileage=60)
    await world.do(world.buyer, order, "dispute", {"reason": "결과가 다릅니다"})
    taken = await world.operator.post(f"/orders/{order['id']}/dispute/withdraw")
    assert code(taken) == (409, "DISPUTE_NOT_YOURS")


async def test_a_paid_order_settles_by_itself_when_nobody_objects(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order)
    await world.sweep(after=timedelta(days=6))
    assert await books(world) == (9_940, 60, 0)
    await world.sweep(after=timedelta(days=8))
    await world.sweep(after=timedelta(days=8, minutes=5))
    assert await books(world) == (9_940, 0, 60)


async def test_a_refund_reverses_points_in_parts_and_never_more_than_was_paid(world: World):
    order = await world.settled(mileage=60)
    path = f"/orders/{order['id']}"
    much = await world.seller.post(f"{path}/refund", {"mileage": 61, "reason": "환불"})
    assert much.json()["errors"][0]["params"] == {"maximum": 60}
    empty = await world.seller.post(f"{path}/refund", {"reason": "환불"})
    assert empty.json()["errors"][0]["code"] == "REFUND_EMPTY"
    part = await world.do(world.seller, order, "refund", {"mileage": 20, "reason": "일부 환불"})
    assert (part["settlement"], part["mileage_refunded"]) == ("settled", 20)
    assert await books(world) == (9_960, 0, 40)
    cash = {"cash_won": 140_000, "reason": "현금 환불"}
    part = await world.do(world.seller, order, "refund", cash)
    assert (part["settlement"], part["cash_refunded_won"]) == ("settled", 140_000)
    rest = await world.do(world.seller, order, "refund", {"mileage": 40, "reason": "전액 환불"})
    assert rest["settlement"] == "refunded"
    assert await books(world) == (10_000, 0, 0)


async def test_a_refund_the_university_cannot_cover_is_refused_and_nothing_moves(world: World):
    order = await world.settled(mileage=60)
    await world.ledger.leave(world.seller.id, 5)
    after = await world.do(
        world.seller, order, "refund", {"mileage": 60, "cash_won": 1_000, "reason": "환불"}
    )
    assert (after["settlement"], after["mileage_refunded"], after["cash_refunded_won"]) == (
        "settled",
        0,
        0,
    )
    shown = (await world.seller.get(f"/orders/{order['id']}")).json()
    refused = shown["history"][-1]
    assert (refused["action"], refused["reason"]) == ("refund_refused", "INSUFFICIENT")
    assert refused["detail"]["available"] == 5


async def test_an_accepted_order_nobody_starts_is_given_up_in_the_end(world: World):
    order = await world.order(mileage=60)
    await world.do(world.seller, order, "accept")
    await world.sweep(after=timedelta(days=21))
    assert (await books(world))[1] == 60
    await world.sweep(after=timedelta(days=40))
    await world.sweep(after=timedelta(days=40, minutes=5))
    assert await books(world) == (10_000, 0, 0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mileage", 61),
        ("mileage", -1),
        ("mileage_charged", 61),
        ("charged_won", 200_001),
        ("fee_won", 199_999),
        ("cash_refunded_won", 140_001),
        ("mileage_refunded", 61),
        ("buyer_id", "seller"),
    ],
)
async def test_the_database_itself_refuses_books_that_break_the_rule(world: World, column, value):
    from sqlalchemy.exc import IntegrityError

    order = await world.settled(mileage=60)
    with pytest.raises(IntegrityError, match="ck_exchange_order"):
        async with world.sessions.begin() as session:
            await session.execute(
                update(Order)
                .where(Order.id == order["id"])
                .values({column: world.seller.id if value == "seller" else value})
            )


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["order_event", "payment", "message"])
async def test_history_payments_and_messages_cannot_be_rewritten(world: World, table, statement):
    from sqlalchemy.exc import DBAPIError

    order = await world.settled()
    await world.buyer.post(f"/orders/{order['id']}/messages", {"body": "감사합니다."})
    with pytest.raises(DBAPIError, match="append-only"):
        async with world.sessions.begin() as session:
            await session.execute(text(statement.format(table)))


async def test_the_history_names_every_step_its_party_and_its_reason(world: World):
    order = await world.settled()
    await world.do(world.seller, order, "refund", {"mileage": 30, "reason": "호의"})
    shown = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert [(event["action"], event["party"]) for event in shown["history"]] == [
        ("request", "buyer"),
        ("hold", "system"),
        ("accept", "seller"),
        ("start", "seller"),
        ("complete", "seller"),
        ("record_payment", "seller"),
        ("settle", "seller"),
        ("post", "system"),
        ("refund", "seller"),
        ("refund_part", "system"),
    ]
    assert shown["history"][8]["reason"] == "호의"
    # A party learns its own accounts, not the other's.
    assert [event["actor"] is not None for event in shown["history"]] == [True] + [False] * 9


async def test_every_move_leaves_an_event_for_those_concerned(world: World):
    order = await world.settled()
    async with world.sessions() as session:
        rows = await session.execute(
            text("SELECT name, audience FROM outbox_event WHERE subject_id = :id ORDER BY id"),
            {"id": order["id"]},
        )
        found = rows.all()
    assert [row.name for row in found] == [
        "order.requested",
        "order.held",
        "order.accepted",
        "order.started",
        "order.completed",
        "order.payment_recorded",
        "order.settled",
    ]
    assert all(set(row.audience) == {world.buyer.id, world.seller.id} for row in found)
