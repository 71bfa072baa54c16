"""A company orders with as much mileage as the rule allows; the university does the work."""

import secrets

import pytest
from playwright.async_api import expect

from deploy.demo.sheets import pdf
from services.accrual.applications.columns import COLUMNS
from services.auth.demo import HANMARU
from tests.portal.browser import assert_accessible, assert_fits
from tests.portal.sheets import HEADERS, trainees

ACCRUAL, EXCHANGE = "/api/v1/accrual", "/api/v1/exchange"
KEYS = [column.key for column in COLUMNS["PRACTICE"]][: len(HEADERS)]
UNIVERSITY, COMPANY = "hanbit", "9998100015"
CAP = 300  # 30 % of 1,000,000 won


@pytest.fixture
def mileage(api):
    """Three trainees, approved: the company can pay the cap."""
    university, operator = api(UNIVERSITY), api("operator")
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
    university.post(f"{url}/submit", once=True)
    operator.post(f"{url}/claim")
    operator.post(f"{url}/approve", {}, once=True)


@pytest.fixture
def listed(api):
    """An analysis for 1,000,000 won, open to everybody: its id and title."""
    university = api(UNIVERSITY)
    title = f"전자현미경 시료 분석 {secrets.token_hex(3)}"
    listing = university.post(
        f"{EXCHANGE}/listings",
        {
            "kind": "analysis",
            "use_mode": "commissioned",
            "unit": "sample",
            "title": title,
            "description": "의뢰 시료의 미세구조를 분석합니다.",
            "location": "공동실험관 101호",
            "price_won": 1_000_000,
            "terms": "시료는 방문 또는 택배로 접수합니다.",
            "cancellation": {
                "free_until_hours": 24,
                "late_fee_percent": 0,
                "no_show_fee_percent": 0,
            },
        },
        expect=201,
    )
    university.post(f"{EXCHANGE}/listings/{listing['id']}/publish", headers=listing.tag)
    return str(listing["id"]), title


def balance(api, login):
    return int(api(login).get(f"{ACCRUAL}/ledger/account")["balance"])


async def test_a_company_pays_the_cap_and_no_point_more_and_the_university_receives_it(
    login, visit, api, watch, mileage, listed
):
    listing, title = listed
    before = balance(api, UNIVERSITY), balance(api, COMPANY)

    stranger = await visit("/exchange", width=320)
    await stranger.get_by_label("장비·분석 이름, 지역").fill(title)
    await stranger.get_by_role("button", name="검색").click()
    await stranger.get_by_role("link", name=title).click()
    await expect(stranger.get_by_role("heading", level=1)).to_have_text(title)
    await expect(stranger.get_by_role("main")).to_contain_text("기업 계정으로 로그인하시면")
    await assert_fits(stranger)
    await assert_accessible(stranger)

    company = await login(COMPANY, f"/exchange/listings/{listing}")
    points = company.get_by_label("사용할 마일리지", exact=True)
    cash = company.get_by_role("status").filter(has_text="현금으로 낼 금액")
    await expect(cash).to_contain_text("1,000,000원")
    await expect(company.get_by_text(f"0점부터 {CAP}점까지")).to_be_visible()
    watch.allow(422, f"{EXCHANGE}/orders*")
    rule = f"최대 {CAP}점(사용료의 30%)까지 사용할 수 있습니다."
    await points.fill(str(CAP + 1))
    await expect(company.get_by_text(rule)).to_be_visible()
    await expect(cash).to_contain_text("–")
    await company.get_by_role("button", name="이용 신청", exact=True).click()
    await expect(company.get_by_role("alert", name="확인하세요")).to_contain_text(rule)
    await assert_accessible(company)
    await points.fill("")
    await company.get_by_label("사용할 마일리지 조절").press("End")
    await expect(points).to_have_value(str(CAP))
    await expect(cash).to_contain_text("700,000원")
    await company.get_by_role("button", name="이용 신청", exact=True).click()
    await expect(company.get_by_role("heading", level=1)).to_contain_text("이용 신청 ")
    await expect(company.get_by_role("main")).to_contain_text("마일리지 보류")
    await expect(company.get_by_role("main")).to_contain_text(f"마일리지 {CAP}점을 모두 돌려받고")
    await assert_accessible(company)

    university = await login(UNIVERSITY, "/exchange/orders?use=requested")
    await assert_accessible(university)
    row = university.get_by_role("row").filter(has_text=title)
    await row.get_by_role("link").click()
    dialog = university.get_by_role("dialog")
    course = university.get_by_role("region", name="진행")
    for move, state in (("승인", "승인"), ("이용 시작", "이용 중"), ("이용 완료", "이용 완료")):
        await university.get_by_role("button", name=move, exact=True).click()
        await dialog.get_by_role("button", name=move, exact=True).click()
        await expect(course).to_contain_text(state)
        await expect(dialog).to_be_hidden()
    await university.get_by_role("button", name="현금 기록").click()
    await dialog.get_by_label("금액").fill("700001")
    await dialog.get_by_label("입금·승인 번호").fill("입금-1")
    watch.allow(422, f"{EXCHANGE}/orders/*/payments")
    await dialog.get_by_role("button", name="현금 기록").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("남은 현금 700000원")
    await assert_accessible(university)
    await dialog.get_by_label("금액").fill("700000")
    await dialog.get_by_role("button", name="현금 기록").click()
    await expect(dialog).to_be_hidden()
    await university.get_by_role("button", name="정산", exact=True).click()
    await dialog.get_by_role("button", name="정산", exact=True).click()
    await expect(course).to_contain_text("정산 완료")
    after = balance(api, UNIVERSITY), balance(api, COMPANY)
    assert [now - then for now, then in zip(after, before, strict=True)] == [CAP, -CAP]


async def test_a_company_that_cancels_before_the_answer_gets_everything_back(
    login, api, mileage, listed
):
    company_api = api(COMPANY)
    before = company_api.get(f"{ACCRUAL}/ledger/account")["available"]
    wish = {"listing_id": listed[0], "quantity": 1, "mileage": 1}
    made = company_api.post(f"{EXCHANGE}/orders", wish, once=True, expect=201)
    company = await login(COMPANY, f"/exchange/orders/{made['id']}")
    await company.get_by_role("button", name="신청 취소").click()
    dialog = company.get_by_role("dialog")
    await expect(dialog).to_contain_text("마일리지 1점을 모두 돌려받고")
    await dialog.get_by_label("사유").fill("시료가 준비되지 않았습니다.")
    await dialog.get_by_role("button", name="신청 취소").click()
    await expect(dialog).to_be_hidden()
    course = company.get_by_role("region", name="진행")
    await expect(course).to_contain_text("마일리지 돌려줌")
    assert company_api.get(f"{ACCRUAL}/ledger/account")["available"] == before


async def test_a_university_lists_what_it_has_and_publishes_it(login, visit, watch):
    title = f"핵자기공명분광기 {secrets.token_hex(3)}"
    university = await login(UNIVERSITY, "/exchange/managed")
    await university.get_by_role("link", name="상품 등록").first.click()
    await university.get_by_label("상품", exact=True).fill(title)
    await university.get_by_label("장소").fill("분석동 2층")
    await assert_accessible(university)
    watch.allow(422, f"{EXCHANGE}/listings*")
    await university.get_by_role("button", name="저장").click()
    await expect(university.get_by_role("alert", name="확인하세요")).to_contain_text("사용료")
    await university.get_by_label("단위당 사용료").fill("50000")
    await university.get_by_role("button", name="저장").click()
    await expect(university.get_by_role("heading", level=1)).to_have_text(title)
    await university.get_by_role("button", name="공개", exact=True).click()
    await expect(university.get_by_role("alert").last).to_contain_text("운영 시간이 있어야")
    await university.get_by_role("button", name="운영 시간 추가").click()
    await university.get_by_role("button", name="저장").click()
    await expect(university.get_by_text("저장했습니다.")).to_be_visible()
    await university.get_by_role("button", name="공개", exact=True).click()
    await university.get_by_role("link", name="공개된 화면 보기").click()
    await expect(university.get_by_role("main")).to_contain_text("월요일 09:00–18:00")
    await assert_accessible(university)
