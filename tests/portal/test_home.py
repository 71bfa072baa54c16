"""Where everybody arrives."""

import pytest
from playwright.async_api import expect

from tests.portal.browser import assert_accessible, assert_fits, assert_korean_font


@pytest.mark.parametrize("width", [1280, 320])
async def test_the_front_page_reads_well_on_any_screen(visit, width):
    page = await visit("/", width=width)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page).to_have_title("산학 마일리지")
    await assert_fits(page)
    await assert_accessible(page)
    await assert_korean_font(page)
