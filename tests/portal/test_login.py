"""Logging in, by the form that everybody meets."""

import pytest
from playwright.async_api import Page, expect

from services.auth.demo import DEMO_PASSWORD
from tests.portal.browser import assert_accessible, assert_fits

TOKEN = "/api/v1/auth/token"


async def fill_in(page: Page, login_id: str, password: str) -> None:
    await page.get_by_role("textbox", name="아이디").fill(login_id)
    await page.get_by_label("비밀번호").fill(password)
    await page.get_by_role("button", name="로그인", exact=True).click()


async def test_a_university_logs_in_and_stays_logged_in(visit):
    page = await visit("/")
    await page.get_by_role("banner").get_by_role("link", name="로그인").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("로그인")
    await assert_accessible(page)
    await fill_in(page, "hanbit", DEMO_PASSWORD)
    log_out = page.get_by_role("banner").get_by_role("button", name="로그아웃")
    await expect(log_out).to_be_visible()
    await page.reload()
    await expect(log_out).to_be_visible()
    await assert_accessible(page)
    await log_out.click()
    await expect(page.get_by_role("banner").get_by_role("link", name="로그인")).to_be_visible()
    # No script can read what keeps the session.
    assert "refresh" not in await page.evaluate("document.cookie + JSON.stringify(localStorage)")


@pytest.mark.parametrize("width", [1280, 320])
async def test_a_wrong_password_is_answered_by_the_servers_words(visit, watch, width):
    watch.allow(400, TOKEN)
    page = await visit("/login", width=width)
    async with page.expect_response(f"**{TOKEN}") as answered:
        await fill_in(page, "saebyeok", "Wrong!2026aa")
    problem = await (await answered.value).json()
    await expect(page.get_by_role("alert")).to_contain_text(problem["detail"])
    await expect(page.get_by_role("textbox", name="아이디")).to_have_value("saebyeok")
    await assert_fits(page)
    await assert_accessible(page)
