"""A notice of result as a page, from what was kept of it alone: the same bytes each time."""

import asyncio
from pathlib import Path
from typing import Final

from services.grants.evaluation.models import ResultNotice
from shared.clock import SEOUL
from shared.typeset import Template, legible_json

_template: Final = Template(Path(__file__).parent / "notice.typ")


async def notice_pdf(notice: ResultNotice) -> bytes:
    return await asyncio.to_thread(_draw, notice)


def _draw(notice: ResultNotice) -> bytes:
    page = {
        **notice.body,
        "number": notice.number,
        "issued_on": f"{notice.issued_at.astimezone(SEOUL):%Y. %m. %d.}",
    }
    return _template.pdf({"page": legible_json(page)}, timestamp=notice.issued_at)
