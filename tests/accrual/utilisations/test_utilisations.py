"""Requests over HTTP: what is held, deducted, released, refused, and who may."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.ledger import verification
from tests.accrual.certificates.conftest import attached_json
from tests.accrual.utilisations.conftest import AGENCY, BUSAN, URL, once


async def act(person, one, action, body=None):
    return await person.post(f"{URL}/{one['id']}/{action}", body, headers=once())


async def test_a_request_holds_what_it_may_cost_and_only_the_steps_scored_are_deducted(
    world, registry, holder_of
):
    holder = await holder_of(10_499)
    made = await holder.asked(registry.programme(**BUSAN), 10_499)
    assert (made["state"], made["steps"], made["points"], made["held"]) == (
        "requested", 10, "1.0", 10_000,
    )  # fmt: skip
    assert await holder.points() == (10_499, 10_000, 499)
    done = (await act(world.operator(), made, "confirm", {"steps_scored": 7})).json()
    assert (done["state"], done["points_scored"], done["deducted"]) == ("confirmed", "0.7", 7_000)
    assert await holder.points() == (3_499, 0, 3_499)
    async with world.runtime.sessions() as session:
        assert (await verification.verify(session)).ok


async def test_the_rule_of_the_request_decides_whatever_becomes_of_the_programme(
    world, registry, holder_of
):
    holder = await holder_of(5_000)
    programme = registry.programme(**BUSAN)
    made = await holder.asked(programme, 5_000)
    registry.programmes.pop(programme)
    done = (await act(world.operator(), made, "confirm", {"steps_scored": 5})).json()
    assert (done["deducted"], done["rule"]["mileage_per_step"]) == (5_000, 1_000)


@pytest.mark.parametrize(
    ("who", "action", "body", "state"),
    [
        ("holder", "withdraw", None, "withdrawn"),
        ("operator", "reject", {"reason": "요건 미충족"}, "rejected"),
        ("operator", "confirm", {"steps_scored": 0}, "confirmed"),
    ],
)
async def test_what_was_not_used_is_available_again(
    world, registry, holder_of, who, action, body, state
):
    holder = await holder_of(3_000)
    programme = registry.programme(**BUSAN)
    made = await holder.asked(programme, 3_000)
    assert await holder.points() == (3_000, 3_000, 0)
    person = world.operator() if who == "operator" else holder.person
    answer = await act(person, made, action, body)
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert await holder.points() == (3_000, 0, 3_000)
    again = await act(world.operator(), made, "confirm", {"steps_scored": 1})
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")
    after = await holder.ask(programme, 3_000)
    assert after.status_code == (409 if state == "confirmed" else 201)


async def test_programmes_that_deduct_nothing_hold_nothing(world, registry, holder_of):
    company = await holder_of(2_000, kind="company")
    programme = registry.programme(**BUSAN, deducts=False, certified_only=True)
    refused = await company.ask(programme, 2_000)
    assert [one["code"] for one in refused.json()["errors"]] == ["NOT_CERTIFIED"]
    registry.certificates[company.institution_id] = "EX-2024-0001"
    made = await company.asked(programme, 2_000)
    assert (made["held"], made["steps"], made["certificate_number"]) == (0, 2, "EX-2024-0001")
    done = (await act(world.operator(), made, "confirm", {"steps_scored": 2})).json()
    assert (done["points_scored"], done["deducted"]) == ("0.2", 0)
    assert await company.points() == (2_000, 0, 2_000)
    university = await holder_of(2_000)
    answer = await university.ask(programme, 2_000)
    assert [one["code"] for one in answer.json()["errors"]] == ["NOT_A_COMPANY"]


async def test_certified_companies_keep_their_mileage_where_the_programme_says_so(
    world, registry, holder_of
):
    certified, other = [await holder_of(3_000, kind="company") for _ in range(2)]
    registry.certificates[certified.institution_id] = "EX-2024-0001"
    programme = registry.programme(**BUSAN, spares_certified=True)
    spared = await certified.asked(programme, 3_000)
    assert (spared["rule"]["deducts"], spared["held"]) == (False, 0)
    # The certificate may end before the decision: what held at the request goes on to hold.
    registry.certificates.clear()
    done = (await act(world.operator(), spared, "confirm", {"steps_scored": 3})).json()
    assert (done["points_scored"], done["deducted"]) == ("0.3", 0)
    spends = await other.asked(programme, 3_000)
    assert (spends["rule"]["deducts"], spends["held"], spends["certificate_number"]) == (
        True,
        3_000,
        None,
    )


async def test_another_certificates_number_is_refused(registry, holder_of):
    company = await holder_of(2_000, kind="company")
    registry.certificates[company.institution_id] = "EX-2024-0001"
    programme = registry.programme(**BUSAN, certified_only=True)
    answer = await company.ask(programme, 2_000, certificate_number="EX-2024-0002")
    assert [one["code"] for one in answer.json()["errors"]] == ["CERTIFICATE_OTHER"]


async def test_without_an_answer_on_the_certificate_there_is_no_request(registry, holder_of):
    company = await holder_of(2_000, kind="company")
    programme = registry.programme(**BUSAN, certified_only=True)
    registry.certifier_is_down = True
    answer = await company.ask(programme, 2_000)
    assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    assert await company.points() == (2_000, 0, 2_000)
    registry.certifier_is_down = False
    registry.certificates[company.institution_id] = "EX-2024-0001"
    assert (await company.ask(programme, 2_000)).status_code == 201


async def test_every_finding_is_told_at_once(registry, holder_of):
    company = await holder_of(0, kind="company")
    programme = registry.programme(**BUSAN, certified_only=True)
    short = (await company.ask(programme, 1_000)).json()["errors"]
    assert [one["code"] for one in short] == ["MILEAGE_SHORT", "NOT_CERTIFIED"]
    small = (await company.ask(programme, 999)).json()["errors"]
    assert [one["code"] for one in small] == ["BELOW_ONE_STEP", "NOT_CERTIFIED"]


@pytest.mark.parametrize(
    ("programme", "code"),
    [
        ({"opens": 1, "closes": 2}, "PROGRAMME_NOT_OPEN"),
        ({"opens": -2, "closes": -1}, "PROGRAMME_NOT_OPEN"),
        ({"published": False}, "PROGRAMME_NOT_OPEN"),
        (None, "PROGRAMME_WITHOUT_BONUS"),
    ],
)
async def test_a_programme_must_be_open_and_give_points(registry, holder_of, programme, code):
    holder = await holder_of(5_000)
    one = registry.programme() if programme is None else registry.programme(**programme, **BUSAN)
    answer = await holder.ask(one, 5_000)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await holder.points() == (5_000, 0, 5_000)


async def test_a_programme_nobody_knows(holder_of):
    answer = await (await holder_of(5_000)).ask(uuid4(), 1_000)
    assert (answer.status_code, answer.json()["code"]) == (404, "PROGRAMME_NOT_FOUND")


async def test_the_preview_tells_and_changes_nothing(registry, holder_of):
    holder = await holder_of(12_000)
    body = {"programme_id": str(registry.programme(**BUSAN)), "mileage": 10_499}
    seen = (await holder.person.post(f"{URL}/preview", body)).json()
    assert (seen["points"], seen["held"], seen["available_after"]) == ("1.0", 10_000, 2_000)
    assert await holder.points() == (12_000, 0, 12_000)
    assert (await holder.person.get(URL)).json()["total"] == 0


async def test_two_taps_and_two_requests_at_once_hold_once(registry, holder_of):
    holder = await holder_of(9_000)
    programme = registry.programme(**BUSAN)
    answers = await asyncio.gather(*(holder.ask(programme, 3_000) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    key, other = once(), registry.programme(**BUSAN)
    body = {"programme_id": str(other), "mileage": 3_000}
    taps = [await holder.person.post(URL, body, headers=key) for _ in range(2)]
    assert taps[0].content == taps[1].content
    assert await holder.points() == (9_000, 6_000, 3_000)


async def test_of_decisions_at_once_one_counts(world, registry, holder_of):
    holder = await holder_of(4_000)
    made = await holder.asked(registry.programme(**BUSAN), 4_000)
    operator = world.operator()
    answers = await asyncio.gather(
        act(operator, made, "confirm", {"steps_scored": 4}),
        act(operator, made, "reject", {"reason": "요건 미충족"}),
        act(holder.person, made, "withdraw"),
    )
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    state = (await holder.person.get(f"{URL}/{made['id']}")).json()["state"]
    balance = 0 if state == "confirmed" else 4_000
    assert await holder.points() == (balance, 0, balance)


async def test_no_more_steps_than_asked_for(world, registry, holder_of):
    made = await (await holder_of(4_000)).asked(registry.programme(**BUSAN), 4_000)
    answer = await act(world.operator(), made, "confirm", {"steps_scored": 5})
    assert answer.json()["errors"][0]["code"] == "STEPS_EXCEEDED"


async def test_the_letter_tells_what_was_used_and_is_the_same_each_time(world, registry, holder_of):
    holder = await holder_of(4_000)
    made = await holder.asked(registry.programme(**BUSAN), 4_000)
    url = f"{URL}/{made['id']}/letter"
    assert (await holder.person.get(url)).status_code == 409
    await act(world.operator(), made, "confirm", {"steps_scored": 3})
    first, second = [await holder.person.get(url) for _ in range(2)]
    assert first.content == second.content
    assert b"<pdfuaid:part>1<" in first.content
    for words in ("차감 마일리지: 3,000점", "부여 가점: 0.3%p", f"신청번호: {made['number']}"):
        assert words.encode() in first.content  # the document's description
    assert attached_json(first.content)["deducted"] == 3_000


async def test_what_happened_stays(world, registry, holder_of):
    holder = await holder_of(4_000)
    made = await holder.asked(registry.programme(**BUSAN), 4_000)
    await act(world.operator(), made, "reject", {"reason": "요건 미충족"})
    events = (await holder.person.get(f"{URL}/{made['id']}/events")).json()["items"]
    assert [(one["action"], one["note"]) for one in events] == [
        ("rejected", "요건 미충족"),
        ("request", None),
    ]
    with pytest.raises(DBAPIError, match="is append-only"):
        await world.change("DELETE FROM utilisation_event")


def paths(world):
    found = world.client._transport.app.openapi()["paths"]
    return [
        (verb.upper(), path)
        for path, verbs in found.items()
        if path.startswith(URL)
        for verb in verbs
    ]


def body_of(path):
    if path.endswith("/confirm"):
        return {"steps_scored": 1}
    if path.endswith("/reject"):
        return {"reason": "요건 미충족"}
    return {"programme_id": str(uuid4()), "mileage": 1_000}


async def call(person, verb, path):
    body = body_of(path) if verb == "POST" and not path.endswith("/withdraw") else None
    return await person.call(verb, path, json=body, headers=once())


async def test_every_route_needs_a_token_and_a_permission(world):
    stranger = world.person("grants:read", institution_id=uuid4(), institution_kind="agency")
    for verb, path in paths(world):
        filled = path.format(utilisation_id=uuid4())
        assert (await world.client.request(verb, filled)).status_code == 401
        assert (await call(stranger, verb, filled)).status_code == 403, path
    assert len(paths(world)) == 9


async def test_another_institutions_request_does_not_exist(world, registry, holder_of):
    owner, other = await holder_of(4_000), await holder_of(4_000)
    made = await owner.asked(registry.programme(**BUSAN), 4_000)
    tried = 0
    for verb, path in paths(world):
        if "{utilisation_id}" not in path or path.endswith(("/confirm", "/reject")):
            continue
        answer = await call(other.person, verb, path.format(utilisation_id=made["id"]))
        assert (answer.status_code, answer.json()["code"]) == (404, "UTILISATION_NOT_FOUND"), path
        tried += 1
    assert tried == 4
    listed = f"{URL}?institution_id={owner.institution_id}"
    assert (await other.person.get(listed)).json()["total"] == 0
    assert (await world.operator().get(listed)).json()["total"] == 1


async def test_a_sub_account_limited_to_fields_spends_nothing(world, registry):
    limited = world.university(fields=["PRACTICE"], role="sub_account")
    body = {"programme_id": str(registry.programme(**BUSAN)), "mileage": 1_000}
    assert (await limited.post(URL, body, headers=once())).status_code == 403
    assert (await limited.get(URL)).status_code == 403


def officer_of(world, agency_id, kind="agency"):
    return world.person(
        "grants:read", "grants:manage", role="agency_officer",
        institution_id=agency_id, institution_kind=kind,
    )  # fmt: skip


async def test_an_officer_of_the_operator_decides_about_its_own_programmes_only(
    world, registry, holder_of
):
    """It certifies (M-061); what other agencies' programmes cost is not its business."""
    holder = await holder_of(3_000)
    made = await holder.asked(registry.programme(**BUSAN), 3_000)
    certifier = officer_of(world, uuid4(), "operator")
    assert (await certifier.get(URL)).json()["items"] == []
    foreign = await act(certifier, made, "confirm", {"steps_scored": 1})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "UTILISATION_NOT_FOUND")
    assert await holder.points() == (3_000, 3_000, 0)
    own = officer_of(world, AGENCY, "operator")
    assert (await act(own, made, "confirm", {"steps_scored": 1})).status_code == 200


async def test_officers_decide_about_requests_for_programmes_of_their_own_agency_only(
    world, registry, holder_of
):
    holder = await holder_of(6_000)
    first = await holder.asked(registry.programme(**BUSAN), 3_000)
    second = await holder.asked(registry.programme(**BUSAN), 2_000)
    officer, stranger = officer_of(world, AGENCY), officer_of(world, uuid4())
    assert {one["id"] for one in (await officer.get(URL)).json()["items"]} == {
        first["id"], second["id"],
    }  # fmt: skip
    assert (await stranger.get(URL)).json()["items"] == []
    for action, body in (("confirm", {"steps_scored": 1}), ("reject", {"reason": "요건 미충족"})):
        foreign = await act(stranger, first, action, body)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "UTILISATION_NOT_FOUND")
    for place in ("", "/events", "/letter"):
        assert (await stranger.get(f"{URL}/{first['id']}{place}")).status_code == 404
    assert await holder.points() == (6_000, 5_000, 1_000)
    confirmed = await act(officer, first, "confirm", {"steps_scored": 2})
    assert (confirmed.status_code, confirmed.json()["deducted"]) == (200, 2_000)
    rejected = await act(officer, second, "reject", {"reason": "요건 미충족"})
    assert (rejected.status_code, rejected.json()["state"]) == (200, "rejected")
    assert await holder.points() == (4_000, 0, 4_000)
    roles = [
        one["role"] for one in (await officer.get(f"{URL}/{first['id']}/events")).json()["items"]
    ]
    assert roles == ["agency_officer", "university"]
    assert (await act(officer, second, "withdraw")).status_code == 403
