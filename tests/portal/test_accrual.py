"""A university's office puts a thousand trainees in, by paste, by file and by hand."""

import re
import secrets

import openpyxl
import pytest
from playwright.async_api import Page, expect

from deploy.demo.sheets import pdf
from tests.portal.browser import assert_accessible, assert_fits, assert_korean_font
from tests.portal.sheets import (
    ALLOWANCE_WON,
    FAULTS,
    HEADERS,
    ROWS,
    clipboard,
    mistaken,
    trainees,
    workbook,
)

APPLICATIONS = "/api/v1/accrual/applications"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
TOTAL = ROWS * ALLOWANCE_WON // 10_000


@pytest.fixture
def run():
    """Names of this test alone: an achievement is claimed once."""
    return secrets.token_hex(3)


def draft(api, login="hanbit", memo="하계 현장실습"):
    made = api(login).post(APPLICATIONS, {"field": "PRACTICE", "memo": memo}, expect=201)
    return str(made["id"])


def cell(page: Page, row: int, column: int):
    """A cell by its row and column as the office counts them, from 1."""
    return page.locator(f'[aria-rowindex="{row + 1}"] [aria-colindex="{column + 1}"]')


def active(page: Page):
    return page.locator(".pg-input")


def file_input(page: Page, label: str):
    return page.locator("input[type=file]").and_(page.get_by_label(label))


async def open_sheet(page: Page, application: str) -> None:
    await page.goto(f"/accrual/{application}/sheet")
    await expect(active(page)).to_be_attached()


async def paste(page: Page, text: str) -> None:
    await page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    await page.keyboard.press("Control+V")


async def saved(page: Page) -> None:
    await expect(page.locator('[data-save="saved"]')).to_be_visible()


async def attach_evidence(page: Page, name: str) -> None:
    for kind in ("공문", "표준 현장실습학기제 협약서"):
        await file_input(page, f"{kind} 올리기").set_input_files(
            {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": pdf(kind)}
        )
        await expect(page.get_by_text("올렸습니다").last).to_be_visible()


async def test_a_thousand_pasted_rows_are_mended_and_submitted(login, api, run):
    application = draft(api)
    page = await login("hanbit", f"/accrual/{application}", **CLIPBOARD)
    await page.get_by_role("link", name="이어서 작성").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("신청서 작성 — 대학생 현장실습")
    await cell(page, 1, 1).click()
    await paste(page, clipboard(mistaken(trainees(run))))
    counts = page.locator(".pg-counts")
    await expect(counts).to_have_text(f"전체 {ROWS:,}행 · 오류 {len(FAULTS)}칸")
    await saved(page)
    await assert_accessible(page)
    await assert_korean_font(page)

    # A line of the summary leads to its cell; F8 leads to the next one.
    fault = FAULTS[3]
    link = page.get_by_role("button", name=f"{fault.row}행 {HEADERS[fault.column - 1]}")
    await link.first.click()
    await expect(active(page)).to_be_focused()
    await expect(cell(page, fault.row, fault.column).locator(".pg-input")).to_be_attached()
    await expect(active(page)).to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("F8")
    following = FAULTS[4]
    await expect(cell(page, following.row, following.column).locator("input")).to_be_focused()

    await page.get_by_role("button", name="오류만 보기").click()
    await expect(page.locator(".pg-body [role=row]")).to_have_count(len(FAULTS))
    await page.get_by_role("button", name="오류만 보기").click()
    # What the server is sure of is taken by one button, the rest is typed.
    await page.get_by_role("button", name=re.compile("제안 2건 모두 적용")).click()
    for fault in FAULTS:
        if "１" in fault.wrong or "원" in fault.wrong:
            continue
        place = f"{fault.row}행 {HEADERS[fault.column - 1]}"
        await page.evaluate(
            "([row, column]) => document.querySelector('paste-grid').focusCell("
            "row, document.querySelector('paste-grid').columns[column - 1].key)",
            [fault.row, fault.column],
        )
        await expect(active(page)).to_have_attribute("aria-label", re.compile(re.escape(place)))
        await page.keyboard.type(fault.right)
        await page.keyboard.press("Enter")
    await expect(counts).to_have_text(f"전체 {ROWS:,}행 · 오류 0칸")
    await attach_evidence(page, run)
    await expect(page.locator("[data-total]")).to_have_attribute("data-total", str(TOTAL))
    await page.get_by_role("button", name="제출", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="제출").click()

    await expect(page.get_by_role("heading", name="접수증")).to_be_visible()
    await expect(page.get_by_text(f"{TOTAL:,}점").first).to_be_visible()
    there = api("hanbit").get(f"{APPLICATIONS}/{application}")
    assert (there["state"], there["mileage"], there["row_count"]) == ("submitted", TOTAL, ROWS)
    await page.get_by_text("왜 이 점수인가요?").last.click()
    await expect(page.get_by_text("적립기준 2022", exact=False).last).to_be_visible()
    await assert_accessible(page)


async def test_hangul_is_whole_from_the_first_key_and_focus_stays_while_it_is_composed(login, api):
    page = await login("hanbit")
    await open_sheet(page, draft(api))
    keyboard = await page.context.new_cdp_session(page)
    await page.evaluate("""() => {
      window.moves = [];
      let composing = false;
      document.addEventListener('compositionstart', () => (composing = true), true);
      document.addEventListener('compositionend', () => (composing = false), true);
      for (const type of ['focusin', 'focusout'])
        document.addEventListener(type, () => composing && window.moves.push(type), true);
    }""")

    async def compose(steps: list[str]) -> None:
        """As an input method does: every key is its own, and so is the Enter at the end."""
        for text in steps:
            await _key(keyboard, "rawKeyDown", "KeyG", 229)
            at = {"selectionStart": len(text), "selectionEnd": len(text)}
            await keyboard.send("Input.imeSetComposition", {"text": text, **at})
            await _key(keyboard, "keyUp", "KeyG", 71)
        await _key(keyboard, "rawKeyDown", "Enter", 229)
        await keyboard.send("Input.insertText", {"text": steps[-1]})
        await _key(keyboard, "keyUp", "Enter", 13)

    await cell(page, 1, 2).click()
    for row, steps in enumerate(
        (
            ["ㅎ", "하", "한", "한ㄱ", "한그", "한글"],
            ["ㅅ", "사", "삭", "사과"],
            ["㈜", "㈜ㄸ", "㈜뚜", "㈜뚝", "㈜뚝ㅅ", "㈜뚝서", "㈜뚝섬"],
        ),
        start=1,
    ):
        here = cell(page, row, 2).locator(".pg-input")
        await expect(here).to_be_focused()
        await compose(steps)
        # The Enter that ended the composition has not left the cell; the next one does.
        await expect(here).to_be_focused()
        await expect(here).to_have_value(steps[-1])
        await page.keyboard.press("Enter")
        await expect(cell(page, row, 2)).to_have_text(steps[-1])
    assert await page.evaluate("window.moves") == []
    await saved(page)


async def _key(keyboard, kind: str, code: str, number: int) -> None:
    key = "Process" if number == 229 else code
    await keyboard.send(
        "Input.dispatchKeyEvent",
        {"type": kind, "code": code, "key": key, "windowsVirtualKeyCode": number},
    )


async def test_the_same_faults_in_a_file_come_back_marked_and_a_mended_file_is_taken_once(
    login, api, run, watch, tmp_path
):
    application = draft(api)
    page = await login("hanbit")
    await open_sheet(page, application)
    watch.allow(422, f"{APPLICATIONS}/*/rows/sheet")
    await page.get_by_text("파일로 올리기").click()
    upload = file_input(page, "작성한 양식")
    rows = trainees(run)

    workbook(mistaken(rows), tmp_path / "틀린명단.xlsx")
    await upload.set_input_files(tmp_path / "틀린명단.xlsx")
    await expect(
        page.get_by_role("heading", name=f"고쳐야 할 칸이 {len(FAULTS)}개")
    ).to_be_visible()
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="오류를 표시한 파일 받기").click()
    await (await downloading.value).save_as(tmp_path / "표시.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "표시.xlsx").worksheets[0]
    marked = {
        (found.row - 1, found.column)
        for line in sheet.iter_rows()
        for found in line
        if found.comment
    }
    assert marked == {(fault.row, fault.column) for fault in FAULTS}
    assert api("hanbit").get(f"{APPLICATIONS}/{application}")["row_count"] == 0

    workbook(rows, tmp_path / "명단.xlsx")
    for _ in range(2):
        async with page.expect_response(re.compile("/rows/sheet")) as answering:
            await upload.set_input_files(tmp_path / "명단.xlsx")
        assert (await answering.value).status == 200
        await expect(page.get_by_text(f"{ROWS:,}행을 저장했습니다.").last).to_be_visible()
        await expect(page.locator(".pg-counts")).to_have_text(f"전체 {ROWS:,}행 · 오류 0칸")
    there = api("hanbit").get(f"{APPLICATIONS}/{application}")
    assert (there["row_count"], there["mileage"]) == (ROWS, TOTAL)


async def test_two_windows_edit_one_draft_and_nothing_is_lost(login, api, run, watch):
    application = draft(api)
    first, second = await login("hanbit"), await login("hanbit")
    await open_sheet(first, application)
    await open_sheet(second, application)
    watch.allow(412, f"{APPLICATIONS}/*/rows")

    await cell(first, 1, 2).click()
    await first.keyboard.type("먼저")
    await first.keyboard.press("Tab")
    await first.keyboard.type("20260101")
    await first.keyboard.press("Enter")
    await saved(first)

    await cell(second, 1, 2).click()
    await second.keyboard.type("나중")
    await second.keyboard.press("ArrowDown")
    await second.keyboard.type("둘째 행")
    await second.keyboard.press("Enter")
    await expect(
        second.get_by_role("heading", name="다른 화면에서 먼저 저장했습니다")
    ).to_be_visible()
    await expect(second.get_by_role("row", name=re.compile("1행 기업명 나중 먼저"))).to_be_visible()
    await assert_accessible(second)
    await second.get_by_role("button", name="내 입력 유지").click()
    await saved(second)
    rows = api("hanbit").get(f"{APPLICATIONS}/{application}/rows")["items"]
    assert [row["cells"] for row in rows] == [
        {"company_name": "나중", "agreement_date": "20260101"},
        {"company_name": "둘째 행"},
    ]

    # The first window, late now, looks at what is there instead.
    await cell(first, 1, 4).click()
    await first.keyboard.type("버릴 이름")
    await first.keyboard.press("Enter")
    await first.get_by_role("button", name="최신 보기").click()
    await expect(cell(first, 1, 2)).to_have_text("나중")
    await expect(cell(first, 1, 4)).to_have_text("")


async def test_a_returned_application_opens_at_the_operators_note(login, api, run):
    university, operator = api("hanbit"), api("operator")
    application = draft(api)
    url = f"{APPLICATIONS}/{application}"
    keys = [
        "brn", "company_name", "agreement_date", "trainee_name", "department", "admission_year",
        "practice_type", "hours", "start_date", "end_date", "allowance_won",
    ]  # fmt: skip
    rows = [
        {"number": number, "cells": dict(zip(keys, row, strict=True))}
        for number, row in enumerate(trainees(run, 3), start=1)
    ]
    university.put(f"{url}/rows", {"rows": rows}, headers=university.get(url).tag)
    for kind in ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT"):
        university.ask(
            "POST",
            f"{url}/files",
            expect=201,
            data={"kind": kind},
            files={"file": (f"{kind}.pdf", pdf(kind), "application/pdf")},
        )
    university.post(f"{url}/submit", once=True)
    operator.post(f"{url}/claim")
    note = {"row": 3, "field": "company_name", "text": "등기상 상호로 고쳐 주십시오."}
    operator.post(f"{url}/return", {"reason": "상호를 확인하십시오.", "comments": [note]})

    page = await login("hanbit", f"/accrual/{application}")
    await expect(page.get_by_text("보완요청").first).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("link", name="이 칸으로 이동").click()
    await expect(cell(page, 3, 2).locator(".pg-input")).to_be_focused()
    await expect(page.locator(".pg-said")).to_contain_text("등기상 상호로 고쳐 주십시오.")
    await page.keyboard.type("대한상공회의소 서울")
    await page.keyboard.press("Enter")
    await saved(page)
    await page.get_by_role("button", name="보완하여 다시 제출").click()
    await page.get_by_role("dialog").get_by_role("button", name="보완하여 다시 제출").click()
    await expect(page.get_by_role("heading", name="접수증")).to_be_visible()
    await expect(page.get_by_text("반영됨")).to_be_visible()
    assert university.get(url)["state"] == "submitted"


@pytest.mark.parametrize("width", [1280, 320])
async def test_lists_and_forms_of_accrual_fit_any_screen(login, api, width):
    application = draft(api)
    page = await login("hanbit", "/accrual", width=width)
    await expect(page.get_by_role("link", name="임시저장").first).to_be_visible()
    for path in ("/accrual", "/accrual/new?field=PRACTICE", f"/accrual/{application}/sheet"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("button").last).to_be_visible()
        await assert_fits(page)
        await assert_accessible(page)


async def test_anyone_sees_what_a_technology_transfer_earns(visit):
    page = await visit("/calculator")
    await page.get_by_label("인정 금액").fill("50,000,000")
    await page.get_by_role("button", name="계산", exact=True).click()
    await expect(page.get_by_role("heading", name="적립 마일리지: 1,000점")).to_be_visible()
    await expect(page.get_by_text("50,000,000원", exact=False).first).to_be_visible()
    await assert_accessible(page)
