"""Once per key, whatever is repeated, cut off or refused on the way."""

import asyncio

import pytest
from sqlalchemy import event, text

from services.exchange.orders import once
from tests.exchange.conftest import World

UNANSWERED = "idempotency_key WHERE status IS NULL"


async def count(world: World, table: str) -> int:
    async with world.sessions() as session:
        return await session.scalar(text(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize("path", ["accept", "decline", "cancel"])
async def test_twenty_taps_on_an_action_act_once_and_all_hear_the_same(world: World, path):
    order = await world.order()
    who = world.buyer if path == "cancel" else world.seller
    body = None if path == "accept" else {"reason": "중복"}
    answers = await asyncio.gather(
        *(who.post(f"/orders/{order['id']}/{path}", body, key="tap") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    shown = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert [event["action"] for event in shown["history"]].count(path) == 1


async def test_a_move_that_promises_the_ledger_nothing_is_one_transaction(world: World):
    order = await world.order()
    commits: list[None] = []

    def committed(_connection) -> None:
        commits.append(None)

    engine = world.runtime.database.engine.sync_engine
    event.listen(engine, "commit", committed)
    try:
        for path, body in (("accept", None), ("start", None), ("complete", {"actual_quantity": 1})):
            commits.clear()
            done = await world.do(world.seller, order, path, body)
            assert len(commits) == 1, path
        assert (done["charged_won"], done["mileage_charged"]) == (100_000, 30)
        commits.clear()
        await world.do(world.seller, order, "payments", payment(done))
        assert len(commits) == 1
        commits.clear()
        await world.do(world.seller, order, "settle")
        assert len(commits) == 2  # the promise, and the ledger's answer
    finally:
        event.remove(engine, "commit", committed)
    shown = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert (shown["settlement"], shown["version"]) == ("settled", 8)


def payment(order: dict) -> dict:
    return {
        "amount_won": order["cash_due_won"],
        "method": "card",
        "paid_on": "2026-01-02",
        "reference": "1",
    }


async def test_settling_and_refunding_twice_moves_points_once(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order)
    path = f"/orders/{order['id']}"
    answers = await asyncio.gather(
        *(world.seller.post(f"{path}/settle", key="one") for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await world.ledger.balance(world.seller.id) == 60
    body = {"mileage": 15, "reason": "환불"}
    answers = await asyncio.gather(
        *(world.seller.post(f"{path}/refund", body, key="back") for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await world.ledger.balance(world.seller.id) == 45


async def test_different_keys_at_once_still_act_once(world: World):
    """Two people of the same university press settle at the same moment."""
    order = await world.completed(mileage=60)
    await world.pay(order)
    answers = await asyncio.gather(
        *(world.seller.post(f"/orders/{order['id']}/settle") for _ in range(8))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [409] * 7
    assert await world.ledger.balance(world.seller.id) == 60


async def test_the_same_key_for_another_order_is_refused(world: World):
    listing = await world.listing()
    first = await world.buyer.post("/orders", world.wish(listing), key="k")
    assert first.status_code == 201
    other = await world.buyer.post("/orders", world.wish(listing, mileage=29), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_every_action_wants_a_key_unless_it_is_a_preview(world: World):
    order = await world.order()
    for path in ("accept", "settle"):
        answer = await world.client.post(
            f"/api/v1/exchange/orders/{order['id']}/{path}", headers=world.seller.headers
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    shown = await world.client.post(
        f"/api/v1/exchange/orders/{order['id']}/accept",
        headers=world.seller.headers,
        params={"preview": "true"},
    )
    assert (shown.status_code, shown.json()["use"]) == (200, "accepted")


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["before the ledger is asked", "before the answer is stored"])
async def test_a_request_cut_off_in_the_middle_is_finished_by_its_repetition(
    world: World, monkeypatch, step
):
    listing = await world.listing()
    wish = world.wish(listing)
    ask = once.ask

    async def die(*args):
        if step == "before the answer is stored":
            await ask(*args)
        raise Died

    monkeypatch.setattr(once, "ask", die)
    with pytest.raises(Died):
        await world.buyer.post("/orders", wish, key="k")
    assert (await count(world, UNANSWERED), await count(world, "exchange_order")) == (1, 1)
    monkeypatch.setattr(once, "ask", ask)
    again = await world.buyer.post("/orders", wish, key="k")
    assert (again.status_code, again.json()["settlement"]) == (201, "held")
    assert (await count(world, UNANSWERED), await count(world, "exchange_order")) == (0, 1)
    assert await world.ledger.held(world.buyer.id) == 30
    replay = await world.buyer.post("/orders", wish, key="k")
    assert replay.headers["idempotency-replayed"] == "true"
    assert replay.content == again.content


async def test_a_refused_request_that_was_cut_off_is_refused_again_and_leaves_no_key(
    world: World, monkeypatch
):
    listing = await world.listing()
    await world.ledger.leave(world.buyer.id, 10)
    ask = once.ask

    async def die(*args):
        await ask(*args)
        raise Died

    monkeypatch.setattr(once, "ask", die)
    with pytest.raises(Died):
        await world.buyer.post("/orders", world.wish(listing), key="k")
    monkeypatch.setattr(once, "ask", ask)
    again = await world.buyer.post("/orders", world.wish(listing), key="k")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "INSUFFICIENT")
    assert await count(world, "idempotency_key") == 0
    assert await count(world, "slot") == 0


async def test_a_silent_ledger_leaves_an_order_that_is_finished_later(world: World):
    listing = await world.listing()

    async def silent(request):
        import httpx2

        raise httpx2.ConnectError("no answer")

    world.network.to_ledger = silent
    made = await world.buyer.post("/orders", world.wish(listing))
    assert (made.status_code, made.json()["settlement"]) == (201, "holding")
    early = await world.seller.post(f"/orders/{made.json()['id']}/accept")
    assert early.status_code == 409
    assert early.json()["title"] == "'신청 · 보류 처리중' 상태에서는 할 수 없습니다."
    world.network.to_ledger = world.ledger.deliver
    from datetime import timedelta

    await world.sweep(after=timedelta(minutes=1))
    shown = (await world.buyer.get(f"/orders/{made.json()['id']}")).json()
    assert shown["settlement"] == "held"


async def test_a_hold_given_up_while_it_was_under_way_can_never_arrive_late(world: World):
    listing = await world.listing()
    late: list = []

    async def slow(request):
        import httpx2

        if request.url.path.endswith("/holds"):
            late.append(request)
            raise httpx2.ReadTimeout("still on its way")
        return await world.ledger.deliver(request)

    world.network.to_ledger = slow
    made = (await world.buyer.post("/orders", world.wish(listing))).json()
    assert made["settlement"] == "holding"
    done = await world.do(world.buyer, made, "cancel", {"reason": "취소"})
    assert done["settlement"] == "released"
    arrived = await world.ledger.deliver(late[0])
    assert (arrived.status_code, arrived.json()["code"]) == (409, "HOLD_VOIDED")
    assert await world.ledger.available(world.buyer.id) == 10_000
