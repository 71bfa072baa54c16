"""The operator decides on what a university applied for; anybody looks a certificate up."""

import secrets

import pytest
from playwright.async_api import expect

from deploy.demo.sheets import pdf
from services.accrual.applications.columns import COLUMNS
from services.auth.demo import HANMARU
from shared.clock import seoul_day, utc_now
from tests.portal.browser import assert_accessible
from tests.portal.sheets import ALLOWANCE_WON, HEADERS, trainees

ACCRUAL = "/api/v1/accrual"
KEYS = [column.key for column in COLUMNS["PRACTICE"]][: len(HEADERS)]
POINTS = ALLOWANCE_WON // 10_000
UNIVERSITY, COMPANY = "hanbit", "9998100015"


@pytest.fixture
def applied(api):
    """Three trainees of a company that has a login, submitted: its id and number."""
    university = api(UNIVERSITY)
    made = university.post(f"{ACCRUAL}/applications", {"field": "PRACTICE"}, expect=201)
    url = f"{ACCRUAL}/applications/{made['id']}"
    rows = [
        {"number": number, "cells": dict(zip(KEYS, [COMPANY, HANMARU, *line[2:]], strict=True))}
        for number, line in enumerate(trainees(secrets.token_hex(3), 3), start=1)
    ]
    university.put(f"{url}/rows", {"rows": rows}, headers=university.get(url).tag)
    for kind in ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT"):
        files = {"file": (f"{kind}.pdf", pdf(kind), "application/pdf")}
        university.ask("POST", f"{url}/files", expect=201, data={"kind": kind}, files=files)
    submitted = university.post(f"{url}/submit", once=True)
    return str(made["id"]), str(submitted["number"])


def balance(api, login):
    return int(api(login).get(f"{ACCRUAL}/ledger/account")["balance"])


async def test_a_case_is_sent_back_with_a_remark_on_a_cell_and_approved_by_keys(
    login, api, applied
):
    application, number = applied
    before = balance(api, UNIVERSITY), balance(api, COMPANY)
    operator = await login("operator", f"/review/{application}")
    await expect(operator.get_by_role("heading", level=1)).to_have_text(f"심사 {number}")
    await operator.get_by_role("button", name="심사 시작").click()
    await expect(operator.get_by_title("OFFICIAL_LETTER.pdf 미리보기")).to_be_attached()
    await assert_accessible(operator)

    await operator.keyboard.press("b")
    asked = operator.get_by_role("dialog")
    await asked.get_by_label("보완요청 사유").fill("협약서와 기업명이 다릅니다.")
    await asked.get_by_role("button", name="칸별 의견 추가").click()
    await asked.get_by_label("행", exact=True).fill("3")
    await asked.get_by_label("항목").select_option("company_name")
    await asked.get_by_label("고쳐야 할 내용").fill("사업자등록증의 이름으로 적어 주십시오.")
    await asked.get_by_role("button", name="보완요청").click()
    await expect(operator.get_by_text("보완을 요청했습니다.")).to_be_visible()

    university = await login(UNIVERSITY, f"/accrual/{application}")
    await university.get_by_role("link", name="이 칸으로 이동").click()
    active = university.locator(".pg-input")
    await expect(active).to_be_focused()
    await expect(active).to_have_value(HANMARU)
    api(UNIVERSITY).post(f"{ACCRUAL}/applications/{application}/submit", once=True)

    await operator.reload()
    await operator.get_by_role("button", name="심사 시작").click()
    await expect(operator.get_by_role("button", name="승인")).to_be_visible()
    await operator.keyboard.press("a")
    sure = operator.get_by_role("dialog")
    await expect(sure).to_contain_text(f"대학에 {3 * POINTS}점")
    await sure.get_by_role("button", name="승인").click()
    await expect(operator.get_by_text("적립을 마쳤습니다.")).to_be_visible()
    after = balance(api, UNIVERSITY), balance(api, COMPANY)
    assert [now - then for now, then in zip(after, before, strict=True)] == [3 * POINTS] * 2

    await operator.get_by_role("button", name="적립취소").click()
    sure = operator.get_by_role("dialog")
    await sure.get_by_label("취소 사유").fill("협약이 해지되었습니다.")
    await sure.get_by_role("button", name="적립취소").click()
    await expect(operator.get_by_text("적립을 취소했습니다.")).to_be_visible()
    assert (balance(api, UNIVERSITY), balance(api, COMPANY)) == before


async def test_rows_are_refused_with_a_reason_and_the_next_case_is_taken_from_the_queue(
    login, api, applied
):
    application, number = applied
    operator = await login("operator2", "/review")
    await expect(operator.get_by_role("link", name=number)).to_be_visible()
    await assert_accessible(operator)
    await operator.keyboard.press("j")
    await expect(operator.locator("[data-case]").first).to_be_focused()

    await operator.goto(f"/review/{application}")
    await operator.get_by_role("button", name="심사 시작").click()
    await operator.get_by_text("행별 판단").click()
    await operator.get_by_label("행 번호").fill("2, x")
    await operator.get_by_role("button", name="불인정", exact=True).click()
    await expect(operator.get_by_text("행 번호를 알아볼 수 없습니다: 2, x")).to_be_visible()
    await operator.get_by_label("행 번호").fill("2-3")
    await operator.get_by_label("불인정 사유").fill("증빙에 없는 학생입니다.")
    await operator.get_by_role("button", name="불인정", exact=True).click()
    await expect(operator.get_by_text(f"신청 마일리지는 {POINTS}점이 됩니다.")).to_be_visible()
    operator_api = api("operator2")
    assert operator_api.get(f"{ACCRUAL}/applications/{application}")["mileage"] == POINTS
    operator_api.post(f"{ACCRUAL}/applications/{application}/release")


async def test_anybody_sees_whether_a_certificate_is_genuine_and_whether_a_file_was_changed(
    visit, api, watch, tmp_path
):
    university = api(UNIVERSITY)
    issued = university.post(
        f"{ACCRUAL}/certificates", {"as_of": str(seoul_day(utc_now()))}, expect=201, once=True
    )
    content = university.get(f"{ACCRUAL}/certificates/{issued['id']}/file").response.content
    given, changed = tmp_path / "given.pdf", tmp_path / "changed.pdf"
    given.write_bytes(content)
    changed.write_bytes(content.replace(b"%%EOF", b"%%EOG"))
    page = await visit(f"/verify/{issued['verification_number']}")
    await page.get_by_role("button", name="확인", exact=True).click()
    await expect(page.get_by_text("사업자등록번호 또는 확인코드를 입력하십시오.")).to_be_visible()
    await page.get_by_label("사업자등록번호").fill(issued["second_key"])
    for file, told in ((None, "진본"), (given, "한 글자도 다르지 않습니다"), (changed, "변조")):
        if file is not None:
            await page.get_by_label("확인서 파일").set_input_files(file)
        await page.get_by_role("button", name="확인", exact=True).click()
        await expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
    await assert_accessible(page)
    watch.allow(422, "/api/v1/accrual/certificates/verify")
    await page.get_by_label("문서확인번호").fill("AAAA-AAAA-AAAA-AAAA")
    await page.get_by_role("button", name="확인", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
