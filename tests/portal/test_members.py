"""A university's lead and the people under it (A1)."""

import re

import pytest
from playwright.async_api import expect

from tests.portal.browser import assert_accessible, assert_fits

PASSWORD = "Bomnal!2027"


async def test_a_sub_account_is_opened_for_one_field_and_enters_by_its_link(login, visit, watch):
    watch.allow(422, "/api/v1/auth/activation")
    lead = await login("saebyeok", "/members")
    await expect(lead.get_by_role("heading", level=1)).to_have_text("기관·계정")
    await assert_accessible(lead)
    await lead.get_by_role("link", name="하위 계정 만들기").click()
    await lead.get_by_label("아이디", exact=True).fill("saebyeok_01")
    await lead.get_by_role("button", name="중복검사").click()
    await expect(lead.get_by_text("사용할 수 있는 아이디입니다.")).to_be_visible()
    await lead.get_by_label("담당자명", exact=True).fill("현장실습 담당")
    await lead.get_by_label("대학생 현장실습").check()
    await assert_accessible(lead)
    await lead.get_by_role("button", name="계정 만들기").click()
    await expect(lead.get_by_role("heading", level=2)).to_be_focused()
    link = await lead.locator("[data-activation-link]").get_attribute("href")
    assert link is not None

    person = await visit(re.sub(r"^https?://[^/]+", "", link))
    await expect(person.get_by_text("새벽대학교").first).to_be_visible()
    await person.get_by_label("새 비밀번호", exact=True).fill("saebyeok_01")
    await person.get_by_label("새 비밀번호 확인").fill(PASSWORD)
    if await person.get_by_label("대표 연락처").is_visible():
        await person.get_by_label("대표 연락처").fill("02-123-4567")
    await person.get_by_role("button", name="비밀번호 정하기").click()
    await expect(person.get_by_role("alert")).to_contain_text("아이디를 넣을 수 없습니다")
    await assert_accessible(person)
    await person.get_by_label("새 비밀번호", exact=True).fill(PASSWORD)
    await person.get_by_role("button", name="비밀번호 정하기").click()
    await person.get_by_label("아이디", exact=True).fill("saebyeok_01")
    await person.get_by_label("비밀번호", exact=True).fill(PASSWORD)
    await person.get_by_role("button", name="로그인", exact=True).click()

    await expect(person.get_by_role("heading", name="처리할 일")).to_be_visible()
    await expect(person.get_by_role("link", name="기관·계정")).to_have_count(0)
    await person.get_by_role("link", name="내 계정").click()
    await expect(person.get_by_text("대학생 현장실습", exact=True)).to_be_visible()
    await expect(person.get_by_text("기술이전")).to_have_count(0)
    await person.goto("/members")  # by its address, what the menu does not show
    await expect(person.get_by_role("heading", level=1)).to_have_text(
        "이 화면을 볼 권한이 없습니다"
    )
    await assert_accessible(person)


@pytest.mark.parametrize("width", [1280, 320])
async def test_the_pages_of_an_institution_read_well(login, width):
    page = await login("hanbit", "/", width=width)
    for path in ("/", "/members", "/members/profile", "/members/campuses", "/notices"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("status").filter(has_text="불러오고")).to_have_count(0)
        await assert_fits(page)
        await assert_accessible(page)
