"""Calls, proposals, evaluation and settlement, as the people who do them see them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from playwright.async_api import Page, expect

from deploy.demo.budget import proposal_document
from deploy.demo.client import User
from tests.portal.browser import Watch, assert_accessible, assert_fits

GRANTS = "/api/v1/grants"
Api = Callable[[str], User]


def published_call(officer: User, *, days: int = 30) -> dict[str, Any]:
    """A call of its own for each journey, named so that it can be found."""
    now = datetime.now(UTC)
    call = officer.post(
        f"{GRANTS}/programmes",
        {
            "kind": "hosted",
            "name": f"폐자원에너지화 특성화대학원 {uuid4().hex[:6]}",
            "ministry_name": "산학정책부",
            "agency_name": "가온산업진흥원",
            "target": "university",
            "benefit": "grant",
            "opens_at": (now - timedelta(days=1)).isoformat(),
            "closes_at": (now + timedelta(days=days)).isoformat(),
            "rule_set_code": "keco-2020",
            "rule_set_version": 1,
            "rolling": True,
        },
        expect=201,
    ).body
    officer.post(f"{GRANTS}/programmes/{call['id']}/publish")
    return dict(call)


def drafted(university: User, call: dict[str, Any], *, overhead_won: int) -> dict[str, Any]:
    """A proposal as far as a journey does not type it."""
    made = university.post(
        f"{GRANTS}/programmes/{call['id']}/proposals", {"title": "바이오가스 인력양성"}, expect=201
    )
    document = proposal_document(overhead_won=overhead_won)
    university.put(
        f"{GRANTS}/proposals/{made['id']}",
        {"title": "바이오가스 인력양성", "document": document},
        headers=made.tag,
    )
    return dict(made.body)


async def go_to_step(page: Page, name: str) -> None:
    steps = page.get_by_role("navigation", name="작성 단계")
    await steps.get_by_role("link", name=re.compile(rf"^{name}( 오류|$)")).click()
    await expect(page.get_by_role("heading", level=2, name=name)).to_be_visible()


async def test_a_call_is_found_and_read_by_anybody(visit: Any, api: Api) -> None:
    call = published_call(api("officer"))
    page = await visit("/grants")
    await page.get_by_label("사업명·기관명").fill(call["name"])
    await page.get_by_role("button", name="검색").click()
    await expect(page.get_by_role("status").filter(has_text="전체")).to_have_text("전체 1건")
    await assert_accessible(page)
    await page.get_by_role("link", name=call["name"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(call["name"])
    await expect(page.get_by_role("row", name=re.compile("간접비"))).to_contain_text("7% 이내")
    await expect(page.get_by_text("마감까지")).to_be_visible()
    await assert_accessible(page)
    await page.set_viewport_size({"width": 320, "height": 800})
    await assert_fits(page)


async def test_overhead_over_its_cap_is_marked_while_it_is_typed_and_mended_and_submitted(
    login: Any, api: Api
) -> None:
    call = published_call(api("officer"))
    made = drafted(api("hanbit"), call, overhead_won=9_200_000)
    page = await login("hanbit", f"/grants/proposals/{made['id']}/write?step=budget")
    amount = page.get_by_role("textbox", name="간접경비 11번째 줄 금액")
    await amount.fill("18900000")
    row = page.get_by_role("row").filter(has=amount)
    told = page.get_by_role("row").filter(has_text="을 초과했습니다").first
    await expect(amount).to_have_attribute("aria-invalid", "true")
    await expect(told).to_contain_text("간접비 18,900천원이 한도")
    await expect(told).to_contain_text("G-025")
    await expect(told).to_contain_text("최대 18,877,000원")
    await expect(row).to_have_class(re.compile("wrong"))
    await expect(page.get_by_text("한도 초과")).to_be_visible()
    await assert_accessible(page)

    await go_to_step(page, "점검과 제출")
    await expect(page.get_by_role("button", name="제출", exact=True)).to_be_disabled()
    await page.get_by_role("link", name=re.compile("간접비 18,900천원")).click()
    await expect(amount).to_be_focused()
    await amount.fill("18877000")
    await expect(amount).not_to_have_attribute("aria-invalid", "true")

    await go_to_step(page, "점검과 제출")
    await assert_accessible(page)
    await page.get_by_role("button", name="제출", exact=True).click()
    await expect(page.get_by_role("heading", name="접수되었습니다")).to_be_visible()
    saved = api("hanbit").get(f"{GRANTS}/proposals/{made['id']}").body
    assert saved["document"]["budget"]["lines"][-1]["amount_won"] == 18_877_000
    receipt = api("hanbit").get(f"{GRANTS}/proposals/{made['id']}/receipts").body[0]
    await expect(page.get_by_text(receipt["receipt_number"])).to_be_visible()

    await page.get_by_role("link", name="사업계획서로 가기").click()
    await expect(page.get_by_role("link", name="고쳐서 다시 제출")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text=receipt["receipt_number"])).to_be_visible()
    await assert_accessible(page)


async def test_a_proposal_begins_from_its_call_and_every_page_of_its_form_can_be_filled_in(
    login: Any, api: Api
) -> None:
    call = published_call(api("officer"))
    page = await login("saebyeok", f"/grants/calls/{call['id']}")
    await page.get_by_label("과제명").fill("폐플라스틱 열분해 인력양성")
    await page.get_by_role("button", name="작성 시작").click()
    await expect(page.get_by_role("heading", level=2)).to_have_text(["신청기관·컨소시엄"])
    await page.get_by_role("button", name="대학원 행 추가").click()
    await page.get_by_label("1행 대학교").fill("새벽대학교")
    await page.get_by_label("참여기업 수", exact=True).fill("5")
    await go_to_step(page, "표지")
    await page.get_by_label("기관명").fill("새벽대학교 산학협력단")
    await page.get_by_label("분야명").fill("가연성폐자원 에너지화")
    await assert_accessible(page)
    await go_to_step(page, "참여인력")
    await page.get_by_role("button", name="참여인력 행 추가").click()
    await page.get_by_label("1행 성명").fill("김책임")
    await assert_accessible(page)
    await go_to_step(page, "사업비")
    await page.get_by_role("button", name="간접경비에 줄 추가").click()
    await page.get_by_label("간접경비 1번째 줄 금액").fill("1000000")
    await expect(page.get_by_role("row", name=re.compile("총 사업비"))).to_contain_text(
        "1,000,000원"
    )
    for name in ("제출 서류", "민간부담금 협약서", "연간 목표", "요약서"):
        await go_to_step(page, name)
        await assert_accessible(page)
    await expect(page.get_by_text("에 저장했습니다")).to_be_visible()
    (mine,) = [
        one
        for one in api("saebyeok").get(f"{GRANTS}/proposals").body["items"]
        if one["programme_id"] == call["id"]
    ]
    document = api("saebyeok").get(f"{GRANTS}/proposals/{mine['id']}").body["document"]
    assert document["applicant"] == {"schools": [{"university": "새벽대학교"}], "companies": 5}
    assert document["sections"]["lead"] == {"name": "새벽대학교 산학협력단"}
    assert document["budget"]["people"] == [{"ref": "p1", "name": "김책임", "role": "internal"}]
    assert document["budget"]["lines"][0]["amount_won"] == 1_000_000


async def test_two_windows_do_not_overwrite_each_other_unasked(
    login: Any, api: Api, watch: Watch
) -> None:
    call = published_call(api("officer"))
    made = drafted(api("hanbit"), call, overhead_won=9_200_000)
    url = f"{GRANTS}/proposals/{made['id']}"
    watch.allow(412, url)
    page = await login("hanbit", f"/grants/proposals/{made['id']}/write?step=targets")
    field = page.get_by_label("교재 개발")
    await expect(field).to_have_value("2")
    other = api("hanbit").get(url)
    changed = {**other["document"], "targets": {**other["document"]["targets"], "textbooks": 7}}
    api("hanbit").put(url, {"title": "다른 창", "document": changed}, headers=other.tag)
    await field.fill("3")
    await expect(page.get_by_role("alert").filter(has_text="먼저 저장했습니다")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("button", name="최신 내용 보기").click()
    await expect(field).to_have_value("7")
    await field.fill("4")
    await expect(page.get_by_text("에 저장했습니다")).to_be_visible()
    assert api("hanbit").get(url)["document"]["targets"]["textbooks"] == 4
