"""From what a call receives to its ranking, as its agency and its reviewers see it."""

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.portal.browser import Watch, assert_accessible
from tests.portal.grant_years import assigned, eligible, scored, submitted
from tests.portal.test_grants import GRANTS, Api, published_call


async def test_an_officer_finds_a_proposal_eligible_and_says_who_judges_it(
    login: Any, api: Api
) -> None:
    call = published_call(api("officer"))
    submitted(api("hanbit"), call)
    page = await login("officer", f"/grants/manage/{call['id']}")
    await assert_accessible(page)
    await page.get_by_role("link", name="바이오가스 인력양성").click()
    await page.get_by_role("button", name="사전검토 시작").click()
    points = page.get_by_role("checkbox", name=re.compile("충족"))
    await expect(points.first).to_be_visible()
    for point in await points.all():
        await point.check()
    await assert_accessible(page)
    await page.get_by_role("button", name="적합으로 확정", exact=True).click()
    await expect(page.get_by_text("사전검토 결과: 적합")).to_be_visible()
    await page.get_by_label("주관 대학원 소재지").select_option(label="강원")
    await page.get_by_role("button", name="실적 추가").click()
    await page.get_by_label("1번째 완료일").fill("2026-01-02")
    await page.get_by_role("button", name="확인 내용 저장").click()
    await expect(page.get_by_text("에 확인했습니다.")).to_be_visible()

    await page.goto(f"/grants/manage/{call['id']}/reviewers")
    await page.get_by_role("checkbox", name="평가위원 가").check()
    await page.get_by_label(re.compile("소속기관")).fill("가온대학교")
    await assert_accessible(page)
    await page.get_by_role("button", name="배정", exact=True).click()
    row = page.get_by_role("row").filter(has_text="바이오가스 인력양성")
    await expect(row).to_contain_text("이해관계 확인 전")


async def test_a_reviewer_declares_first_then_scores_what_is_not_calculated_and_it_is_ranked(
    login: Any, api: Api, watch: Watch
) -> None:
    call = published_call(api("officer"))
    proposal = submitted(api("hanbit"), call)
    eligible(api("officer"), proposal)
    assigned(api, call)
    page = await login("evaluator1", "/grants/evaluations")
    await assert_accessible(page)
    await page.goto(f"/grants/evaluations/{proposal}")
    await expect(page.get_by_role("heading", name="평가표")).to_have_count(0)
    await page.get_by_role("checkbox", name=re.compile("누설하지 않겠습니다")).check()
    await assert_accessible(page)
    await page.get_by_role("button", name="이해관계 없음 확인").click()
    await _score(page)
    await page.reload()
    await expect(page.get_by_text("제출한 평가표는 바꿀 수 없습니다.")).to_be_visible()
    await expect(page.get_by_role("radio").first).to_be_disabled()

    ranking = f"/grants/manage/{call['id']}/ranking"
    watch.allow(422, f"{GRANTS}/programmes/*/ranking")
    officer = await login("officer", ranking)
    await expect(officer.get_by_text(re.compile("평가위원 2 위원의 평가표"))).to_be_visible()
    await assert_accessible(officer)
    for reviewer in ("evaluator2", "evaluator3"):
        scored(api(reviewer), proposal)
    await officer.reload()
    row = officer.get_by_role("row").filter(has_text="한빛대학교산학협력단")
    (line,) = api("officer").get(f"{GRANTS}/programmes/{call['id']}/ranking")["items"]
    await expect(row).to_contain_text(line["shown"])
    await officer.locator("summary").click()
    await expect(officer.get_by_role("row", name=re.compile("수행실적"))).to_contain_text("4건")
    await assert_accessible(officer)
    await officer.get_by_role("button", name="평가 결과 확정").click()
    dialog = officer.get_by_role("dialog")
    await dialog.get_by_role("button", name="평가 결과 확정").click()
    await officer.get_by_role("link", name=re.compile("접수 현황에서")).click()
    await officer.get_by_role("link", name="바이오가스 인력양성").click()
    await officer.get_by_role("button", name="우선협상 대상으로 선정").click()
    await dialog.get_by_label(re.compile("사유")).fill("선정평가 1위")
    await dialog.get_by_role("button", name="우선협상 대상으로 선정").click()
    await expect(officer.get_by_role("button", name="협상 시작")).to_be_visible()
    await assert_accessible(officer)


async def _score(page: Page) -> None:
    """The best of each item that is judged; what is calculated has nothing to choose."""
    locked = page.locator(".locked").filter(has_text="수행실적")
    await expect(locked).to_contain_text("8점 / 10점")
    await expect(locked.get_by_role("radio")).to_have_count(0)
    submit = page.get_by_role("button", name="평가표 제출")
    await expect(submit).to_be_disabled()
    for item in await page.locator("fieldset.item").all():
        await item.get_by_role("radio").first.check()
    await page.get_by_label("평가 의견").fill("적정합니다.")
    await expect(page.get_by_text("저장됨")).to_be_visible()
    await assert_accessible(page)
    await submit.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="평가표 제출").click()
    await expect(page.get_by_text("제출한 평가표는 바꿀 수 없습니다.")).to_be_visible()
