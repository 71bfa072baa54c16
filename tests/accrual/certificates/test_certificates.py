"""Issuing, reissuing, revoking and taking home."""

import hashlib
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.accrual.certificates import service
from tests.accrual.certificates.conftest import (
    BRN,
    CERTIFICATES,
    attached_json,
    once,
    operator,
    today,
)


async def test_a_certificate_tells_the_balance_by_field_on_a_day(holder):
    await holder.earn(450, days_ago=10)
    await holder.earn(1_000, field="RESEARCH", days_ago=5)
    await holder.earn(-50, field=None)
    then = await holder.certificate(as_of=today(7))
    assert (then["balance"], then["as_of"]) == (450, today(7))
    now = await holder.certificate(purpose="지원사업 신청", recipient="한국산업단지공단")
    points = {part["field"]: part["points"] for part in now["by_field"]}
    assert now["balance"] == sum(points.values()) == 1_400
    assert (points["PRACTICE"], points["RESEARCH"], points[None]) == (450, 1_000, -50)
    assert len(points) == 8  # all seven fields, and what belongs to none
    assert (now["institution_name"], now["brn"], now["second_key"]) == ("한빛정밀㈜", BRN, BRN)
    assert (now["state"], now["purpose"], now["ledger"]["version"]) == (
        "genuine",
        "지원사업 신청",
        3,
    )


async def test_the_day_before_anything_was_earned_and_an_institution_without_account(holder):
    nothing = await holder.certificate()
    assert (nothing["balance"], nothing["ledger"]) == (
        0,
        {"version": 0, "head": "", "checkpoint": None},
    )
    await holder.earn(7, days_ago=3)
    assert (await holder.certificate(as_of=today(4)))["balance"] == 0
    assert (await holder.certificate(as_of=today(3)))["balance"] == 7


async def test_a_certificate_rests_on_one_state_of_the_ledger(world, holder):
    await holder.earn(450)
    found = await holder.certificate()
    version, head = (
        await world.sql(
            "SELECT version, head FROM account WHERE id = :id", id=holder.institution_id
        )
    )[0]
    assert found["ledger"] == {"version": version, "head": head.hex(), "checkpoint": None}


async def test_what_is_posted_while_a_certificate_is_made_is_not_half_counted(
    world, holder, monkeypatch
):
    await holder.earn(450)
    async with world.runtime.sessions() as session:
        execute = session.execute

        async def read_then_earn(query):
            found = await execute(query)
            monkeypatch.setattr(session, "execute", execute)
            await holder.earn(1)  # another transaction, between the two reads
            return found

        monkeypatch.setattr(session, "execute", read_then_earn)
        state = await service.snapshot(session, holder.institution_id, _day())
        assert (state.version, sum(state.points.values())) == (1, 450)
        state = await service.snapshot(session, holder.institution_id, _day())
        assert (state.version, sum(state.points.values())) == (2, 451)


async def test_the_file_is_archival_accessible_and_carries_its_own_data(holder):
    await holder.earn(450)
    issued = await holder.certificate(purpose="제출용")
    pdf = await holder.file(issued)
    assert hashlib.sha256(pdf).hexdigest() == issued["file_sha256"]
    assert len(pdf) == issued["file_size"]
    for mark in (b"<pdfaid:part>3<", b"<pdfaid:conformance>A<", b"<pdfuaid:part>1<", b"/Lang(ko)"):
        assert mark in pdf
    document = attached_json(pdf)
    assert (document["number"], document["balance"]) == (issued["number"], 450)
    assert document["verification_number"] == issued["verification_number"]
    assert document["by_field"] == issued["by_field"]
    assert document["ledger"] == issued["ledger"]
    assert document["institution"]["brn"] == BRN


async def test_an_institution_without_business_number_gets_a_code(holder_of, verify):
    holder = holder_of("university", name="한국대학교", brn=None)
    issued = await holder.certificate()
    assert issued["brn"] is None
    assert len(issued["second_key"]) == 8
    found = await verify(issued["verification_number"], issued["second_key"].lower())
    assert (found.json()["result"], found.json()["brn"]) == ("genuine", None)


@pytest.mark.parametrize("field", ["purpose", "recipient"])
async def test_a_character_the_font_lacks_is_named_and_nothing_is_issued(holder, field):
    answer = await holder.issue(**{field: "제출😀용 𝄞"})
    assert answer.status_code == 422
    found = [(one["code"], one["pointer"], one["params"]) for one in answer.json()["errors"]]
    assert found == [
        ("GLYPH_MISSING", f"/{field}", {"char": "😀", "code_point": "U+1F600"}),
        ("GLYPH_MISSING", f"/{field}", {"char": "𝄞", "code_point": "U+1D11E"}),
    ]
    assert (await holder.person.get(CERTIFICATES)).json()["total"] == 0


async def test_a_registered_name_the_font_lacks_is_named_too(holder_of):
    answer = await holder_of(name="한빛\u200b정밀😀").issue()
    codes = {(one["pointer"], one["params"]["code_point"]) for one in answer.json()["errors"]}
    assert ("/institution_name", "U+1F600") in codes


async def test_hanja_signs_and_decomposed_hangul_are_drawn(holder_of):
    holder = holder_of(name="株式會社 \u1112\u1161\u11ab빛 ㈜ ㎡")
    assert (await holder.certificate())["institution_name"] == "株式會社 한빛 ㈜ ㎡"


async def test_tomorrow_cannot_be_certified_and_the_input_is_checked(holder):
    answer = await holder.issue(as_of=today(-1))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "AS_OF_FUTURE")
    for body in (
        {"as_of": "어제"},
        {"as_of": today(), "balance": 1},
        {"as_of": today(), "purpose": ""},
    ):
        answer = await holder.person.post(CERTIFICATES, body, headers=once())
        assert answer.status_code == 422
    keyless = await holder.person.post(CERTIFICATES, {"as_of": today()})
    assert (keyless.status_code, keyless.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")


async def test_a_second_tap_issues_once(holder):
    key = once()
    first = await holder.person.post(CERTIFICATES, {"as_of": today()}, headers=key)
    again = await holder.person.post(CERTIFICATES, {"as_of": today()}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert (await holder.person.get(CERTIFICATES)).json()["total"] == 1


async def test_nothing_is_issued_while_the_registry_is_away(world, holder, registry):
    registry.down = True
    answer = await holder.issue()
    assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    assert await world.sql("SELECT id FROM certificate") == []


async def test_a_reissue_is_a_new_certificate_that_names_the_old_one(holder):
    await holder.earn(10, days_ago=9)
    first = await holder.certificate(as_of=today(8), purpose="제출용")
    await holder.earn(5, days_ago=9)  # learned later, of before that day
    path = f"{CERTIFICATES}/{first['id']}/reissue"
    answer = await holder.person.post(path, headers=once())
    second = answer.json()
    assert (answer.status_code, second["reissue_of"]) == (201, first["id"])
    assert (first["balance"], second["balance"]) == (10, 15)
    assert (second["as_of"], second["purpose"]) == (first["as_of"], "제출용")
    assert second["number"] != first["number"]
    assert second["verification_number"] != first["verification_number"]
    assert attached_json(await holder.file(second))["reissue_of"] == first["number"]
    listed = (await holder.person.get(CERTIFICATES)).json()["items"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert listed[1] == first


async def test_who_did_what_with_a_certificate_is_kept(world, holder):
    issued = await holder.certificate()
    await holder.file(issued)
    boss = operator(world)
    await boss.post(f"{CERTIFICATES}/{issued['id']}/revoke", {"reason": "허위 실적"})
    events = (await holder.person.get(f"{CERTIFICATES}/{issued['id']}/events")).json()
    assert [one["action"] for one in events["items"]] == ["revoke", "download", "issue"]
    assert [one["by"] for one in events["items"]] == [boss.sub, *[holder.person.sub] * 2]


async def test_the_operator_revokes_once_and_for_good(world, holder):
    issued = await holder.certificate()
    path = f"{CERTIFICATES}/{issued['id']}"
    boss = operator(world)
    assert (await boss.post(f"{path}/revoke", {"reason": ""})).status_code == 422
    answer = await boss.post(f"{path}/revoke", {"reason": "허위 실적"})
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    again = await boss.post(f"{path}/revoke", {"reason": "다시"})
    assert (again.status_code, again.json()["code"]) == (409, "STATE_CONFLICT")
    reissue = await holder.person.post(f"{path}/reissue", headers=once())
    assert (reissue.status_code, reissue.json()["code"]) == (409, "STATE_CONFLICT")
    assert (await holder.person.get(path)).json()["revoke_reason"] == "허위 실적"


@pytest.mark.parametrize("table", ["certificate", "certificate_revocation", "certificate_event"])
async def test_the_database_refuses_to_change_what_was_issued(world, holder, table):
    issued = await holder.certificate()
    await operator(world).post(f"{CERTIFICATES}/{issued['id']}/revoke", {"reason": "허위 실적"})
    for change in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DBAPIError, match="append-only"):
            await world.change(change)


async def test_another_institutions_certificate_does_not_exist(holder_of):
    issued = await holder_of().certificate()
    stranger = holder_of("university").person
    path = f"{CERTIFICATES}/{issued['id']}"
    for method, tail in (("GET", ""), ("GET", "/file"), ("GET", "/events"), ("POST", "/reissue")):
        answer = await stranger.call(method, path + tail, headers=once())
        assert (answer.status_code, answer.json()["code"]) == (404, "CERTIFICATE_NOT_FOUND")
    foreign = f"{CERTIFICATES}?institution_id={issued['institution_id']}"
    assert (await stranger.get(foreign)).json()["items"] == []


async def test_the_operator_and_the_ministry_see_all_and_issue_none_of_them(world, holder):
    issued = await holder.certificate()
    observer = world.person(
        "ledger:read", role="observer", institution_id=uuid4(), institution_kind="ministry"
    )
    for person in (operator(world), observer):
        found = await person.get(f"{CERTIFICATES}?institution_id={issued['institution_id']}")
        assert [one["id"] for one in found.json()["items"]] == [issued["id"]]
        reissue = await person.post(f"{CERTIFICATES}/{issued['id']}/reissue", headers=once())
        assert reissue.status_code == 403
    refused = await observer.post(f"{CERTIFICATES}/{issued['id']}/revoke", {"reason": "이유"})
    assert refused.status_code == 403


async def test_limited_sub_accounts_and_the_sandbox_get_no_certificate(world):
    for limit in ({"fields": ["PRACTICE"], "role": "sub_account"}, {"test_mode": True}):
        person = world.university(**limit)
        issue = await person.post(CERTIFICATES, {"as_of": today()}, headers=once())
        assert issue.status_code == 403
        assert (await person.get(CERTIFICATES)).status_code == 403


async def test_every_route_but_verification_needs_a_token_and_permission(world):
    stranger = world.person("grants:read", institution_id=uuid4(), institution_kind="agency")
    walked = 0
    for path, verbs in world.client._transport.app.openapi()["paths"].items():
        if not path.startswith(CERTIFICATES) or "/verify" in path:
            continue
        for verb in verbs:
            filled = path.format(certificate_id=uuid4())
            assert (await world.client.request(verb.upper(), filled)).status_code == 401
            assert (await stranger.call(verb.upper(), filled, headers=once())).status_code == 403
            walked += 1
    assert walked == 7


def _day():
    return date.fromisoformat(today())
