"""Public: the sheet to fill in for each field, as a file and as a description of its columns."""

import asyncio
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.deps import Conf
from services.accrual.applications.schemas import ColumnOut
from services.accrual.applications.template import template
from services.accrual.criteria.schemas import FieldCode
from services.accrual.criteria.service import criteria_on, version
from shared.clock import seoul_day, utc_now
from shared.downloads import XLSX, download, send

router = APIRouter(prefix="/api/v1/accrual/templates", tags=["적립명단"])

Field = Annotated[FieldCode, Path(description="적립분야 코드")]


@router.get("/{field}", summary="양식 내려받기", **download(XLSX))
async def download_template(field: Field, settings: Conf) -> Response:
    criteria = criteria_on(seoul_day(utc_now()))
    content = await asyncio.to_thread(_template, field, criteria.version, settings.max_rows)
    name = f"적립신청_{criteria.fields[field].ko}.xlsx"
    return send(content, name, XLSX, headers={"Cache-Control": "public, max-age=300"})


@router.get("/{field}/columns", response_model=list[ColumnOut], summary="양식의 열")
async def read_columns(field: Field, response: Response) -> list[ColumnOut]:
    response.headers["Cache-Control"] = "public, max-age=300"
    return [ColumnOut.model_validate(column) for column in COLUMNS[field]]


@lru_cache(maxsize=32)
def _template(field: str, criteria_version: str, max_rows: int) -> bytes:
    """The same for everyone until the criteria change, so it is made once."""
    return template(version(criteria_version).fields[field], max_rows=max_rows)
