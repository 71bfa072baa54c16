"""The applicant's own workbook handed back with its errors marked where they are (M-014)."""

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from services.accrual.applications.columns import Column
from services.accrual.applications.template import INPUT_SHEET
from services.accrual.applications.workbook import RESULT_SHEET, Sheet, open_grids, read_sheet
from shared.problems import Finding, Lang
from shared.sheets.cells import is_blank, plain
from shared.sheets.workbooks import is_workbook

_AUTHOR = "산학 마일리지"
_FILLS = {
    "error": PatternFill("solid", fgColor="FFF8CBCB"),
    "warning": PatternFill("solid", fgColor="FFFFF2CC"),
}
_LEVELS = {"error": "오류", "warning": "확인"}
_RESULT_TITLES = ("행", "열", "구분", "내용", "입력한 값", "고칠 값", "코드")
_RESULT_WIDTHS = {"A": 8, "B": 22, "C": 8, "D": 70, "E": 22, "F": 22, "G": 26}


def annotate(
    data: bytes, columns: Sequence[Column], findings: Iterable[Finding], *, lang: Lang = "ko"
) -> bytes:
    """The uploaded sheet as .xlsx, with red and yellow cells, comments, and a list of all findings.

    Marks of an earlier round are taken away first, so that the copy can be corrected, uploaded and
    annotated again. Macros are not kept. Delimited text, and a workbook the writing library cannot
    open, come back as a new workbook with the same cells in the same places. Takes about a second
    for 1,000 faulty rows: not for the event loop. Raises as `read_sheet` does.
    """
    findings = list(findings)
    sheet = read_sheet(data, columns, max_rows=0)
    workbook = (_loaded(data) if is_workbook(data) else None) or _copied(data, sheet, columns)
    page = workbook[sheet.name or INPUT_SHEET]
    if RESULT_SHEET in workbook.sheetnames:
        del workbook[RESULT_SHEET]
        _remove_marks(page)
    marks: dict[Cell, list[Finding]] = {}
    for finding in findings:
        cell = _cell_of(page, sheet, finding)
        if cell is not None:
            marks.setdefault(cell, []).append(finding)
    for cell, found in marks.items():
        _mark(cell, found, lang)
    _list_findings(workbook, page, sheet, columns, findings, lang)
    annotated = io.BytesIO()
    workbook.save(annotated)
    return annotated.getvalue()


def _loaded(data: bytes) -> openpyxl.Workbook | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts it does not know and leaves out
        try:
            return openpyxl.load_workbook(io.BytesIO(data), keep_links=False)
        except Exception:  # noqa: BLE001  # it raises anything on files Excel is content with
            return None


def _copied(data: bytes, sheet: Sheet, columns: Sequence[Column]) -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    page = workbook.worksheets[0]
    page.title = sheet.name or INPUT_SHEET
    grid = next(grid for grid in open_grids(data, columns) if grid.name == sheet.name)
    for number, line in enumerate(grid.rows, 1):
        for position, cell in enumerate(line, grid.first_column + 1):
            if not is_blank(cell):
                _write(page.cell(number, position), plain(cell))
    return workbook


def _write(cell: Cell | MergedCell, text: str) -> None:
    """Text as text: never a formula, and nothing XML cannot hold."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", text)
    cell.data_type = "s"


def _cell_of(page: Worksheet, sheet: Sheet, finding: Finding) -> Cell | None:
    if finding.row is None:
        return None
    number = sheet.places.get(finding.field or "", min(sheet.places.values()))
    if finding.pointer.startswith("/columns/"):
        number = column_index_from_string(finding.pointer.removeprefix("/columns/"))
    cell = page.cell(finding.row, number)
    if isinstance(cell, MergedCell):  # only the first of merged cells can carry anything
        (area,) = [area for area in page.merged_cells.ranges if cell.coordinate in area]
        cell = page.cell(area.min_row, area.min_col)
    return cell if isinstance(cell, Cell) else None


def _mark(cell: Cell, findings: Sequence[Finding], lang: Lang) -> None:
    cell.fill = _FILLS["error" if any(f.is_error for f in findings) else "warning"]
    lines = [finding.message(lang) for finding in findings]
    if cell.comment and cell.comment.text:
        lines.append(cell.comment.text)
    text = ILLEGAL_CHARACTERS_RE.sub(" ", "\n".join(lines))
    cell.comment = Comment(text, _AUTHOR, height=40 + 20 * len(lines), width=320)


def _remove_marks(page: Worksheet) -> None:
    colours = {fill.fgColor.rgb for fill in _FILLS.values()}
    for row in page.iter_rows():
        for cell in row:
            if cell.fill.fgColor.rgb in colours:
                cell.fill = PatternFill()
            if cell.comment and cell.comment.author == _AUTHOR:
                cell.comment = None


def _list_findings(
    workbook: openpyxl.Workbook,
    page: Worksheet,
    sheet: Sheet,
    columns: Sequence[Column],
    findings: Iterable[Finding],
    lang: Lang,
) -> None:
    names: Mapping[str, str] = {column.key: column.ko for column in columns}
    result = workbook.create_sheet(RESULT_SHEET)
    for column, width in _RESULT_WIDTHS.items():
        result.column_dimensions[column].width = width
    for position, title in enumerate(_RESULT_TITLES, 1):
        _write(result.cell(1, position), title)
        result.cell(1, position).font = Font(bold=True)
    quoted = page.title.replace("'", "''")
    for number, finding in enumerate(findings, 2):
        texts = (
            names.get(finding.field or "", ""),
            _LEVELS[finding.kind.level],
            finding.message(lang),
            str(finding.params.get("value", "")),
            finding.suggestion or "",
            finding.code,
        )
        for position, text in enumerate(texts, 2):
            _write(result.cell(number, position), text)
        cell = _cell_of(page, sheet, finding)
        if cell is not None:
            result.cell(number, 1).value = finding.row
            place = Hyperlink(ref=f"A{number}", location=f"'{quoted}'!{cell.coordinate}")
            result.cell(number, 1).hyperlink = place
    result.freeze_panes = "A2"
