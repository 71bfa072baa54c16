"""A certificate as a page, from what was kept of it alone: the same bytes each time."""

import asyncio
from pathlib import Path
from typing import Final

from services.grants.certification.models import ExcellenceCertificate
from shared.clock import seoul_day
from shared.typeset import Template, legible_json, qr

_template: Final = Template(Path(__file__).parent / "certificate.typ")


async def certificate_pdf(one: ExcellenceCertificate, title: str, portal: str) -> bytes:
    """`title` is the programme's name; `portal` where anybody can look the number up."""
    return await asyncio.to_thread(_draw, one, title, portal)


def _draw(one: ExcellenceCertificate, title: str, portal: str) -> bytes:
    url = f"{portal.rstrip('/')}/api/v1/grants/certification/public/certificates/{one.number}"
    page = {
        "title": title,
        "number": one.number,
        "institution": one.institution_name,
        "brn": f"{one.brn[:3]}-{one.brn[3:5]}-{one.brn[5:]}" if one.brn else None,
        "period": f"{one.valid_from:%Y. %m. %d.} ~ {one.valid_until:%Y. %m. %d.}",
        "issued_on": f"{seoul_day(one.issued_at):%Y. %m. %d.}",
        "authority": one.authority,
        "url": url,
    }
    inputs = {"page": legible_json(page), "qr": qr(url)}
    return _template.pdf(inputs, timestamp=one.issued_at)
