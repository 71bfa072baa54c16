"""The applicant's own workbook handed back with its errors marked where they are (M-014)."""

from collections.abc import Iterable, Sequence

from services.accrual.applications.columns import Column
from services.accrual.applications.template import INPUT_SHEET
from services.accrual.applications.workbook import open_grids, read_sheet
from shared.problems import Finding, Lang
from shared.sheets import annotation
from shared.sheets.workbooks import Grid


def annotate(
    data: bytes, columns: Sequence[Column], findings: Iterable[Finding], *, lang: Lang = "ko"
) -> bytes:
    """The uploaded sheet with every finding in its cell. Raises as `read_sheet` does."""
    sheet = read_sheet(data, columns, max_rows=0)

    def grid() -> Grid:
        return next(grid for grid in open_grids(data, columns) if grid.name == sheet.name)

    titles = {column.key: column.ko for column in columns}
    page = annotation.Page(sheet.name or INPUT_SHEET, sheet.places, titles, grid)
    return annotation.annotate(data, page, findings, lang=lang)
