"""Logging in, the first password, and what happens when nothing happens for long."""

from playwright.async_api import Page, expect

from tests.portal.browser import assert_accessible, assert_fits, assert_korean_font

NEW = "Bomnal!2027"


async def log_in(page: Page, login_id: str, password: str) -> None:
    await page.get_by_label("아이디", exact=True).fill(login_id)
    await page.get_by_label("비밀번호", exact=True).fill(password)
    await page.get_by_role("button", name="로그인", exact=True).click()


async def test_the_first_login_leads_to_a_new_password_and_back_in(visit, watch):
    watch.allow(400, "/api/v1/auth/token")
    watch.allow(422, "/api/v1/auth/password")
    page = await visit("/login?next=%2Fnotices")
    await expect(page.get_by_role("heading", level=1)).to_have_text("로그인")
    await assert_korean_font(page)
    await log_in(page, "nuri", "wrong")
    await expect(page.get_by_role("alert")).to_contain_text(
        "아이디 또는 비밀번호가 올바르지 않습니다."
    )
    await assert_accessible(page)
    await log_in(page, "nuri", "nuri")

    await expect(page.get_by_role("heading", level=1)).to_have_text("비밀번호 변경")
    await expect(page.get_by_text("누리대학교산학협력단")).to_be_visible()
    await page.get_by_label("현재 비밀번호").fill("nuri")
    await page.get_by_label("새 비밀번호", exact=True).fill("nuri1")
    await page.get_by_label("새 비밀번호 확인").fill("nuri2")
    await page.get_by_role("button", name="비밀번호 변경").click()
    summary = page.get_by_role("alert").filter(has_text="오류번호")
    for text in ("10자 이상 20자 이하", "특수문자", "아이디를 넣을 수", "일치하지", "대표 연락처"):
        await expect(summary).to_contain_text(text)
    await assert_accessible(page)
    await summary.get_by_role("link", name="일치하지").click()
    await expect(page.get_by_label("새 비밀번호 확인")).to_be_focused()
    await expect(page.get_by_label("현재 비밀번호")).to_have_value("nuri")  # nothing is lost

    await page.get_by_label("새 비밀번호", exact=True).fill(NEW)
    await page.get_by_label("새 비밀번호 확인").fill(NEW)
    await page.get_by_label("대표 연락처").fill("02-123-4567")
    await page.get_by_role("button", name="비밀번호 변경").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("로그인")
    await log_in(page, "nuri", NEW)
    await expect(page.get_by_role("button", name="로그아웃")).to_be_visible()
    await page.reload()  # the token was in memory only, the session is not
    await expect(page.get_by_role("button", name="로그아웃")).to_be_visible()
    await page.get_by_role("button", name="로그아웃").click()
    await expect(page.get_by_role("link", name="로그인").first).to_be_visible()


async def test_who_is_away_is_told_and_goes_on_where_he_was(login, watch):
    """The countdown is announced two minutes before the end, and after it nothing typed is lost."""
    page = await login("hanbit", "/account")
    await page.clock.install()
    await page.goto("/account")
    await expect(page.get_by_text("자동 로그아웃까지")).to_be_visible()
    await page.get_by_label("부서").fill("산학기획팀")
    await page.clock.fast_forward("28:30")
    await expect(page.get_by_text("2분 뒤에 자동으로 로그아웃됩니다")).to_be_attached()
    await page.get_by_role("button", name="연장").click()
    await expect(page.get_by_text("로그인 시간을 연장했습니다.")).to_be_visible()
    await expect(page.get_by_text("2분 뒤에 자동으로 로그아웃됩니다")).not_to_be_attached()

    await page.clock.fast_forward("31:00")
    dialog = page.get_by_role("dialog", name="자동으로 로그아웃되었습니다")
    await expect(dialog).to_be_visible()
    await expect(page.get_by_label("부서")).not_to_be_visible()  # whoever comes by reads nothing
    await assert_accessible(page)
    await log_in(page, "hanbit", "Hanmaru!2026")
    await expect(dialog).not_to_be_visible()
    await expect(page.get_by_label("부서")).to_have_value("산학기획팀")


async def test_the_pages_of_an_account_read_well_on_a_phone(login):
    page = await login("hanbit", "/account", width=320)
    for path in ("/account", "/account/password", "/account/second-factor", "/account/sessions"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("status").filter(has_text="불러오고")).to_have_count(0)
        await assert_fits(page)
        await assert_accessible(page)
