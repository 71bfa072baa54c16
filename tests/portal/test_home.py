"""Where everybody arrives."""

import pytest
from playwright.async_api import Request, expect

from tests.portal.browser import assert_accessible, assert_fits, assert_korean_font


@pytest.mark.parametrize("width", [1280, 320])
async def test_the_front_page_reads_well_on_any_screen(visit, width):
    page = await visit("/", width=width)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page).to_have_title("산학 마일리지")
    await assert_fits(page)
    await assert_accessible(page)
    await assert_korean_font(page)


async def test_a_first_visit_is_bearable_on_a_slow_line(visit):
    """Counted, not timed: 1.6 Mbit/s carry 200 kB a second, the first text is to stand after 2.5 s,
    and some of those go by until the first byte comes. Text does not wait for its font."""
    page = await visit("about:blank")
    seen: list[Request] = []
    page.on("requestfinished", lambda request: seen.append(request))
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.evaluate("document.fonts.ready")
    sizes: dict[str, int] = {}
    for request in seen:
        kind = request.resource_type
        sizes[kind] = sizes.get(kind, 0) + (await request.sizes())["responseBodySize"]
    assert sizes["font"] <= 350 * 1024, sizes
    assert sum(size for kind, size in sizes.items() if kind != "font") <= 200_000, sizes
    assert len(seen) <= 60
