"""Last year's companies carried over, and an application taken home as a workbook."""

import io

import openpyxl

from tests.accrual.world import APPLICATIONS, brn, deposit, practice


async def test_last_years_companies_come_back_without_people_dates_and_amounts(world):
    university = world.university()
    await university.submitted([practice(1), practice(2), practice(3, brn=brn(1))])
    await world.university().submitted([practice(9, brn=brn(7))])
    listed = (await university.get(f"{APPLICATIONS}/carry-over?field=PRACTICE")).json()
    assert [item["cells"] for item in listed] == [
        {"brn": brn(0), "company_name": "한빛정밀", "practice_type": "표준"},
        {"brn": brn(1), "company_name": "한빛정밀", "practice_type": "표준"},
    ]
    draft = await university.draft()
    answer = await university.call(
        "POST",
        f"{APPLICATIONS}/{draft}/rows/carry-over",
        json={"brns": [brn(1)]},
        headers={"If-Match": await university.version(draft)},
    )
    assert answer.status_code == 200
    rows = (await university.get(f"{APPLICATIONS}/{draft}/rows")).json()["items"]
    assert [row["cells"]["brn"] for row in rows] == [brn(1)]
    assert {"REQUIRED", "EVIDENCE_MISSING"} == {item["code"] for item in answer.json()["findings"]}


async def test_contracts_are_carried_over_with_their_number_for_the_next_instalment(world):
    university = world.university()
    await university.submitted([deposit(), deposit("2026-2")], "TECH_TRANSFER")
    listed = (await university.get(f"{APPLICATIONS}/carry-over?field=TECH_TRANSFER")).json()
    assert [item["cells"]["contract_no"] for item in listed] == ["2026-1", "2026-2"]
    assert all("deposit_won" not in item["cells"] for item in listed)


async def test_a_sub_account_cannot_look_into_other_fields_this_way(world):
    sub = world.university(role="sub_account", fields=["PRACTICE"])
    answer = await sub.get(f"{APPLICATIONS}/carry-over?field=HIRING")
    assert (answer.status_code, answer.json()["code"]) == (403, "FIELD_NOT_PERMITTED")


def sheets(answer):
    assert answer.status_code == 200, answer.text
    workbook = openpyxl.load_workbook(io.BytesIO(answer.content))
    return {page.title: [[c.value for c in row] for row in page] for page in workbook.worksheets}


async def test_the_download_holds_totals_and_rows_masked_and_without_formulas(world):
    university, operator = world.university(), world.operator()
    evil = '=HYPERLINK("http://x")'
    application = await university.submitted(
        [practice(1, company_name=evil, trainee_name="홍길동"), practice(2, company_name=evil)]
    )
    await operator.act(application, "claim")
    await operator.act(application, "decisions", {"reject": [{"row": 2, "reason": "+사유"}]})
    path = f"{APPLICATIONS}/{application}/download"
    pages = sheets(await university.get(path))
    assert dict(pages["신청"])["마일리지(점)"] == 450
    assert pages["기업별"][1][1:3] == [brn(0), f"'{evil}"]
    header, first, second = pages["명단"]
    assert first[header.index("기업명")] == f"'{evil}"
    assert first[header.index("성명")] == "홍*동"
    assert [first[-2], *second[-2:]] == ["인정", "불인정", "'+사유"]
    opened = sheets(await operator.get(f"{path}?purpose=현장 점검"))
    assert opened["명단"][1][header.index("성명")] == "홍길동"
    events = (await operator.get(f"{APPLICATIONS}/{application}/events")).json()["items"]
    exports = [event["details"]["purpose"] for event in events if event["action"] == "export"]
    assert exports == [None, "현장 점검"]


async def test_the_list_goes_out_as_a_workbook_filtered_as_it_is_shown(world):
    university = world.university()
    await university.draft()
    await university.submitted([practice(1)])
    await world.university().submitted([practice(9, brn=brn(7))])
    answer = await university.get(f"{APPLICATIONS}/export", params={"state": "submitted"})
    heading, *lines = sheets(answer)["적립신청"]
    assert heading[0] == "번호"
    assert [line[-1] for line in lines] == ["접수중"]
    everything = sheets(await university.get(f"{APPLICATIONS}/export"))["적립신청"]
    assert [line[-1] for line in everything[1:]] == ["접수중", "임시저장"]
