"""An agreement is drafted, its documents come in, it is concluded; its versions are compared."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.grants.api.conftest import API, PDF, conclude, hand_in, meeting, someone_waits

SET = {"agreement", "revision_summary", "payment_request", "syllabus", "student_list", "pledge"}


async def press_conclude(client, agreement, officer, key="c1", **body):
    return await client.post(
        f"{API}/agreements/{agreement['id']}/conclude",
        json=body,
        headers=officer | {"Idempotency-Key": key},
    )


async def test_a_draft_is_no_agreement_until_its_documents_are_accepted(
    client, drafted, applicant, officer
):
    assert drafted["state"] == "draft"
    url = f"{API}/agreements/{drafted['id']}"
    entered = await client.post(
        f"{url}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "e1"}
    )
    assert entered.status_code == 409
    refused = await press_conclude(client, drafted, officer)
    assert refused.status_code == 422
    assert {item["field"] for item in refused.json()["errors"]} == SET
    assert {item["code"] for item in refused.json()["errors"]} == {"AGREEMENT_DOCUMENT_MISSING"}
    assert all(item["rule"] == "G-056" for item in refused.json()["errors"])

    handed = (await hand_in(client, drafted, applicant, "syllabus")).json()
    paper = f"{API}/agreement-documents/{handed['id']}"
    blank = await client.post(f"{paper}/return", json={"reason": ""}, headers=officer)
    assert blank.status_code == 422
    sent_back = await client.post(
        f"{paper}/return", json={"reason": "2학기 강의계획이 빠졌습니다."}, headers=officer
    )
    assert (sent_back.json()["state"], sent_back.json()["reason"]) == (
        "returned",
        "2학기 강의계획이 빠졌습니다.",
    )
    assert (await client.post(f"{paper}/accept", headers=officer)).status_code == 409
    seen = (await client.get(f"{url}/documents", headers=applicant)).json()
    states = {line["code"]: line["state"] for line in seen["checklist"]}
    assert (seen["ready"], states["syllabus"], states["pledge"]) == (False, "returned", "missing")

    done = await conclude(client, drafted, applicant, officer)
    assert (done.status_code, done.json()["state"]) == (200, "active"), done.text
    assert done.json()["concluded_at"] is not None
    seen = (await client.get(f"{url}/documents", headers=officer)).json()
    assert (seen["ready"], len(seen["items"])) == (True, 7)
    entered = await client.post(
        f"{url}/expenses", json=meeting(), headers=applicant | {"Idempotency-Key": "e1"}
    )
    assert entered.status_code == 201
    again = await press_conclude(client, drafted, officer, key="c2")
    assert again.status_code == 409


async def test_the_day_of_signing_may_differ_from_the_one_foreseen(
    client, drafted, applicant, officer
):
    done = await conclude(client, drafted, applicant, officer, agreed_on="2020-03-20")
    assert (drafted["agreed_on"], done.json()["agreed_on"]) == ("2020-03-02", "2020-03-20")
    story = await client.get(f"{API}/proposals/{drafted['proposal_id']}/history", headers=applicant)
    assert story.json()[-1]["to_state"] == "agreed"


async def test_a_proposal_is_drafted_once(client, drafted, officer):
    again = await client.post(
        f"{API}/received/{drafted['proposal_id']}/agree",
        json={"agreed_on": "2020-03-02"},
        headers=officer | {"Idempotency-Key": "again"},
    )
    assert again.status_code == 409


async def test_documents_are_kept_by_their_content_and_read_by_both_sides(
    client, drafted, applicant, officer, stranger
):
    handed = (await hand_in(client, drafted, applicant, "pledge", b"ours")).json()
    paper = f"{API}/agreement-documents/{handed['id']}"
    assert len(handed["sha256"]) == 64
    for reader in (applicant, officer):
        file = await client.get(f"{paper}/file", headers=reader)
        assert file.content == PDF + b"ours"
        assert file.headers["content-disposition"].startswith("attachment")
    other = stranger("grants:apply", "grants:manage")
    for verb, path in (
        ("GET", f"{paper}/file"),
        ("DELETE", paper),
        ("POST", f"{paper}/accept"),
    ):
        assert (await client.request(verb, path, headers=other)).status_code == 404
    why = {"reason": "-"}
    assert (await client.post(f"{paper}/return", json=why, headers=other)).status_code == 404
    assert (await client.delete(paper, headers=applicant)).status_code == 204
    assert (await client.get(f"{paper}/file", headers=applicant)).status_code == 404


async def test_what_the_agency_decided_is_not_taken_back(client, drafted, applicant, officer):
    handed = (await hand_in(client, drafted, applicant, "pledge")).json()
    paper = f"{API}/agreement-documents/{handed['id']}"
    await client.post(f"{paper}/accept", headers=officer)
    assert (await client.delete(paper, headers=applicant)).status_code == 409


@pytest.mark.parametrize(
    ("code", "content", "found"),
    [
        ("cookbook", PDF, "AGREEMENT_DOCUMENT_UNKNOWN"),
        ("pledge", b"MZ\x90", "FILE_TYPE"),
        ("pledge", b"", "FILE_EMPTY"),
    ],
)
async def test_a_file_that_may_not_be_handed_in_is_refused(
    client, drafted, applicant, code, content, found
):
    answer = await client.post(
        f"{API}/agreements/{drafted['id']}/documents",
        data={"code": code},
        files={"file": ("a.pdf", content, "application/pdf")},
        headers=applicant,
    )
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == [found]


async def test_others_see_neither_documents_nor_versions_nor_conclude(
    client, drafted, stranger, applicant
):
    url = f"{API}/agreements/{drafted['id']}"
    other = stranger("grants:apply", "grants:manage")
    for path in (
        "documents",
        "versions",
        "versions/1",
        "differences?before=1&after=1",
    ):
        assert (await client.get(f"{url}/{path}", headers=other)).status_code == 404, path
    assert (await hand_in(client, drafted, other, "pledge")).status_code == 404
    assert (await press_conclude(client, drafted, other)).status_code == 404
    assert (await press_conclude(client, drafted, applicant)).status_code == 403


async def test_an_agreement_takes_so_many_files_and_its_list_shows_them_all(
    client, drafted, applicant, runtime, monkeypatch
):
    monkeypatch.setattr("services.grants.agreements.papers.MOST", 2)
    async with runtime.sessions.begin() as session:
        await session.execute(text("SELECT FROM agreement FOR UPDATE"))
        three = [
            asyncio.create_task(hand_in(client, drafted, applicant, "pledge", content))
            for content in (b"1", b"2", b"3")
        ]
        await someone_waits(runtime)
    answers = [await one for one in three]
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422]
    (refused,) = [one for one in answers if one.status_code == 422]
    assert refused.json()["errors"][0]["code"] == "AGREEMENT_DOCUMENTS_FULL"
    listed = await client.get(f"{API}/agreements/{drafted['id']}/documents", headers=applicant)
    assert len(listed.json()["items"]) == 2


# Versions ----------------------------------------------------------------------------------------


async def add_version(runtime, agreement, change: str) -> None:
    """A second version, with a change made in SQL."""
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO plan_version (agreement_id, version, document, reason, approved_by)"
                f" SELECT agreement_id, 2, {change}, '변경', 'o' FROM plan_version"
            )
        )
        await session.execute(text("UPDATE agreement SET plan_version = 2"))


async def test_versions_are_listed_read_and_compared(client, agreement, officer, runtime):
    await add_version(
        runtime, agreement, "jsonb_set(document, '{budget,lines,5,amount_won}', '50000000')"
    )
    url = f"{API}/agreements/{agreement['id']}"
    listed = (await client.get(f"{url}/versions", headers=officer)).json()
    assert [(one["version"], one["reason"]) for one in listed] == [(1, "협약"), (2, "변경")]
    first = (await client.get(f"{url}/versions/1", headers=officer)).json()
    assert first["document"]["budget"]["lines"][5]["amount_won"] == 55_000_000
    assert (await client.get(f"{url}/versions/3", headers=officer)).status_code == 404
    found = (await client.get(f"{url}/differences?before=1&after=2", headers=officer)).json()
    (line,) = found["lines"]
    assert (line["kind"], line["before_won"], line["after_won"]) == (
        "books",
        55_000_000,
        50_000_000,
    )
    assert [(item["item"], item["change_won"]) for item in found["items"]] == [
        ("direct", -5_000_000),
        ("technical_information", -5_000_000),
        ("total", -5_000_000),
    ]
    assert found["items"][1]["name"] == "기술정보활동비"
    missing = await client.get(f"{url}/differences?before=1&after=9", headers=officer)
    assert missing.status_code == 404


async def test_a_version_is_never_rewritten(agreement, runtime):
    with pytest.raises(DBAPIError, match="append-only"):
        async with runtime.sessions.begin() as session:
            await session.execute(text("UPDATE plan_version SET reason = 'x'"))
