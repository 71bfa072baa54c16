"""Webhooks end to end: registered, signed, retried, replayed, and never sent inside."""

import base64
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from shared.clock import utc_now
from shared.webhooks.jobs import purge_webhooks, resume_webhooks
from tests.accrual.world import APPLICATIONS, practice
from tests.sink import send_due, signed_by

WEBHOOKS = "/api/v1/accrual/webhooks"


@pytest.fixture
async def listening(world_of):
    """A world whose webhooks may go to this machine."""
    world = await world_of(webhook_private_targets=True)

    async def run_jobs() -> int:
        return await send_due(world.runtime)

    world.run_jobs = run_jobs
    return world


async def endpoint(person, url, **body):
    answer = await person.post(WEBHOOKS, {"url": url, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def log_of(person, endpoint_id):
    return (await person.get(f"{WEBHOOKS}/{endpoint_id}/deliveries")).json()["items"]


async def test_every_move_of_an_application_arrives_signed_and_in_order(listening, sink):
    university, operator = listening.university(), listening.operator()
    hook = await endpoint(university, sink.url)
    secret = (await university.get(f"{WEBHOOKS}/{hook}/secret")).json()["secret"]
    application = await university.submitted([practice(1)])
    await operator.act(application, "claim")
    assert (await operator.approve(application)).status_code == 200
    assert await listening.run_jobs() == 4
    bodies = [orjson.loads(message["body"]) for message in sink.received]
    assert [body["type"] for body in bodies] == [
        "application.submitted",
        "application.review_started",
        "application.approved",
        "application.posted",
    ]
    assert bodies[-1]["data"] == {
        "application_id": application,
        "number": (await university.detail(application))["number"],
        "state": "posted",
        "field": "PRACTICE",
        "row_count": 1,
        "company_count": 1,
        "mileage": 450,
    }
    assert all(signed_by(secret, message) for message in sink.received)
    assert not signed_by("whsec_" + base64.b64encode(b"x" * 32).decode(), sink.received[0])
    assert {item["state"] for item in await log_of(university, hook)} == {"delivered"}


async def test_a_refused_submission_tells_nobody(listening, sink):
    university = listening.university()
    await endpoint(university, sink.url)
    draft = await university.ready([practice(1, allowance_won="1")])
    assert (await university.submit(draft)).status_code == 422
    assert await listening.run_jobs() == 0


async def test_only_the_events_asked_for_and_only_ones_own(listening, sink):
    university, other = listening.university(), listening.university()
    await endpoint(university, sink.url, events=["application.cancelled"])
    await endpoint(other, sink.url)
    application = await university.submitted([practice(1)])
    await university.act(application, "cancel", {})
    await listening.run_jobs()
    assert [orjson.loads(m["body"])["type"] for m in sink.received] == ["application.cancelled"]


async def test_a_failed_attempt_is_logged_and_tried_again_later_with_the_same_id(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    sink.statuses = [500, 302]
    sent = await university.post(f"{WEBHOOKS}/{hook}/ping")
    assert sent.status_code == 202
    await listening.run_jobs()
    detail = (await university.get(f"{WEBHOOKS}/deliveries/{sent.json()['id']}")).json()
    assert (detail["state"], detail["attempts"], detail["last_status"]) == ("pending", 1, 500)
    assert detail["log"][0]["answer"] == "answer"
    assert await listening.run_jobs() == 0  # not before its time
    for _ in range(2):
        await listening.change("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        await listening.run_jobs()
    detail = (await university.get(f"{WEBHOOKS}/deliveries/{sent.json()['id']}")).json()
    assert (detail["state"], detail["attempts"]) == ("delivered", 3)
    assert [attempt["status"] for attempt in detail["log"]] == [500, 302, 200]
    assert len({message["headers"]["webhook-id"] for message in sink.received}) == 1


async def test_what_waits_to_be_tried_again_holds_nothing_up(listening, sink):
    university = listening.university()
    await endpoint(university, sink.url)
    sink.statuses = [500]
    application = await university.submitted([practice(1)])
    await listening.run_jobs()
    await university.act(application, "cancel", {})
    locks = await listening.sql(
        "SELECT lock, scheduled_at FROM procrastinate_jobs"
        " WHERE task_name = 'webhooks.deliver' ORDER BY id"
    )
    assert [(row.lock is None, row.scheduled_at is None) for row in locks] == [
        (True, False),
        (False, True),
    ]


async def test_an_endpoint_that_is_gone_or_dead_for_days_is_switched_off(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    sink.statuses = [410]
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.run_jobs()
    (listed,) = (await university.get(WEBHOOKS)).json()
    assert (listed["active"], listed["disabled_reason"]) == (False, "gone")
    answer = await university.call(
        "PUT", f"{WEBHOOKS}/{hook}", json={"url": sink.url, "active": True}
    )
    assert (answer.json()["active"], answer.json()["disabled_reason"]) == (True, None)
    sink.statuses = [503]
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.change("UPDATE webhook_delivery SET attempts = 9 WHERE state = 'pending'")
    await listening.run_jobs()
    (listed,) = (await university.get(WEBHOOKS)).json()
    assert (listed["active"], listed["disabled_reason"]) == (False, "unreachable")
    assert (await log_of(university, hook))[0]["state"] == "failed"


async def test_a_delivery_is_replayed_on_request_with_its_old_id(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    sent = (await university.post(f"{WEBHOOKS}/{hook}/ping")).json()
    await listening.run_jobs()
    answer = await university.post(f"{WEBHOOKS}/deliveries/{sent['id']}/replay")
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    await listening.run_jobs()
    ids = [message["headers"]["webhook-id"] for message in sink.received]
    assert ids == [sent["message_id"]] * 2


async def test_after_a_rotation_both_secrets_sign_for_a_day(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    old = (await university.get(f"{WEBHOOKS}/{hook}/secret")).json()["secret"]
    new = (await university.post(f"{WEBHOOKS}/{hook}/rotate")).json()["secret"]
    assert old != new
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.run_jobs()
    assert signed_by(old, sink.received[0])
    assert signed_by(new, sink.received[0])
    await listening.change("UPDATE webhook_endpoint SET previous_until = now()")
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.run_jobs()
    assert not signed_by(old, sink.received[1])
    assert signed_by(new, sink.received[1])


async def test_no_secret_lies_in_the_database(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    secret = (await university.get(f"{WEBHOOKS}/{hook}/secret")).json()["secret"]
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.run_jobs()
    for table in ("webhook_endpoint", "webhook_message", "webhook_delivery", "webhook_attempt"):
        rows = await listening.sql(f"SELECT CAST(t AS text) FROM {table} t")
        assert not any(secret.removeprefix("whsec_") in row[0] for row in rows)


async def test_a_delivery_whose_process_died_is_taken_up_again(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.change("DELETE FROM procrastinate_jobs")
    await resume_webhooks(listening.runtime)
    assert await listening.run_jobs() == 0  # not overdue yet
    await listening.change(
        "UPDATE webhook_delivery SET next_attempt_at = :then", then=utc_now() - timedelta(hours=1)
    )
    await resume_webhooks(listening.runtime)
    assert await listening.run_jobs() == 1
    assert len(sink.received) == 1


async def test_old_messages_are_forgotten(listening, sink):
    university = listening.university()
    hook = await endpoint(university, sink.url)
    await university.post(f"{WEBHOOKS}/{hook}/ping")
    await listening.run_jobs()
    await listening.change("UPDATE webhook_message SET created_at = now() - interval '91 days'")
    await purge_webhooks(listening.runtime)
    assert await log_of(university, hook) == []


@pytest.mark.parametrize(
    "url", ["http://partner.example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/"]
)
async def test_targets_inside_cannot_be_registered(world, url):
    answer = await world.university().post(WEBHOOKS, {"url": url, "events": ["x"]})
    assert answer.status_code == 422
    assert {item["code"] for item in answer.json()["errors"]} == {"TARGET_REFUSED", "EVENT_UNKNOWN"}


async def test_a_name_that_leads_inside_is_refused_when_it_is_used(listening, sink):
    university = listening.university()
    port = sink.url.rpartition(":")[2]
    hook = await endpoint(university, f"https://localhost:{port}")
    sent = (await university.post(f"{WEBHOOKS}/{hook}/ping")).json()
    settings = listening.runtime.settings
    listening.runtime.settings = settings.model_copy(update={"webhook_private_targets": False})
    await listening.run_jobs()
    detail = (await university.get(f"{WEBHOOKS}/deliveries/{sent['id']}")).json()
    assert detail["last_error"] == "refused: not a public address"
    assert sink.received == []


async def test_another_institutions_webhooks_do_not_exist(listening, sink):
    university, stranger = listening.university(), listening.university()
    hook = await endpoint(university, sink.url)
    delivery = (await university.post(f"{WEBHOOKS}/{hook}/ping")).json()["id"]
    for verb, path in (
        ("GET", f"{hook}/secret"),
        ("POST", f"{hook}/rotate"),
        ("POST", f"{hook}/ping"),
        ("GET", f"{hook}/deliveries"),
        ("DELETE", hook),
        ("GET", f"deliveries/{delivery}"),
        ("POST", f"deliveries/{delivery}/replay"),
    ):
        assert (await stranger.call(verb, f"{WEBHOOKS}/{path}")).status_code == 404, path
    assert (await stranger.get(WEBHOOKS)).json() == []
    put = await stranger.call("PUT", f"{WEBHOOKS}/{hook}", json={"url": sink.url})
    assert put.status_code == 404


async def test_a_sub_account_manages_no_webhooks(world):
    sub = world.university(role="sub_account", fields=["PRACTICE"])
    answer = await sub.get(WEBHOOKS)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")


async def test_endpoints_are_bounded_in_number(listening, sink):
    university = listening.university()
    for _ in range(10):
        await endpoint(university, sink.url)
    answer = await university.post(WEBHOOKS, {"url": sink.url})
    assert (answer.status_code, answer.json()["code"]) == (409, "TOO_MANY_ENDPOINTS")


async def test_the_sandbox_has_endpoints_of_its_own(listening, sink):
    institution = uuid4()
    partner = listening.person(
        "accrual:push",
        role="partner",
        institution_id=institution,
        institution_kind="university",
        test_mode=True,
    )
    await endpoint(partner, sink.url)
    university = listening.university(institution)
    assert (await university.get(WEBHOOKS)).json() == []
    await university.submitted([practice(1)])
    assert await listening.run_jobs() == 0
    assert (await university.get(APPLICATIONS)).json()["total"] == 1
