"""From an agreement to its settlement, as both sides and the auditor see it."""

import re
from typing import Any

from playwright.async_api import Page, expect

from deploy.demo import sheets
from tests.portal.browser import assert_accessible
from tests.portal.grant_years import MEETING, designated, handed_in
from tests.portal.test_grants import GRANTS, Api, published_call


async def test_a_year_is_agreed_on_spent_checked_and_settled_to_the_won(
    login: Any, api: Api
) -> None:
    officer = api("officer")
    proposal = designated(api, published_call(officer))
    agency = await login("officer", f"/grants/received/{proposal}")
    await agency.get_by_label("협약 예정일").fill("2020-03-02")
    await agency.get_by_role("button", name="협약 준비").click()
    await agency.wait_for_url(re.compile(r"/grants/agreements/[0-9a-f-]+$"))
    agreement = agency.url.rsplit("/", 1)[1]
    await _conclude(api, agency, await login("hanbit", f"/grants/agreements/{agreement}"))
    await agency.close()

    office = await login("hanbit", f"/grants/agreements/{agreement}/expenses")
    await _spend(office)
    expense = office.url.rsplit("/", 1)[1]
    await office.get_by_label("증빙 종류").select_option(label="회의록")
    paper = {"name": "회의록.pdf", "mimeType": "application/pdf", "buffer": sheets.pdf("회의록")}
    await office.locator("input[type=file]").set_input_files(paper)
    await expect(office.get_by_text("회의록: 회의록.pdf")).to_be_visible()
    await assert_accessible(office)

    url = f"{GRANTS}/agreements/{agreement}"
    officer.post(f"{url}/close")
    await office.goto(f"/grants/agreements/{agreement}/settlement")
    await office.get_by_label("받은 정부지원금").fill("200000000")
    await office.get_by_label("이자(원)").fill("123456")
    await office.get_by_role("button", name="보고", exact=True).click()
    await expect(office.get_by_role("heading", name="지금 정산하면")).to_be_visible()
    await assert_accessible(office)

    auditor = await login("auditor", f"/grants/agreements/{agreement}/expenses")
    await expect(auditor.get_by_text("불인정 1건, 합계 310,000원")).to_be_visible()
    await auditor.get_by_label("규정으로 찾기").select_option(index=1)
    await expect(auditor.get_by_role("row", name=re.compile("교육위원회"))).to_contain_text("G-042")
    await assert_accessible(auditor)
    await _settle(api, auditor, agreement, expense)


async def _conclude(api: Api, agency: Page, office: Page) -> None:
    """The last document, by hand; the agency accepts it and concludes (G-056)."""
    agreement = office.url.rsplit("/", 1)[1]
    handed_in(api("hanbit"), api("officer"), agreement)
    paper = {"name": "협약서.pdf", "mimeType": "application/pdf", "buffer": sheets.pdf("협약서")}
    await office.locator("input[type=file]").first.set_input_files(paper)
    await expect(office.get_by_text("협약서.pdf", exact=True)).to_be_visible()
    await assert_accessible(office)
    await office.close()
    await agency.reload()
    await expect(agency.get_by_role("button", name="협약 체결")).to_be_disabled()
    await agency.get_by_role("button", name="협약서.pdf 확인").click()
    await agency.get_by_role("button", name="협약 체결").click()
    await agency.get_by_role("dialog").get_by_role("button", name="협약 체결").click()
    await expect(agency.get_by_text("진행 중")).to_be_visible()
    await assert_accessible(agency)


async def _spend(office: Page) -> None:
    """Looked at before it is spent: papers that will be there count, and those that are not."""
    await office.get_by_label("세부 비목").select_option("meeting")
    await office.get_by_label("금액").fill(str(MEETING["amount_won"]))
    await office.get_by_label("내용").fill(str(MEETING["purpose"]))
    await office.get_by_label("지급처", exact=True).fill(str(MEETING["payee_name"]))
    await office.get_by_label("지급일").fill(str(MEETING["paid_on"]))
    await office.get_by_label("행사·회의명").fill("교육위원회 1차")
    papers = office.get_by_label("갖출 증빙")
    for name in ("지출결의서", "신용카드매출전표"):
        await papers.select_option(label=name)
        await expect(office.get_by_role("button", name=f"{name} 빼기")).to_be_visible()
    await office.get_by_role("button", name="집행 전 점검").click()
    reminder = office.get_by_role("listitem").filter(has_text="서명 회의록")
    await expect(reminder).to_be_visible()
    await expect(office.get_by_text("인정될 금액 310,000원")).to_be_visible()
    await assert_accessible(office)
    await office.get_by_role("button", name="집행 등록").click()
    await office.wait_for_url(re.compile(r"/grants/expenses/"))


async def _settle(api: Api, auditor: Page, agreement: str, expense: str) -> None:
    await auditor.goto(f"/grants/agreements/{agreement}/settlement")
    await _confirm(auditor, "정산 실행")
    await expect(auditor.get_by_text("정산 중")).to_be_visible()
    # Unspent 199,690,000, disallowed 310,000, and of the interest 200 of 260 parts.
    await expect(auditor.get_by_text("200,094,966원")).to_be_visible()
    await expect(auditor.get_by_text("94,966원", exact=True)).to_be_visible()
    await expect(auditor.get_by_text("1. 사용을 증빙하지 못하는 금액")).to_be_visible()
    await _confirm(auditor, "이의신청 개시")
    await expect(auditor.get_by_text("이의신청 기간")).to_be_visible()

    objection = {"text": "회의록을 다시 내겠습니다."}
    api("hanbit").post(f"{GRANTS}/expenses/{expense}/objections", objection, expect=201)
    await auditor.reload()
    await auditor.get_by_label("답변", exact=True).fill("적격증빙이 없습니다.")
    await assert_accessible(auditor)
    await auditor.get_by_role("button", name="답변 등록").click()
    await expect(auditor.get_by_text("기각", exact=True)).to_be_visible()
    await auditor.get_by_role("link", name="해당 집행").click()
    await expect(auditor.get_by_role("button", name="의견 등록")).to_be_visible()
    await assert_accessible(auditor)
    await auditor.goto(f"/grants/agreements/{agreement}/settlement")
    await _confirm(auditor, "정산 실행")
    await _confirm(auditor, "정산 확정")
    await expect(auditor.get_by_role("link", name="정산 확정서 PDF")).to_be_visible()
    await assert_accessible(auditor)


async def _confirm(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
