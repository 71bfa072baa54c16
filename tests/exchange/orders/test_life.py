"""The life of an order, over HTTP, with the ledger at the network edge."""

import asyncio
from datetime import timedelta

from sqlalchemy import update

from services.exchange.orders.models import Order
from shared.clock import utc_now
from tests.exchange.conftest import World, monday


async def test_a_settled_order_moves_the_mileage_to_the_university(world: World):
    order = await world.order(mileage=60)
    assert (order["use"], order["settlement"]) == ("requested", "held")
    assert (order["fee_won"], order["cash_due_won"]) == (200_000, 140_000)
    assert await world.ledger.available(world.buyer.id) == 9_940
    await world.do(world.seller, order, "accept")
    await world.do(world.seller, order, "start")
    order = await world.do(world.seller, order, "complete", {"actual_quantity": 2})
    order = await world.pay(order)
    order = await world.do(world.seller, order, "settle")
    assert (order["use"], order["settlement"]) == ("completed", "settled")
    assert await world.ledger.balance(world.seller.id) == 60
    assert await world.ledger.balance(world.buyer.id) == 9_940
    assert await world.ledger.held(world.buyer.id) == 0


async def test_a_declined_order_gives_slot_and_mileage_back(world: World):
    listing = await world.listing()
    order = await world.order(listing)
    order = await world.do(world.seller, order, "decline", {"reason": "장비 점검"})
    assert (order["use"], order["settlement"]) == ("declined", "released")
    assert await world.ledger.available(world.buyer.id) == 10_000
    assert (await world.order(listing))["settlement"] == "held"


async def test_more_than_thirty_percent_is_refused_with_the_maximum(world: World):
    listing = await world.listing()
    answer = await world.buyer.post("/orders", world.wish(listing, mileage=61))
    assert answer.status_code == 422
    [finding] = answer.json()["errors"]
    assert (finding["code"], finding["params"]) == ("DISCOUNT_CAP", {"maximum": 60})
    assert finding["message"] == "최대 60점(사용료의 30%)까지 사용할 수 있습니다."


async def test_more_than_the_balance_is_refused_with_the_maximum_and_leaves_nothing(world: World):
    listing = await world.listing()
    await world.ledger.leave(world.buyer.id, 20)
    answer = await world.buyer.post("/orders", world.wish(listing, mileage=30), key="again")
    assert answer.status_code == 422
    [finding] = answer.json()["errors"]
    assert finding["code"] == "INSUFFICIENT"
    assert finding["params"] == {"available": 20, "maximum": 20}
    # The same key may be used again, and the slot is free.
    again = await world.buyer.post("/orders", world.wish(listing, mileage=30), key="again")
    assert again.status_code == 422
    fewer = await world.buyer.post("/orders", world.wish(listing, mileage=20), key="again")
    assert fewer.status_code == 201, fewer.text


async def test_the_quote_is_what_the_request_then_costs(world: World):
    listing = await world.listing(price_won=1_249_500)
    wish = world.wish(listing, mileage=749)
    quote = (await world.buyer.post("/orders/preview", wish)).json()
    assert (quote["fee_won"], quote["mileage_max"], quote["cash_won"]) == (
        2_499_000,
        749,
        1_750_000,
    )
    order = (await world.buyer.post("/orders", wish)).json()
    assert (order["fee_won"], order["cash_due_won"]) == (quote["fee_won"], quote["cash_won"])


async def test_a_replayed_request_holds_once(world: World):
    listing = await world.listing()
    wish = world.wish(listing)
    answers = await asyncio.gather(
        *(world.buyer.post("/orders", wish, key="tap") for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await world.ledger.held(world.buyer.id) == 30


async def test_two_hundred_simultaneous_requests_for_one_slot_give_exactly_one_order(world: World):
    listing = await world.listing()
    wish = world.wish(listing)
    answers = await asyncio.gather(
        *((world.buyer if n % 2 else world.rival).post("/orders", wish) for n in range(200))
    )
    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(409)) == (1, 199)
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "SLOT_TAKEN"
    assert len(refused["params"]["alternatives"]) == 3
    assert await world.ledger.held(world.buyer.id) + await world.ledger.held(world.rival.id) == 30


async def test_an_unanswered_request_expires_and_frees_slot_and_mileage(world: World):
    listing = await world.listing()
    order = await world.order(listing)
    await world.sweep(after=timedelta(hours=73))
    await world.sweep(after=timedelta(hours=74))
    shown = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert (shown["use"], shown["settlement"]) == ("expired", "released")
    assert await world.ledger.available(world.buyer.id) == 10_000
    assert (await world.order(listing))["settlement"] == "held"


async def test_a_lapsed_request_cannot_be_accepted_before_the_sweep_comes(world: World):
    order = await world.order()
    async with world.sessions.begin() as session:
        await session.execute(update(Order).values(lapse_at=utc_now()))
    answer = await world.seller.post(f"/orders/{order['id']}/accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "ANSWER_TOO_LATE")
    await world.sweep()
    await world.sweep(after=timedelta(minutes=1))
    assert await world.ledger.available(world.buyer.id) == 10_000


async def test_availability_shows_what_is_free_and_what_is_booked(world: World):
    listing = await world.listing()
    await world.order(listing)
    day = monday()
    shown = await world.client.get(
        f"/api/v1/exchange/listings/{listing['id']}/availability",
        params={"start": day.isoformat(), "end": (day + timedelta(days=1)).isoformat()},
    )
    free = [(p["starts_at"][11:16], p["ends_at"][11:16]) for p in shown.json()["free"]]
    assert len(shown.json()["booked"]) == 1
    assert len(free) == 1
