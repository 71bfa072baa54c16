"""The portal in a real browser, in front of a whole installation.

    async def test_a_journey(login, watch):
        page = await login("hanbit")
        await page.get_by_role("link", name="마일리지").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("마일리지 원장")
        await assert_accessible(page)

Whoever is logged in has a browser context of their own. A console error, a request to another
origin, something the page's policy refuses or an answer of 400 and above fails the test, unless it
says `watch.allow(422, "/api/v1/…")`. Nothing is ever waited for but conditions: `expect(…)`.
"""

import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from deploy.demo.client import User
from deploy.local.stack import stack
from services.auth.demo import LOGINS
from tests.portal.browser import (
    ARGUMENTS,
    PATIENCE_MS,
    PORTAL,
    Watch,
    find_chromium,
    keep_pictures,
)

PASSWORDS = {login_id: password for login_id, password, _, _ in LOGINS}
_FAILED = pytest.StashKey[bool]()

Visit = Callable[..., Awaitable[Page]]

expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def gateway() -> Iterator[str]:
    """Of an installation of the tests' own; `GATEWAY_URL` names one that runs, to write journeys
    with (`make run` holds its build of the portal until its gateway is started again)."""
    if "GATEWAY_URL" in os.environ:
        yield os.environ["GATEWAY_URL"].rstrip("/")
        return
    needed = {
        PORTAL / "build" / "index.html": "the portal is not built: make portal",
        PORTAL / "node_modules" / "axe-core": "the portal's packages are missing: make portal",
    }
    for path, what in needed.items():
        if not path.exists():
            cannot_be_tested(what)
    # Everybody comes from one address here.
    limits = dict.fromkeys(("LIMIT_LOGIN", "LIMIT_PUBLIC", "LIMIT_USER"), "100000/60")
    temporary = tempfile.TemporaryDirectory(prefix="sanhak-portal-")
    with temporary as directory, stack(Path(directory), env=limits) as installation:
        yield installation.gateway_url


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        cannot_be_tested("no Chromium was found: apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


def cannot_be_tested(why: str) -> NoReturn:
    """Said aloud on a developer's machine; where submissions are tested, a failure."""
    if "CI" in os.environ:
        pytest.fail(why)
    pytest.skip(f"THE PORTAL IS NOT TESTED: {why}")


@pytest.fixture
def watch(gateway: str) -> Watch:
    return Watch(gateway)


@pytest.fixture
async def contexts(
    request: pytest.FixtureRequest, browser: Browser, watch: Watch
) -> AsyncIterator[list[BrowserContext]]:
    """Of this test; its faults are told when they close."""
    opened: list[BrowserContext] = []
    yield opened
    failed = request.node.stash.get(_FAILED, False)
    if failed or watch.faults:
        await keep_pictures(opened, re.sub(r"\W+", "-", request.node.nodeid))
    for context in opened:
        await context.close()
    faults = "\n".join(watch.faults)
    if failed:
        print(faults)
    else:
        assert not faults, f"It worked, but:\n{faults}"


@pytest.fixture
def visit(browser: Browser, contexts: list[BrowserContext], watch: Watch, gateway: str) -> Visit:
    """`page = await visit("/notices", width=320)`: somebody whom nobody knows."""

    async def visit(path: str = "/", *, width: int = 1280, **options: Any) -> Page:
        page = await _new_page(browser, contexts, watch, gateway, width, options)
        await page.goto(path)
        return page

    return visit


@pytest.fixture
def login(browser: Browser, contexts: list[BrowserContext], watch: Watch, gateway: str) -> Visit:
    """`page = await login("operator", "/review")`: one of the demo's accounts, logged in. Only
    `tests/portal/test_account.py` goes through the form."""

    async def login(
        login_id: str,
        path: str = "/",
        *,
        password: str | None = None,
        width: int = 1280,
        **options: Any,
    ) -> Page:
        # Without this mark the portal takes everybody for a stranger, and asks for no session.
        mark = {"origin": gateway, "localStorage": [{"name": "session", "value": "1"}]}
        options.setdefault("storage_state", {"origins": [mark]})
        page = await _new_page(browser, contexts, watch, gateway, width, options)
        answer = await page.request.post(
            "/api/v1/auth/token",
            form={
                "grant_type": "password",
                "client_id": "portal",
                "username": login_id,
                "password": password or PASSWORDS[login_id],
                "refresh_in": "cookie",
            },
        )
        assert answer.status == 200, await answer.text()
        await page.goto(path)
        return page

    return login


async def _new_page(
    browser: Browser,
    contexts: list[BrowserContext],
    watch: Watch,
    gateway: str,
    width: int,
    options: dict[str, Any],
) -> Page:
    context = await browser.new_context(
        base_url=gateway,
        locale="ko-KR",
        timezone_id="Asia/Seoul",
        reduced_motion="reduce",
        viewport={"width": width, "height": 800},
        **options,
    )
    contexts.append(context)
    context.set_default_timeout(PATIENCE_MS)
    await watch.attach(context)
    return await context.new_page()


@pytest.fixture
def api(gateway: str) -> Iterator[Callable[[str], User]]:
    """`api("hanbit").post(…)`: what a journey needs to find is put there without a browser."""
    with ExitStack() as users:

        def user(login_id: str) -> User:
            return users.enter_context(User(gateway, login_id, PASSWORDS[login_id]))

        yield user
