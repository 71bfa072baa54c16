"""What an institution has, and how it proves and uses it."""

import io
import re
import secrets
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from playwright.async_api import expect

from deploy.demo.sheets import pdf
from services.accrual.applications.columns import COLUMNS
from services.auth.demo import HANMARU
from shared.clock import seoul_day, utc_now
from tests.portal.browser import assert_accessible, assert_fits
from tests.portal.sheets import ALLOWANCE_WON, HEADERS, trainees

ACCRUAL = "/api/v1/accrual"
COMPANY = "9998100015"
KEYS = [column.key for column in COLUMNS["PRACTICE"]][: len(HEADERS)]
TRAINEES = 30
POINTS = TRAINEES * (ALLOWANCE_WON // 10_000)


@pytest.fixture
def earned(api):
    """Points that were just posted to the university, and to the company."""
    university, operator = api("hanbit"), api("operator")
    made = university.post(f"{ACCRUAL}/applications", {"field": "PRACTICE"}, expect=201)
    url = f"{ACCRUAL}/applications/{made['id']}"
    lines = trainees(secrets.token_hex(3), TRAINEES)
    rows = [
        {"number": number, "cells": dict(zip(KEYS, [COMPANY, HANMARU, *line[2:]], strict=True))}
        for number, line in enumerate(lines, start=1)
    ]
    university.put(f"{url}/rows", {"rows": rows}, headers=university.get(url).tag)
    for kind in ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT"):
        files = {"file": (f"{kind}.pdf", pdf(kind), "application/pdf")}
        university.ask("POST", f"{url}/files", expect=201, data={"kind": kind}, files=files)
    university.post(f"{url}/submit", once=True)
    operator.post(f"{url}/claim")
    operator.post(f"{url}/approve", {}, once=True)
    return POINTS


def account(api, login="hanbit"):
    return api(login).get(f"{ACCRUAL}/ledger/account")


async def content(downloading):
    return (await (await downloading.value).path()).read_bytes()


async def test_a_university_reads_its_ledger_and_proves_its_balance(
    login, visit, api, earned, watch
):
    page = await login("hanbit", "/")
    menu = page.get_by_role("navigation", name="주 메뉴")
    await menu.get_by_role("link", name="마일리지", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("마일리지 원장")
    now = account(api)
    await expect(page.locator("[data-available]")).to_have_text(f"{now['available']:,}점")
    newest = page.get_by_role("row").nth(1)
    await expect(newest).to_contain_text(f"+{earned:,}")
    await expect(newest.get_by_role("cell").last).to_have_text(f"{now['balance']:,}")
    await assert_accessible(page)

    await page.get_by_label("구분").select_option("적립")
    await page.get_by_label("처리일(부터)").fill(str(seoul_day(utc_now())))
    await page.get_by_role("button", name="검색").click()
    await expect(page).to_have_url(re.compile("kind=accrual"))
    await expect(newest).to_contain_text(f"+{earned:,}")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="엑셀 내려받기").click()
    book = openpyxl.load_workbook(io.BytesIO(await content(downloading)))
    sheet = book.worksheets[0]
    assert [line.value for line in list(sheet.rows)[-1][5:8]] == [earned, None, now["balance"]]
    await page.get_by_label("처리일(부터)").fill("2099-01-01")
    await page.get_by_role("button", name="검색").click()
    await expect(page.get_by_text("조건에 맞는 내용이 없습니다", exact=False)).to_be_visible()

    await page.get_by_role("link", name="확인서", exact=True).click()
    watch.allow(422, f"{ACCRUAL}/certificates")
    await page.get_by_label("기준일").fill("2099-01-01")
    await page.get_by_label("용도").fill("지원사업 신청")
    await page.get_by_role("button", name="발급", exact=True).click()
    await expect(page.get_by_role("alert").filter(has_text="오늘")).to_be_visible()
    await page.get_by_label("기준일").fill(str(seoul_day(utc_now())))
    await page.get_by_role("button", name="발급", exact=True).click()
    issued = page.get_by_role("region", name="확인서를 발급했습니다")
    await expect(issued.get_by_role("heading")).to_be_focused()
    await expect(issued).to_contain_text(f"{now['balance']:,}점")
    await assert_accessible(page)
    async with page.expect_download() as downloading:
        await issued.get_by_role("button", name="PDF 내려받기").click()
    assert (await content(downloading)).startswith(b"%PDF")

    made = api("hanbit").get(f"{ACCRUAL}/certificates")["items"][0]
    await expect(issued).to_contain_text(made["second_key"])
    link = await issued.get_by_role("link", name="진위확인").get_attribute("href")
    assert link == f"/verify/{made['verification_number']}"
    recipient = await visit(link)
    await recipient.get_by_label("사업자등록번호").fill(made["second_key"])
    await recipient.get_by_role("button", name="확인", exact=True).click()
    await expect(recipient.get_by_role("status").filter(has_text="진본")).to_be_visible()

    await page.get_by_role("button", name=f"{made['number']} 재발급").click()
    await page.get_by_role("dialog").get_by_role("button", name="재발급").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    again = api("hanbit").get(f"{ACCRUAL}/certificates")["items"][0]
    assert (again["reissue_of"], again["purpose"]) == (made["id"], "지원사업 신청")
    await expect(page.get_by_role("row", name=again["number"])).to_contain_text("유효")


async def test_mileage_is_seen_asked_for_and_taken_back(login, api, earned, watch):
    name = f"지역기업 가점사업 {secrets.token_hex(3)}"
    call = published(api("officer"), name)
    before = account(api)["available"]
    page = await login("hanbit", "/wallet/utilisations", width=320)
    await page.get_by_role("link", name="새 활용신청").first.click()
    await page.get_by_label("사업", exact=True).select_option(name)
    await expect(page.get_by_text("1,000점마다 0.1%p, 최대 1.0%p", exact=False)).to_be_visible()
    watch.allow(422, f"{ACCRUAL}/utilisations/preview")
    await page.get_by_label("활용할 마일리지").fill("999")
    await page.get_by_role("button", name="미리보기").click()
    await expect(page.get_by_role("alert").filter(has_text="점 단위")).to_be_visible()
    await page.get_by_label("활용할 마일리지").fill("3,499")
    await page.get_by_role("button", name="미리보기").click()
    seen = page.get_by_role("region", name="이렇게 신청됩니다")
    for told in ("3단계", "0.3%p", "3,000점", f"{before - 3_000:,}점"):
        await expect(seen).to_contain_text(told)
    await assert_fits(page)
    await assert_accessible(page)
    await seen.get_by_role("button", name="이대로 신청").click()

    line = page.get_by_role("row").filter(has_text=name)
    await expect(line).to_contain_text("보류 3,000점")
    await assert_fits(page)
    await assert_accessible(page)
    assert account(api)["available"] == before - 3_000
    await page.get_by_role("link", name="원장", exact=True).click()
    await expect(page.locator("[data-available]")).to_have_text(f"{before - 3_000:,}점")
    await assert_fits(page)
    await page.go_back()
    await line.get_by_role("button", name="철회").click()
    await page.get_by_role("dialog").get_by_role("button", name="철회").click()
    await expect(line).to_contain_text("철회")
    await expect(line.get_by_role("button")).to_have_count(0)
    assert account(api)["available"] == before

    asked = {"programme_id": call["id"], "mileage": 3_000}
    made = api("hanbit").post(f"{ACCRUAL}/utilisations", asked, expect=201, once=True)
    confirm = f"{ACCRUAL}/utilisations/{made['id']}/confirm"
    api("operator").post(confirm, {"steps_scored": 2}, once=True)
    await page.reload()
    confirmed = page.get_by_role("row").filter(has_text=made["number"])
    await expect(confirmed).to_contain_text("0.3%p (인정 0.2%p)")
    async with page.expect_download() as downloading:
        await confirmed.get_by_role("button", name="활용 확인서").click()
    assert (await content(downloading)).startswith(b"%PDF")


def published(officer, name):
    now = datetime.now(UTC)
    rule = {
        "points_per_step": "0.1", "mileage_per_step": 1000, "max_points": "1.0", "unit": "%p",
    }  # fmt: skip
    call = officer.post(
        "/api/v1/grants/programmes",
        {
            "kind": "external",
            "name": name,
            "ministry_name": "산학정책부",
            "agency_name": "가온산업진흥원",
            "target": "university",
            "benefit": "bonus",
            "opens_at": (now - timedelta(days=1)).isoformat(),
            "closes_at": (now + timedelta(days=30)).isoformat(),
            "bonus_rule": rule,
        },
        expect=201,
    )
    officer.post(f"/api/v1/grants/programmes/{call['id']}/publish")
    return call
