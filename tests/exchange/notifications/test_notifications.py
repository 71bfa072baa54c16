"""Notifications: both sides hear of every move, once, in order, and nobody else does."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from services.exchange import jobs
from services.exchange.ids import first_id_at, new_id
from services.exchange.notifications import rules, service
from services.exchange.notifications.models import Notification
from services.exchange.orders import journal
from services.exchange.orders.models import OutboxEvent
from shared.clock import utc_now
from tests.exchange.conftest import Actor, World


async def relay(world: World) -> int:
    return await service.relay(world.sessions, now=utc_now())


async def told(who: Actor, **params: Any) -> list[dict[str, Any]]:
    answer = await who.get("/notifications", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def unread(who: Actor) -> int:
    return (await who.get("/notifications/unread-count")).json()["unread"]


def test_there_is_a_sentence_for_every_event_and_no_other():
    assert {*journal.EVENTS.values(), journal.MESSAGE_EVENT} == rules.EVENTS
    for event in rules.EVENTS:
        assert rules.notice(event, "ko").endswith("다.")
        assert rules.notice(event, "en").endswith(".")
        assert rules.notice(event, "ko") != rules.notice(event, "en")


async def test_both_sides_hear_of_every_move_newest_first(world: World):
    order = await world.settled()
    await relay(world)
    for who in (world.buyer, world.seller):
        items = await told(who)
        assert [item["event"] for item in items] == [
            "order.settled",
            "order.payment_recorded",
            "order.completed",
            "order.started",
            "order.accepted",
            "order.held",
            "order.requested",
        ]
        assert {item["order_id"] for item in items} == {order["id"]}
        newest = items[0]
        assert (newest["use"], newest["settlement"], newest["by"]) == (
            "completed",
            "settled",
            "system",
        )
        assert newest["text"] == "정산이 끝나 마일리지가 판매 기관으로 옮겨졌습니다."
        assert newest["listing_title"] == order["listing_title"]
        assert newest["number"].endswith(f"{order['number']:06}")


async def test_what_an_institution_did_itself_is_not_news_to_it(world: World):
    order = await world.order()
    await world.do(world.seller, order, "accept")
    await relay(world)
    assert {i["event"] for i in await told(world.buyer, unread=True)} == {
        "order.held",
        "order.accepted",
    }
    assert {i["event"] for i in await told(world.seller, unread=True)} == {
        "order.held",
        "order.requested",
    }
    assert (await unread(world.buyer), await unread(world.seller)) == (2, 2)


async def test_a_new_message_is_news_to_the_other_side(world: World):
    order = await world.order()
    await world.do(world.buyer, order, "messages", {"body": "시료를 미리 보내도 됩니까?"})
    await relay(world)
    assert (await told(world.seller, unread=True))[0]["event"] == "order.message"
    assert "order.message" not in {i["event"] for i in await told(world.buyer, unread=True)}


async def test_reading_one_and_reading_up_to_one_leave_later_ones_unread(world: World):
    order = await world.order()
    await world.do(world.seller, order, "accept")
    await world.do(world.seller, order, "start")
    await relay(world)
    started, accepted, held = await told(world.buyer, unread=True)
    answer = await world.buyer.post(f"/notifications/{accepted['id']}/read")
    assert answer.json() == {"unread": 2}
    again = await world.buyer.post(f"/notifications/{accepted['id']}/read")
    assert again.json() == {"unread": 2}
    answer = await world.buyer.post("/notifications/read", {"up_to": held["id"]})
    assert answer.json() == {"unread": 1}
    assert [i["id"] for i in await told(world.buyer, unread=True)] == [started["id"]]
    answer = await world.buyer.post("/notifications/read", {})
    assert answer.json() == {"unread": 0}
    assert len(await told(world.buyer)) == 4


async def test_nobody_reads_or_marks_another_institutions_notifications(world: World):
    await world.order()
    await relay(world)
    mine = (await told(world.buyer))[0]
    assert await told(world.rival) == []
    for stranger in (world.rival, world.seller):
        answer = await stranger.post(f"/notifications/{mine['id']}/read")
        assert answer.status_code == 404
    await world.rival.post("/notifications/read", {})
    assert await unread(world.buyer) == 1
    assert (await world.buyer.post(f"/notifications/{uuid4()}/read")).status_code == 404


async def test_pages_follow_each_other_while_news_arrives(world: World):
    order = await world.order()
    await world.do(world.seller, order, "accept")
    await relay(world)
    first = (await world.buyer.get("/notifications", limit=2)).json()
    await world.do(world.seller, order, "start")
    await relay(world)
    second = (await world.buyer.get("/notifications", limit=2, cursor=first["next_cursor"])).json()
    assert [i["event"] for i in first["items"] + second["items"]] == [
        "order.accepted",
        "order.held",
        "order.requested",
    ]


async def test_relays_at_once_deliver_each_event_once(world: World):
    for start in range(4):
        listing = await world.listing(title=f"장비 {start}")
        await world.order(listing)
    counts = await asyncio.gather(*(relay(world) for _ in range(6)))
    assert sum(counts) == 8
    assert await relay(world) == 0
    async with world.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Notification)) == 16


async def test_a_relay_that_dies_delivers_nothing_and_the_next_one_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await world.order()

    async def die(*_: Any) -> None:
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(service.sending, "listening", die)
    with pytest.raises(RuntimeError):
        await relay(world)
    assert await told(world.buyer) == []
    monkeypatch.undo()
    assert await relay(world) == 2
    assert len(await told(world.buyer)) == 2


async def test_a_refused_move_tells_nobody(world: World):
    order = await world.order()
    await relay(world)
    before = len(await told(world.seller))
    assert (await world.seller.post(f"/orders/{order['id']}/start")).status_code == 409
    assert await relay(world) == 0
    assert len(await told(world.seller)) == before


async def test_the_schedule_forgets_what_was_delivered_long_ago_and_keeps_what_waits(world: World):
    await world.order()
    await relay(world)
    await world.order(await world.listing(title="다른 장비"))  # waits in the outbox
    async with world.sessions.begin() as session:
        await service.purge(session, before=utc_now() - timedelta(days=1))
    assert len(await told(world.buyer)) == 2
    async with world.sessions.begin() as session:
        await service.purge(session, before=utc_now() + timedelta(seconds=1))
    assert await told(world.buyer) == []
    async with world.sessions() as session:
        waiting = (await session.scalars(select(OutboxEvent.delivered_at))).all()
    assert waiting == [None, None]
    await jobs.relay_events(world.runtime)
    await jobs.purge_events(world.runtime)
    assert len(await told(world.buyer)) == 2


async def test_ids_are_told_apart_by_the_instant_they_were_made_at(world: World):
    before = first_id_at(utc_now())
    await asyncio.sleep(0.002)
    made = new_id()
    async with world.sessions() as session:
        by_server = await session.scalar(text("SELECT uuidv7()"))
    await asyncio.sleep(0.002)
    assert before < made < first_id_at(utc_now())
    assert before < UUID(str(by_server)) < first_id_at(utc_now())
