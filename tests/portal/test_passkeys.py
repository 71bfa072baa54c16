"""Passkeys, made and shown by a real browser. Its authenticator is the virtual one of Chromium,
whose owner always confirms."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from services.auth.demo import DEMO_PASSWORD
from tests.portal.browser import Watch, assert_accessible

LOGIN_ID = "observer"  # whom no other journey asks for a password
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def by_name(gateway: str, watch: Watch) -> str:
    """Browsers make passkeys for names, and for no address of numbers."""
    watch.origin = f"http://localhost:{urlsplit(gateway).port}"
    return watch.origin


async def log_in(page: Page, origin: str) -> None:
    await page.goto(f"{origin}/login")
    await page.get_by_label("아이디", exact=True).fill(LOGIN_ID)
    await page.get_by_label("비밀번호", exact=True).fill(DEMO_PASSWORD)
    await page.get_by_role("button", name="로그인", exact=True).click()


async def leave(page: Page) -> None:
    banner = page.get_by_role("banner")
    await banner.get_by_role("button", name="로그아웃").click()
    await expect(banner.get_by_role("link", name="로그인")).to_be_visible()


async def confirm(page: Page) -> None:
    """The password is asked for again before anything changes that guards the account."""
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await dialog.get_by_label("현재 비밀번호").fill(DEMO_PASSWORD)
    await dialog.get_by_role("button").last.click()
    await expect(dialog).not_to_be_visible()


async def test_a_passkey_opens_the_account_alone_and_beside_the_password(visit, by_name, watch):
    page = await visit(f"{by_name}/login")
    developer = await page.context.new_cdp_session(page)
    await developer.send("WebAuthn.enable")
    await developer.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    log_out = page.get_by_role("banner").get_by_role("button", name="로그아웃")
    await log_in(page, by_name)
    await expect(log_out).to_be_visible()

    await page.goto(f"{by_name}/account/second-factor")
    await page.get_by_label("패스키 이름").fill("사무실 노트북")
    await page.get_by_role("button", name="패스키 등록").click()
    await confirm(page)
    await expect(page.get_by_role("heading", name="복구 코드")).to_be_visible()
    await expect(page.get_by_role("table", name="패스키")).to_contain_text("사무실 노트북")
    await assert_accessible(page)
    await page.get_by_role("button", name="보관했습니다").click()

    await leave(page)
    await page.goto(f"{by_name}/login")
    await page.get_by_role("button", name="패스키로 로그인").click()
    await expect(log_out).to_be_visible()

    await leave(page)
    watch.allow(400, "/api/v1/auth/token")  # the password alone is not enough any more
    await log_in(page, by_name)
    await expect(page.get_by_role("heading", name="2단계 인증")).to_be_visible()
    await page.get_by_role("button", name="패스키로 확인").click()
    await expect(log_out).to_be_visible()

    await page.goto(f"{by_name}/account/second-factor")
    await page.get_by_role("button", name="패스키 삭제: 사무실 노트북").click()
    await confirm(page)
    await expect(page.get_by_text("등록된 패스키가 없습니다.")).to_be_visible()
