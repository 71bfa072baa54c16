"""A certification from its notice to the public list, and what a company cannot do on the way."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.grants.clients import Directory
from shared.clock import seoul_day, utc_now
from tests.grants.api.conftest import AGENCY, API, COMPANY, PDF, SECOND, someone_waits
from tests.grants.api.selection import assign, finalise, score

CERTIFICATION = f"{API}/certification"
TODAY = seoul_day(utc_now())
DOCUMENT = {
    "statements": {"cooperation": "현장실습 30명", "plan": "공동연구 3건"},
    "promises": {"labour_law": True, "safety_law": True},
}
POINTS = {"eligibility": {"holds": True}, "documents": {"holds": True}, "law": {"holds": True}}
SHEET = {"cooperation": 30, "plan": 16}


@pytest.fixture
def company(tokens) -> dict[str, str]:
    return tokens.headers(
        "grants:read",
        "exchange:buy",
        role="company",
        institution_id=COMPANY,
        institution_kind="company",
    )


@pytest.fixture
def second_officer(tokens) -> dict[str, str]:
    return tokens.headers("grants:manage", role="agency_officer", institution_id=AGENCY)


@pytest.fixture
async def notice(client, officer) -> str:
    """The id of a published certification that takes applications now."""
    body = {
        "kind": "certification",
        "name": "산학협력 우수기관 인증",
        "ministry_name": "교육부",
        "agency_name": "가람상공회의소",
        "target": "company",
        "benefit": "certification",
        "opens_at": "2026-01-01T00:00:00+09:00",
        "closes_at": (utc_now() + timedelta(days=30)).isoformat(),
        "rule_set_code": "excellence-2024",
        "rule_set_version": 1,
    }
    made = await client.post(f"{API}/programmes", json=body, headers=officer)
    assert made.status_code == 201, made.text
    await client.post(f"{API}/programmes/{made.json()['id']}/publish", headers=officer)
    return made.json()["id"]


@pytest.fixture
async def applied(client, notice, company) -> dict:
    begun = await client.post(f"{CERTIFICATION}/calls/{notice}/applications", headers=company)
    assert begun.status_code == 201, begun.text
    url = f"{CERTIFICATION}/applications/{begun.json()['id']}"
    await client.put(url, json=DOCUMENT, headers=company | {"If-Match": '"1"'})
    await client.post(
        f"{url}/files",
        data={"kind": "application_form"},
        files={"file": ("공문.pdf", PDF, "application/pdf")},
        headers=company,
    )
    sent = await client.post(f"{url}/submit", headers=company | {"Idempotency-Key": "s"})
    assert sent.status_code == 200, sent.text
    return begun.json()


@pytest.fixture
async def closed(applied, runtime) -> dict:
    """The application once the call has closed."""
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE programme SET closes_at = now() - interval '1 hour'"))
    return applied


async def certify(client, notice, application, officer, second_officer, reviewers):
    """From the pre-review to the certificate."""
    url = f"{API}/received/{application['id']}"
    await client.post(f"{url}/pre-review/start", headers=officer)
    tested = await client.post(
        f"{CERTIFICATION}/applications/{application['id']}/mileage", headers=officer
    )
    assert tested.json()["findings"] == [], tested.text
    body = {"eligible": True, "checks": POINTS}
    found = await client.post(f"{url}/pre-review", json=body, headers=officer)
    assert found.json()["state"] == "eligible", found.text
    await assign(client, notice, officer, reviewers)
    for headers in reviewers.values():
        assert (await score(client, application, headers, SHEET)).status_code == 200
    ranked = await finalise(client, notice, officer)
    council = await client.post(
        f"{CERTIFICATION}/calls/{notice}/council",
        json={
            "held_on": str(TODAY),
            "members": ["김위원", "이위원"],
            "minutes": "평가 결과를 심의하여 추천함",
            "decisions": [
                {
                    "application_id": application["id"],
                    "recommended": True,
                    "reason": "평가 결과 우수",
                }
            ],
        },
        headers=officer | {"Idempotency-Key": "council"},
    )
    assert council.status_code == 201, council.text
    approved = await client.post(
        f"{CERTIFICATION}/calls/{notice}/approve",
        json=approval(application),
        headers=second_officer | {"Idempotency-Key": "approve"},
    )
    return ranked, approved


def approval(application) -> dict:
    return {
        "application_ids": [application["id"]],
        "approval": "교육부 산학협력취창업지원과-123",
        "valid_from": str(TODAY),
    }


async def test_a_company_is_certified_and_everybody_can_see_it(
    client, notice, closed, officer, second_officer, reviewers, company, answers, tokens
):
    answers["mileage"] = json.dumps({"HIRING": 3_000, "RESEARCH": 2_500})
    ranked, approved = await certify(client, notice, closed, officer, second_officer, reviewers)
    # 5,500 points → 24, two fields → 8; the committee gave 46.
    (line,) = ranked.json()["items"]
    assert (line["shown"], line["passes"], line["bonus"]) == ("78", True, 0)
    (given,) = approved.json()["items"]
    assert given["number"] == f"EX-{TODAY.year}-0001"
    assert (given["brn"], given["authority"]) == ("1048203590", "교육부장관")
    assert given["valid_until"] > str(TODAY + timedelta(days=728))

    mine = (await client.get(f"{CERTIFICATION}/certificates", headers=company)).json()
    assert [one["number"] for one in mine["items"]] == [given["number"]]
    page = f"{CERTIFICATION}/certificates/{given['id']}/certificate.pdf"
    first, again = [await client.get(page, headers=company) for _ in range(2)]
    assert first.content[:5] == b"%PDF-"
    assert first.content == again.content
    told = await client.get(f"{API}/proposals/{closed['id']}/results", headers=company)
    assert [one["decision"] for one in told.json()] == ["recommended", "certified"]

    public = (await client.get(f"{CERTIFICATION}/public/institutions")).json()
    assert [one["institution_name"] for one in public["items"]] == ["가람에너지(주)"]
    seen = await client.get(f"{CERTIFICATION}/public/certificates/{given['number']}")
    assert seen.json()["status"] == "valid"
    service = tokens.headers("grants:read", aud="grants", client_id="accrual", role="service")

    async def certified(on) -> tuple[bool, str | None]:
        url = f"/internal/institutions/{COMPANY}/certification"
        answer = (await client.get(url, params={"on": str(on)}, headers=service)).json()
        return answer["certified"], answer["number"]

    assert await certified(TODAY) == (True, given["number"])
    assert await certified(TODAY - timedelta(days=1)) == (False, None)
    assert (await certified(given["valid_until"]))[0]
    assert not (await certified(TODAY + timedelta(days=731)))[0]

    ended = await client.post(
        f"{CERTIFICATION}/certificates/{given['id']}/revoke",
        json={"reason": "허위 실적"},
        headers=officer,
    )
    assert ended.json()["status"] == "revoked"
    twice = await client.post(
        f"{CERTIFICATION}/certificates/{given['id']}/revoke",
        json={"reason": "허위 실적"},
        headers=officer,
    )
    assert twice.status_code == 409
    assert await certified(TODAY) == (False, None)
    assert (await client.get(f"{CERTIFICATION}/public/institutions")).json()["total"] == 0
    seen = await client.get(f"{CERTIFICATION}/public/certificates/{given['number']}")
    assert seen.json()["status"] == "revoked"


async def test_a_university_is_told_that_it_cannot_apply(client, notice, applicant):
    refused = await client.post(f"{CERTIFICATION}/calls/{notice}/applications", headers=applicant)
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["errors"]] == ["NOT_ELIGIBLE_UNIVERSITY"]


async def test_an_unfinished_or_late_application_is_refused_with_every_reason(
    client, notice, company, runtime
):
    begun = await client.post(f"{CERTIFICATION}/calls/{notice}/applications", headers=company)
    url = f"{CERTIFICATION}/applications/{begun.json()['id']}"
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE programme SET closes_at = now() - interval '1 minute'"))
    refused = await client.post(f"{url}/submit", headers=company | {"Idempotency-Key": "s"})
    assert [one["code"] for one in refused.json()["errors"]] == [
        "LATE",
        "STATEMENT_MISSING",
        "STATEMENT_MISSING",
        "PROMISE_MISSING",
        "PROMISE_MISSING",
        "ATTACHMENT_MISSING",
    ]


async def test_a_save_that_waited_for_another_does_not_overwrite_it(
    client, applied, company, runtime
):
    url = f"{CERTIFICATION}/applications/{applied['id']}"
    seen = (await client.get(url, headers=company)).headers["etag"]
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE proposal SET version = version + 1"))
        late = asyncio.create_task(
            client.put(url, json=DOCUMENT, headers=company | {"If-Match": seen})
        )
        await someone_waits(runtime)
    refused = await late
    assert (refused.status_code, refused.json()["code"]) == (412, "STALE")


async def test_a_certificate_begins_on_a_day_whose_end_the_calendar_has(client, notice, officer):
    odd = approval({"id": str(uuid4())}) | {"valid_from": "9999-01-01"}
    refused = await client.post(
        f"{CERTIFICATION}/calls/{notice}/approve",
        json=odd,
        headers=officer | {"Idempotency-Key": "odd"},
    )
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "valid_from")


async def test_nobody_is_eligible_before_the_mileage_of_the_closing_day_is_known(
    client, closed, officer, answers
):
    url = f"{API}/received/{closed['id']}/pre-review"
    mileage = f"{CERTIFICATION}/applications/{closed['id']}/mileage"
    body = {"eligible": True, "checks": POINTS}
    await client.post(f"{url}/start", headers=officer)
    untested = await client.post(url, json=body, headers=officer)
    assert [one["code"] for one in untested.json()["errors"]] == ["MILEAGE_UNTESTED"]
    # Accrual does not answer: nobody is judged by a guess.
    silent = await client.post(mileage, headers=officer)
    assert (silent.status_code, silent.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    answers["mileage"] = "{}"
    tested = (await client.post(mileage, headers=officer)).json()
    assert (tested["mileage_points"], tested["findings"][0]["code"]) == (0, "NO_MILEAGE")
    none = await client.post(url, json=body, headers=officer)
    assert [one["code"] for one in none.json()["errors"]] == ["NO_MILEAGE"]


async def test_the_closing_day_has_to_be_over(client, applied, officer, answers):
    answers["mileage"] = '{"HIRING": 300}'
    begun = await client.post(f"{API}/received/{applied['id']}/pre-review/start", headers=officer)
    assert (begun.status_code, begun.json()["code"]) == (409, "RECEIPT_OPEN")
    early = await client.post(
        f"{CERTIFICATION}/applications/{applied['id']}/mileage", headers=officer
    )
    assert [one["code"] for one in early.json()["errors"]] == ["BEFORE_CLOSING"]


async def test_whoever_recorded_the_council_cannot_enter_the_approval(
    client, notice, closed, officer, reviewers, answers
):
    answers["mileage"] = '{"HIRING": 12000}'
    _ranked, refused = await certify(client, notice, closed, officer, officer, reviewers)
    assert (refused.status_code, refused.json()["code"]) == (403, "FOUR_EYES")


async def test_the_council_decides_on_every_application_and_on_no_other(
    client, notice, closed, officer
):
    body = {
        "held_on": str(TODAY),
        "members": ["김위원"],
        "minutes": "심의",
        "decisions": [{"application_id": closed["id"], "recommended": True, "reason": "평가 전"}],
    }
    refused = await client.post(
        f"{CERTIFICATION}/calls/{notice}/council",
        json=body,
        headers=officer | {"Idempotency-Key": "c"},
    )
    assert [one["code"] for one in refused.json()["errors"]] == ["COUNCIL_UNKNOWN"]
    early = await client.post(
        f"{CERTIFICATION}/calls/{notice}/approve",
        json=approval(closed),
        headers=officer | {"Idempotency-Key": "a"},
    )
    assert [one["code"] for one in early.json()["errors"]] == ["NOT_RECOMMENDED"]


async def test_another_company_and_another_agency_find_nothing(
    client, notice, applied, stranger, company, runtime
):
    url = f"{CERTIFICATION}/applications/{applied['id']}"
    other, agency = stranger("exchange:buy"), stranger("grants:manage")
    once = {"Idempotency-Key": "x"}
    tried = [
        await client.get(url, headers=other),
        await client.put(url, json=DOCUMENT, headers=other | {"If-Match": '"1"'}),
        await client.post(f"{url}/submit", headers=other | once),
        await client.post(f"{url}/withdraw", headers=other),
        await client.post(f"{url}/completions/answer", json={"text": "x"}, headers=other | once),
        await client.post(
            f"{url}/files",
            data={"kind": "application_form"},
            files={"file": ("a.pdf", PDF, "application/pdf")},
            headers=other,
        ),
        await client.post(f"{url}/mileage", headers=agency),
        await client.post(
            f"{CERTIFICATION}/calls/{notice}/approve",
            json=approval(applied),
            headers=agency | once,
        ),
        await client.get(f"{CERTIFICATION}/certificates/{uuid4()}/certificate.pdf", headers=other),
        await client.get(f"{CERTIFICATION}/public/certificates/EX-2024-9999"),
    ]
    assert {one.status_code for one in tried} == {404}
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("TRUNCATE excellence_revocation"))


async def test_a_certification_is_not_decided_like_a_grant(client, closed, officer):
    refused = await client.post(
        f"{API}/received/{closed['id']}/decide",
        json={"action": "prefer", "reason": "x"},
        headers=officer,
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "STATE_CONFLICT")


async def test_the_registry_is_asked_once_for_all_and_before_anything_is_open_here(
    client, notice, closed, officer, runtime, monkeypatch
):
    async with runtime.sessions.begin() as session:
        other = await session.scalar(
            text(
                "INSERT INTO proposal (programme_id, institution_id, institution_name, title,"
                " document) SELECT programme_id, :other, '다른 기업', title, document FROM proposal"
                " RETURNING id"
            ),
            {"other": SECOND},
        )
    asked, ask = [], Directory.institutions

    async def watched(self, ids):
        asked.append((set(ids), runtime.database.engine.pool.checkedout()))
        return await ask(self, ids)

    monkeypatch.setattr(Directory, "institutions", watched)
    both = approval(closed) | {"application_ids": [closed["id"], str(other)]}
    await client.post(
        f"{CERTIFICATION}/calls/{notice}/approve",
        json=both,
        headers=officer | {"Idempotency-Key": "a"},
    )
    assert asked == [({COMPANY, SECOND}, 0)]


async def test_the_operator_runs_the_certification_and_no_grant(client, notice, officer, tokens):
    """M-061 is the operator's; a call for grants is an agency's."""
    operator = tokens.headers(
        "grants:read",
        "grants:manage",
        role="agency_officer",
        institution_id=uuid4(),
        institution_kind="operator",
    )
    terms = (await client.get(f"{API}/programmes/managed/{notice}", headers=officer)).json()
    names = ("kind", "name", "ministry_name", "agency_name", "target", "benefit", "opens_at")
    body = {
        name: terms[name] for name in (*names, "closes_at", "rule_set_code", "rule_set_version")
    }
    made = await client.post(f"{API}/programmes", json=body, headers=operator)
    assert made.status_code == 201, made.text
    grant = body | {"kind": "hosted", "rule_set_code": "keco-2020"}
    refused = await client.post(f"{API}/programmes", json=grant, headers=operator)
    assert (refused.status_code, refused.json()["code"]) == (403, "GRANT_OF_AGENCY")
    edited = await client.put(
        f"{API}/programmes/{made.json()['id']}", json=grant, headers=operator | {"If-Match": '"1"'}
    )
    assert edited.json()["code"] == "GRANT_OF_AGENCY"
