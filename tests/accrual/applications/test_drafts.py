"""Drafts: made, saved as one types, read back by the right people, discarded."""

import pytest

from tests.accrual.world import APPLICATIONS, PDF, brn, day, practice


def codes(answer):
    return {
        (item.get("row"), item.get("field"), item["code"]) for item in answer.json()["findings"]
    }


async def test_a_draft_is_saved_with_wrong_cells_and_every_finding_at_once(world):
    university = world.university()
    draft = await university.draft()
    answer = await university.put_rows(
        draft,
        [
            practice(1, brn="104-82-03590", allowance_won="1,500,000"),
            practice(2, brn="1048203591", end_date=day(-200)),
            practice(3),
        ],
    )
    assert answer.status_code == 200
    assert {
        (1, "brn", "DIGITS_ONLY"),
        (1, "allowance_won", "DIGITS_ONLY"),
        (2, "brn", "BRN_CHECKSUM"),
        (2, "end_date", "DATE_ORDER"),
    } <= codes(answer)
    body = answer.json()
    assert (body["ready"], body["row_count"], body["mileage"]) == (False, 3, 450)
    offered = {item["suggestion"] for item in body["findings"] if item["code"] == "DIGITS_ONLY"}
    assert offered == {"1048203590", "1500000"}
    rows = (await university.get(f"{APPLICATIONS}/{draft}/rows")).json()
    assert rows["masked"] is False
    assert rows["items"][0]["cells"]["brn"] == "104-82-03590"
    assert rows["items"][2]["cells"]["trainee_name"] == "홍길동3"


async def test_autosave_changes_single_rows_and_forgets_emptied_ones(world):
    university = world.university()
    draft = await university.draft()
    await university.put_rows(draft, [practice(1), practice(2), practice(3)])
    answer = await university.call(
        "PATCH",
        f"{APPLICATIONS}/{draft}/rows",
        json={
            "set": [
                {"number": 2, "cells": practice(2, allowance_won="5500000")},
                {"number": 3, "cells": {"brn": "  "}},
                {"number": 7, "cells": practice(7)},
            ],
            "delete": [1],
        },
        headers={"If-Match": await university.version(draft)},
    )
    assert answer.status_code == 200
    rows = (await university.get(f"{APPLICATIONS}/{draft}/rows")).json()
    assert [row["number"] for row in rows["items"]] == [2, 7]
    assert answer.json()["mileage"] == 1000


async def test_a_stale_tab_cannot_overwrite_newer_rows(world):
    university = world.university()
    draft = await university.draft()
    seen = await university.version(draft)
    assert (await university.put_rows(draft, [practice(1)], seen)).headers["etag"] != seen
    late = await university.put_rows(draft, [practice(2)], seen)
    assert (late.status_code, late.json()["code"]) == (412, "STALE")
    blind = await university.call("PUT", f"{APPLICATIONS}/{draft}/rows", json={"rows": []})
    assert (blind.status_code, blind.json()["code"]) == (428, "PRECONDITION_REQUIRED")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"number": 1, "cells": {}}, {"number": 1, "cells": {}}], "ROW_TWICE"),
        ([{"number": 1, "cells": {"salary": "1"}}], "COLUMN_KEY_UNKNOWN"),
        ([{"number": 0, "cells": {}}], "FIELD_INVALID"),
        ([{"number": 1, "cells": {"brn": ["1048203590"]}}], "FIELD_INVALID"),
        ([{"number": 1}], "FIELD_REQUIRED"),
    ],
)
async def test_rows_of_no_known_shape_are_refused(world, rows, code):
    university = world.university()
    draft = await university.draft()
    answer = await university.call(
        "PUT",
        f"{APPLICATIONS}/{draft}/rows",
        json={"rows": rows},
        headers={"If-Match": await university.version(draft)},
    )
    assert answer.status_code == 422
    assert code in {item["code"] for item in answer.json()["errors"]}


@pytest.mark.parametrize(
    "cell",
    ["\x00", "１０４８２０３５９０", 1e308, -5, True, 10**40, "=1+1", "NaN", "²", "\ud7ff"],
)
async def test_no_cell_can_crash_a_save(world, cell):
    university = world.university()
    draft = await university.draft()
    answer = await university.put_rows(
        draft, [dict.fromkeys(practice(), cell), practice(2, company_name=cell)]
    )
    assert answer.status_code == 200
    assert answer.json()["ready"] is False


async def test_a_nan_in_json_is_a_finding_of_its_row(world):
    university = world.university()
    draft = await university.draft()
    answer = await university.call(
        "PUT",
        f"{APPLICATIONS}/{draft}/rows",
        content=b'{"rows":[{"number":1,"cells":{"allowance_won":NaN,"hours":Infinity}}]}',
        headers={
            "If-Match": await university.version(draft),
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == 200
    assert {(1, "allowance_won", "DIGITS_ONLY"), (1, "hours", "DIGITS_ONLY")} <= codes(answer)


async def test_more_rows_than_allowed_are_refused_and_many_are_advised_against(world_of):
    world = await world_of(max_rows=3)
    university = world.university()
    draft = await university.draft()
    answer = await university.put_rows(draft, [practice(n) for n in range(4)])
    assert (None, None, "TOO_MANY_ROWS") in codes(answer)


async def test_a_draft_is_only_its_institutions(world):
    university, other, operator = world.university(), world.university(), world.operator()
    draft = await university.draft()
    for stranger in (other, operator):
        assert (await stranger.get(f"{APPLICATIONS}/{draft}")).status_code == 404
        listed = (await stranger.get(APPLICATIONS)).json()
        assert (listed["items"], listed["total"]) == ([], 0)
    assert [item["id"] for item in (await university.get(APPLICATIONS)).json()["items"]] == [draft]


async def test_a_sub_account_sees_and_enters_only_its_fields(world):
    lead = world.university()
    institution = (await lead.detail(await lead.draft("PRACTICE")))["institution_id"]
    hiring = await lead.draft("HIRING")
    sub = world.university(institution, role="sub_account", fields=["PRACTICE"])
    refused = await sub.post(APPLICATIONS, {"field": "HIRING"})
    assert (refused.status_code, refused.json()["code"]) == (403, "FIELD_NOT_PERMITTED")
    assert "학생 채용" in refused.json()["title"]
    opened = await sub.get(f"{APPLICATIONS}/{hiring}")
    assert (opened.status_code, opened.json()["code"]) == (403, "FIELD_NOT_PERMITTED")
    assert {item["field"] for item in (await sub.get(APPLICATIONS)).json()["items"]} == {"PRACTICE"}
    assert (await sub.post(APPLICATIONS, {"field": "PRACTICE"})).status_code == 201


async def test_only_universities_and_their_foundations_apply(world):
    company = world.university(institution_kind="company")
    answer = await company.post(APPLICATIONS, {"field": "PRACTICE"})
    assert (answer.status_code, answer.json()["code"]) == (409, "INSTITUTION_UNFIT")


async def test_the_operator_enters_a_draft_for_an_institution_that_cannot(world):
    university, operator = world.university(), world.operator()
    institution = (await university.detail(await university.draft()))["institution_id"]
    draft = await operator.draft(institution_id=institution)
    detail = await operator.detail(draft)
    assert (detail["on_behalf"], detail["institution_name"]) == (True, "한국대학교")
    assert (await university.get(f"{APPLICATIONS}/{draft}")).status_code == 200
    assert (await operator.post(APPLICATIONS, {"field": "PRACTICE"})).status_code == 409


async def test_a_discarded_draft_leaves_nothing_but_its_trace(world):
    university = world.university()
    draft = await university.ready([practice(1)])
    assert (await university.call("DELETE", f"{APPLICATIONS}/{draft}")).status_code == 204
    assert (await university.get(f"{APPLICATIONS}/{draft}")).status_code == 404
    for table in ("application_row", "application_file", "application_company"):
        assert await world.sql(f"SELECT 1 FROM {table}") == []
    events = await world.sql("SELECT action FROM application_event ORDER BY id")
    assert [event.action for event in events] == ["create", "attach", "attach", "discard"]
    jobs = await world.sql("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'files.delete'")
    assert len(jobs) == 2


async def test_evidence_comes_back_byte_for_byte_as_an_attachment(world):
    university = world.university()
    draft = await university.draft()
    content = PDF + bytes(range(256)) * 1000
    attached = await university.attach(draft, "OFFICIAL_LETTER", content, "공문 #1.pdf")
    assert attached.status_code == 201
    assert attached.json()["media_type"] == "application/pdf"
    answer = await university.get(f"{APPLICATIONS}/{draft}/files/{attached.json()['id']}")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
    listed = (await university.get(APPLICATIONS)).json()["items"][0]
    assert listed["letter_file_id"] == attached.json()["id"]
    assert "download" in {
        event["action"]
        for event in (await university.get(f"{APPLICATIONS}/{draft}/events")).json()["items"]
    }


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("OFFICIAL_LETTER", b"", "FILE_EMPTY"),
        ("OFFICIAL_LETTER", b"MZ\x90\x00 an executable", "FILE_TYPE"),
        ("OFFICIAL_LETTER", b"%PDF-" + b"0" * (10 * 2**20), "FILE_TOO_LARGE"),
        ("SELFIE", PDF, "EVIDENCE_KIND"),
    ],
)
async def test_files_that_may_not_be_attached_are_refused_by_code(world, kind, content, code):
    university = world.university()
    draft = await university.draft()
    answer = await university.attach(draft, kind, content)
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == [code]
    assert (await university.detail(draft))["files"] == []


async def test_a_file_of_exactly_ten_mebibytes_is_taken(world):
    university = world.university()
    draft = await university.draft()
    content = b"%PDF-" + b"0" * (10 * 2**20 - 5)
    assert (await university.attach(draft, "OFFICIAL_LETTER", content)).status_code == 201


async def test_files_are_bounded_in_number(world_of):
    world = await world_of(max_files=1)
    university = world.university()
    draft = await university.draft()
    assert (await university.attach(draft, "OFFICIAL_LETTER")).status_code == 201
    answer = await university.attach(draft, "OFFICIAL_LETTER")
    assert answer.json()["errors"][0]["code"] == "TOO_MANY_FILES"


async def test_the_list_filters_by_every_column(world):
    university = world.university()
    first = await university.draft("PRACTICE")
    await university.put_rows(first, [practice(1, brn=brn(5), company_name="뚝섬바이오")])
    second = await university.draft("HIRING")

    async def ids(query):
        answer = await university.get(f"{APPLICATIONS}?{query}")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids("sort=created") == [first, second]
    assert await ids("sort=-created") == [second, first]
    assert await ids("field=HIRING") == [second]
    assert await ids("company=바이오") == [first]
    assert await ids(f"company={brn(5)}") == [first]
    assert await ids("company=100%25") == []
    assert await ids("state=draft&state=posted&sort=created") == [first, second]
    assert await ids("state=posted") == []
    assert await ids("applied_from=2020-01-01") == []
    page = (await university.get(f"{APPLICATIONS}?limit=1&sort=-mileage")).json()
    assert ([item["id"] for item in page["items"]], page["total"]) == ([first], 2)
    rest = (
        await university.get(f"{APPLICATIONS}?limit=1&sort=-mileage&cursor={page['next_cursor']}")
    ).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([second], None)
