"""What a year did is entered and proven; students earn their certificates."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.grants.api.conftest import API, PDF

STUDENT = {"ref": "2020-1", "name": "홍길동", "level": "master", "courses": 3}


async def enter(client, agreement, headers, kind, key=None, **body):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/duty-records",
        json={"kind": kind, "body": body},
        headers=headers | {"Idempotency-Key": key or str(uuid4())},
    )


async def prove(client, made, headers, content=b"proof"):
    return await client.post(
        f"{API}/duty-records/{made.json()['id']}/evidence",
        files={"file": ("증빙.pdf", PDF + content, "application/pdf")},
        headers=headers,
    )


async def proven(client, agreement, headers, kind, **body):
    made = await enter(client, agreement, headers, kind, **body)
    assert made.status_code == 201, made.text
    assert (await prove(client, made, headers)).status_code == 201
    return made


@pytest.fixture
async def graduate(client, agreement, applicant) -> None:
    """A student who did all that the certificate asks for."""
    assert (await enter(client, agreement, applicant, "student", **STUDENT)).status_code == 201
    who = {"students": [STUDENT["ref"]]}
    await proven(
        client, agreement, applicant, "basic_research", title="가스화", company="가람", **who
    )
    await proven(
        client, agreement, applicant, "paper", title="가스화 연구", journal="학회지",
        published_on="2020-12-01", related=True, acknowledged=True, sci=False, **who,
    )  # fmt: skip
    await proven(
        client, agreement, applicant, "course_credit", title="공학", reformed=True, credits=9, **who
    )


async def issue(client, agreement, headers, student=STUDENT["ref"], key="c"):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/completion-certificates",
        json={"student": student},
        headers=headers | {"Idempotency-Key": key},
    )


async def test_a_record_counts_once_it_is_proven_and_until_it_is_taken_back(
    client, agreement, applicant, officer
):
    url = f"{API}/agreements/{agreement['id']}"

    async def textbooks() -> dict:
        found = (await client.get(f"{url}/duties", headers=officer)).json()
        assert not found["met"]
        return next(item for item in found["items"] if item["code"] == "textbooks")

    book = {"title": "공학", "authors": "홍길동", "published_on": "2020-11-30"}
    made = await enter(client, agreement, applicant, "textbook", **book)
    record = f"{API}/duty-records/{made.json()['id']}"
    assert (await textbooks())["counted"] == 0
    assert (await prove(client, made, applicant)).status_code == 201
    line = await textbooks()
    assert (line["counted"], line["required"], line["missing"]) == (1, 2, 1)
    assert line["records"] == [made.json()["id"]]
    changed = await client.put(
        record,
        json={"body": book | {"title": "공학 개론"}},
        headers=applicant | {"If-Match": '"1"'},
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    late = await client.put(record, json={"body": book}, headers=applicant | {"If-Match": '"1"'})
    assert late.status_code == 412
    (listed,) = (await client.get(f"{url}/duty-records?kind=textbook", headers=officer)).json()[
        "items"
    ]
    assert (listed["body"]["title"], len(listed["evidence"])) == ("공학 개론", 1)
    file = f"{API}/duty-evidence/{listed['evidence'][0]['id']}/file"
    assert (await client.get(file, headers=officer)).content == PDF + b"proof"
    assert (await client.delete(record, headers=applicant)).status_code == 204
    assert (await textbooks())["counted"] == 0
    assert (await client.delete(record, headers=applicant)).status_code == 404


async def test_a_record_nobody_can_count_is_refused_by_field(client, agreement, applicant):
    answer = await enter(client, agreement, applicant, "textbook", title="공학", pages=300)
    assert answer.status_code == 422
    assert {item["pointer"] for item in answer.json()["errors"]} == {
        "/body/pages",
        "/body/authors",
        "/body/published_on",
    }
    for _ in range(2):
        again = await enter(client, agreement, applicant, "student", key="s", **STUDENT)
        assert again.status_code == 201
    twice = await enter(client, agreement, applicant, "student", key="t", **STUDENT)
    assert [item["code"] for item in twice.json()["errors"]] == ["STUDENT_TWICE"]


async def test_a_students_name_is_masked_on_lists_and_who_reads_it_in_full_is_noted(
    client, agreement, graduate, officer, runtime
):
    url = f"{API}/agreements/{agreement['id']}/duty-records?kind=student"
    (listed,) = (await client.get(url, headers=officer)).json()["items"]
    assert listed["body"] == STUDENT | {"name": "홍*동"}
    full = await client.get(f"{API}/duty-records/{listed['id']}", headers=officer)
    assert (full.json()["body"], full.headers["ETag"]) == (STUDENT, '"1"')
    async with runtime.sessions.begin() as session:
        read = text("SELECT count(*) FROM event WHERE action = 'read' AND subject_id = :id")
        assert await session.scalar(read, {"id": listed["id"]}) == 1


async def test_a_certificate_is_issued_to_who_earned_it_printed_and_revoked(
    client, agreement, graduate, applicant, officer
):
    url = f"{API}/agreements/{agreement['id']}"
    other = STUDENT | {"ref": "2020-2", "name": "김하나"}
    await enter(client, agreement, applicant, "student", **other)
    seen = (await client.get(f"{url}/standings", headers=officer)).json()
    assert [(one["student"], one["name"], one["earned"]) for one in seen] == [
        ("2020-1", "홍*동", True),
        ("2020-2", "김*나", False),
    ]
    refused = await issue(client, agreement, applicant, "2020-2")
    assert {item["code"] for item in refused.json()["errors"]} == {"COMPLETION_NOT_MET"}
    assert {item["rule"] for item in refused.json()["errors"]} == {"G-007"}
    assert (await issue(client, agreement, applicant, "nobody")).status_code == 404

    made = await issue(client, agreement, applicant, key="c1")
    assert (made.status_code, made.json()["name"]) == (201, "홍*동"), made.text
    assert made.json()["number"].endswith("-00001")
    twice = await issue(client, agreement, applicant, key="c2")
    assert (twice.status_code, twice.json()["code"]) == (409, "CERTIFICATE_ISSUED")
    paper = f"{API}/completion-certificates/{made.json()['id']}"
    pdf = await client.get(f"{paper}/certificate.pdf", headers=applicant)
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-type"] == "application/pdf"

    revoked = await client.post(f"{paper}/revoke", json={"reason": "논문 철회"}, headers=officer)
    assert revoked.json()["revoke_reason"] == "논문 철회"
    again = await client.post(f"{paper}/revoke", json={"reason": "-"}, headers=officer)
    assert again.status_code == 409
    assert (await client.get(f"{paper}/certificate.pdf", headers=officer)).status_code == 409
    anew = await issue(client, agreement, applicant, key="c3")
    assert anew.status_code == 201
    listed = (await client.get(f"{url}/completion-certificates", headers=officer)).json()
    assert [one["revoked_at"] is None for one in listed] == [False, True]


async def test_others_neither_see_nor_touch_records_and_certificates(
    client, agreement, graduate, applicant, stranger
):
    other = stranger("grants:apply", "grants:manage")
    url = f"{API}/agreements/{agreement['id']}"
    listed = (await client.get(f"{url}/duty-records", headers=applicant)).json()["items"]
    record = listed[0]
    made = await issue(client, agreement, applicant)
    paper = f"{API}/completion-certificates/{made.json()['id']}"
    mine = f"{API}/duty-records/{record['id']}"
    for answer in (
        await client.get(f"{url}/duties", headers=other),
        await client.get(f"{url}/duty-records", headers=other),
        await client.get(f"{url}/standings", headers=other),
        await client.get(f"{url}/completion-certificates", headers=other),
        await client.get(f"{API}/duty-evidence/{record['evidence'][0]['id']}/file", headers=other),
        await client.get(f"{paper}/certificate.pdf", headers=other),
        await client.post(f"{paper}/revoke", json={"reason": "-"}, headers=other),
        await client.get(mine, headers=other),
        await client.delete(mine, headers=other),
        await client.put(mine, json={"body": {}}, headers=other | {"If-Match": '"1"'}),
        await prove(client, made_like(record), other),
        await enter(client, agreement, other, "student", **STUDENT),
        await issue(client, agreement, other),
    ):
        assert answer.status_code == 404, answer.text


def made_like(record: dict):
    """An answer that names a record, as far as `prove` looks at it."""

    class Answer:
        def json(self) -> dict:
            return record

    return Answer()


async def test_a_draft_has_no_records_and_a_settled_year_keeps_its_own(client, drafted, applicant):
    early = await enter(client, drafted, applicant, "student", **STUDENT)
    assert early.status_code == 409


async def decide(client, record, headers, action, **body):
    return await client.post(f"{record}/{action}", json=body or None, headers=headers)


async def test_the_agency_confirms_a_record_or_sends_it_back_with_the_reason(
    client, agreement, applicant, officer, stranger, runtime
):
    url = f"{API}/agreements/{agreement['id']}"

    async def textbooks() -> tuple[int, set[str]]:
        found = (await client.get(f"{url}/duties", headers=officer)).json()
        line = next(item for item in found["items"] if item["code"] == "textbooks")
        return line["counted"], {one["params"].get("why_ko") for one in found["findings"]}

    book = {"title": "공학", "authors": "홍길동", "published_on": "2020-11-30"}
    made = await enter(client, agreement, applicant, "textbook", **book)
    assert made.json()["state"] == "entered"
    record = f"{API}/duty-records/{made.json()['id']}"
    unproven = await decide(client, record, officer, "confirm")
    assert unproven.status_code == 409
    await prove(client, made, applicant)
    for headers, status in ((applicant, 403), (stranger("grants:manage"), 404)):
        assert (await decide(client, record, headers, "confirm")).status_code == status
        assert (await decide(client, record, headers, "return", reason="-")).status_code == status
    assert (await decide(client, record, officer, "return", reason="")).status_code == 422

    back = await decide(client, record, officer, "return", reason="저자가 다릅니다.")
    assert (back.json()["state"], back.json()["return_reason"]) == ("returned", "저자가 다릅니다.")
    counted, why = await textbooks()
    assert counted == 0
    assert "전문기관이 보완을 요청했습니다" in why
    assert (await decide(client, record, officer, "confirm")).status_code == 409
    seen = await client.get(record, headers=applicant)
    mended = await client.put(
        record,
        json={"body": book | {"authors": "김길동"}},
        headers=applicant | {"If-Match": seen.headers["ETag"]},
    )
    assert (mended.json()["state"], mended.json()["return_reason"]) == ("entered", None)
    assert (await textbooks())[0] == 1

    confirmed = await decide(client, record, officer, "confirm")
    assert (confirmed.json()["state"], (await textbooks())[0]) == ("confirmed", 1)
    for refused in (
        await client.put(record, json={"body": book}, headers=applicant | {"If-Match": '"9"'}),
        await client.delete(record, headers=applicant),
        await prove(client, made, applicant, b"more"),
    ):
        assert refused.status_code in (409, 412)
    assert (await client.get(record, headers=applicant)).json()["state"] == "confirmed"
    # Found wrong later; a new proof is a new version of what the agency looks at.
    await decide(client, record, officer, "return", reason="판권면이 없습니다.")
    assert (await prove(client, made, applicant, b"imprint")).status_code == 201
    assert (await client.get(record, headers=officer)).json()["state"] == "entered"
    async with runtime.sessions() as session:
        moves = await session.execute(
            text("SELECT action, to_state FROM event WHERE to_state IN ('returned', 'confirmed')")
        )
        assert sorted(tuple(row) for row in moves) == [
            ("confirm", "confirmed"),
            ("return", "returned"),
            ("return", "returned"),
        ]


async def test_what_was_sent_back_earns_no_certificate(
    client, agreement, graduate, applicant, officer
):
    url = f"{API}/agreements/{agreement['id']}/duty-records"
    listed = (await client.get(url, headers=officer)).json()["items"]
    for kind, code in (("paper", "COMPLETION_NOT_MET"), ("student", "STUDENT_RETURNED")):
        (one,) = [item for item in listed if item["kind"] == kind]
        record = f"{API}/duty-records/{one['id']}"
        assert (await decide(client, record, officer, "return", reason="-")).status_code == 200
        refused = await issue(client, agreement, applicant, key=kind)
        assert code in {item["code"] for item in refused.json()["errors"]}
