"""Order events as webhooks: signed, to those concerned, in order, and again after a failure."""

from datetime import datetime
from typing import Any

import orjson
import pytest

from services.exchange.notifications import service
from shared.clock import utc_now
from shared.webhooks.jobs import purge_webhooks, resume_webhooks
from tests.exchange.conftest import API, Actor, World
from tests.sink import Sink, send_due, signed_by


@pytest.fixture
def listening(world: World) -> World:
    """A world whose webhooks may go to this machine."""
    settings = world.runtime.settings
    world.runtime.settings = settings.model_copy(update={"webhook_private_targets": True})
    return world


async def endpoint(who: Actor, sink: Sink, *events: str) -> dict[str, Any]:
    made = await who.post("/webhooks", {"url": sink.url, "events": list(events)})
    assert made.status_code == 201, made.text
    return made.json()


async def deliver(world: World) -> int:
    await service.relay(world.sessions, now=utc_now())
    return await send_due(world.runtime)


async def test_each_state_of_an_order_arrives_signed_and_in_order(listening: World, sink: Sink):
    hook = await endpoint(listening.seller, sink)
    secret = (await listening.seller.get(f"/webhooks/{hook['id']}/secret")).json()["secret"]
    order = await listening.settled()
    assert await deliver(listening) == 7
    bodies = [orjson.loads(message["body"]) for message in sink.received]
    assert [body["type"] for body in bodies] == [
        "order.requested",
        "order.held",
        "order.accepted",
        "order.started",
        "order.completed",
        "order.payment_recorded",
        "order.settled",
    ]
    assert bodies[-1]["data"] == {
        "order_id": order["id"],
        "number": bodies[0]["data"]["number"],
        "listing_title": order["listing_title"],
        "use": "completed",
        "settlement": "settled",
        "by": "system",
    }
    assert all(signed_by(secret, message) for message in sink.received)
    (newest, *_) = (await listening.seller.get("/notifications")).json()["items"]
    assert datetime.fromisoformat(bodies[-1]["timestamp"]) == datetime.fromisoformat(newest["at"])
    log = (await listening.seller.get(f"/webhooks/{hook['id']}/deliveries")).json()["items"]
    assert {item["state"] for item in log} == {"delivered"}


async def test_only_those_concerned_are_told_and_only_of_what_they_asked_for(
    listening: World, sink: Sink
):
    await endpoint(listening.rival, sink)
    await endpoint(listening.buyer, sink, "order.accepted")
    order = await listening.order()
    await listening.do(listening.seller, order, "accept")
    assert await deliver(listening) == 1
    assert [orjson.loads(m["body"])["type"] for m in sink.received] == ["order.accepted"]


async def test_a_failed_delivery_is_tried_again_and_replayed_with_its_id(
    listening: World, sink: Sink
):
    hook = await endpoint(listening.buyer, sink, "order.held")
    sink.statuses = [500]
    await listening.order()
    assert await deliver(listening) == 1
    (log,) = (await listening.buyer.get(f"/webhooks/{hook['id']}/deliveries")).json()["items"]
    assert (log["state"], log["attempts"], log["last_status"]) == ("pending", 1, 500)
    assert log["next_attempt_at"] is not None
    again = await listening.buyer.post(f"/webhooks/deliveries/{log['id']}/replay")
    assert again.status_code == 202
    assert await send_due(listening.runtime) == 1
    detail = (await listening.buyer.get(f"/webhooks/deliveries/{log['id']}")).json()
    assert detail["state"] == "delivered"
    assert [attempt["status"] for attempt in detail["log"]] == [500, 200]
    assert len({message["headers"]["webhook-id"] for message in sink.received}) == 1


async def test_events_of_other_services_cannot_be_asked_for(listening: World, sink: Sink):
    answer = await listening.buyer.post(
        "/webhooks", {"url": sink.url, "events": ["application.posted"]}
    )
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == ["EVENT_UNKNOWN"]


async def test_targets_inside_are_refused(world: World):
    answer = await world.buyer.post("/webhooks", {"url": "https://127.0.0.1/", "events": []})
    assert [item["code"] for item in answer.json()["errors"]] == ["TARGET_REFUSED"]


async def test_another_institutions_webhooks_do_not_exist(listening: World, sink: Sink):
    hook = await endpoint(listening.buyer, sink)
    delivery = (await listening.buyer.post(f"/webhooks/{hook['id']}/ping")).json()["id"]
    for verb, path in (
        ("GET", f"{hook['id']}/secret"),
        ("POST", f"{hook['id']}/rotate"),
        ("POST", f"{hook['id']}/ping"),
        ("GET", f"{hook['id']}/deliveries"),
        ("DELETE", hook["id"]),
        ("PUT", hook["id"]),
        ("GET", f"deliveries/{delivery}"),
        ("POST", f"deliveries/{delivery}/replay"),
    ):
        for stranger in (listening.rival, listening.seller):
            answer = await listening.client.request(
                verb,
                f"{API}/webhooks/{path}",
                headers=stranger.headers,
                json={"url": sink.url} if verb == "PUT" else None,
            )
            assert answer.status_code == 404, path
    assert (await listening.rival.get("/webhooks")).json() == []


async def test_the_jobs_of_webhooks_run_on_the_runtime_alone(listening: World, sink: Sink):
    await endpoint(listening.buyer, sink)
    await listening.order()
    assert await deliver(listening) == 2
    await resume_webhooks(listening.runtime)
    await purge_webhooks(listening.runtime)
    assert len(sink.received) == 2
