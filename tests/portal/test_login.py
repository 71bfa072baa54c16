"""Logging in, by the form that everybody meets."""

from uuid import uuid4

from playwright.async_api import Page, expect

from services.auth.demo import DEMO_PASSWORD
from tests.portal.browser import assert_accessible, assert_fits

TOKEN = "/api/v1/auth/token"


async def fill_in(page: Page, login_id: str, password: str) -> None:
    await page.get_by_role("textbox", name="아이디").fill(login_id)
    await page.get_by_label("비밀번호", exact=True).fill(password)
    await page.get_by_role("button", name="로그인", exact=True).click()


async def test_a_university_logs_in_and_stays_logged_in(visit):
    page = await visit("/")
    banner = page.get_by_role("banner")
    await banner.get_by_role("link", name="로그인").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("로그인")
    await assert_accessible(page)
    await fill_in(page, "hanbit", DEMO_PASSWORD)
    await expect(banner.get_by_role("button", name="로그아웃")).to_be_visible()
    # No script can read what keeps the session.
    kept = await page.evaluate("document.cookie + JSON.stringify({...localStorage})")
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert cookies
    assert all(cookie["httpOnly"] for cookie in cookies.values())
    assert not [cookie for cookie in cookies.values() if cookie["value"] in kept]
    await page.reload()
    await expect(banner.get_by_role("button", name="로그아웃")).to_be_visible()
    await assert_accessible(page)


async def test_logging_out_leaves_nothing_behind(login):
    page = await login("hanbit")
    banner = page.get_by_role("banner")
    await banner.get_by_role("button", name="로그아웃").click()
    await expect(banner.get_by_role("link", name="로그인")).to_be_visible()
    assert await page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie]") == [
        {},
        {},
        "",
    ]
    # What no script can read is gone, too.
    left = [cookie["name"] for cookie in await page.context.cookies()]
    assert not [name for name in left if name.endswith("rt")], left
    await page.reload()
    await expect(banner.get_by_role("link", name="로그인")).to_be_visible()


async def test_a_password_is_hidden_and_may_be_pasted(visit):
    page = await visit("/login", permissions=["clipboard-read", "clipboard-write"])
    box = page.get_by_label("비밀번호", exact=True)
    await expect(box).to_have_attribute("type", "password")
    await page.evaluate("(text) => navigator.clipboard.writeText(text)", DEMO_PASSWORD)
    await box.press("ControlOrMeta+v")
    await expect(box).to_have_value(DEMO_PASSWORD)


async def test_a_wrong_login_is_answered_by_the_servers_words(visit, watch):
    """Of an id that nobody has, which is answered alike: real ones are slowed down after a few."""
    login_id = f"nobody-{uuid4().hex[:8]}"
    watch.allow(400, TOKEN)
    page = await visit("/login", width=320)
    async with page.expect_response(f"**{TOKEN}") as answered:
        await fill_in(page, login_id, "Wrong!2026aa")
    problem = await (await answered.value).json()
    await expect(page.get_by_role("alert")).to_contain_text(problem["detail"])
    await expect(page.get_by_role("textbox", name="아이디")).to_have_value(login_id)
    await assert_fits(page)
    await assert_accessible(page)
