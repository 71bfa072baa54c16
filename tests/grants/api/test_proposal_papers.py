"""What belongs to a proposal beside its document: the form's schema, people's time, files."""

import io
import json
from uuid import uuid4

import openpyxl
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from services.grants.jobs import delete_file
from tests.grants.api.conftest import AGENCY, API, PDF, UNIVERSITY, document, save, submit
from tests.grants.calls import keco
from tests.grants.proposals.filled import whole

RESEARCHER = "10012346"


def staffed(rate: str = "50", start: str = "2020-03-01", months: int = 12) -> dict:
    """The usual document; its operator is known by number and works at this rate."""
    body = document()
    body["budget"]["people"][1] |= {"researcher_no": RESEARCHER}
    body["budget"]["lines"][2]["pay"] |= {"rate": rate, "start": start, "months": months}
    return body


@pytest.fixture
async def elsewhere(runtime, call):
    """Makes a submitted proposal of another institution, or of ours; answers its id."""

    async def make(title: str, body: dict, *, ours: bool = False, state: str = "submitted") -> str:
        institution = UNIVERSITY if ours else uuid4()
        async with runtime.sessions.begin() as session:
            programme = await session.scalar(
                text(
                    "INSERT INTO programme (kind, state, agency_id, agency_name, ministry_name,"
                    " name, description, target, benefit, opens_at, closes_at, rule_set_code,"
                    " rule_set_version) SELECT kind, state, agency_id, agency_name, ministry_name,"
                    " 'other', description, target, benefit, opens_at, closes_at, rule_set_code,"
                    " rule_set_version FROM programme WHERE id = :call RETURNING id"
                ),
                {"call": call},
            )
            values = {
                "programme": programme,
                "institution": institution,
                "title": title,
                "state": state,
                "document": json.dumps(body),
            }
            proposal = await session.scalar(
                text(
                    "INSERT INTO proposal (programme_id, institution_id, institution_name, title,"
                    " state, document, submissions) VALUES (:programme, :institution, '새길대학교',"
                    " :title, :state, CAST(:document AS jsonb), 1) RETURNING id"
                ),
                values,
            )
            await session.execute(
                text(
                    "INSERT INTO submission (proposal_id, seq, receipt_number, document, sha256,"
                    " warnings, submitted_by) VALUES (:id, 1, :id, CAST(:document AS jsonb), '',"
                    " '[]', 'x')"
                ),
                values | {"id": proposal},
            )
        return str(proposal)

    return make


async def findings(client, draft, headers) -> list[dict]:
    checked = await client.get(f"{API}/proposals/{draft['id']}/check", headers=headers)
    assert checked.status_code == 200, checked.text
    return [f for f in checked.json()["findings"] if f["code"].startswith("RATE_OVER")]


async def test_the_form_of_a_call_is_public_and_takes_a_whole_proposal(client, call):
    answer = await client.get(f"{API}/forms/keco-2020/1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$id"] == f"{API}/forms/keco-2020/1"
    assert Draft202012Validator(schema).is_valid(whole(keco()))
    missing = await client.get(f"{API}/forms/keco-2020/2")
    assert (missing.status_code, missing.json()["code"]) == (404, "RULE_SET_UNKNOWN")


async def test_time_given_to_another_proposal_of_ours_is_counted_by_month(
    client, draft, applicant, elsewhere
):
    await elsewhere("다른 과제", staffed("50.1", "2020-09-01", 6), ours=True)
    await save(client, draft, applicant, staffed("50"))
    (found,) = await findings(client, draft, applicant)
    assert found["code"] == "RATE_OVER_100"
    assert found["rule"] == "G-013"
    assert found["params"]["months"] == [
        "2020-09", "2020-10", "2020-11", "2020-12", "2021-01", "2021-02",
    ]  # fmt: skip
    assert found["message"] == (
        "김조교의 참여율 합계가 2020-09에 100.1%로 100%를 초과했습니다(다른 과제 50.1%)."
    )
    refused = await submit(client, draft, applicant)
    assert "RATE_OVER_100" in {item["code"] for item in refused.json()["errors"]}

    listed = await client.get(f"{API}/proposals/{draft['id']}/participation", headers=applicant)
    operator = listed.json()[1]
    assert (operator["name"], operator["researcher_no"]) == ("김조교", RESEARCHER)
    by_month = {month["month"]: month for month in operator["months"]}
    assert by_month["2020-08"] == {
        "month": "2020-08", "here": "50", "total": "50", "over": False, "others": [],
    }  # fmt: skip
    assert by_month["2020-09"]["over"] is True
    assert by_month["2020-09"]["others"] == [{"name": "다른 과제", "source": "own", "rate": "50.1"}]


async def test_one_hundred_percent_exactly_is_allowed(client, draft, applicant, elsewhere):
    await elsewhere("다른 과제", staffed("50"), ours=True)
    await save(client, draft, applicant, staffed("50"))
    assert await findings(client, draft, applicant) == []


async def test_what_somebody_else_applies_for_is_remarked_without_its_name(
    client, draft, applicant, elsewhere
):
    await elsewhere("비밀 과제", staffed("60"))
    await save(client, draft, applicant, staffed("50"))
    (found,) = await findings(client, draft, applicant)
    assert (found["code"], found["level"]) == ("RATE_OVER_100_PENDING", "warning")
    assert "비밀" not in str(found)
    assert (await submit(client, draft, applicant)).status_code == 200


@pytest.mark.parametrize("state", ["rejected", "ineligible", "withdrawn", "draft"])
async def test_what_came_to_nothing_takes_nobodys_time(client, draft, applicant, elsewhere, state):
    await elsewhere("지난 과제", staffed("60"), ours=True, state=state)
    await save(client, draft, applicant, staffed("50"))
    assert await findings(client, draft, applicant) == []


async def test_a_project_of_ours_that_is_declared_too_counts_once(
    client, draft, applicant, elsewhere
):
    other = await elsewhere("다른 과제", staffed("50"), ours=True)
    body = staffed("50")
    body["budget"]["people"][1]["other_projects"] = [
        {"name": "다른 과제", "start": "2020-03-01", "months": 12, "rate": "50"}
    ]
    await save(client, draft, applicant, body)
    assert len(await findings(client, draft, applicant)) == 1
    body["budget"]["people"][1]["other_projects"][0]["proposal"] = other
    await save(client, draft, applicant, body, version=2)
    assert await findings(client, draft, applicant) == []


async def test_an_agreement_counts_instead_of_its_proposal(
    client, agreement, applicant, runtime, officer
):
    """The plan in force is what binds; its own proposal is not added to itself."""
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO plan_version (agreement_id, version, document, reason, approved_by)"
                " VALUES (:id, 2, CAST(:document AS jsonb), 'x', 'x')"
            ),
            {"id": agreement["id"], "document": json.dumps(staffed("70"))},
        )
        await session.execute(text("UPDATE agreement SET plan_version = 2"))
        await session.execute(text("UPDATE programme SET name = 'first'"))
    body = {
        "kind": "hosted", "name": "둘째 공고", "ministry_name": "환경부", "agency_name": "공단",
        "target": "university", "benefit": "grant", "opens_at": "2026-01-06T00:00:00+09:00",
        "closes_at": "2036-02-07T17:00:00+09:00", "rule_set_code": "keco-2020",
        "rule_set_version": 1,
    }  # fmt: skip
    call = (await client.post(f"{API}/programmes", json=body, headers=officer)).json()["id"]
    await client.post(f"{API}/programmes/{call}/publish", headers=officer)
    draft = await client.post(
        f"{API}/programmes/{call}/proposals", json={"title": "둘째"}, headers=applicant
    )
    await save(client, draft.json(), applicant, staffed("50"))
    (found,) = await findings(client, draft.json(), applicant)
    assert (found["code"], found["params"]["rate"]) == ("RATE_OVER_100", "120")
    assert "바이오가스" in found["params"]["projects"]

    stopped = await client.post(
        f"{API}/agreements/{agreement['id']}/stop",
        json={"stopped_on": "2020-05-10", "reason": "사업 포기"},
        headers=officer | {"Idempotency-Key": "stop"},
    )
    assert stopped.status_code == 200, stopped.text
    (found,) = await findings(client, draft.json(), applicant)
    assert found["params"]["months"] == ["2020-03", "2020-04", "2020-05"]


async def test_what_is_designated_and_drafted_already_counts_once(
    client, draft, applicant, officer, elsewhere
):
    other = await elsewhere("다른 과제", staffed("40"), ours=True, state="designated")
    made = await client.post(
        f"{API}/received/{other}/agree",
        json={"agreed_on": "2020-03-02"},
        headers=officer | {"Idempotency-Key": "agree"},
    )
    assert made.status_code == 201, made.text
    await save(client, draft, applicant, staffed("50"))
    assert await findings(client, draft, applicant) == []
    await save(client, draft, applicant, staffed("70"), version=2)
    (found,) = await findings(client, draft, applicant)
    assert found["params"]["rate"] == "110"


async def test_the_secretary_sees_the_time_of_the_people_in_the_version_received(
    client, draft, applicant, officer, elsewhere
):
    await save(client, draft, applicant, staffed("50"))
    await submit(client, draft, applicant)
    await elsewhere("다른 과제", staffed("60"), ours=True)
    await save(client, draft, applicant, document(), version=3)  # written, never submitted
    seen = await client.get(f"{API}/received/{draft['id']}/pre-review", headers=officer)
    assert "RATE_OVER_100" in {found["code"] for found in seen.json()["findings"]}


async def test_a_draft_nobody_can_read_yet_has_no_people(client, draft, applicant):
    for version, body in enumerate(({"people": 5}, {"year": 10**100}), 1):
        await save(client, draft, applicant, {"budget": body}, version=version)
        answer = await client.get(f"{API}/proposals/{draft['id']}/participation", headers=applicant)
        assert (answer.status_code, answer.json()) == (200, [])
        checked = await client.get(f"{API}/proposals/{draft['id']}/check", headers=applicant)
        assert (checked.status_code, checked.json()["ok"]) == (200, False)


# Files -------------------------------------------------------------------------------------------


async def attach(client, draft, headers, code="demand_survey", content=PDF, name="수요조사.pdf"):
    return await client.post(
        f"{API}/proposals/{draft['id']}/files",
        data={"document": code},
        files={"file": (name, content, "application/pdf")},
        headers=headers,
    )


async def test_a_submission_keeps_the_files_it_came_with(client, draft, applicant, officer):
    first = (await attach(client, draft, applicant)).json()
    await save(client, draft, applicant, document())
    receipt = (await submit(client, draft, applicant)).json()["receipt"]
    assert [item["sha256"] for item in receipt["attachments"]] == [first["sha256"]]
    file = f"{API}/proposal-files/{first['id']}"
    assert (await client.get(file, headers=officer)).content == PDF

    assert (await client.delete(file, headers=applicant)).status_code == 204
    assert (await client.delete(file, headers=applicant)).status_code == 404
    listed = await client.get(f"{API}/proposals/{draft['id']}/files", headers=applicant)
    assert listed.json() == []
    assert (await client.get(file, headers=officer)).content == PDF  # it was received

    second = (await attach(client, draft, applicant, name="새 수요조사.pdf")).json()
    hidden = await client.get(f"{API}/proposal-files/{second['id']}", headers=officer)
    assert hidden.status_code == 404  # not submitted yet


async def test_the_bytes_of_a_file_taken_back_go_after_its_row(client, draft, applicant, runtime):
    kept = (await attach(client, draft, applicant)).json()
    gone = (await attach(client, draft, applicant)).json()
    file = f"{API}/proposal-files/{gone['id']}"
    assert (await client.delete(file, headers=applicant)).status_code == 204
    async with runtime.sessions() as session:
        query = "SELECT args->>'key' FROM procrastinate_jobs WHERE task_name = 'files.delete'"
        (key,) = (await session.scalars(text(query))).all()
    assert b"".join([chunk async for chunk in runtime.files.get(key)]) == PDF
    await delete_file(runtime, key)
    with pytest.raises(FileNotFoundError):
        await anext(aiter(runtime.files.get(key)))
    left = await client.get(f"{API}/proposal-files/{kept['id']}", headers=applicant)
    assert left.content == PDF


async def test_bytes_whose_row_fails_do_not_stay(client, draft, applicant, runtime, tmp_path):
    async with runtime.sessions.begin() as session:
        await session.execute(text("ALTER TABLE proposal_attachment ADD CHECK (size > 10000)"))
    assert (await attach(client, draft, applicant)).status_code == 500
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_file_for_a_document_the_call_does_not_ask_for_is_refused(client, draft, applicant):
    refused = await attach(client, draft, applicant, code="love_letter")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "DOCUMENT_UNKNOWN"
    refused = await attach(client, draft, applicant, content=b"MZ...")
    assert refused.json()["errors"][0]["code"] == "FILE_TYPE"


async def test_nothing_is_attached_after_withdrawal(client, draft, applicant):
    first = (await attach(client, draft, applicant)).json()
    await client.post(f"{API}/proposals/{draft['id']}/withdraw", headers=applicant)
    answers = [
        await attach(client, draft, applicant),
        await client.delete(f"{API}/proposal-files/{first['id']}", headers=applicant),
    ]
    assert [answer.json()["code"] for answer in answers] == ["STATE_CONFLICT"] * 2


async def test_papers_are_nobody_elses_business(client, draft, applicant, stranger, tokens):
    first = (await attach(client, draft, applicant)).json()
    other, agency = stranger("grants:apply"), stranger("grants:manage")
    proposal, file = f"{API}/proposals/{draft['id']}", f"{API}/proposal-files/{first['id']}"
    answers = [
        await client.get(f"{proposal}/participation", headers=other),
        await client.get(f"{proposal}/files", headers=other),
        await attach(client, draft, other),
        await client.get(file, headers=other),
        await client.get(file, headers=agency),
        await client.delete(file, headers=other),
        await client.get(file, headers=tokens.headers("grants:manage", institution_id=AGENCY)),
    ]
    assert {answer.status_code for answer in answers} == {404}


# Workbook ----------------------------------------------------------------------------------------


async def upload(client, draft, headers, content: bytes, path: str = "import", version: int = 2):
    return await client.post(
        f"{API}/proposals/{draft['id']}/{path}",
        files={"file": ("표.xlsx", content, "application/octet-stream")},
        headers=headers | {"If-Match": f'"{version}"'},
    )


def edited(content: bytes, sheet: str, cell: str, value) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    book[sheet][cell] = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def test_tables_go_out_are_edited_and_come_back(client, draft, applicant):
    await save(client, draft, applicant, whole(keco()))
    out = await client.get(f"{API}/proposals/{draft['id']}/workbook", headers=applicant)
    assert out.status_code == 200
    assert "filename" in out.headers["content-disposition"]
    changed = edited(out.content, "사업비", "D6", 100_500_000)
    preview = await upload(client, draft, applicant, changed, "import/preview")
    assert preview.json()["version"] is None
    assert preview.json()["rows"]["사업비"] == 11
    kept = await client.get(f"{API}/proposals/{draft['id']}", headers=applicant)
    assert kept.json()["document"]["budget"]["lines"][4]["amount_won"] == 100_000_000

    done = await upload(client, draft, applicant, changed)
    assert (done.status_code, done.json()["findings"]) == (200, preview.json()["findings"])
    # The budget no longer says what the table of years says: told by the cell, hinders no draft.
    (finding,) = [f for f in done.json()["findings"] if f["code"] == "YEAR_MISMATCH"]
    assert (finding["params"]["sheet"], finding["params"]["cell"]) == ("1. 총 사업비", "B2")
    kept = await client.get(f"{API}/proposals/{draft['id']}", headers=applicant)
    assert kept.headers["etag"] == done.headers["etag"] == '"3"'
    assert kept.json()["document"]["budget"]["lines"][4]["amount_won"] == 100_500_000
    stale = await upload(client, draft, applicant, changed)
    assert (stale.status_code, stale.json()["code"]) == (412, "STALE")


async def test_one_faulty_cell_leaves_the_draft_as_it_was(client, draft, applicant, stranger):
    await save(client, draft, applicant, document())
    out = await client.get(f"{API}/proposals/{draft['id']}/workbook", headers=applicant)
    faulty = edited(out.content, "사업비", "D6", "백만 원")
    for path in ("import", "import/preview"):
        refused = await upload(client, draft, applicant, faulty, path)
        assert (refused.status_code, refused.json()["code"]) == (422, "SHEET_INVALID")
        (error,) = refused.json()["errors"]
        assert (error["code"], error["params"]["sheet"], error["params"]["cell"], error["row"]) == (
            "CELL_NUMBER", "사업비", "D6", 6,
        )  # fmt: skip
    kept = await client.get(f"{API}/proposals/{draft['id']}", headers=applicant)
    assert kept.json()["document"] == document()
    assert kept.headers["etag"] == '"2"'
    other = stranger("grants:apply")
    answers = [
        await upload(client, draft, other, out.content),
        await upload(client, draft, other, out.content, "import/preview"),
        await client.get(f"{API}/proposals/{draft['id']}/workbook", headers=other),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_draft_of_no_form_has_no_workbook_and_says_why(client, draft, applicant):
    await save(client, draft, applicant, {"budget": []})
    refused = await client.get(f"{API}/proposals/{draft['id']}/workbook", headers=applicant)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/budget"


# Pages -------------------------------------------------------------------------------------------


async def test_the_draft_and_every_submitted_version_can_be_printed(
    client, draft, applicant, officer, stranger
):
    proposal = f"{API}/proposals/{draft['id']}"
    await save(client, draft, applicant, whole(keco()))
    page = await client.get(f"{proposal}/document.pdf", headers=applicant)
    assert page.headers["content-type"] == "application/pdf"
    assert page.content.startswith(b"%PDF-1.7")
    again = await client.get(f"{proposal}/document.pdf", headers=applicant)
    assert again.content == page.content  # the same input, the same bytes
    assert (await submit(client, draft, applicant)).status_code == 200

    first = await client.get(f"{proposal}/submissions/1/document.pdf", headers=applicant)
    received = await client.get(f"{API}/received/{draft['id']}/document.pdf", headers=officer)
    assert first.content == received.content != page.content
    other, agency = stranger("grants:apply"), stranger("grants:manage")
    answers = [
        await client.get(f"{proposal}/submissions/2/document.pdf", headers=applicant),
        await client.get(f"{proposal}/submissions/1/document.pdf", headers=other),
        await client.get(f"{proposal}/document.pdf", headers=other),
        await client.get(f"{API}/received/{draft['id']}/document.pdf", headers=agency),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_character_no_font_has_is_an_error_and_not_a_gap(client, draft, applicant):
    body = document() | {"texts": {"goals": "목표 \U0001f680"}}
    await save(client, draft, applicant, body)
    refused = await client.get(f"{API}/proposals/{draft['id']}/document.pdf", headers=applicant)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["code"], error["pointer"]) == ("GLYPH_MISSING", "/texts/goals")
    assert "U+1F680" in error["message"]
